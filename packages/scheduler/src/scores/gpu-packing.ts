/**
 * Devices that are in use already, then free devices of nodes in use, then unused nodes.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), policy GpuPacking, after the scheduler of
 * "MLaaS in the wild" (NSDI'22).
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import {
  deviceDemand,
  deviceScoreOptions,
  tightestDevices,
  type DeviceDemand,
  type DeviceScoreOptions,
} from './device-demand.js';

/**
 * From 50 to 100 where the task fits on devices in use, the fuller the better; from 33 to 50 where
 * it needs free devices of a node in use, the fewer the better; below 33 where all are free, the
 * smaller the node the better. 0 for tasks without devices.
 */
export function gpuPackingScore(options: DeviceScoreOptions = {}): Score {
  const { kind } = deviceScoreOptions(options);
  return Object.freeze({
    name: 'gpu-packing',
    label: 'fuller devices',
    prepare: ({ group: { requirements } }): PreparedScore => {
      const demand = deviceDemand(requirements, kind);
      return { key: demand.key, score: (node) => scoreOf(node, kind, demand) };
    },
  } satisfies Score);
}

function scoreOf(node: NodeInfo, kind: string, { request }: DeviceDemand): number {
  const devices = node.devices.of(kind);
  if (request === undefined || devices === undefined) return 0;
  const { capacityMilli, freeMilli, wholeFree } = devices;
  if (wholeFree === capacityMilli.length) return Math.max(33 - wholeFree, wholeFree);
  let unused = 0;
  let left = 0;
  for (const index of tightestDevices(devices, request)) {
    const free = freeMilli[index] as number;
    const capacity = capacityMilli[index] as number;
    if (free === capacity) unused += 1;
    left += Math.trunc((free * 100) / capacity);
  }
  if (unused > 0) return Math.max(50 - unused, 33);
  return Math.max(100 - Math.trunc(left / 10), 50);
}
