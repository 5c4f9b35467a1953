/**
 * The policies of the OpenB experiments, for clusters whose devices are shared.
 *
 * **Source:** "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
 * Gradient
 * Descent" (USENIX ATC'23).
 */
import { fragmentationGradient, type FragmentationOptions } from '../fragmentation/gradient.js';
import type { Policy } from '../policy.js';
import { tightestDevicesReserve } from '../reserves/tightest-devices.js';
import { bestFitScore } from '../scores/best-fit.js';
import type { DeviceScoreOptions } from '../scores/device-demand.js';
import { dotProductScore } from '../scores/dot-product.js';
import { gpuClusteringScore } from '../scores/gpu-clustering.js';
import { gpuPackingScore } from '../scores/gpu-packing.js';
import { randomDevicesReserve, randomScore, type RandomOptions } from '../scores/random.js';
import { composePolicy } from './compose-policy.js';
import { STANDARD_FILTERS } from './standard-policies.js';
import type { TieBreakOption } from './tie-break.js';

/** DotProd: nodes whose free amounts are small where the task asks for much. */
export function dotProductPolicy(options: DeviceScoreOptions & TieBreakOption = {}): Policy {
  return devicePolicy('dot-product', { scores: [dotProductScore(options)] }, options);
}

/** BestFit: the fullest node that takes the task. */
export function bestFitPolicy(options: DeviceScoreOptions & TieBreakOption = {}): Policy {
  return devicePolicy('best-fit', { scores: [bestFitScore(options)] }, options);
}

/** GpuClustering: tasks that take alike numbers of devices together. */
export function gpuClusteringPolicy(options: DeviceScoreOptions & TieBreakOption = {}): Policy {
  return devicePolicy('gpu-clustering', { scores: [gpuClusteringScore(options)] }, options);
}

/** GpuPacking: devices in use first, unused nodes last. */
export function gpuPackingPolicy(options: DeviceScoreOptions & TieBreakOption = {}): Policy {
  return devicePolicy('gpu-packing', { scores: [gpuPackingScore(options)] }, options);
}

/** FGD: where the task makes the least idle capacity useless to the workload. */
export function fgdPolicy(options: FragmentationOptions & TieBreakOption): Policy {
  const { score, reserve } = fragmentationGradient(options);
  return devicePolicy('fgd', { scores: [score], reserves: [reserve] }, options);
}

/** Random: any node that fits, and any devices; drawn by the seed. */
export function randomPolicy(options: RandomOptions & TieBreakOption = {}): Policy {
  const reserves = [randomDevicesReserve(options)];
  return devicePolicy('random', { scores: [randomScore(options)], reserves }, options);
}

function devicePolicy(
  name: string,
  parts: Pick<Policy, 'scores' | 'reserves'>,
  { tieBreak }: TieBreakOption,
): Policy {
  return composePolicy({
    name,
    filters: STANDARD_FILTERS,
    reserves: [tightestDevicesReserve],
    ...parts,
    ...(tieBreak === undefined ? {} : { tieBreak }),
  });
}
