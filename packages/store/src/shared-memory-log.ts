/**
 * A log in memory that several stores share: several managers in one process.
 *
 * Each store sees the commits of the others late, by a delay of one's choice, and a commit made on
 * an outdated view meets the same conflict that a distributed backend would give.
 */
import {
  SkepError,
  type Clock,
  type ObjectId,
  type Revision,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { Backend, CommitRecord } from './contract.js';
import { LOG_COMMITS_MAX, limitOf } from './options.js';

/** Options of {@link sharedMemoryLog}. */
export interface SharedMemoryLogOptions {
  readonly clock: Clock;
  /**
   * Milliseconds until another store hears of a commit; a function is asked for each delivery.
   * Commits stay in order. Default: 0, which is a microtask later and needs no clock.
   */
  readonly deliveryDelayMs?: number | (() => number);
  /** Commits kept one by one before they are folded into the snapshot. Default: 10,000. */
  readonly commitsMax?: number;
}

/** The shared log. */
export interface SharedMemoryLog {
  /** Revision of the newest commit. */
  readonly revision: Revision;
  /** A backend for one store; its `close` leaves the log to the others. */
  backend(): Backend;
}

/**
 * Makes a log that several stores share, each over a {@link SharedMemoryLog.backend} of its own.
 * A store whose commit meets a conflict gets at once what it had not heard of yet.
 */
export function sharedMemoryLog(options: SharedMemoryLogOptions): SharedMemoryLog {
  const log = new Log(options);
  return {
    get revision() {
      return log.revision;
    },
    backend: () => new Member(log),
  };
}

class Log {
  revision: Revision = 0;
  readonly clock: Clock;
  readonly members = new Set<Member>();
  readonly #delay: number | (() => number);
  readonly #commitsMax: number;
  readonly #snapshot = new Map<string, Map<ObjectId, StoredObject>>();
  #snapshotRevision: Revision = 0;
  #commits: CommitRecord[] = [];

  constructor(options: SharedMemoryLogOptions) {
    this.clock = options.clock;
    this.#delay = options.deliveryDelayMs ?? 0;
    this.#commitsMax = limitOf(options.commitsMax, LOG_COMMITS_MAX, 'commitsMax');
  }

  load(): Awaited<ReturnType<Backend['load']>> {
    const objects = [...this.#snapshot.values()].flatMap((ofKind) => [...ofKind.values()]);
    return { revision: this.#snapshotRevision, objects, commits: [...this.#commits] };
  }

  append(record: CommitRecord, writer: Member): 'appended' | 'conflict' {
    if (record.revision !== this.revision + 1) return 'conflict';
    this.revision = record.revision;
    this.#commits.push(record);
    // Folded in lots, so that it costs each commit little.
    if (this.#commits.length >= 2 * this.#commitsMax) this.fold(this.revision - this.#commitsMax);
    for (const member of this.members) if (member !== writer) member.send(record, this.#delayMs());
    return 'appended';
  }

  /** Folds commits up to `revision` into the snapshot. */
  fold(revision: Revision): void {
    const count = Math.min(revision, this.revision) - this.#snapshotRevision;
    if (count <= 0) return;
    for (const { written, deleted } of this.#commits.slice(0, count)) {
      for (const object of written) this.#objects(object.kind).set(object.meta.id, object);
      for (const { kind, id } of deleted) this.#objects(kind).delete(id);
    }
    this.#commits = this.#commits.slice(count);
    this.#snapshotRevision += count;
  }

  #objects(kind: string): Map<ObjectId, StoredObject> {
    let objects = this.#snapshot.get(kind);
    if (objects === undefined) this.#snapshot.set(kind, (objects = new Map()));
    return objects;
  }

  #delayMs(): number {
    return typeof this.#delay === 'number' ? this.#delay : this.#delay();
  }
}

/** One store's end of the log. */
class Member implements Backend {
  readonly #log: Log;
  readonly #listeners = new Set<(record: CommitRecord) => void>();
  /** Commits on their way, in order, and when each arrives. */
  #inbox: { readonly record: CommitRecord; readonly at: Timestamp }[] = [];
  #isClosed = false;

  constructor(log: Log) {
    this.#log = log;
    log.members.add(this);
  }

  load(): ReturnType<Backend['load']> {
    return Promise.resolve(this.#log.load());
  }

  append(record: CommitRecord): Promise<'appended' | 'conflict'> {
    if (this.#isClosed) {
      return Promise.reject(new SkepError('unavailable', 'this end of the shared log is closed'));
    }
    const outcome = this.#log.append(record, this);
    if (outcome === 'conflict') this.#deliver(Infinity);
    return Promise.resolve(outcome);
  }

  subscribe(listener: (record: CommitRecord) => void): { unsubscribe(): void } {
    this.#listeners.add(listener);
    return {
      unsubscribe: () => {
        this.#listeners.delete(listener);
      },
    };
  }

  compact(revision: Revision): Promise<void> {
    this.#log.fold(revision);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#inbox = [];
    this.#log.members.delete(this);
    return Promise.resolve();
  }

  /** Takes a commit that arrives after `delayMs`, and not before those sent earlier. */
  send(record: CommitRecord, delayMs: number): void {
    const { clock } = this.#log;
    const now = clock.now();
    const at = Math.max(now + delayMs, this.#inbox.at(-1)?.at ?? now);
    this.#inbox.push({ record, at });
    if (at > now) clock.schedule(at, () => this.#deliver(at), { label: 'shared log delivery' });
    else void Promise.resolve().then(() => this.#deliver(at));
  }

  /** Hands over what arrives up to `until`. */
  #deliver(until: Timestamp): void {
    for (let first = this.#inbox[0]; first !== undefined; first = this.#inbox[0]) {
      if (first.at > until) return;
      this.#inbox.shift();
      for (const listener of this.#listeners) listener(first.record);
    }
  }
}
