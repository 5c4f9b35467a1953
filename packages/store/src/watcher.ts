/**
 * One subscription to commits: what it wants, how far it is, and a guard around its callbacks.
 */
import { SkepError, messageOf, type Revision, type StoredObject } from '@skep/api';
import type { CommitEvent, ObjectEvent, WatchSelector } from './contract.js';
import { chooserOf, chosenEvent } from './object-choice.js';

/** Callbacks of a subscription; see `Store.subscribe`. */
export interface CommitListener {
  commit(event: CommitEvent): void;
  ended(reason: Error): void;
}

/** A subscription. Delivers each commit at most once, in order: its cursor only rises. */
export class Watcher {
  /** Kinds that it wants, without repetition; undefined: all. */
  readonly kinds: readonly string[] | undefined;
  /** Commits up to this revision are behind it. */
  cursor: Revision;
  isActive = true;
  readonly #where: ((event: ObjectEvent) => boolean) | undefined;
  readonly #isChosen: ((object: StoredObject) => boolean) | undefined;
  readonly #listener: CommitListener;

  constructor(listener: CommitListener, selector: WatchSelector | undefined, cursor: Revision) {
    this.#listener = listener;
    this.kinds = selector?.kinds === undefined ? undefined : [...new Set(selector.kinds)];
    this.#where = selector?.where;
    this.#isChosen = selector?.objects && chooserOf(selector.objects);
    this.cursor = cursor;
  }

  /**
   * Hands over what the watcher wants of a commit. `isWanted`: all events are of kinds it wants.
   * Returns what its callbacks threw, if they did.
   */
  offer(commit: CommitEvent, isWanted: boolean): Error | undefined {
    // Told already, or from before it began.
    if (commit.revision <= this.cursor || !this.isActive) return undefined;
    this.cursor = commit.revision;
    try {
      const isWhole = isWanted && this.#where === undefined && this.#isChosen === undefined;
      const chosen = isWhole ? commit : this.#choose(commit, isWanted);
      if (chosen !== undefined) this.#listener.commit(chosen);
      return undefined;
    } catch (thrown) {
      return errorOf(thrown);
    }
  }

  /** Ends the watcher; tells it why unless it had gone already. */
  end(reason: Error): void {
    if (!this.isActive) return;
    this.isActive = false;
    try {
      this.#listener.ended(reason);
    } catch {
      // It is over for this listener, and nobody else is to suffer from it.
    }
  }

  #choose(commit: CommitEvent, isWanted: boolean): CommitEvent | undefined {
    const { kinds } = this;
    const where = this.#where;
    const isChosen = this.#isChosen;
    const events: ObjectEvent[] = [];
    let isWhole = true;
    for (const event of commit.events) {
      const isKind = isWanted || kinds === undefined || kinds.includes(event.object.kind);
      const seen = isKind && isChosen !== undefined ? chosenEvent(event, isChosen) : event;
      const isTaken = isKind && seen !== undefined && (where === undefined || where(seen));
      isWhole &&= isTaken && seen === event;
      if (isTaken) events.push(seen);
    }
    if (events.length === 0) return undefined;
    if (isWhole) return commit;
    return { revision: commit.revision, actor: commit.actor, events };
  }
}

/** Any thrown value as an error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new SkepError('internal', messageOf(thrown), { cause: thrown });
}
