/**
 * Tasks that take alike numbers of devices are kept together.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), policy GpuClustering, after Gandiva
 * (OSDI'18).
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { deviceDemand, deviceScoreOptions, type DeviceScoreOptions } from './device-demand.js';

/**
 * 75 where only tasks of this class hold devices, 50 where others do too, 25 where nobody does, 0
 * where only others do; and up to 25 more the fuller the devices are. A class is those that share
 * devices, or that take one whole device, two, and so on. 0 for tasks without devices.
 */
export function gpuClusteringScore(options: DeviceScoreOptions = {}): Score {
  const { kind, deviceMilliMax } = deviceScoreOptions(options);
  return Object.freeze({
    name: 'gpu-clustering',
    label: 'more tasks with as many devices',
    prepare: ({ group: { requirements } }): PreparedScore | undefined => {
      const { request, isShare, count } = deviceDemand(requirements, kind);
      if (request === undefined) return NOTHING;
      const own = isShare ? 0 : count;
      return { key: String(own), score: (node) => scoreOf(node, { kind, own, deviceMilliMax }) };
    },
  } satisfies Score);
}

/** The same for every node: the tie-break decides. */
const NOTHING: PreparedScore = Object.freeze({ key: 'none', score: () => 0 });

function scoreOf(
  node: NodeInfo,
  by: { readonly kind: string; readonly own: number; readonly deviceMilliMax: number },
): number {
  const devices = node.devices.of(by.kind);
  const free = devices?.totalFreeMilli ?? 0;
  const holders = devices?.holders;
  const base = Math.trunc((25 * (by.deviceMilliMax - free)) / by.deviceMilliMax);
  if (holders === undefined || holders.size === 0) return base + 25;
  if (!holders.has(by.own)) return base;
  return base + (holders.size === 1 ? 75 : 50);
}
