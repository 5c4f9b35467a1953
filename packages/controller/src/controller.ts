/**
 * The thin shell around a definition: it listens, queues, and lets a runner decide and commit.
 */
import { messageOf, silentLogger, type Logger, type Runnable } from '@skep/api';
import type { Revision, StoredObject, Timer, Timestamp } from '@skep/api';
import type { CommitEvent, ObjectEvent, View } from '@skep/store';
import { filter, type Observable } from 'rxjs';
import { AsyncRunner } from './async-runner.js';
import { BatchRunner } from './batch-runner.js';
import { Committer } from './committer.js';
import { ControllerMetrics } from './controller-metrics.js';
import type { ControllerOptions, ControllerParts } from './controller-parts.js';
import type { ControllerDefinition, ControllerStatus } from './contract.js';
import type { FenceLost, KeyExplanation, PassResult } from './contract.js';
import { defineController, isBatchController, isPlanController } from './definition.js';
import { settlesBefore } from './deadline.js';
import { InitialList } from './initial-list.js';
import { keySources, type KeySource } from './key-sources.js';
import { PassHost } from './pass-host.js';
import { PlanRunner } from './plan-runner.js';
import type { AddOptions } from './queue-options.js';
import type { ReflectorListener } from './reflector.js';
import type { PassTrace } from './trace/pass-trace.js';
import type { Trigger } from './trace/trace-log.js';
import { SLICE_KEYS, type Runner } from './runner.js';
import { ShardKeys } from './shard-keys.js';
import { StateKeeper } from './state-keeper.js';
import { WorkQueue } from './work-queue.js';

/** Longest wait of `stop` for passes under way. */
const STOP_TIMEOUT_MS = 30_000;

const BY_HAND: Trigger = Object.freeze({ type: 'by hand', revision: 0 });
const MAY_WAIT: AddOptions = Object.freeze({ mayWait: true });

/**
 * A controller at work. It listens first and then lists, so it misses nothing; an event only marks
 * keys as dirty; passes run from `clock.defer`, never twice at a time over one key.
 *
 * The view of a pass is the store's newest. With `state` or `caches` it is the newest one that
 * these are exactly in step with, which amid a burst of commits is a little older.
 *
 * Made by `startController` or by a `ControllerGroup`. Started once, stopped once.
 */
export class Controller implements Runnable, ReflectorListener {
  readonly name: string;
  /** What came of the passes; complete when the runtime stops. */
  readonly result$: Observable<PassResult>;
  readonly #definition: ControllerDefinition;
  readonly #parts: ControllerParts;
  readonly #logger: Logger;
  readonly #queue: WorkQueue;
  readonly #host: PassHost;
  readonly #runner: Runner;
  readonly #state: StateKeeper | undefined;
  readonly #isInStep: boolean;
  readonly #sources = new Map<string, KeySource[]>();
  readonly #list: InitialList;
  readonly #keysMax: number;
  readonly #stopTimeoutMs: number;
  readonly #onStopped: (() => Promise<void>) | undefined;
  #membership: { leave(): void } | undefined;
  #onReset: (() => void) | undefined;
  #isListed = false;
  #isFenced = false;
  #stateTimer: Timer | undefined;
  #stateRetryAt: Timestamp = 0;
  /** Surroundings of the event that is being mapped to keys; undefined between events. */
  #eventView: View | undefined;
  #eventMayWait = false;
  readonly #shards: ShardKeys | undefined;
  /** While shards are listed that came: their keys. */
  #cameKeys: ((key: string) => boolean) | undefined;
  readonly #trace: PassTrace | undefined;
  /** What wakes keys at this moment; only while there is a trace. */
  #trigger: Trigger = BY_HAND;

