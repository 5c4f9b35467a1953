/**
 * The faults of a script, with the counters they refer to, shared by all processes on one store.
 */
import type { Revision } from '@skep/api';
import type { View } from '@skep/store';
import type { Fault } from './script.js';

/** What becomes of an attempt to commit. */
type AttemptFate = 'goes through' | 'refused' | 'written, but not confirmed';

/** When what goes wrong. */
export class FaultPlan {
  /** How many commits behind views trail. */
  readonly age: number;
  /** Commits before which watches fall silent. */
  readonly gaps: readonly number[];
  readonly leaders: number;
  readonly isRepeating: boolean;
  readonly shuffleSeed: number | undefined;
  readonly #crashes = new Set<number>();
  readonly #failures = new Map<number, AttemptFate>();
  /** The newest views, one for each commit that somebody may still look at. */
  readonly #views = new Map<Revision, View>();
  readonly #writes = new Set<Revision>();
  #attempts = 0;

  constructor(faults: readonly Fault[], view: View) {
    const ofType = <T extends Fault['type']>(type: T): Extract<Fault, { type: T }>[] =>
      faults.filter((fault): fault is Extract<Fault, { type: T }> => fault.type === type);
    this.age = Math.max(0, ...ofType('stale').map(({ age }) => age));
    this.gaps = ofType('gap').map(({ atCommit }) => atCommit);
    this.leaders = Math.max(1, ...ofType('leaders').map(({ count }) => count));
    this.isRepeating = ofType('repeat').length > 0;
    this.shuffleSeed = ofType('shuffle')[0]?.seed;
    for (const { afterWrite } of ofType('crash')) this.#crashes.add(afterWrite);
    for (const { attempt, isWritten } of ofType('failure')) {
      this.#failures.set(attempt, isWritten ? 'written, but not confirmed' : 'refused');
    }
    this.#views.set(view.revision, view);
  }

  /** Revisions of the commits of controllers. */
  get writes(): ReadonlySet<Revision> {
    return this.#writes;
  }

  /** A controller tries to commit. */
  attempted(): AttemptFate {
    this.#attempts += 1;
    return this.#failures.get(this.#attempts) ?? 'goes through';
  }

  /** A commit went through, whoever made it. */
  committed(view: View): void {
    if (this.age === 0) return;
    this.#views.set(view.revision, view);
    this.#views.delete(view.revision - this.age - 1);
  }

  /** A commit of a controller went through. True when its process dies of it. */
  wrote(revision: Revision): boolean {
    this.#writes.add(revision);
    return this.#crashes.has(this.#writes.size);
  }

  /** The view after a commit that is at most `age` old. */
  viewAt(revision: Revision): View | undefined {
    return this.#views.get(revision);
  }
}
