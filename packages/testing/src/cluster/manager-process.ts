/**
 * A manager that can crash: what it had not written is lost, its links are torn, another one takes
 * over on the same store.
 */
import {
  SkepError,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
  type Runnable,
} from '@skep/api';
import { createManager, type Manager, type ManagerParts } from '@skep/orchestrator';
import { StoreGate, type CommitListener } from './store-gate.js';
import { TornLink } from './torn-link.js';

/** Parts of the managers, and what is done after each of their commits. */
export interface ManagerProcessParts extends ManagerParts {
  readonly committed?: CommitListener;
}

interface Life {
  readonly gate: StoreGate;
  readonly manager: Manager;
  readonly links: Set<TornLink>;
}

/** One manager after the other. Nodes keep their link to the place, not to one of them. */
export class ManagerProcess implements Runnable {
  readonly #parts: ManagerProcessParts;
  #life: Life | undefined;
  #lives = 0;
  /** Managers that crashed and still let go of what they hold in memory. */
  #ending: Promise<void> = Promise.resolve();

  constructor(parts: ManagerProcessParts) {
    this.#parts = parts;
  }

  /** How often a manager was started. */
  get lives(): number {
    return this.#lives;
  }

  /** The manager that runs. @throws unavailable when none does. */
  get manager(): Manager {
    if (this.#life === undefined) throw new SkepError('unavailable', 'no manager runs');
    return this.#life.manager;
  }

  /** Where nodes come in, whichever manager runs. */
  get link(): NodeLink {
    return { open: (hello, handlers) => this.#open(hello, handlers) };
  }

  /** Whether a manager runs. */
  get isRunning(): boolean {
    return this.#life !== undefined;
  }

  /** @throws failed-precondition when a manager runs. */
  async start(): Promise<void> {
    if (this.#life !== undefined) {
      throw new SkepError('failed-precondition', 'a manager runs already');
    }
    const { store, random, committed } = this.#parts;
    this.#lives += 1;
    const gate = new StoreGate(store, committed);
    const parts = { ...this.#parts, store: gate, random: random.fork(`manager/${this.#lives}`) };
    const life = { gate, manager: createManager(parts), links: new Set<TornLink>() };
    this.#life = life;
    await life.manager.start();
  }

  async stop(): Promise<void> {
    const life = this.#life;
    await life?.manager.stop();
    this.#life = undefined;
    await this.#ending;
  }

  /** The manager dies at once. Nodes notice that their connections were reset. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    life.gate.shut();
    for (const link of life.links) link.tear();
    const ending = this.#ending;
    this.#ending = life.manager.stop().then(() => ending);
  }

  async #open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    const life = this.#life;
    if (life === undefined) throw new SkepError('unavailable', 'no manager runs');
    const link = new TornLink(handlers, () => life.links.delete(link));
    const session = await life.manager.link.open(hello, link.handlers);
    life.links.add(link);
    return link.guard(session);
  }
}
