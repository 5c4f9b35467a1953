/**
 * Nodes whose free amounts point another way than the demand: the dot product, turned round.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), policy DotProd, after Tetris (SIGCOMM'14).
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { deviceDemand, deviceScoreOptions, type DeviceScoreOptions } from './device-demand.js';

/**
 * `⌊100 × (1 − (cpu free × cpu asked + devices free × devices asked) / 2)⌋`, each amount as a part
 * of the largest node's. From 0 to 100; more is better: the free amounts are small where the task
 * asks for much.
 */
export function dotProductScore(options: DeviceScoreOptions = {}): Score {
  const { kind, cpuNanosMax, deviceMilliMax } = deviceScoreOptions(options);
  return Object.freeze({
    name: 'dot-product',
    label: 'less left of what the task asks for',
    prepare: ({ group: { requirements } }): PreparedScore => {
      const { cpuNanos } = requirements;
      const { totalMilli } = deviceDemand(requirements, kind);
      return {
        key: `${cpuNanos} ${totalMilli}`,
        score: (node: NodeInfo) => {
          const free = node.devices.of(kind)?.totalFreeMilli ?? 0;
          const cpu = (node.availableCpuNanos / cpuNanosMax) * (cpuNanos / cpuNanosMax);
          const devices = (free / deviceMilliMax) * (totalMilli / deviceMilliMax);
          return Math.trunc(100 * (1 - (cpu + devices) / 2));
        },
      };
    },
  } satisfies Score);
}
