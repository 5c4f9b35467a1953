/**
 * How fragmented a node is: what is idle of its devices and of no use to typical tasks.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), section 3, equations 1 to 3.
 */
import type { NodeInfo } from '../node-info.js';
import type { TypicalTask } from './workload.js';

/** What the measure looks at; of devices, what is free of each and which model it is. */
export interface DeviceState {
  readonly cpuNanos: number;
  readonly freeMilli: readonly number[];
  readonly models: readonly string[];
}

/** The devices of a kind on a node, as the measure looks at them. */
export function deviceState(node: NodeInfo, kind: string): DeviceState {
  const devices = node.devices.of(kind);
  return {
    cpuNanos: node.availableCpuNanos,
    freeMilli: devices?.freeMilli ?? NONE,
    models: devices?.models ?? NONE,
  };
}

const NONE: readonly never[] = Object.freeze([]);

/** Which typical tasks may use which models: by the models of a node. */
interface Permission {
  /** Whether some device of the node is of a model that the task takes. By typical task. */
  readonly isAllowed: Uint8Array;
  /** Whether a task takes some of the node's models and not others. */
  readonly isMixed: boolean;
}

/** Models of nodes that are remembered, before all are forgotten. */
const PERMISSIONS_MAX = 1_024;

/**
 * Measures fragmentation against one workload.
 *
 * F is the sum over the typical tasks of `share × idle thousandths that the task cannot use`: all
 * that is idle where the task does not fit for any reason or needs no device, and otherwise what
 * is idle of devices with less left than it takes of each.
 *
 * The six partial sums follow the published experiments: another order of additions flips scores
 * whose gradient is 0.
 */
export class FragmentationMeasure {
  readonly #tasks: readonly TypicalTask[];
  readonly #cpuNanos: Float64Array;
  readonly #counts: Int32Array;
  readonly #shares: Float64Array;
  /** Position of the task's `milli` in the different ones. */
  readonly #milliAt: Int32Array;
  /** The different shares of devices, the largest first. */
  readonly #millis: Float64Array;
  readonly #permissions = new Map<string, Permission>();
  /** By position in the different ones: idle thousandths of devices with less left. */
  readonly #tooSmall: Float64Array;
  /** The same: how many devices have as much left. */
  readonly #enough: Int32Array;
  #sorted = new Float64Array(0);

  constructor(workload: readonly TypicalTask[]) {
    this.#tasks = workload;
    this.#cpuNanos = Float64Array.from(workload, (task) => task.cpuNanos);
    this.#counts = Int32Array.from(workload, (task) => task.count);
    this.#shares = Float64Array.from(workload, (task) => task.share);
    const millis = [...new Set(workload.map(({ milli }) => milli))].sort((a, b) => b - a);
    this.#millis = Float64Array.from(millis);
    this.#milliAt = Int32Array.from(workload, ({ milli }) => millis.indexOf(milli));
    this.#tooSmall = new Float64Array(millis.length);
    this.#enough = new Int32Array(millis.length);
  }

  /** F of a node in this state. Cost: O(typical tasks + devices). */
  of({ cpuNanos, freeMilli, models }: DeviceState): number {
    const idle = this.#count(freeMilli);
    if (idle === 0) return 0;
    const permission = this.#permission(models);
    const { isAllowed } = permission;
    let small = 0;
    let noCpu = 0;
    let nothing = 0;
    let noDeviceEnough = 0;
    let noDeviceShort = 0;
    let refused = 0;
    for (let at = 0; at < this.#shares.length; at += 1) {
      const share = this.#shares[at] as number;
      const isEnoughCpu = cpuNanos >= (this.#cpuNanos[at] as number);
      const count = this.#counts[at] as number;
      if (count === 0) {
        if (isEnoughCpu) noDeviceEnough += share * idle;
        else noDeviceShort += share * idle;
      } else if (isAllowed[at] === 0) {
        refused += share * idle;
      } else {
        const milliAt = this.#milliAt[at] as number;
        const fit = permission.isMixed
          ? this.#fitOf(at, freeMilli, models)
          : (this.#enough[milliAt] as number);
        if (fit >= count) {
          if (isEnoughCpu) small += share * (this.#tooSmall[milliAt] as number);
          else noCpu += share * idle;
        } else if (isEnoughCpu) small += share * idle;
        else nothing += share * idle;
      }
    }
    return nothing + small + noCpu + noDeviceEnough + noDeviceShort + refused;
  }

  /** Counts devices by the different shares. Returns all idle thousandths. */
  #count(freeMilli: readonly number[]): number {
    if (this.#sorted.length !== freeMilli.length) this.#sorted = new Float64Array(freeMilli.length);
    const sorted = this.#sorted;
    let idle = 0;
    for (let index = 0; index < freeMilli.length; index += 1) {
      const free = freeMilli[index] as number;
      idle += free;
      let at = index;
      // Few devices: the largest first, by insertion.
      for (; at > 0 && (sorted[at - 1] as number) < free; at -= 1) {
        sorted[at] = sorted[at - 1] as number;
      }
      sorted[at] = free;
    }
    let enough = 0;
    let left = idle;
    for (let at = 0; at < this.#millis.length; at += 1) {
      const milli = this.#millis[at] as number;
      while (enough < sorted.length && (sorted[enough] as number) >= milli) {
        left -= sorted[enough] as number;
        enough += 1;
      }
      this.#tooSmall[at] = left;
      this.#enough[at] = enough;
    }
    return idle;
  }

  #permission(models: readonly string[]): Permission {
    const first = models[0] ?? '';
    const isUniform = models.every((model) => model === first);
    const key = isUniform ? first : models.join('\u0000');
    let permission = this.#permissions.get(key);
    if (permission === undefined) {
      const isAllowed = (task: TypicalTask): boolean =>
        task.models.length === 0 || models.some((model) => task.models.includes(model));
      permission = {
        isAllowed: Uint8Array.from(this.#tasks, (task) => (isAllowed(task) ? 1 : 0)),
        isMixed: !isUniform,
      };
      if (this.#permissions.size >= PERMISSIONS_MAX) this.#permissions.clear();
      this.#permissions.set(key, permission);
    }
    return permission;
  }

  /** How many devices will do, where models differ. */
  #fitOf(at: number, freeMilli: readonly number[], models: readonly string[]): number {
    const { milli, models: wanted } = this.#tasks[at] as TypicalTask;
    let fit = 0;
    for (let index = 0; index < freeMilli.length; index += 1) {
      if ((freeMilli[index] as number) < milli) continue;
      if (wanted.length === 0 || wanted.includes(models[index] as string)) fit += 1;
    }
    return fit;
  }
}
