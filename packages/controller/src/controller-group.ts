/**
 * Controllers that run together: one watch, shared caches, one answer to "is anything left to do?".
 *
 * **Source:** controller-runtime pkg/manager for the role.
 */
import { SkepError, type Kind, type Runnable, type StoredObject } from '@skep/api';
import type { Timer, Timestamp } from '@skep/api';
import type { Observable } from 'rxjs';
import type { ControllerDefinition, ControllerSeams, ControllerStatus } from './contract.js';
import type { KeyExplanation, PassResult } from './contract.js';
import {
  checkSeams,
  controllerParts,
  type ControllerOptions,
  type ControllerParts,
} from './controller-parts.js';
import { Controller } from './controller.js';
import { defineController } from './definition.js';
import { Informer, type InformerOptions } from './informer.js';
import type { ReflectorListener } from './reflector.js';
import { iterate, ResultStream } from './result-stream.js';

/** Settings of a {@link ControllerGroup}. */
export interface ControllerGroupOptions {
  /** Settings of controllers that bring none of their own. */
  readonly controller?: ControllerOptions;
  /** How long events are gathered before they are written together. Default: 100. */
  readonly eventFlushMs?: number;
  /** How often gauges are told, when there are metrics. Default: 5,000. */
  readonly metricsPeriodMs?: number;
}

/** A key that keeps a group from being idle. */
export interface PendingKey extends KeyExplanation {
  readonly controller: string;
}

interface Member {
  readonly definition: ControllerDefinition;
  readonly options: ControllerOptions | undefined;
  controller: Controller | undefined;
}

/**
 * Runs controllers over one store. They start in the order of `add`, after all caches are filled,
 * and stop in reverse. A group that was stopped may be started again (a leader that comes back):
 * everything is then read anew.
 */
export class ControllerGroup implements Runnable {
  readonly #seams: ControllerSeams;
  readonly #options: ControllerGroupOptions;
  readonly #members = new Map<string, Member>();
  readonly #caches = new Set<ReflectorListener & { ready(): Promise<void> }>();
  readonly #results = new ResultStream();
  #parts: ControllerParts | undefined;
  #metricsTimer: Timer | undefined;
  #stopping: Promise<void> = Promise.resolve();

  /** @throws invalid-argument when store, clock or random is missing. */
  constructor(seams: ControllerSeams, options: ControllerGroupOptions = {}) {
    checkSeams(seams);
    this.#seams = seams;
    this.#options = options;
  }

  /** What came of all passes. */
  get result$(): Observable<PassResult> {
    return this.#results.result$;
  }

  /** Names of the controllers, in the order in which they start. */
  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /**
   * The same as an async iterable, from now on.
   * @throws resource-exhausted in the loop, when the reader is more than 1,000 results behind.
   */
  results(signal?: AbortSignal): AsyncIterable<PassResult> {
    return iterate(this.result$, { signal });
  }

  /**
   * Adds a controller. Before `start`.
   * @throws already-exists for a name that is taken; invalid-argument for a bad definition, and for
   * one without `sharding` in a group with it; failed-precondition when the group is running.
   */
  add(definition: ControllerDefinition, options?: ControllerOptions): this {
    this.#assertStopped('add a controller');
    const { name } = defineController(definition);
    if (this.#members.has(name)) {
      throw new SkepError('already-exists', `there is a controller '${name}' already`);
    }
    if (this.#seams.sharding !== undefined && definition.sharding === undefined) {
      const message = `controller '${name}' cannot be shared: it says nothing about 'sharding'`;
      throw new SkepError('invalid-argument', message, { details: { controller: name } });
    }
    this.#members.set(name, { definition, options, controller: undefined });
    return this;
  }

  /**
   * Makes a cache that shares the group's watch. Before `start`, which fills it first of all.
   * Give it to the definitions that read it (`caches`): their views are then in step with it.
   */
  informer<Spec, Status, Item = StoredObject<Spec, Status>>(
    kind: Kind<Spec, Status>,
    options: InformerOptions<Spec, Status, Item> = {},
  ): Informer<Spec, Status, Item> {
    this.#assertStopped('add a cache');
    const cache = new Informer(kind, options);
    this.#caches.add(cache);
    return cache;
  }

