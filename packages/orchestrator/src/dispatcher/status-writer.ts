/**
 * Writes what nodes report: in batches, again and again until it is in the store.
 *
 * **Source:** SwarmKit manager/dispatcher/dispatcher.go (processUpdates) for the batching. It drops
 * what meets a conflict; here nothing is dropped (defect 4).
 */
import {
  ACTORS,
  Node,
  SkepError,
  Task,
  compareText,
  messageOf,
  withStatus,
  type Clock,
  type Counter,
  type Logger,
  type NodeId,
  type TaskId,
  type Timer,
} from '@skep/api';
import type { FenceLost } from '@skep/controller';
import { CHANGES_MAX, type Change, type Expectation, type Store, type View } from '@skep/store';
import { mergePatches, patchedStatus, type NodePatch } from './node-patch.js';
import { mergeObservations, observedStatus, type TaskObservation } from './task-observation.js';

/** Longest wait before a batch is written. Longer: fewer, larger commits; later reactions. */
export const STATUS_DELAY_MS = 100;
/** A batch of this size is written at once. */
export const STATUS_BATCH_MAX = 10_000;
/** Attempts on newer and newer views before a batch goes back to wait for the next one. */
const ATTEMPTS_MAX = 10;
/** Pause after the store refused or failed. */
const RETRY_DELAY_MS = 1_000;

/** Seams of {@link StatusWriter}. */
export interface StatusWriterParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts attempts that met a conflict. */
  readonly conflicts: Counter;
  /** What every commit expects, next to the versions of what it changes. */
  readonly fence: readonly Expectation[];
  /** Another manager leads: what waited was dropped, nothing can be written any more. */
  readonly onFenceLost: FenceLost;
}

type Entry =
  | { readonly kind: 'node'; readonly id: NodeId; readonly patch: NodePatch }
  | { readonly kind: 'task'; readonly id: TaskId; readonly observation: TaskObservation };

/**
 * Collects what is to be written about nodes and tasks: one entry each, so its memory is bounded by
 * the number of objects. Everything is applied to the newest view at the moment of writing.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #nodes = new Map<NodeId, NodePatch>();
  readonly #tasks = new Map<TaskId, TaskObservation>();
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #isDeferred = false;
  #isClosed = false;

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** Objects that wait to be written. */
  get size(): number {
    return this.#nodes.size + this.#tasks.size;
  }

  /** Adds an observation of a task to the next batch. */
  task(taskId: TaskId, observation: TaskObservation): void {
    const before = this.#tasks.get(taskId);
    this.#tasks.set(taskId, before ? mergeObservations(before, observation) : observation);
    this.#schedule(STATUS_DELAY_MS);
  }

  /** Adds facts about a node to the next batch. */
  node(nodeId: NodeId, patch: NodePatch): void {
    const before = this.#nodes.get(nodeId);
    this.#nodes.set(nodeId, before ? mergePatches(before, patch) : patch);
    this.#schedule(STATUS_DELAY_MS);
  }

  /** Writes the batch as soon as what runs now is over. */
  hurry(): void {
    if (this.#isDeferred || this.#isClosed) return;
    this.#isDeferred = true;
    this.#parts.clock.defer(() => {
      this.#isDeferred = false;
      void this.flush();
    });
  }

  /** Writes what waits. Resolves when it is written, or waits for another attempt. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.size === 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** Writes what waits, with some attempts, and takes nothing more. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Drops what waits, and takes nothing more. */
  abandon(): void {
    this.#isClosed = true;
    this.#nodes.clear();
    this.#tasks.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #writeAll(): Promise<void> {
    const entries = this.#take();
    for (let at = 0; at < entries.length; at += CHANGES_MAX) {
      const chunk = entries.slice(at, at + CHANGES_MAX);
      try {
        if (!(await this.#write(chunk))) this.#putBack(chunk, STATUS_DELAY_MS);
      } catch (error) {
        this.#parts.logger.error('status was not written', { error: messageOf(error) });
        this.#putBack(entries.slice(at), RETRY_DELAY_MS);
        return;
      }
    }
  }

  /** Whether the chunk is in the store, or has nothing to say any more. */
  async #write(chunk: readonly Entry[]): Promise<boolean> {
    const { store, fence, conflicts } = this.#parts;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const view = store.view();
      const changes = chunk.flatMap((entry) => changeOf(entry, view));
      if (changes.length === 0) return true;
      const result = await store.commit({ actor: ACTORS.dispatcher, expect: fence, changes });
      if (result.ok) return true;
      conflicts.add(1);
      if (result.conflict.reason === 'lease') {
        this.abandon();
        this.#parts.onFenceLost(result.conflict, fence);
        return true;
      }
      // The next attempt needs a view that has what this one was missing.
      await store.waitFor(result.conflict.version);
    }
    return false;
  }

  /** All entries, nodes first (tasks follow from them), each by id. */
  #take(): readonly Entry[] {
    const nodes = [...this.#nodes].map(([id, patch]) => ({ kind: 'node', id, patch }) as const);
    const tasks = [...this.#tasks].map(
      ([id, observation]) => ({ kind: 'task', id, observation }) as const,
    );
    this.#nodes.clear();
    this.#tasks.clear();
    const byId = (a: Entry, b: Entry): number => compareText(a.id, b.id);
    return [...nodes.sort(byId), ...tasks.sort(byId)];
  }

  /** What came in meanwhile is newer. */
  #putBack(entries: readonly Entry[], delayMs: number): void {
    if (this.#isClosed) return;
    for (const entry of entries) {
      if (entry.kind === 'node') {
        const newer = this.#nodes.get(entry.id);
        this.#nodes.set(entry.id, newer ? mergePatches(entry.patch, newer) : entry.patch);
      } else {
        const newer = this.#tasks.get(entry.id);
        const { observation } = entry;
        this.#tasks.set(entry.id, newer ? mergeObservations(observation, newer) : observation);
      }
    }
    this.#schedule(delayMs);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) {
      throw new SkepError('failed-precondition', 'the dispatcher takes no more reports');
    }
    if (this.size >= STATUS_BATCH_MAX && delayMs <= STATUS_DELAY_MS) this.hurry();
    if (this.#timer !== undefined) return;
    const { clock } = this.#parts;
    const at = clock.now() + delayMs;
    this.#timer = clock.schedule(at, () => void this.flush(), { label: 'status batch' });
  }
}

function changeOf(entry: Entry, view: View): readonly Change[] {
  if (entry.kind === 'node') {
    const node = view.get(Node, entry.id);
    const status = node && patchedStatus(node, entry.patch);
    return node && status ? [{ type: 'update', object: withStatus(node, status) }] : [];
  }
  const task = view.get(Task, entry.id);
  const status = task && observedStatus(task, entry.observation);
  return task && status ? [{ type: 'update', object: withStatus(task, status) }] : [];
}
