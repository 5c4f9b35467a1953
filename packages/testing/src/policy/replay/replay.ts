/**
 * A trace played through a policy: what was placed where, and how full and how fragmented the
 * cluster
 * was after each arrival.
 */
import type { DeviceShare, Task, TaskId } from '@skep/api';
import {
  ClusterState,
  FragmentationMeasure,
  deviceDemand,
  deviceState,
  groupOf,
  placeGroup,
  typicalTasks,
  type NodeInfo,
  type Policy,
} from '@skep/scheduler';
import { judgePolicy } from '../judge-policy.js';
import { arrivalsOf, type Trace } from './trace.js';

/** How a trace is played. */
export interface ReplayOptions {
  /** The kind of device that is measured. Default: `gpu`. */
  readonly kind?: string;
  /** Time by which policies judge. Default: 0. */
  readonly now?: number;
  /** Called now and then, and at the end. */
  readonly onProgress?: (done: number, events: number) => void;
}

/** Where a task of a trace went. */
export interface ReplayPlacement {
  readonly taskId: TaskId;
  /** Name of the node; absent when it fitted nowhere. */
  readonly node?: string;
  /** Which devices it was given, by index. */
  readonly devices?: readonly DeviceShare[];
}

/** Amounts after each arrival; devices in thousandths. Parallel arrays, one entry an arrival. */
export interface ReplaySamples {
  /** What arrived so far, placed or not. */
  readonly arrivedMilli: Float64Array;
  /** What tasks hold. */
  readonly usedMilli: Float64Array;
  /** What is idle and of no use to the workload (see `FragmentationMeasure`). */
  readonly fragmentedMilli: Float64Array;
  readonly idleMilli: Float64Array;
  /** Arrivals so far that fitted nowhere. */
  readonly failed: Int32Array;
  readonly usedCpuNanos: Float64Array;
  readonly usedMemoryBytes: Float64Array;
}

/** What the cluster has, and what is used of it at the end. */
export interface ReplayTotals {
  readonly cpuNanos: number;
  readonly usedCpuNanos: number;
  readonly memoryBytes: number;
  readonly usedMemoryBytes: number;
  readonly devices: number;
  /** Devices of which something is used. */
  readonly touchedDevices: number;
  readonly deviceMilli: number;
  readonly usedDeviceMilli: number;
}

/** The outcome of a replay. */
export interface ReplayResult {
  readonly trace: string;
  readonly policy: string;
  /** One for each arrival, in order. */
  readonly placements: readonly ReplayPlacement[];
  /** Arrivals that fitted nowhere; they are dropped. */
  readonly failed: number;
  readonly samples: ReplaySamples;
  readonly totals: ReplayTotals;
}

/** How often progress is told, in events. */
const PROGRESS_EVERY = 500;

/**
 * Plays a trace: each arrival is placed by the policy at once, or dropped for good; each departure
 * gives back what the task held. Deterministic.
 * Cost: that of the policy, and O(typical tasks) an event for the measures.
 */
export function replay(trace: Trace, policy: Policy, options: ReplayOptions = {}): ReplayResult {
  judgePolicy('replay()', policy);
  const run = new Run(trace, policy, options);
  const { events } = trace;
  for (const [at, event] of events.entries()) {
    if (event.type === 'arrival') run.arrive(event.task);
    else run.depart(event.taskId);
    if (at % PROGRESS_EVERY === 0) options.onProgress?.(at, events.length);
  }
  options.onProgress?.(events.length, events.length);
  return run.result();
}

class Run {
  readonly #trace: Trace;
  readonly #policy: Policy;
  readonly #kind: string;
  readonly #now: number;
  readonly #state: ClusterState;
  readonly #measure: FragmentationMeasure;
  readonly #samples: ReplaySamples;
  readonly #placements: ReplayPlacement[] = [];
  /** F of each node as of now, by ordinal, and their sum. */
  readonly #fragments: Float64Array;
  #fragmented = 0;
  #idle = 0;
  #arrived = 0;
  #used = 0;
  #usedCpu = 0;
  #usedMemory = 0;
  #failed = 0;

