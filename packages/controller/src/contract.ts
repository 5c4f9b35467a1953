/**
 * What a controller is: a pure decision, and which objects wake it.
 *
 * **Source:** controller-runtime pkg/reconcile and pkg/builder for the words; the pure form of the
 * decision is Anvil's (OSDI'24).
 */
import type {
  AnyKind,
  Clock,
  Logger,
  Metrics,
  Random,
  Revision,
  StoredObject,
  Timestamp,
} from '@skep/api';
import type { Conflict, Expectation, ObjectEvent, Store, View } from '@skep/store';
import type { PlannedChange } from './planned-change.js';
import type { Sharding } from './shard-options.js';
import type { ReconcileTrace } from './trace/reconcile-trace.js';

/** Something to tell people about an object; kept as an Event, equal ones counted. */
export interface EventDraft {
  readonly regarding: StoredObject;
  readonly type: 'normal' | 'warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * What a pass decided about one key.
 *
 * Up to 200 changes are one commit. More are committed in order, in pieces of 200; `expect` guards
 * the first piece, the fence all of them, and the key waits until its view holds the last. The
 * whole is then not atomic: put the change first that makes a second try right (the counter that
 * ids are derived from).
 */
export interface Plan {
  readonly changes: readonly PlannedChange[];
  /** Further conditions for the commit, next to the versions that the changes carry. */
  readonly expect?: readonly Expectation[];
  /**
   * Look at the key again at this time, even if nothing wakes it. The newest plan counts: one
   * without `requeueAt` takes an earlier one away, as a restart of the process would.
   * A time that is past means: in a millisecond.
   */
  readonly requeueAt?: Timestamp;
  /** Recorded once the changes are committed. */
  readonly events?: readonly EventDraft[];
}

/** A group of changes that belong together: one commit of at most 200 changes, never split. */
export interface PlanGroup {
  /** The keys that the group answers; they are retried when it meets a conflict. */
  readonly keys: readonly string[];
  readonly changes: readonly PlannedChange[];
  readonly expect?: readonly Expectation[];
}

/**
 * What a pass decided about many keys. Each group is committed atomically, in this order; a group
 * that meets a conflict does not stop the ones after it. The next pass of the controller waits
 * until its view holds all that this one wrote.
 */
export interface BatchPlan {
  readonly groups: readonly PlanGroup[];
  readonly requeueAt?: ReadonlyMap<string, Timestamp>;
  readonly events?: readonly EventDraft[];
}

/** What an asynchronous reconcile asks for. */
export interface ReconcileResult {
  readonly requeueAt?: Timestamp;
}

/** What an asynchronous reconcile is given. */
export interface ReconcileContext {
  readonly view: View;
  readonly now: Timestamp;
  readonly signal: AbortSignal;
  /**
   * Commits under the controller's name and fence; the next pass over this key waits until its view
   * holds the revision. `view` stays as it is.
   * @throws conflict, which the reconcile should let through: the key is then retried at once.
   */
  commit(changes: readonly PlannedChange[], expect?: readonly Expectation[]): Promise<Revision>;
  event(draft: EventDraft): void;
}

/** A kind that wakes the controller, and which keys an event of it is about. */
export interface Watch {
  readonly kind: AnyKind;
  /**
   * Keys that the event concerns. `view` is the view after the commit.
   * For an update, map both `event.previous` and `event.object`: the old owner may have to act.
   */
  keys(event: ObjectEvent, view: View): readonly string[];
  /** Events for which this is false do not wake anything. */
  readonly predicate?: (event: ObjectEvent) => boolean;
}

/**
 * Memory that a controller keeps beside the view because it is faster than looking: indexes, heaps,
 * bitmaps. Law 1: rebuilding it from the view must give the same plans.
 */
export interface ControllerState {
  /** Starts again from a view. */
  rebuild(view: View): void;
  /** Follows one commit. Called for every commit, before the plans that see it. */
  observe(events: readonly ObjectEvent[], view: View): void;
}

interface DefinitionBase {
  /** Name of the controller; also the actor of its commits. Unique in a manager. */
  readonly name: string;
  /** Actor of the commits, if it is not the name. */
  readonly actor?: string;
  /** What the reconcile trace calls changes that name no rule of their own. Default: nothing. */
  readonly rule?: string;
  /**
   * Keys are ids of this kind, and its events wake their own id.
   * May be absent when `watches` makes all keys (a batch over several kinds: `Task/ID`).
   */
  readonly for?: AnyKind;
  /** Which events of the kind in `for` count. Default: all. */
  readonly predicate?: (event: ObjectEvent) => boolean;
  /** Kinds whose owner references (`meta.owners`, `isController`) point to the key. */
  readonly owns?: readonly AnyKind[];
  readonly watches?: readonly Watch[];
  readonly state?: ControllerState;
  /** Passes at the same time, over different keys. Only for `reconcile`. Default: 1. */
  readonly concurrency?: number;
  /**
   * Lets the members of a group share the keys among them (`ControllerGroup` with `sharding`): each
   * key has passes in one of them. `by-key`, or what of a key decides: equal texts stay together.
   *
   * Only for controllers whose decision about a key follows from the key's own objects: those that
   * no decision about another key writes. Another member may decide about that other key at the
   * same
   * time, on a view of its own, and what both need is then given out twice. So planners with state
   * that keys share (addresses, ports, room on nodes) must not be sharded; they run where one
   * member
   * leads. `planBatch` is for just those, and is refused.
   */
  readonly sharding?: 'by-key' | ((key: string) => string);
  /** Priority of a key; higher goes first. Called for every wake-up. Default: 0. */
  readonly priority?: (key: string, view: View) => number;
  /** Caches that the controller reads beside the view; it does not start before they are ready. */
  readonly caches?: readonly ReadyCache[];
}

/** Something that has to be filled before a controller may start; an `Informer` is one. */
export interface ReadyCache {
  /** Resolves once the first list is in. */
  ready(): Promise<void>;
}

/** A controller that decides about one key at a time, purely. The preferred form. */
export interface PlanController extends DefinitionBase {
  plan(view: View, key: string, now: Timestamp): Plan;
}

/** A controller that decides about all dirty keys at once, purely. */
export interface BatchController extends DefinitionBase {
  planBatch(view: View, keys: readonly string[], now: Timestamp): BatchPlan;
  /** Most keys in one pass. Default: all. */
  readonly batchMax?: number;
}

/** A controller that does I/O. */
export interface AsyncController extends DefinitionBase {
  /**
   * How long a pass may take. Past it `signal` aborts and the time-out is counted; the key stays in
   * its pass until the reconcile ends. Default: for ever.
   */
  readonly reconcileTimeoutMs?: number;
  reconcile(context: ReconcileContext, key: string): Promise<ReconcileResult | undefined>;
}

/** Any controller. */
export type ControllerDefinition = PlanController | BatchController | AsyncController;

/** Checks a definition and returns it; makes the three forms easy to write and to infer. */
export type DefineController = <D extends ControllerDefinition>(definition: D) => D;

/** Where a controller stands. */
export interface ControllerStatus {
  readonly name: string;
  /** Keys that wait for a pass, delayed ones not counted. */
  readonly depth: number;
  /** Keys in a pass right now. */
  readonly active: number;
  /** Keys that failed and wait for their backoff. */
  readonly failing: number;
  /** Keys that wait for their view to hold what they wrote; queued ones count in depth, too. */
  readonly parked: number;
  /** Keys with a `requeueAt`. */
  readonly scheduled: number;
  /** Soonest `requeueAt`, if any. */
  readonly nextAt?: Timestamp;
}

/** What came of a pass over one key. */
export interface PassResult {
  readonly controller: string;
  readonly key: string;
  /** `conflict`: retried at once from a newer view; `failed`: retried after a backoff. */
  readonly outcome: 'unchanged' | 'committed' | 'conflict' | 'failed';
  /** Changes that were committed; for a key of a batch, those of its groups. */
  readonly changes: number;
  /** Revision of the last commit; absent when there was none. */
  readonly revision?: Revision;
  /** By the clock; for a key of a batch, of the whole pass. */
  readonly durationMs: number;
  /** Why it failed, or what it ran into. */
  readonly error?: string;
}

/** Seams of the runtime. */
export interface ControllerSeams {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /**
   * Fence of a leader: added to the `expect` of every commit. Asked once, when controllers start.
   */
  readonly fence?: () => readonly Expectation[];
  /** Told when the store refuses a commit because of the fence; the controller has stopped then. */
  readonly onFenceLost?: FenceLost;
  /**
   * Shares the keys with other members of a group. All controllers have to allow it (`sharding` in
   * their definitions), and nothing is done about keys of others.
   */
  readonly sharding?: Sharding;
  /** Remembers why objects changed. Default: nothing does, which costs nothing. */
  readonly trace?: ReconcileTrace;
}

/**
 * Hears that a commit was refused because its fence does not hold any more: `fence` is what the
 * commit expected, `conflict` what the store found. May be called more than once for one loss.
 * It must not throw.
 */
export type FenceLost = (conflict: Conflict, fence: readonly Expectation[]) => void;

/** Why a key is where it is; for people. */
export interface KeyExplanation {
  readonly key: string;
  readonly state: 'idle' | 'queued' | 'running' | 'parked' | 'backoff' | 'scheduled';
  /** What woke it, newest last, at most ten: `Service updated`, `requeue`, `conflict`, … */
  readonly reasons: readonly string[];
  readonly attempts: number;
  readonly at?: Timestamp;
  readonly parkedUntil?: Revision;
  readonly lastError?: string;
}
