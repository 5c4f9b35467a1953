/**
 * A whole cluster in one object: declare, let time pass, look, break things.
 */
import { Node, SkepError, taskName, type Task } from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import type {
  LookupResult,
  RequestResult,
  SimulatedHost,
  Simulator,
} from '@skep/adapter-simulator';
import { admissionError, planRemoveNode, type AdmissionPlan } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { ClusterBase } from './cluster-base.js';
import type { ClusterParts, ClusterRequestOptions } from './cluster-options.js';
import { findNode, findTask } from './find.js';
import { declaredNode, hostOf, type NodeOptions } from './options.js';
import type { Settlement } from './settle.js';
import { settleCluster, stopCluster } from './settle-cluster.js';

/** A cluster on simulated hosts. Made by `createCluster`; ended by {@link Cluster.stop}. */
export class Cluster extends ClusterBase {
  override readonly clock: VirtualClock;
  readonly simulator: Simulator;
  readonly #parts: ClusterParts;
  /** Ends with the move of time that is under way. */
  #moving: Promise<void> = Promise.resolve();

  constructor(parts: ClusterParts) {
    super(parts);
    this.#parts = parts;
    this.clock = parts.clock;
    this.simulator = parts.simulator;
  }

  /** Adds a simulated node. @throws already-exists */
  async addNode(options: NodeOptions & { readonly name: string }): Promise<SimulatedHost> {
    this.requireRunning();
    if (this.get(Node, options.name) !== undefined) {
      throw new SkepError('already-exists', `there is a node ${options.name} already`);
    }
    const [result] = await this.declare([declaredNode(options)]);
    return this.simulator.addHost(hostOf(result?.id ?? '', options));
  }

  /** Takes a node away for good; its tasks are replaced. @throws failed-precondition: a manager */
  async removeNode(node: string): Promise<void> {
    const { meta } = findNode(this.view(), node);
    const plan = (view: View): AdmissionPlan =>
      planRemoveNode(view, meta.id, { now: this.clock.now(), isForced: true });
    const { complaints } = plan(this.view());
    if (complaints.length > 0) throw admissionError(complaints);
    await this.simulator.removeHost(meta.id);
    await this.admit(plan);
  }

  /** The machine loses its power. */
  lose(node: string): void {
    this.host(node).powerOff();
  }

  /** The machine boots again. */
  async recover(node: string): Promise<void> {
    await this.host(node).powerOn();
  }

  /** The simulated machine of a node. */
  host(node: string): SimulatedHost {
    this.requireRunning();
    return this.simulator.host(node);
  }

  /** A container of this task (name, id, or service) ends by itself. */
  crash(task: string, exitCode = 1): void {
    const found = findTask(this.view(), task);
    this.#hostOf(found).crash(found.meta.id, exitCode);
  }

  /** Lets virtual time pass. Moves of time wait for each other. */
  advance(ms: number): Promise<void> {
    return this.#inTurn(() => this.clock.advance(ms));
  }

  /**
   * Lets virtual time pass until nothing is left to do but periodic timers; at most `limitMs`,
   * an hour by default. Called while time is being moved, it waits for that first.
   */
  settle(options: { readonly limitMs?: number } = {}): Promise<Settlement> {
    return this.#inTurn(() => settleCluster(this.#parts, options));
  }

  /**
   * Makes a request and follows it through the very tables that the nodes hold:
   * `node1:8080` from outside, `http://vote/` from a task.
   */
  request(target: string, options: ClusterRequestOptions = {}): RequestResult {
    this.requireRunning();
    const { from, protocol } = options;
    return this.simulator.request(target, {
      ...(from === undefined ? {} : { from: findTask(this.view(), from).meta.id }),
      ...(protocol === undefined ? {} : { protocol }),
    });
  }

  /** What a name means to a task. */
  lookup(name: string, options: { readonly from: string }): LookupResult {
    const task = findTask(this.view(), options.from);
    return this.#hostOf(task).resolver.lookup(task.meta.id, name);
  }

  /**
   * Ends everything, in reverse order of the start; virtual time passes as far as that needs. Again
   * is nothing. From then on every other method refuses (`failed-precondition`): look before.
   * Whoever listens to {@link Cluster.commits$} may read the view to the last commit of the stop.
   */
  override async stop(): Promise<void> {
    await this.end(() => stopCluster(this.#parts));
  }

  #hostOf(task: Task): SimulatedHost {
    const { nodeId } = task.status;
    if (nodeId !== undefined) return this.simulator.host(nodeId);
    throw new SkepError('failed-precondition', `the task ${taskName(task)} is on no node`);
  }

  /** One after another: two at a time would fight for the clock. */
  async #inTurn<T>(move: () => Promise<T>): Promise<T> {
    const before = this.#moving;
    let done = (): void => undefined;
    this.#moving = new Promise((resolve) => (done = resolve));
    await before;
    try {
      this.requireRunning();
      return await move();
    } finally {
      done();
    }
  }
}
