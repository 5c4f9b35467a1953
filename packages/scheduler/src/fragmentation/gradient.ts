/**
 * Fragmentation gradient descent: a task goes where it makes the least idle capacity useless.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), section 4, algorithm 1.
 */
import type { DeviceRequest, DeviceShare } from '@skep/api';
import { isDeviceFit, type DevicesOfKind } from '../device-ledger.js';
import type { NodeInfo } from '../node-info.js';
import type { PreparedReserve, PreparedScore, Reserve, Score } from '../policy.js';
import type { Requirements } from '../requirements.js';
import { deviceDemand, tightestDevices, type DeviceDemand } from '../scores/device-demand.js';
import { FragmentationMeasure, deviceState } from './measure.js';
import type { TypicalTask } from './workload.js';

/** What fragmentation is measured with. */
export interface FragmentationOptions {
  readonly workload: readonly TypicalTask[];
  /** Default: `gpu`. */
  readonly kind?: string;
}

/** The score and the reserve of FGD: they belong together. */
export interface FragmentationPlugins {
  readonly score: Score;
  readonly reserve: Reserve;
}

/**
 * FGD as plugins. The score is `⌊100 × sigmoid((F before − F after) / 1000)⌋`, from 0 to 100: 50
 * where nothing changes, more where fragmentation shrinks. A task that shares a device has the best
 * score over the devices that fit, and the reserve gives it that device, the lowest index among
 * equals; other tasks take the devices with the least left.
 * Cost of a score: O(devices × typical tasks), when the node changed.
 */
export function fragmentationGradient(options: FragmentationOptions): FragmentationPlugins {
  const { workload, kind = 'gpu' } = options;
  const measure = new FragmentationMeasure(workload);
  const before = new Before(measure, kind);
  const trialOf = (requirements: Requirements): Trial =>
    new Trial({ measure, before, kind, requirements });
  return {
    score: Object.freeze({
      name: 'fragmentation-gradient',
      label: 'less fragmentation by the task',
      prepare: ({ group: { requirements } }): PreparedScore => {
        const trial = trialOf(requirements);
        return { key: trial.key, score: (node) => trial.best(node).score };
      },
    } satisfies Score),
    reserve: Object.freeze({
      name: 'fragmentation-gradient',
      prepare: ({ group: { requirements } }): PreparedReserve | undefined => {
        if (!deviceDemand(requirements, kind).isShare || requirements.devices.length !== 1) {
          return undefined;
        }
        const trial = trialOf(requirements);
        return { choose: (node) => ({ devices: [trial.share(node)] }) };
      },
    } satisfies Reserve),
  };
}

/** F of nodes as they are, for as long as they stay so. */
class Before {
  readonly #measure: FragmentationMeasure;
  readonly #kind: string;
  readonly #known = new WeakMap<NodeInfo, { revision: number; value: number }>();

  constructor(measure: FragmentationMeasure, kind: string) {
    this.#measure = measure;
    this.#kind = kind;
  }

  of(node: NodeInfo): number {
    let known = this.#known.get(node);
    if (known === undefined) {
      known = { revision: -1, value: 0 };
      this.#known.set(node, known);
    }
    if (known.revision !== node.revision) {
      known.revision = node.revision;
      known.value = this.#measure.of(deviceState(node, this.#kind));
    }
    return known.value;
  }
}

/** What placing one kind of task would do to nodes. */
class Trial {
  readonly key: string;
  readonly #measure: FragmentationMeasure;
  readonly #before: Before;
  readonly #kind: string;
  readonly #cpuNanos: number;
  readonly #demand: DeviceDemand;

  constructor(parts: {
    readonly measure: FragmentationMeasure;
    readonly before: Before;
    readonly kind: string;
    readonly requirements: Requirements;
  }) {
    this.#measure = parts.measure;
    this.#before = parts.before;
    this.#kind = parts.kind;
    this.#cpuNanos = parts.requirements.cpuNanos;
    this.#demand = deviceDemand(parts.requirements, parts.kind);
    this.key = `${this.#cpuNanos} ${this.#demand.key}`;
  }

  /** The best score that the task can have on the node, and the device for it if it shares one. */
  best(node: NodeInfo): { readonly score: number; readonly index: number } {
    const devices = node.devices.of(this.#kind);
    const { request, isShare } = this.#demand;
    if (devices === undefined || request === undefined) {
      return { score: this.#scoreWith(node, devices?.freeMilli ?? []), index: -1 };
    }
    if (isShare) return this.#bestShare(node, devices, request);
    const after = [...devices.freeMilli];
    for (const index of tightestDevices(devices, request)) {
      after[index] = (after[index] ?? 0) - this.#demand.milli;
    }
    return { score: this.#scoreWith(node, after), index: -1 };
  }

  /** The share of a device that a task with a share gets on the node. */
  share(node: NodeInfo): DeviceShare {
    const { milli } = this.#demand;
    return { kind: this.#kind, index: this.best(node).index, milli };
  }

  #bestShare(
    node: NodeInfo,
    devices: DevicesOfKind,
    request: DeviceRequest,
  ): { readonly score: number; readonly index: number } {
    const { milli } = this.#demand;
    const after = [...devices.freeMilli];
    let best = { score: -1, index: -1 };
    for (let index = 0; index < after.length; index += 1) {
      if (!isDeviceFit(devices, index, request) || isTwin(devices, index)) continue;
      const free = after[index] as number;
      after[index] = free - milli;
      const score = this.#scoreWith(node, after);
      after[index] = free;
      if (score > best.score) best = { score, index };
    }
    return best;
  }

  #scoreWith(node: NodeInfo, freeMilli: readonly number[]): number {
    const after = this.#measure.of({
      cpuNanos: node.availableCpuNanos - this.#cpuNanos,
      freeMilli,
      models: node.devices.of(this.#kind)?.models ?? [],
    });
    const gradient = (this.#before.of(node) - after) / 1000;
    return Math.trunc(100 * (1 / (1 + Math.exp(-gradient))));
  }
}

/** Whether a device before this one is just the same: it would have the same score. */
function isTwin({ freeMilli, models }: DevicesOfKind, index: number): boolean {
  for (let other = 0; other < index; other += 1) {
    if (freeMilli[other] === freeMilli[index] && models[other] === models[index]) return true;
  }
  return false;
}
