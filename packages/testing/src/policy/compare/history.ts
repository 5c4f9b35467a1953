/**
 * How full, how fragmented and how crowded a cluster was on the way through a trace.
 */
import type { Task } from '@skep/api';
import { requirementsOf, typicalTasks, type TypicalTask } from '@skep/scheduler';
import type { ReplayResult } from '../replay/replay.js';
import { arrivalsOf, type Trace } from '../replay/trace.js';

/** Figures at some of the arrivals, from the first to the last; parallel lists. */
export interface PolicySeries {
  /** How many tasks had arrived. */
  readonly arrivals: readonly number[];
  /** What they asked for, in per cent of what the cluster has. */
  readonly demand: readonly number[];
  /** What is held, in per cent of what the cluster has. */
  readonly allocation: readonly number[];
  /** What is idle and of no use to typical tasks, in per cent of what the cluster has. */
  readonly fragmentation: readonly number[];
  /** Arrivals that found no place. */
  readonly pending: readonly number[];
  /** Tasks that would have to move if the fullest node were drained. */
  readonly moves: readonly number[];
}

/** What is measured: devices of a kind, or, in a cluster without, cpus. */
export type MeasuredResource = { readonly type: 'device'; readonly kind: string } | 'cpu';

/** Devices of the kind where a node has some, else cpus. */
export function measuredResource({ nodes }: Trace, kind: string): MeasuredResource {
  const hasDevices = nodes.some(({ status }) =>
    status.description?.resources.devices?.some((device) => device.kind === kind),
  );
  return hasDevices ? { type: 'device', kind } : 'cpu';
}

/** The figures of a replay at about so many arrivals. Cost: O(events + samples × nodes). */
export function seriesOf(
  trace: Trace,
  result: ReplayResult,
  options: { readonly resource: MeasuredResource; readonly samplesMax: number },
): PolicySeries {
  const { resource, samplesMax } = options;
  const arrivals = arrivalsOf(trace);
  const nodes = new NodeBooks(trace, arrivals);
  const wanted = new Set(samplePoints(arrivals.length, samplesMax));
  const totals = resource === 'cpu' ? result.totals.cpuNanos : result.totals.deviceMilli;
  const series: { [Key in keyof PolicySeries]: number[] } = {
    arrivals: [],
    demand: [],
    allocation: [],
    fragmentation: [],
    pending: [],
    moves: [],
  };
  let at = 0;
  let demandNanos = 0;
  for (const event of trace.events) {
    if (event.type === 'departure') {
      nodes.leave(event.taskId);
      continue;
    }
    const { node } = result.placements[at] ?? {};
    if (node !== undefined) nodes.arrive(event.task, node);
    demandNanos += cpuOf(event.task);
    if (wanted.has(at)) {
      const { samples } = result;
      const isCpu = resource === 'cpu';
      const of = (amount: number): number => percent(amount, totals);
      series.arrivals.push(at + 1);
      series.demand.push(of(isCpu ? demandNanos : (samples.arrivedMilli[at] ?? 0)));
      series.allocation.push(of((isCpu ? samples.usedCpuNanos[at] : samples.usedMilli[at]) ?? 0));
      series.fragmentation.push(
        of(isCpu ? nodes.uselessCpuNanos() : (samples.fragmentedMilli[at] ?? 0)),
      );
      series.pending.push(samples.failed[at] ?? 0);
      series.moves.push(nodes.mostTasks());
    }
    at += 1;
  }
  return series;
}

/** How many nodes have a task at the end. */
export function usedNodes(trace: Trace, { placements }: ReplayResult): number {
  const places = new Map<string, string>();
  let at = 0;
  for (const event of trace.events) {
    if (event.type === 'departure') places.delete(event.taskId);
    else {
      const { taskId, node } = placements[at] ?? {};
      if (taskId !== undefined && node !== undefined) places.set(taskId, node);
      at += 1;
    }
  }
  return new Set(places.values()).size;
}

/** Positions from 0 to the last, evenly, at most so many, both ends among them. */
export function samplePoints(length: number, most: number): readonly number[] {
  if (length <= most) return Array.from({ length }, (_, at) => at);
  const step = (length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => Math.round(at * step));
}

function percent(amount: number, total: number): number {
  return total === 0 ? 0 : Math.round((amount / total) * 10_000) / 100;
}

function cpuOf(task: Task): number {
  return requirementsOf(task.spec).cpuNanos;
}

interface NodeBook {
  idleNanos: number;
  tasks: number;
}

/** What is on each node, by its name: followed from the placements alone. */
class NodeBooks {
  readonly #nodes = new Map<string, NodeBook>();
  readonly #places = new Map<string, { readonly book: NodeBook; readonly nanos: number }>();
  readonly #typical: readonly TypicalTask[];

  constructor(trace: Trace, arrivals: readonly Task[]) {
    for (const { meta, status } of trace.nodes) {
      const idleNanos = status.description?.resources.cpuNanos ?? 0;
      this.#nodes.set(meta.name, { idleNanos, tasks: 0 });
    }
    this.#typical = typicalTasks(trace.workload ?? arrivals);
  }

  arrive(task: Task, node: string): void {
    const book = this.#nodes.get(node);
    if (book === undefined) return;
    const nanos = cpuOf(task);
    book.idleNanos -= nanos;
    book.tasks += 1;
    this.#places.set(task.meta.id, { book, nanos });
  }

  leave(taskId: string): void {
    const place = this.#places.get(taskId);
    if (place === undefined) return;
    this.#places.delete(taskId);
    place.book.idleNanos += place.nanos;
    place.book.tasks -= 1;
  }

  mostTasks(): number {
    let most = 0;
    for (const { tasks } of this.#nodes.values()) most = Math.max(most, tasks);
    return most;
  }

  /** Idle cpu where a typical task does not fit, weighted by how frequent that task is. */
  uselessCpuNanos(): number {
    let sum = 0;
    for (const { idleNanos } of this.#nodes.values()) {
      for (const { cpuNanos, share } of this.#typical) {
        if (idleNanos > 0 && idleNanos < cpuNanos) sum += share * idleNanos;
      }
    }
    return sum;
  }
}
