/**
 * Nodes that are fuller once the task is there: bin packing by best fit.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), policy BestFit, after Protean (OSDI'20).
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { deviceDemand, deviceScoreOptions, type DeviceScoreOptions } from './device-demand.js';

/**
 * `⌊100 × (1 − (cpu left + devices left) / 2)⌋`, what is left after the task, as a part of the
 * largest node's. From 0 to 100; more is better.
 */
export function bestFitScore(options: DeviceScoreOptions = {}): Score {
  const { kind, cpuNanosMax, deviceMilliMax } = deviceScoreOptions(options);
  return Object.freeze({
    name: 'best-fit',
    label: 'less cpu and devices left',
    prepare: ({ group: { requirements } }): PreparedScore => {
      const { cpuNanos } = requirements;
      const { totalMilli } = deviceDemand(requirements, kind);
      return {
        key: `${cpuNanos} ${totalMilli}`,
        score: (node: NodeInfo) => {
          const free = node.devices.of(kind)?.totalFreeMilli ?? 0;
          const cpuLeft = (0.5 * (node.availableCpuNanos - cpuNanos)) / cpuNanosMax;
          const devicesLeft = (0.5 * (free - totalMilli)) / deviceMilliMax;
          return Math.trunc(100 * (1 - (cpuLeft + devicesLeft)));
        },
      };
    },
  } satisfies Score);
}
