/**
 * A memory of who changed what, and why.
 */
import { SkepError } from '@skep/api';
import type { CommitEvent } from '@skep/store';
import type { ObjectKey } from '../planned-change.js';
import type { ReflectorListener } from '../reflector.js';
import { PassTrace } from './pass-trace.js';
import { TraceLog } from './trace-log.js';
import { renderWhy } from './why-text.js';
import { whyOf, type WhyOptions, type WhyStep } from './why.js';

/** Commits that a trace keeps, unless said otherwise. */
export const TRACE_COMMITS_MAX = 10_000;

/** Events in them, unless said otherwise. */
export const TRACE_EVENTS_MAX = 100_000;

/** How much a trace remembers. */
export interface ReconcileTraceOptions {
  /**
   * Commits that are kept; the oldest are forgotten. More: chains go back further. Memory: what
   * these commits replaced, which a store keeps as well up to its own limits of the same size.
   * Default: {@link TRACE_COMMITS_MAX}.
   */
  readonly commitsMax?: number;
  /** Events that are kept in them. Default: {@link TRACE_EVENTS_MAX}. */
  readonly eventsMax?: number;
}

/**
 * Answers "why did this object change?": which controller, for which key, on which view, by which
 * rule, woken by what; and so on back to what a user wrote.
 *
 * Give one to a controller group, or a manager, as the seam `trace`. It hears of every commit of
 * the store from the group's start on, and of every pass that wrote one. Without a trace the
 * runtime does nothing for it; with one, a pass costs a few lookups more, and nothing is compared
 * or rendered before somebody asks. Groups that are started anew, or several on one store, may
 * share a trace.
 */
export class ReconcileTrace implements ReflectorListener {
  readonly #log: TraceLog;

  /** @throws invalid-argument for limits that are no counts from 1. */
  constructor(options: ReconcileTraceOptions = {}) {
    const { commitsMax = TRACE_COMMITS_MAX, eventsMax = TRACE_EVENTS_MAX } = options;
    for (const [name, value] of Object.entries({ commitsMax, eventsMax })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      throw new SkepError('invalid-argument', `'${name}' is ${value}; it is a count from 1`);
    }
    this.#log = new TraceLog({ commitsMax, eventsMax });
  }

  /**
   * The commits that led to a change of an object, the cause first, the change itself last; see
   * {@link WhyStep}. Empty when the trace knows of none. Plain data.
   * Cost: O(events kept) for each step whose rule names a cause, else O(1) a step.
   */
  why(object: ObjectKey, options?: WhyOptions): readonly WhyStep[] {
    return whyOf(this.#log, object, options);
  }

  /** The same as text for people. */
  explain(object: ObjectKey, options?: WhyOptions): string {
    return renderWhy(this.why(object, options));
  }

  /** What the passes of a controller tell. @internal */
  passesOf(controller: string, rule: string | undefined): PassTrace {
    return new PassTrace(this.#log, controller, rule);
  }

  /** Takes a commit. @internal */
  commit(event: CommitEvent): void {
    this.#log.addCommit(event);
  }

  /** A watch began or began again: what lies between is not known. @internal */
  reset(): void {
    // The ring is kept by revision: what was missed is simply not there.
  }
}