  constructor(trace: Trace, policy: Policy, { kind = 'gpu', now = 0 }: ReplayOptions) {
    this.#trace = trace;
    this.#policy = policy;
    this.#kind = kind;
    this.#now = now;
    this.#state = new ClusterState({ nodes: trace.nodes });
    const arrivals = arrivalsOf(trace);
    this.#measure = new FragmentationMeasure(typicalTasks(trace.workload ?? arrivals, kind));
    const length = arrivals.length;
    this.#samples = {
      arrivedMilli: new Float64Array(length),
      usedMilli: new Float64Array(length),
      fragmentedMilli: new Float64Array(length),
      idleMilli: new Float64Array(length),
      failed: new Int32Array(length),
      usedCpuNanos: new Float64Array(length),
      usedMemoryBytes: new Float64Array(length),
    };
    const { nodes } = this.#state;
    this.#fragments = new Float64Array(nodes.length);
    for (const node of nodes) {
      this.#idle += idleOf(node, kind);
      this.#measureAgain(node);
    }
  }

  arrive(task: Task): void {
    const state = this.#state;
    const group = groupOf([task]);
    const { requirements } = group;
    this.#arrived += deviceDemand(requirements, this.#kind).totalMilli;
    // The first refusal is looked into: a policy that answers nonsense is found out by it.
    const refusals = this.#failed === 0 ? 'explained' : 'brief';
    const options = { policy: this.#policy, now: this.#now, refusals } as const;
    const { placements } = placeGroup(state, group, options);
    const [placement] = placements;
    if (placement === undefined) {
      this.#failed += 1;
      this.#placements.push({ taskId: task.meta.id });
    } else {
      const node = state.node(placement.nodeId) as NodeInfo;
      this.#use(node, placement.devices ?? NO_DEVICES, 1);
      this.#usedCpu += requirements.cpuNanos;
      this.#usedMemory += requirements.memoryBytes;
      this.#placements.push({
        taskId: task.meta.id,
        node: node.name,
        ...(placement.devices === undefined ? {} : { devices: placement.devices }),
      });
    }
    this.#sample();
  }

  depart(taskId: TaskId): void {
    const released = this.#state.release(taskId);
    if (released === undefined) return;
    this.#use(released.node, released.claim.devices, -1);
    this.#usedCpu -= released.claim.cpuNanos;
    this.#usedMemory -= released.claim.memoryBytes;
  }

  result(): ReplayResult {
    return {
      trace: this.#trace.name,
      policy: this.#policy.name,
      placements: this.#placements,
      failed: this.#failed,
      samples: this.#samples,
      totals: totalsOf(this.#state.nodes, this.#kind),
    };
  }

  #use(node: NodeInfo, devices: readonly DeviceShare[], sign: 1 | -1): void {
    for (const { kind, milli } of devices) {
      if (kind !== this.#kind) continue;
      this.#used += sign * milli;
      this.#idle -= sign * milli;
    }
    this.#measureAgain(node);
  }

  #measureAgain(node: NodeInfo): void {
    const value = this.#measure.of(deviceState(node, this.#kind));
    this.#fragmented += value - (this.#fragments[node.ordinal] as number);
    this.#fragments[node.ordinal] = value;
  }

  #sample(): void {
    const at = this.#placements.length - 1;
    const samples = this.#samples;
    samples.arrivedMilli[at] = this.#arrived;
    samples.usedMilli[at] = this.#used;
    samples.fragmentedMilli[at] = this.#fragmented;
    samples.idleMilli[at] = this.#idle;
    samples.failed[at] = this.#failed;
    samples.usedCpuNanos[at] = this.#usedCpu;
    samples.usedMemoryBytes[at] = this.#usedMemory;
  }
}

const NO_DEVICES: readonly DeviceShare[] = Object.freeze([]);

function idleOf(node: NodeInfo, kind: string): number {
  return node.devices.of(kind)?.totalFreeMilli ?? 0;
}

function totalsOf(nodes: readonly NodeInfo[], kind: string): ReplayTotals {
  const totals = {
    cpuNanos: 0,
    usedCpuNanos: 0,
    memoryBytes: 0,
    usedMemoryBytes: 0,
    devices: 0,
    touchedDevices: 0,
    deviceMilli: 0,
    usedDeviceMilli: 0,
  };
  for (const node of nodes) {
    totals.cpuNanos += node.capacityCpuNanos;
    totals.usedCpuNanos += node.usedCpuNanos;
    totals.memoryBytes += node.capacityMemoryBytes;
    totals.usedMemoryBytes += node.usedMemoryBytes;
    const devices = node.devices.of(kind);
    if (devices === undefined) continue;
    const capacity = devices.capacityMilli.reduce((sum, milli) => sum + milli, 0);
    totals.devices += devices.capacityMilli.length;
    totals.touchedDevices += devices.capacityMilli.length - devices.wholeFree;
    totals.deviceMilli += capacity;
    totals.usedDeviceMilli += capacity - devices.totalFreeMilli;
  }
  return totals;
}
