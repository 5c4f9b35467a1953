/**
 * Controllers against a store in memory on virtual time, one pass at a time.
 */
import { ACTORS, SkepError, seededRandom, withMeta, withSpec, withStatus } from '@skep/api';
import type { AnyKind, Kind, ObjectId, Random, StoredObject } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Change, type Store, type View } from '@skep/store';
import type { OwnershipTable } from '@skep/api';
import { commitText, loggedCommit, type LoggedCommit } from './commit-log.js';
import { ControllerProcess, type ControllerSource } from './controller-process.js';
import { FaultPlan } from './fault-plan.js';
import { CallQueue, ProcessClock } from './process-clock.js';
import { ProcessStore } from './process-store.js';
import { storedObject, userObject } from './script.js';
import type { Fault, ScenarioStep, UserObject } from './script.js';

/** What a harness is made of. */
export interface ControllerHarnessOptions {
  /** Kinds of the store. Events for people are only recorded if `Event` is one of them. */
  readonly kinds: readonly AnyKind[];
  readonly controllers: ControllerSource;
  /** Decides the order of lists, and what controllers draw. Default: 1. */
  readonly seed?: number | string;
  readonly faults?: readonly Fault[];
  /** Owners of fields of custom kinds; those of built-in kinds are always checked. */
  readonly ownership?: Readonly<Record<string, OwnershipTable>>;
  /**
   * How far `settle` moves time to serve requeues; retries are always waited for. Default: an hour.
   * 0 for controllers that ask for another look for ever.
   */
  readonly settleMs?: number;
}

/** How settling ended. */
export interface ControllerSettlement {
  readonly isSettled: boolean;
  readonly passes: number;
  readonly elapsedMs: number;
  /** What there is still to do, when it did not settle; at most ten lines. */
  readonly waitingFor: readonly string[];
}

const HOUR_MS = 3_600_000;
/** Passes in one `settle` after which it is called a livelock. */
const PASSES_MAX = 20_000;

/** Starts the controllers; see {@link ControllerHarness}. Stop it in the end. */
export async function controllerHarness(
  options: ControllerHarnessOptions,
): Promise<ControllerHarness> {
  const harness = new ControllerHarness(options);
  await harness.start();
  return harness;
}

/**
 * Processes with controllers on one store. Nothing happens by itself: `runOne` makes one pass,
 * `settle` all there are. The same calls give the same result, for one seed.
 */
export class ControllerHarness {
  readonly clock = new VirtualClock();
  readonly #options: ControllerHarnessOptions;
  readonly #random: Random;
  readonly #store: Store;
  readonly #plan: FaultPlan;
  readonly #calls: CallQueue;
  readonly #shuffle: Random | undefined;
  readonly #commits: LoggedCommit[] = [];
  #processes: ControllerProcess[] = [];
  #lives = 0;
  #passes = 0;