  /** Waits until the caches of all controllers are filled, then starts one after the other. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#assertStopped('start');
    const parts = {
      ...controllerParts(this.#seams, { eventFlushMs: this.#options.eventFlushMs }),
      results: this.#results,
    };
    this.#parts = parts;
    if (this.#seams.trace !== undefined) parts.reflector.join(this.#seams.trace);
    for (const cache of this.#caches) parts.reflector.join(cache);
    parts.reflector.start();
    const members = [...this.#members.values()];
    const needed = members.flatMap(({ definition }) => definition.caches ?? []);
    await Promise.all([...this.#caches, ...needed].map((cache) => cache.ready()));
    for (const member of members) {
      if (signal?.aborted === true || this.#parts !== parts) break;
      const options = member.options ?? this.#options.controller;
      member.controller = new Controller(member.definition, parts, options);
      await member.controller.start();
    }
    if (parts.metrics !== undefined && this.#parts === parts) this.#sampleLater();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (signal?.aborted === true) await this.stop();
  }

  /**
   * Stops the controllers in reverse, writes the last events, ends the watch. Every call waits
   * until all of that is done.
   */
  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return this.#stopping;
    this.#parts = undefined;
    this.#stopping = this.#stop(parts);
    await this.#stopping;
  }

  async #stop(parts: ControllerParts): Promise<void> {
    this.#metricsTimer?.cancel();
    this.#metricsTimer = undefined;
    for (const member of [...this.#members.values()].reverse()) {
      const { controller } = member;
      member.controller = undefined;
      await controller?.stop();
    }
    await parts.recorder.stop();
    parts.reflector.stop();
  }

  /** Where each controller stands, in the order of `add`; none while the group is stopped. */
  status(): readonly ControllerStatus[] {
    return this.#controllers().map((controller) => controller.status());
  }

  /**
   * Whether nothing is left to do but to wait for requeue times and new events: no key is queued,
   * in a pass, parked or failing, every commit was seen, and all events for people are written.
   */
  isIdle(): boolean {
    const isQuiet = this.#parts === undefined || this.#parts.recorder.isIdle;
    return isQuiet && this.#controllers().every((controller) => controller.isIdle());
  }

  /** Soonest time at which something happens by itself: a requeue, a retry, events written. */
  nextAt(): Timestamp | undefined {
    const times = this.#controllers().map((controller) => controller.nextAt());
    times.push(this.#parts?.recorder.nextAt);
    const at = Math.min(...times.map((time) => time ?? Infinity));
    return at === Infinity ? undefined : at;
  }

  /** The first keys that keep the group from being idle. */
  pending(limit = 10): readonly PendingKey[] {
    return this.#controllers()
      .flatMap((controller) =>
        controller.pending(limit).map((key) => ({ controller: controller.name, ...key })),
      )
      .slice(0, limit);
  }

  /**
   * Where a key of a controller stands, and why.
   * @throws not-found for a controller that is not there or not running.
   */
  explain(name: string, key: string): KeyExplanation {
    return this.#require(name).explain(key);
  }

  /**
   * Wakes a key of a controller by hand.
   * @throws not-found for a controller that is not there or not running.
   */
  trigger(name: string, key: string, reason?: string): void {
    this.#require(name).trigger(key, reason);
  }

  #controllers(): readonly Controller[] {
    return [...this.#members.values()].flatMap(({ controller }) => controller ?? []);
  }

  #require(name: string): Controller {
    const controller = this.#members.get(name)?.controller;
    if (controller !== undefined) return controller;
    const known = this.names.join(', ');
    throw new SkepError('not-found', `no controller '${name}' is running; there are: ${known}`);
  }

  #assertStopped(what: string): void {
    if (this.#parts === undefined) return;
    throw new SkepError('failed-precondition', `cannot ${what}: the group is running`);
  }

  #sampleLater(): void {
    const { clock } = this.#seams;
    const at = clock.now() + (this.#options.metricsPeriodMs ?? 5000);
    const sample = (): void => {
      this.status();
      this.#sampleLater();
    };
    this.#metricsTimer = clock.schedule(at, sample, { isPeriodic: true, label: 'metrics' });
  }
}

/** Starts one controller with a watch of its own; stopping it ends the watch, too. */
export async function startController(
  definition: ControllerDefinition,
  seams: ControllerSeams,
  options?: ControllerOptions,
): Promise<Controller> {
  const parts = controllerParts(seams);
  if (seams.trace !== undefined) parts.reflector.join(seams.trace);
  const controller = new Controller(definition, parts, {
    ...options,
    onStopped: async () => {
      await parts.recorder.stop();
      parts.reflector.stop();
      parts.results.complete();
    },
  });
  parts.reflector.start();
  await controller.start();
  return controller;
}
