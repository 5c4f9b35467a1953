/**
 * One of several managers on one store: elected or not, and it can be paused, stopped, killed.
 */
import { SkepError, type NodeHello, type NodeLink, type NodeLinkHandlers } from '@skep/api';
import type { AnyKind, Clock, NodeSession, Random } from '@skep/api';
import {
  createManager,
  type Manager,
  type ManagerElection,
  type ManagerParts,
} from '@skep/orchestrator';
import { openStore, type Store, type StoreOptions } from '@skep/store';
import type { ClusterLog } from './cluster-log.js';
import { ProcessGate, type ResumeOptions } from './process-gate.js';
import { TornLink } from './torn-link.js';

/** What a {@link ManagerReplica} is made of. */
export interface ManagerReplicaParts {
  readonly name: string;
  readonly log: ClusterLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly kinds: readonly AnyKind[];
  readonly checks: NonNullable<StoreOptions['checks']>;
  readonly listOrder: NonNullable<StoreOptions['listOrder']>;
  /** Times of the election. */
  readonly election: Omit<ManagerElection, 'identity'>;
  /** What else the manager gets. */
  readonly manager: Pick<
    ManagerParts,
    'cluster' | 'controllers' | 'policy' | 'metrics' | 'logger' | 'trace'
  >;
}

interface Life {
  readonly gate: ProcessGate;
  readonly store: Store;
  readonly manager: Manager;
  readonly links: Set<TornLink>;
}

/** A node that gets no answer from a manager goes on to the next one after this time. */
const OPEN_TIMEOUT_MS = 2_000;

/**
 * A manager with a store of its own on the shared log. One life after the other, under one name.
 */
export class ManagerReplica {
  readonly name: string;
  readonly #parts: ManagerReplicaParts;
  #life: Life | undefined;
  #lives = 0;

  constructor(parts: ManagerReplicaParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  /** Whether it was started, and neither stopped nor killed. */
  get isRunning(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#life?.gate.isPaused === true;
  }

  /** Whether it leads, as far as it can know. */
  get isLeader(): boolean {
    return this.#life?.manager.elector?.isLeader === true;
  }

  /** Term in which it led last; 0 when it never did in this life. */
  get term(): number {
    return this.#life?.manager.elector?.term ?? 0;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** The manager itself. @throws unavailable when it does not run. */
  get manager(): Manager {
    return this.#require().manager;
  }

  /** Where nodes come in. */
  get link(): NodeLink {
    return { open: (hello, handlers) => this.#open(hello, handlers) };
  }

  /** @throws failed-precondition when it runs. */
  async start(): Promise<void> {
    if (this.#life !== undefined) {
      throw new SkepError('failed-precondition', `${this.name} runs already`);
    }
    const { log, clock, random, kinds, checks, listOrder, election, manager } = this.#parts;
    this.#lives += 1;
    const gate = new ProcessGate(clock);
    const own = gate.clock();
    const backend = gate.backend(log.backend(this.name));
    const store = await openStore({ clock: own, kinds, backend, checks, listOrder });
    const seams = { store, clock: own, random: random.fork(`life ${this.#lives}`) };
    const life: Life = {
      gate,
      store,
      manager: createManager({
        ...manager,
        ...seams,
        election: { ...election, identity: this.name },
      }),
      links: new Set(),
    };
    this.#life = life;
    await life.manager.start();
  }

  /** Stops in order: the loops end, nodes are told, the lease is released. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    await life.manager.stop();
    if (this.#life !== life) return;
    this.#life = undefined;
    await life.store.close();
    life.gate.kill();
  }

  /** Dies at once: what it had not written is lost, its lease is not released. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    life.gate.kill();
    for (const link of life.links) link.tear();
  }

  /** Gets no processor any more: nothing of it happens, nobody gets an answer. */
  pause(options: { readonly isOnWrite?: boolean } = {}): void {
    const { gate } = this.#require();
    if (options.isOnWrite === true) gate.pauseOnWrite();
    else gate.pause();
  }

  /** Goes on where it was, and does not know how long it slept. */
  resume(options?: ResumeOptions): void {
    this.#life?.gate.resume(options);
  }

  #require(): Life {
    if (this.#life !== undefined) return this.#life;
    throw new SkepError('unavailable', `${this.name} does not run`);
  }

  /** A session that is opened too late, for a node that went elsewhere, is closed again. */
  async #open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    const { gate, manager, links } = this.#require();
    const { clock } = this.#parts;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timeout = (): void => {
        isLate = true;
        reject(new SkepError('unavailable', `${this.name} does not answer`));
      };
      const options = { isPeriodic: true, label: 'connection timeout' };
      const timer = clock.schedule(clock.now() + OPEN_TIMEOUT_MS, timeout, options);
      const link = new TornLink(handlers, () => links.delete(link));
      const opened = (session: NodeSession): void => {
        timer.cancel();
        if (isLate) return void session.close();
        links.add(link);
        resolve(link.guard(session, (run) => gate.pass(run)));
      };
      const refused = (error: unknown): void => {
        timer.cancel();
        reject(error);
      };
      gate.pass(() => void manager.link.open(hello, link.handlers).then(opened, refused));
    });
  }
}