  /** @throws invalid-argument for a definition that `defineController` refuses. */
  constructor(
    definition: ControllerDefinition,
    parts: ControllerParts,
    options: ControllerOptions = {},
  ) {
    this.#definition = defineController(definition);
    this.#parts = parts;
    this.name = definition.name;
    this.#logger = parts.logger ?? silentLogger;
    this.#keysMax = options.queue?.keysMax ?? 1_000_000;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? STOP_TIMEOUT_MS;
    this.#onStopped = options.onStopped;
    this.#state = definition.state && new StateKeeper(definition.state);
    this.#isInStep = definition.state !== undefined || (definition.caches ?? []).length > 0;
    this.#trace = parts.trace?.passesOf(definition.name, definition.rule);
    this.#queue = new WorkQueue({
      ...options.queue,
      name: this.name,
      clock: parts.clock,
      metrics: parts.metrics,
      onReady: () => this.#runner.wake(),
    });
    this.#shards = this.#makeShards();
    this.#host = this.#makeHost();
    this.#runner = makeRunner(this.#host, definition, options.sliceKeys ?? SLICE_KEYS);
    const sources = keySources(definition);
    for (const source of sources) {
      const same = this.#sources.get(source.kind.name);
      if (same === undefined) this.#sources.set(source.kind.name, [source]);
      else same.push(source);
    }
    this.#list = new InitialList(sources);
    this.result$ = parts.results.result$.pipe(filter((result) => result.controller === this.name));
  }

  /** Waits for its caches, listens, lists. Resolves when the first list is queued. */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    await Promise.all((this.#definition.caches ?? []).map((cache) => cache.ready()));
    if (signal?.aborted === true) return;
    const listed = new Promise<void>((resolve) => (this.#onReset = resolve));
    this.#membership = this.#parts.reflector.join(this);
    await listed;
    this.#shards?.join();
  }

  /** Begins no further pass; waits for those under way, at most `stopTimeoutMs`. */
  async stop(): Promise<void> {
    this.#membership?.leave();
    this.#shards?.leave();
    this.#stateTimer?.cancel();
    this.#queue.close();
    this.#onReset?.();
    const isDone = await settlesBefore(this.#runner.stop(), this.#parts.clock, this.#stopTimeoutMs);
    if (!isDone) this.#logger.warn('stopped with passes under way', { controller: this.name });
    await this.#onStopped?.();
  }

  /** Where it stands. */
  status(): ControllerStatus {
    this.#queue.sample();
    this.#host.metrics?.sampled(this.#queue.active);
    const nextAt = this.#queue.nextRequeueAt;
    return {
      name: this.name,
      depth: this.#queue.depth,
      active: this.#queue.active,
      failing: this.#queue.failing,
      parked: this.#queue.parked,
      scheduled: this.#queue.scheduled,
      ...(nextAt === undefined ? {} : { nextAt }),
    };
  }

  /**
   * Whether nothing is left to do but to wait for requeue times and new events. A controller whose
   * fence was lost has nothing to do: it makes no further pass until it is started anew.
   */
  isIdle(): boolean {
    if (this.#isFenced) return this.#queue.active === 0;
    const { depth, active, failing, parked } = this.#queue;
    const isQuiet = depth + active + failing + parked === 0;
    return isQuiet && this.#isListed && !this.#list.isPending && this.#parts.reflector.isCaughtUp;
  }

  /** Soonest time at which it does something by itself: a requeue or the end of a backoff. */
  nextAt(): Timestamp | undefined {
    const at = Math.min(this.#queue.nextRequeueAt ?? Infinity, this.#queue.nextRetryAt ?? Infinity);
    return at === Infinity ? undefined : at;
  }

  /** Where a key stands, and why. */
  explain(key: string): KeyExplanation {
    return this.#queue.explain(key);
  }

  /** The first keys that keep it from being idle. */
  pending(limit?: number): readonly KeyExplanation[] {
    return this.#queue.pending(limit);
  }

  /** Wakes a key by hand. */
  trigger(key: string, reason = 'trigger'): void {
    this.#eventMayWait = false;
    this.#trigger = BY_HAND;
    if (!this.#wake(key, reason)) this.#list.again();
  }

  /** Follows one commit. @internal */
  commit(event: CommitEvent, view: View): void {
    if (this.#state?.observe(event, view) === false) this.#stateFailed();
    this.#eventView = view;
    this.#eventMayWait = event.actor === this.#host.committer.actor;
    for (const change of event.events) {
      const sources = this.#sources.get(change.object.kind);
      if (sources === undefined) continue;
      if (this.#trace !== undefined) this.#trigger = triggerOf(change, event.revision);
      for (const source of sources) if (!this.#visit(source, change)) this.#list.again();
    }
    // A view that is kept keeps all that is replaced after it.
    this.#eventView = undefined;
    this.#shards?.reached(event.revision);
    this.#queue.reached(event.revision);
    if (this.#queue.ready > 0) this.#runner.wake();
  }

  /** Starts again from a view. @internal */
  reset(view: View): void {
    if (this.#state?.rebuild(view) === false) this.#stateFailed();
    this.#shards?.reached(view.revision);
    this.#isListed = true;
    this.#list.restart();
    this.#fill();
    this.#queue.reached(view.revision);
    this.#runner.wake();
    this.#onReset?.();
    this.#onReset = undefined;
  }

  #makeHost(): PassHost {
    const { store, clock, metrics, recorder, results, reflector, fence } = this.#parts;
    const actor = this.#definition.actor ?? this.name;
    const onFenceLost: FenceLost = (conflict, lost) => this.#fenceLost(conflict, lost);
    const [definition, trace, shards] = [this.#definition, this.#trace, this.#shards];
    const keyFence = shards?.fenceOf;
    const concurrency = ('concurrency' in definition ? definition.concurrency : undefined) ?? 1;
    return new PassHost({
      definition,
      store,
      clock,
      logger: this.#logger,
      queue: this.#queue,
      committer: new Committer({ store, actor, fence, keyFence, onFenceLost, trace }),
      recorder,
      results,
      metrics: metrics && new ControllerMetrics(this.name, concurrency, metrics),
      trace,
      shards,
      view: () => this.#view(),
      reached: () => reflector.revision,
      drained: () => this.#drained(),
    });
  }

  #makeShards(): ShardKeys | undefined {
    const { sharding, clock, reflector } = this.#parts;
    const by = this.#definition.sharding;
    if (sharding === undefined || by === undefined) return undefined;
    return new ShardKeys({
      sharding,
      clock,
      shardKey: typeof by === 'function' ? by : (key) => key,
      reached: () => reflector.revision,
      came: (isOf) => this.#listKeys(isOf),
      went: (isOf) => this.#dropKeys(isOf),
      stopTimeoutMs: this.#stopTimeoutMs,
    });
  }

  /** Wakes the keys of shards that came, as far as anything here is about them. */
  #listKeys(isOf: (key: string) => boolean): void {
    if (!this.#isListed) return;
    const list = this.#list.another();
    this.#cameKeys = isOf;
    this.#fill(list);
    if (list.isPending) this.#list.again();
    this.#cameKeys = undefined;
    this.#runner.wake();
  }

  /** Has the runner forget keys of shards that went; it finds that they are not ours. */
  #dropKeys(isOf: (key: string) => boolean): void {
    for (const { key, state } of this.#queue.pending(Infinity)) {
      if (state === 'backoff' && isOf(key)) this.#queue.add(key, 'handed over');
    }
    this.#runner.wake();
  }

  #view(): View | undefined {
    const { reflector, store } = this.#parts;
    if (!this.#isInStep) return store.view();
    if (!reflector.isInStep) return undefined;
    if (this.#state !== undefined && !this.#state.isFresh) {
      if (this.#parts.clock.now() < this.#stateRetryAt) return undefined;
      if (!this.#state.rebuild(reflector.view)) {
        this.#stateFailed();
        return undefined;
      }
    }
    return reflector.view;
  }

  #drained(): void {
    const { ready, size, isFull } = this.#queue;
    if (!this.#list.isPending || isFull) return;
    if (ready === 0 || size <= this.#keysMax / 2) this.#fill();
  }

  #fill(list = this.#list): void {
    const view = this.#parts.store.view();
    this.#eventView = view;
    this.#eventMayWait = false;
    list.fill(view, (source, object) => {
      if (this.#trace !== undefined) this.#trigger = listedTrigger(object);
      return this.#visit(source, { type: 'created', object });
    });
    this.#eventView = undefined;
  }

  get #viewOfEvent(): View {
    return this.#eventView ?? this.#parts.store.view();
  }

  #visit(source: KeySource, event: ObjectEvent): boolean {
    try {
      return source.visit(event, this.#viewOfEvent, this.#wake);
    } catch (error) {
      this.#mappingFailed(event.object, error);
      return true;
    }
  }

  readonly #wake = (key: string, reason: string): boolean => {
    if (this.#shards?.isOurs(key) === false || this.#cameKeys?.(key) === false) return true;
    const isTaken = this.#add(key, reason);
    if (isTaken) this.#trace?.woke(key, this.#trigger);
    return isTaken;
  };

  #add(key: string, reason: string): boolean {
    const priority = this.#priority(key);
    if (priority === 0) {
      return this.#queue.add(key, reason, this.#eventMayWait ? MAY_WAIT : undefined);
    }
    return this.#queue.add(key, reason, { priority, mayWait: this.#eventMayWait });
  }

  #priority(key: string): number {
    const { priority } = this.#definition;
    if (priority === undefined) return 0;
    try {
      const value = priority(key, this.#viewOfEvent);
      return Number.isFinite(value) ? value : 0;
    } catch (error) {
      // A key without its priority is late; a key that is not queued is lost.
      const { name } = this;
      this.#logger.error('no priority', { controller: name, key, error: messageOf(error) });
      return 0;
    }
  }

  #mappingFailed(regarding: StoredObject, thrown: unknown): void {
    const error = messageOf(thrown);
    const { kind, meta } = regarding;
    this.#logger.error('event not mapped to keys', {
      controller: this.name,
      kind,
      id: meta.id,
      error,
    });
    this.#host.record([{ regarding, type: 'warning', reason: 'MappingFailed', message: error }]);
  }

  #fenceLost(...[conflict, fence]: Parameters<FenceLost>): void {
    if (!this.#isFenced) {
      this.#isFenced = true;
      this.#logger.warn('fence lost', { controller: this.name, error: conflict.message });
      this.#queue.close();
      void this.#runner.stop();
    }
    this.#parts.onFenceLost?.(conflict, fence);
  }

  #stateFailed(): void {
    const { clock } = this.#parts;
    const { attempts = 1, error } = this.#state ?? {};
    const at = clock.now() + Math.min(5 * 2 ** Math.min(attempts - 1, 30), 1_000_000);
    this.#logger.error('state not rebuilt', { controller: this.name, error, retryAt: at });
    this.#stateRetryAt = at;
    this.#stateTimer?.cancel();
    this.#stateTimer = clock.schedule(at, () => this.#runner.wake(), {
      label: `state of ${this.name}`,
    });
  }
}

function triggerOf({ type, object }: ObjectEvent, revision: Revision): Trigger {
  return { type, revision, kind: object.kind, id: object.meta.id };
}

function listedTrigger({ kind, meta }: StoredObject): Trigger {
  return { type: 'listed', revision: meta.version, kind, id: meta.id };
}

function makeRunner(host: PassHost, definition: ControllerDefinition, sliceKeys: number): Runner {
  if (isPlanController(definition)) return new PlanRunner(host, definition, { sliceKeys });
  if (isBatchController(definition)) return new BatchRunner(host, definition);
  return new AsyncRunner(host, definition, { sliceKeys });
}
