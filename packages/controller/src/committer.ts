/**
 * Commits of one controller: under its name, behind its fence.
 */
import type { Revision } from '@skep/api';
import { CHANGES_MAX, type Conflict, type Expectation, type Store } from '@skep/store';
import type { FenceLost } from './contract.js';
import type { PlannedChange } from './planned-change.js';
import type { PassTrace } from './trace/pass-trace.js';

/** How far a commit came. */
export interface CommitOutcome {
  /** Changes that are in the store now. */
  readonly committed: number;
  /** Revision of the last piece that went through; 0 when none did. */
  readonly revision: Revision;
  /** The race that stopped it. */
  readonly conflict?: Conflict;
  /** What the store threw, which stopped it as well. */
  readonly error?: unknown;
  /** Whether the conflict is about the fence: nothing of this writer will go through any more. */
  readonly isFenceLost?: boolean;
}

const NO_KEYS: readonly string[] = Object.freeze([]);
const NO_FENCE: readonly Expectation[] = Object.freeze([]);

/** Whose commits they are, and what all of them expect. */
export interface CommitterParts {
  readonly store: Store;
  readonly actor: string;
  readonly fence?: (() => readonly Expectation[]) | undefined;
  /** What commits about these keys expect besides: who may work on them. */
  readonly keyFence?: ((keys: readonly string[]) => readonly Expectation[]) | undefined;
  /** Told of every commit that the fence stopped. */
  readonly onFenceLost?: FenceLost | undefined;
  /** Told of every commit that went through. */
  readonly trace?: PassTrace | undefined;
}

/** Commits changes for one actor. */
export class Committer {
  readonly actor: string;
  readonly #store: Store;
  readonly #fence: (() => readonly Expectation[]) | undefined;
  readonly #keyFence: CommitterParts['keyFence'];
  readonly #onFenceLost: FenceLost | undefined;
  readonly #trace: PassTrace | undefined;

  constructor(parts: CommitterParts) {
    this.actor = parts.actor;
    this.#store = parts.store;
    this.#fence = parts.fence;
    this.#keyFence = parts.keyFence;
    this.#onFenceLost = parts.onFenceLost;
    this.#trace = parts.trace;
  }

  /**
   * One atomic commit of at most 200 changes that answers these keys. Never throws: see
   * {@link CommitOutcome.error}.
   */
  async commit(
    changes: readonly PlannedChange[],
    expect: readonly Expectation[] | undefined,
    keys: readonly string[] = NO_KEYS,
  ): Promise<CommitOutcome> {
    try {
      const fence = this.#fence?.() ?? NO_FENCE;
      const own = this.#keyFence?.(keys) ?? NO_FENCE;
      const conditions = withFence(withFence(expect, own), fence);
      const result = await this.#store.commit({
        actor: this.actor,
        changes,
        ...(conditions === undefined ? {} : { expect: conditions }),
      });
      if (result.ok) {
        this.#trace?.committed(keys, result.revision, changes);
        return { committed: changes.length, revision: result.revision };
      }
      const { conflict } = result;
      if (!isAboutFence(conflict, fence)) return { committed: 0, revision: 0, conflict };
      this.#onFenceLost?.(conflict, fence);
      return { committed: 0, revision: 0, conflict, isFenceLost: true };
    } catch (error) {
      return { committed: 0, revision: 0, error };
    }
  }

  /**
   * Commits any number of changes in order, in pieces of 200, until one does not go through.
   * `expect` guards the first piece only: the later ones may be about what the first has written.
   * Fences guard all of them.
   */
  async commitInPieces(
    changes: readonly PlannedChange[],
    expect: readonly Expectation[] | undefined,
    keys: readonly string[] = NO_KEYS,
  ): Promise<CommitOutcome> {
    if (changes.length <= CHANGES_MAX) return this.commit(changes, expect, keys);
    let total: CommitOutcome = { committed: 0, revision: 0 };
    while (total.committed < changes.length) {
      const piece = changes.slice(total.committed, total.committed + CHANGES_MAX);
      const first = total.committed === 0;
      const outcome = await this.commit(piece, first ? expect : undefined, keys);
      total = addOutcomes(total, outcome);
      if (outcome.committed === 0) break;
    }
    return total;
  }

  /** The revision at which a retry can see what it ran into. */
  retryRevision(outcome: CommitOutcome): Revision {
    const seen = this.#store.view().revision;
    return Math.max(outcome.revision, outcome.conflict?.version ?? 0, seen);
  }
}

/** Two commits as one outcome: sums, the newest revision, the first thing that went wrong. */
export function addOutcomes(a: CommitOutcome, b: CommitOutcome): CommitOutcome {
  const conflict = a.conflict ?? b.conflict;
  const error = a.error ?? b.error;
  return {
    committed: a.committed + b.committed,
    revision: Math.max(a.revision, b.revision),
    ...(conflict === undefined ? {} : { conflict }),
    ...(error === undefined ? {} : { error }),
    ...(a.isFenceLost === true || b.isFenceLost === true ? { isFenceLost: true } : {}),
  };
}

/** The fence comes first: a deposed writer learns that it is one, whatever else does not hold. */
function withFence(
  expect: readonly Expectation[] | undefined,
  fence: readonly Expectation[],
): readonly Expectation[] | undefined {
  if (fence.length === 0) return expect;
  return expect === undefined ? fence : [...fence, ...expect];
}

/** A plan may expect leases of its own, which are no fence. */
function isAboutFence(conflict: Conflict, fence: readonly Expectation[]): boolean {
  return conflict.reason === 'lease' && fence.some(({ id }) => id === conflict.id);
}