  constructor(options: ControllerHarnessOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.#store = memoryStore({
      clock: this.clock,
      kinds: options.kinds,
      checks: {
        freeze: true,
        ownership: true,
        ...(options.ownership === undefined ? {} : { tables: options.ownership }),
      },
      listOrder: this.#random.fork('lists'),
    });
    this.#plan = new FaultPlan(options.faults ?? [], this.#store.view());
    const { shuffleSeed } = this.#plan;
    this.#shuffle = shuffleSeed === undefined ? undefined : seededRandom(`turns ${shuffleSeed}`);
    this.#calls = new CallQueue(this.#shuffle);
    this.#store.subscribe({
      commit: (event) => void this.#commits.push(loggedCommit(event)),
      ended: () => undefined,
    });
  }

  /** All commits, oldest first. */
  get commits(): readonly LoggedCommit[] {
    return this.#commits;
  }

  /** Commits of controllers that went through, in words. */
  get writes(): readonly string[] {
    return this.#commits.filter(({ revision }) => this.#plan.writes.has(revision)).map(commitText);
  }

  /** Passes over keys so far. */
  get passes(): number {
    return this.#passes;
  }

  /** Processes that were started so far. */
  get lives(): number {
    return this.#lives;
  }

  /** Whether nothing is left to do but to wait for time to pass. */
  get isSettled(): boolean {
    return (
      this.#calls.isEmpty && this.#processes.every(({ store, isIdle }) => !store.isShut && isIdle)
    );
  }

  /** The newest view, as the user sees it. */
  view(): View {
    return this.#store.view();
  }

  /** Starts the processes. Called by {@link controllerHarness}. */
  async start(): Promise<void> {
    while (this.#processes.length < this.#plan.leaders) await this.#startProcess();
  }

  /** All processes die, and nothing is started again. */
  async stop(): Promise<void> {
    for (const process of this.#processes.splice(0)) process.kill();
    await this.#store.close();
  }

  /** All processes die and others take their place. */
  async crash(): Promise<void> {
    for (const process of this.#processes.splice(0)) process.kill();
    await this.start();
  }

  /** Creates objects as the user; of those that are there, replaces spec and labels. One commit. */
  async apply(objects: readonly (StoredObject | UserObject)[]): Promise<void> {
    const wanted = objects.map((object) => ('meta' in object ? userObject(object) : object));
    await this.#commit(
      USER,
      wanted.map((object) => this.#changeFor(object)),
    );
  }

  /** Deletes an object as the user, if it is there. */
  async delete(kind: string, id: ObjectId): Promise<void> {
    const { name } = this.#kind(kind);
    if (this.#get(name, id) === undefined) return;
    await this.#commit(USER, [{ type: 'delete', kind: name, id }]);
  }

  /** Does what a step says. */
  async perform(step: ScenarioStep): Promise<void> {
    switch (step.type) {
      case 'apply':
        return this.apply(step.objects);
      case 'delete':
        return this.delete(step.kind, step.id);
      case 'report':
        return this.#report(step);
      case 'advance':
        return this.advance(step.ms);
    }
  }

  /** Makes one pass, without moving time. False when there is none to make. */
  async runOne(): Promise<boolean> {
    const before = this.#passes;
    while (this.#passes === before) {
      const call = this.#calls.take();
      if (call !== undefined) call();
      else if (!this.#processes.some(({ store }) => store.catchUp())) return false;
      await this.clock.flush();
      await this.#replaceDead();
    }
    return true;
  }

  /** Moves time, with all passes on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (let passes = 0; passes < PASSES_MAX; passes += 1) {
      if (await this.runOne()) continue;
      const at = this.clock.nextTimer()?.at ?? Infinity;
      if (at > until) break;
      await this.#moveTo(at);
    }
    await this.#moveTo(Math.max(until, this.clock.now()));
  }

  /** Makes passes, and moves time to retries and requeues, until nothing is left to do. */
  async settle(): Promise<ControllerSettlement> {
    const startedAt = this.clock.now();
    const before = this.#passes;
    const { settleMs = HOUR_MS } = this.#options;
    while (this.#passes - before < PASSES_MAX) {
      if (await this.runOne()) continue;
      const limitMs = this.isSettled ? settleMs : Math.max(settleMs, HOUR_MS);
      const at = this.clock.nextTimer()?.at ?? Infinity;
      if (at > startedAt + limitMs) break;
      await this.#moveTo(at);
    }
    return {
      isSettled: this.isSettled,
      passes: this.#passes - before,
      elapsedMs: this.clock.now() - startedAt,
      waitingFor: this.isSettled ? [] : this.#pending(),
    };
  }

  #pending(): readonly string[] {
    const pending = this.#processes.flatMap(({ group }) => group.pending());
    return pending
      .map(({ controller, key, state, lastError = '' }) =>
        `${controller} ${key}: ${state} ${lastError}`.trim(),
      )
      .slice(0, 10);
  }

  async #moveTo(at: number): Promise<void> {
    await this.clock.advanceTo(at);
    await this.#replaceDead();
  }

  async #replaceDead(): Promise<void> {
    const dead = this.#processes.filter(({ store }) => store.isShut);
    if (dead.length === 0) return;
    for (const process of dead) process.kill();
    this.#processes = this.#processes.filter(({ store }) => !store.isShut);
    await this.start();
  }

  async #startProcess(): Promise<void> {
    this.#lives += 1;
    const process = new ControllerProcess({
      controllers: this.#options.controllers,
      store: new ProcessStore(this.#store, this.#plan, () => this.#follow()),
      clock: new ProcessClock(this.clock, this.#calls),
      random: this.#random.fork(`process ${this.#lives}`),
      shuffle: this.#shuffle,
      isRepeating: this.#plan.isRepeating,
      passed: () => (this.#passes += 1),
    });
    this.#processes.push(process);
    await process.start();
  }

  #follow(): void {
    this.#plan.committed(this.#store.view());
    for (const { store } of this.#processes) store.follow();
  }

  #kind(name: string): Kind {
    const kind = this.#options.kinds.find((each) => each.name === name);
    if (kind !== undefined) return kind as Kind;
    throw new SkepError('invalid-argument', `the harness has no kind '${name}'`);
  }

  #get(kind: string, id: ObjectId): StoredObject | undefined {
    return this.#store.view().get(this.#kind(kind), id);
  }

  #changeFor(wanted: UserObject): Change {
    const next = storedObject(this.#kind(wanted.kind), wanted);
    const before = this.#get(wanted.kind, wanted.id);
    if (before === undefined) return { type: 'create', object: next };
    const object = withMeta(withSpec(before, next.spec), { labels: next.meta.labels });
    return { type: 'update', object };
  }

  async #report(step: Extract<ScenarioStep, { type: 'report' }>): Promise<void> {
    const before = this.#get(step.kind, step.id);
    if (before === undefined) return;
    const status = { ...(before.status as object), ...step.fields };
    await this.#commit(step.actor, [{ type: 'update', object: withStatus(before, status) }]);
  }

  async #commit(actor: string, changes: readonly Change[]): Promise<void> {
    const outcome = this.#store.commit({ actor, changes });
    this.#follow();
    const result = await outcome;
    if (!result.ok) throw new SkepError('conflict', `the user's step: ${result.conflict.message}`);
  }
}

const USER = ACTORS.user;
