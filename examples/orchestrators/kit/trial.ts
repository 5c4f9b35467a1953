/**
 * Runs controllers on a memory store and virtual time, and kills them after any of their writes.
 */
import { compareText, Event, Node, Network, Cluster, Service, Task } from '@skep/api';
import type { AnyKind, Kind } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { ControllerGroup, type ControllerDefinition } from '@skep/controller';
import { memoryStore, type Change, type Store, type View } from '@skep/store';
import { gate } from './gate.js';

/** What is tried. */
export interface Trial {
  /** Kinds beside the built-in ones that services need. */
  readonly kinds: readonly AnyKind[];
  /** The controllers under test, made anew for every process. */
  readonly controllers: () => readonly ControllerDefinition[];
  /** Controllers that play the rest of the world; they do not crash. */
  readonly world?: readonly ControllerDefinition[];
  /** What users do, and when. */
  readonly script: (stage: Stage) => Promise<void>;
}

/** What a script acts on. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly store: Store;
  view(): View;
  commit(actor: string, ...changes: Change[]): Promise<void>;
}

/** What came of it. */
export interface Outcome {
  /** Commits of the controllers under test, events for people included. */
  readonly writes: number;
  /** Everything stored but events, without versions and times of writing. */
  readonly objects: readonly unknown[];
  /** How many objects were created and deleted: `created Service` → 3. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How a trial is disturbed. */
export interface Disturbance {
  /** The process dies after this write, from 1, and another one starts at once. */
  readonly crashAfter?: number;
  /** Processes that run at the same time, none of them knowing of the others. Default: 1. */
  readonly processes?: number;
}

/** Runs a trial to the end of its script. */
export async function runTrial(trial: Trial, disturbance: Disturbance = {}): Promise<Outcome> {
  const clock = new VirtualClock();
  const store = memoryStore({
    clock,
    kinds: [Cluster, Node, Network, Service, Task, Event, ...trial.kinds],
    checks: { ownership: true, freeze: true },
    listOrder: seededRandom('any order'),
  });
  const counts: Record<string, number> = {};
  store.subscribe({
    commit: ({ events }) => {
      for (const { type, object } of events) {
        const key = `${type} ${object.kind}`;
        if (type !== 'updated' && object.kind !== 'Event') counts[key] = (counts[key] ?? 0) + 1;
      }
    },
    ended: () => undefined,
  });
  const seams = { clock, random: seededRandom('trial') };
  const others = new ControllerGroup({ ...seams, store });
  for (const definition of trial.world ?? []) others.add(definition);
  await others.start();
  const processes = Array.from(
    { length: disturbance.processes ?? 1 },
    () => new Process(trial, store, clock, disturbance.crashAfter),
  );
  for (const process of processes) await process.start();
  await trial.script({
    clock,
    store,
    view: () => store.view(),
    commit: async (actor, ...changes) => {
      const result = await store.commit({ actor, changes });
      if (!result.ok) throw new Error(result.conflict.message);
    },
  });
  for (const process of processes) await process.stop();
  await others.stop();
  const writes = processes.reduce((sum, process) => sum + process.writes, 0);
  return { writes, objects: comparable(store), counts };
}

/** A process with the controllers under test; it rises again after its crash. */
class Process {
  writes = 0;
  readonly #trial: Trial;
  readonly #store: Store;
  readonly #clock: VirtualClock;
  readonly #crashAfter: number | undefined;
  #group: ControllerGroup | undefined;
  #restart: Promise<void> = Promise.resolve();

  constructor(trial: Trial, store: Store, clock: VirtualClock, crashAfter: number | undefined) {
    this.#trial = trial;
    this.#store = store;
    this.#clock = clock;
    this.#crashAfter = crashAfter;
  }

  async start(): Promise<void> {
    let isShut = false;
    const store = gate(this.#store, {
      isShut: () => isShut,
      wrote: () => {
        this.writes += 1;
        if (this.writes !== this.#crashAfter) return;
        isShut = true;
        this.#clock.defer(() => {
          this.#restart = this.stop().then(() => this.start());
        });
      },
    });
    const random = seededRandom('process');
    const group = new ControllerGroup({ store, clock: this.#clock, random });
    for (const definition of this.#trial.controllers()) group.add(definition);
    this.#group = group;
    await group.start();
  }

  async stop(): Promise<void> {
    await this.#restart;
    await this.#group?.stop();
  }
}

function comparable(store: Store): readonly unknown[] {
  const view = store.view();
  return store.kinds
    .filter(({ name }) => name !== 'Event')
    .flatMap((kind) => view.list(kind as Kind))
    .sort((a, b) => compareText(a.kind, b.kind) || compareText(a.meta.id, b.meta.id))
    .map(({ meta: { version: _, updatedAt: __, ...meta }, ...rest }) => ({ ...rest, meta }));
}
