/**
 * Which tasks wait for a node, so that a change of capacity wakes them and nothing else does.
 */
import { isAtLeast, type NodeId, type Task, type TaskId } from '@skep/api';

/**
 * Whether the task waits for the scheduler: it was allocated and has no node. One that is not
 * wanted any more waits to be shut down, even before it is allocated.
 */
export function isWaiting({ status, spec }: Task): boolean {
  if (status.nodeId !== undefined) return false;
  return status.state === 'pending' || (status.state === 'new' && isUnwanted(spec));
}

/** Whether the task is to end: its desired state is beyond `complete`. */
export function isUnwanted({ desiredState }: Pick<Task['spec'], 'desiredState'>): boolean {
  return isAtLeast(desiredState, 'shutdown');
}

/**
 * The tasks that were looked at and wait, by where they may go. One that was not looked at yet is
 * in the queue anyway.
 *
 * Waking all of them costs O(waiting), so it is done once between two passes: who was woken is in
 * the queue until the next pass begins, and later events have nothing to add.
 */
export class WaitingTasks {
  readonly #unassigned = new Set<TaskId>();
  readonly #preassigned = new Map<NodeId, Set<TaskId>>();
  readonly #nodeOf = new Map<TaskId, NodeId>();
  readonly #wokenNodes = new Set<NodeId>();
  #isWoken = false;

  /** A task that waits got no node. */
  add(task: Task): void {
    const { id } = task.meta;
    const { nodeId } = task.spec;
    if (nodeId === undefined) {
      this.#unassigned.add(id);
      return;
    }
    this.#nodeOf.set(id, nodeId);
    const others = this.#preassigned.get(nodeId);
    if (others === undefined) this.#preassigned.set(nodeId, new Set([id]));
    else others.add(id);
  }

  /** The task waits no more. */
  forget(id: TaskId): void {
    if (this.#unassigned.size > 0) this.#unassigned.delete(id);
    if (this.#nodeOf.size === 0) return;
    const nodeId = this.#nodeOf.get(id);
    if (nodeId === undefined) return;
    this.#nodeOf.delete(id);
    const others = this.#preassigned.get(nodeId);
    others?.delete(id);
    if (others?.size === 0) this.#preassigned.delete(nodeId);
  }

  /** A pass begins: whatever happens from now on has to wake tasks again. */
  passBegins(): void {
    this.#isWoken = false;
    this.#wokenNodes.clear();
  }

  /** Tasks that a change on this node may help and that were not woken yet. */
  wakeForNode(nodeId: NodeId): readonly TaskId[] {
    const preassigned = this.#wokenNodes.has(nodeId) ? undefined : this.#preassigned.get(nodeId);
    this.#wokenNodes.add(nodeId);
    return [...this.#wakeUnassigned(), ...(preassigned ?? [])];
  }

  /** Tasks that a change of the cluster may help and that were not woken yet. */
  wakeAll(): readonly TaskId[] {
    return [...this.#wakeUnassigned(), ...this.#nodeOf.keys()];
  }

  #wakeUnassigned(): Iterable<TaskId> {
    if (this.#isWoken) return [];
    this.#isWoken = true;
    return this.#unassigned;
  }
}
