/**
 * The tasks that count on nodes.
 */
import { compareText, type ServiceId, type Task, type TaskId } from '@skep/api';
import type { NodeClaim, NodeInfo, NodeRecord } from './node-info.js';
import type { Reservation } from './task-claim.js';

/** A task that counts on a node. */
export interface PlacedTask {
  readonly id: TaskId;
  /** As it was when it was counted. */
  readonly task: Task;
  readonly serviceId: ServiceId | undefined;
  readonly node: NodeInfo;
  readonly claim: NodeClaim;
  readonly reservation: Reservation;
  /** Whether it is to run on: its desired state is at most `complete`. */
  readonly isActive: boolean;
  /** Counted by a plan that the store has not confirmed. */
  readonly isAssumed: boolean;
}

/** The mutable side of a {@link PlacedTask}. */
export interface CountedTask extends PlacedTask {
  task: Task;
  readonly node: NodeRecord;
  isActive: boolean;
  isAssumed: boolean;
}

/** A task as it is counted by a state, before it is confirmed. */
export function countedTask(
  task: Task,
  place: Pick<CountedTask, 'node' | 'claim' | 'reservation' | 'isActive'>,
): CountedTask {
  return {
    id: task.meta.id,
    task,
    serviceId: task.spec.serviceId,
    node: place.node,
    claim: place.claim,
    reservation: place.reservation,
    isActive: place.isActive,
    isAssumed: false,
  };
}

/**
 * Tasks by id and, once somebody asks, by node.
 *
 * What was added last stands in a list, and mostly it is asked for in the same order: a plan counts
 * tasks, and the store then confirms them one after the other. The first question that is out of
 * that order puts the list under its ids. So a task that is only added and confirmed costs no
 * look-up among all the others.
 */
export class PlacedTasks {
  readonly #byId = new Map<TaskId, CountedTask>();
  /** Added, and not yet under their ids. */
  #recent: CountedTask[] = [];
  /** The one of them that is probably asked for next. */
  #next = 0;
  #byNode: Map<NodeRecord, Set<CountedTask>> | undefined;
  readonly #withAntiAffinity = new Set<CountedTask>();

  get(id: TaskId): CountedTask | undefined {
    const recent = this.#recent[this.#next];
    if (recent?.id === id) {
      this.#next += 1;
      return recent;
    }
    return this.#ids().get(id);
  }

  /** Adds a task; none with its id may be there. */
  add(counted: CountedTask): void {
    this.#recent.push(counted);
    if (this.#byNode !== undefined) addTo(this.#byNode, counted);
    if (counted.task.spec.template.placement?.serviceAntiAffinity?.required !== undefined) {
      this.#withAntiAffinity.add(counted);
    }
  }

  delete(counted: CountedTask): void {
    this.#ids().delete(counted.id);
    if (this.#withAntiAffinity.size > 0) this.#withAntiAffinity.delete(counted);
    const onNode = this.#byNode?.get(counted.node);
    if (onNode === undefined) return;
    onNode.delete(counted);
    if (onNode.size === 0) this.#byNode?.delete(counted.node);
  }

  values(): Iterable<CountedTask> {
    return this.#ids().values();
  }

  /** Tasks that are to have distance from others, by id. */
  withAntiAffinity(): readonly CountedTask[] {
    if (this.#withAntiAffinity.size === 0) return NONE;
    return [...this.#withAntiAffinity].sort((a, b) => compareText(a.id, b.id));
  }

  /** Tasks of a node by id. Cost: O(tasks) at the first call, then O(tasks of the node). */
  on(node: NodeRecord): readonly CountedTask[] {
    if (this.#byNode === undefined) {
      this.#byNode = new Map();
      for (const counted of this.values()) addTo(this.#byNode, counted);
    }
    const tasks = this.#byNode.get(node);
    return tasks === undefined ? NONE : [...tasks].sort((a, b) => compareText(a.id, b.id));
  }

  /** All of them by id. */
  #ids(): Map<TaskId, CountedTask> {
    if (this.#recent.length > 0) {
      for (const counted of this.#recent) this.#byId.set(counted.id, counted);
      this.#recent = [];
      this.#next = 0;
    }
    return this.#byId;
  }
}

const NONE: readonly never[] = Object.freeze([]);

function addTo(byNode: Map<NodeRecord, Set<CountedTask>>, counted: CountedTask): void {
  const tasks = byNode.get(counted.node);
  if (tasks === undefined) byNode.set(counted.node, new Set([counted]));
  else tasks.add(counted);
}
