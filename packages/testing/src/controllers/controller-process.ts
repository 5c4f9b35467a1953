/**
 * One process that runs controllers on a store, and can die.
 */
import type { Clock, Random } from '@skep/api';
import { ControllerGroup, type ControllerDefinition, type ControllerSeams } from '@skep/controller';
import type { ProcessClock } from './process-clock.js';
import type { ProcessStore } from './process-store.js';

/**
 * The controllers under test: definitions, or what a process makes them with. What a controller
 * remembers in closures dies with its process only if it is made anew.
 */
export type ControllerSource =
  readonly ControllerDefinition[] | ((seams: ControllerSeams) => readonly ControllerDefinition[]);

/** What a {@link ControllerProcess} is made of. */
export interface ControllerProcessParts {
  readonly controllers: ControllerSource;
  readonly store: ProcessStore;
  readonly clock: ProcessClock;
  readonly random: Random;
  /** Order of the keys in the queues: random when given. */
  readonly shuffle: Random | undefined;
  /** Whether every key that had a pass gets another one. */
  readonly isRepeating: boolean;
  /** Called for every key that a pass answered. */
  readonly passed: () => void;
}

/** A process; started once, killed once. */
export class ControllerProcess {
  readonly store: ProcessStore;
  readonly #clock: ProcessClock;
  readonly #group: ControllerGroup;
  readonly #results: { unsubscribe(): void };
  /** Keys whose next pass is the repetition. */
  readonly #repeated = new Set<string>();

  constructor(parts: ControllerProcessParts) {
    const { controllers, store, random, shuffle, isRepeating, passed } = parts;
    this.store = store;
    this.#clock = parts.clock;
    const clock: Clock = parts.clock;
    const seams: ControllerSeams = { store, clock, random };
    // One key a turn, so that a turn is a pass.
    this.#group = new ControllerGroup(seams, { controller: { sliceKeys: 1 } });
    const definitions = typeof controllers === 'function' ? controllers(seams) : controllers;
    for (const definition of definitions) {
      const priority = shuffle && { priority: () => shuffle.int(PRIORITIES) };
      this.#group.add({ ...definition, ...priority });
    }
    this.#results = this.#group.result$.subscribe(({ controller, key }) => {
      passed();
      if (isRepeating) this.#repeat(controller, key);
    });
  }

  /** The controllers. */
  get group(): ControllerGroup {
    return this.#group;
  }

  /** Whether there is nothing left to do but to wait. */
  get isIdle(): boolean {
    return this.store.isCaughtUp && this.#group.isIdle();
  }

  start(): Promise<void> {
    return this.#group.start();
  }

  /** It is gone at once: nothing is stopped in an orderly way. */
  kill(): void {
    this.#results.unsubscribe();
    this.store.shut();
    this.#clock.kill();
  }

  #repeat(controller: string, key: string): void {
    const name = `${controller} ${key}`;
    if (this.#repeated.delete(name)) return;
    this.#repeated.add(name);
    this.#group.trigger(controller, key, 'repeated');
  }
}

const PRIORITIES = 100;
