/**
 * The policies of the published experiments by their names there.
 */
import { SkepError } from '@skep/api';
import {
  bestFitPolicy,
  dotProductPolicy,
  fgdPolicy,
  gpuClusteringPolicy,
  gpuPackingPolicy,
  randomPolicy,
  tieBreakByRank,
  typicalTasks,
  type Policy,
} from '@skep/scheduler';
import { arrivalsOf, type Trace } from './trace.js';

/** Names of the policies of the experiments. */
export const OPENB_POLICIES = [
  'Random',
  'DotProd',
  'GpuClustering',
  'GpuPacking',
  'BestFit',
  'FGD',
] as const;

/** A policy of the experiments. */
export type OpenbPolicyName = (typeof OPENB_POLICIES)[number];

/**
 * The policy for a trace, with the trace's ranks of nodes as its tie-break.
 * `seed` matters for Random alone.
 * @throws SkepError invalid-argument for a name that is none of {@link OPENB_POLICIES}.
 */
export function openbPolicy(name: string, trace: Trace, seed = 0): Policy {
  const { nodeRanks } = trace;
  const options = nodeRanks === undefined ? {} : { tieBreak: tieBreakByRank(nodeRanks) };
  switch (name as OpenbPolicyName) {
    case 'Random':
      return randomPolicy({ seed });
    case 'DotProd':
      return dotProductPolicy(options);
    case 'GpuClustering':
      return gpuClusteringPolicy(options);
    case 'GpuPacking':
      return gpuPackingPolicy(options);
    case 'BestFit':
      return bestFitPolicy(options);
    case 'FGD':
      return fgdPolicy({ ...options, workload: typicalTasks(trace.workload ?? arrivalsOf(trace)) });
    default:
      throw new SkepError(
        'invalid-argument',
        `no policy is named '${name}'; there are: ${OPENB_POLICIES.join(', ')}`,
      );
  }
}
