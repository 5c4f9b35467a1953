/**
 * The data plane of a simulated host: it renders the very texts that a real host would be given,
 * and applies their differences to the world through which packets are sent.
 */
import type { AllocatedPort, Clock, DataplaneName, Random, TaskId } from '@skep/api';
import type { Dataplane } from '@skep/adapter';
import {
  buildTables,
  createNodeLocal,
  diffTables,
  hostPortsOf,
  planNodeLocal,
  renderDiff,
  renderNftables,
  renderNftablesDiff,
  renderNode,
  updateTables,
  type NetworkChange,
  type NodeLocal,
  type NodeNetworkState,
  type NodeTables,
  type RenderedNamespace,
  type RenderedStep,
  type TableContent,
  type TableDiff,
  type World,
} from '@skep/network';
import { delay } from './delay.js';

/** What a simulated data plane needs. */
export interface SimulatedDataplaneOptions {
  readonly nodeName: string;
  /** Underlay address, without prefix length. */
  readonly address: string;
  readonly world: World;
  readonly clock: Clock;
  readonly random: Random;
  /** How tables become texts. Default: `ipvs`. */
  readonly renderer?: DataplaneName;
}

interface Renderer {
  readonly whole: (tables: TableContent) => readonly RenderedNamespace[];
  readonly difference: (diff: TableDiff) => readonly RenderedStep[];
}

const RENDERERS: Readonly<Record<DataplaneName, Renderer>> = Object.freeze({
  ipvs: { whole: renderNode, difference: renderDiff },
  nftables: { whole: renderNftables, difference: renderNftablesDiff },
});

/** Bounds of the time that the kernel takes for a change. */
const APPLY_MS = { from: 1, to: 4 };

/** Programs one node of a world. */
export class SimulatedDataplane implements Dataplane {
  readonly #options: SimulatedDataplaneOptions;
  readonly #renderer: Renderer;
  #local: NodeLocal;
  #tables: NodeTables | undefined;
  /** What the world holds; undefined when that is not known, and everything is set anew. */
  #applied: NodeTables | undefined;
  /** Fires when the host is gone: what is under way is not programmed any more. */
  readonly #end = new AbortController();

  constructor(options: SimulatedDataplaneOptions) {
    this.#options = options;
    this.#renderer = RENDERERS[options.renderer ?? 'ipvs'];
    this.#local = createNodeLocal({ underlayAddress: options.address });
  }

  /** The tables that the node holds. */
  get tables(): NodeTables | undefined {
    return this.#applied;
  }

  /** Host-mode ports of a task, with the numbers that the node chose. */
  hostPorts(taskId: TaskId): readonly AllocatedPort[] {
    return hostPortsOf(this.#local, taskId);
  }

  async apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void> {
    // The maps of the state are live: everything is computed before time passes.
    this.#local = planNodeLocal(this.#local, state, change);
    const next =
      this.#tables === undefined
        ? buildTables(state, this.#local)
        : updateTables(this.#tables, state, change, this.#local);
    this.#tables = next;
    const { clock, random } = this.#options;
    const applyMs = APPLY_MS.from + random.int(APPLY_MS.to - APPLY_MS.from + 1);
    await delay(clock, applyMs, this.#end.signal);
    this.#program(next);
  }

  /** Looks whether every namespace is there; if one is missing, everything is set anew. */
  repair(): Promise<readonly string[]> {
    const { world, nodeName } = this.#options;
    if (this.#applied === undefined || this.#end.signal.aborted) return Promise.resolve([]);
    const present = world.node(nodeName).namespaces;
    const whole = this.#renderer.whole(this.#applied);
    const missing = whole
      .map(({ namespace }) => namespace.name)
      .filter((name) => !present.has(name));
    if (missing.length > 0) world.setNode(nodeName, whole);
    return Promise.resolve(missing.map((name) => `namespace ${name} was missing`));
  }

  /** Programs nothing any more; an application under way is aborted. */
  close(): Promise<void> {
    this.#end.abort();
    return Promise.resolve();
  }

  #program(next: NodeTables): void {
    const { world, nodeName } = this.#options;
    const applied = this.#applied;
    // Should it fail half-way, nobody knows what the world holds.
    this.#applied = undefined;
    if (applied === undefined) world.setNode(nodeName, this.#renderer.whole(next));
    else world.apply(nodeName, this.#renderer.difference(diffTables(applied, next)));
    this.#applied = next;
  }
}
