/**
 * The network of a running cluster: what its nodes say that they hold, as tables, names, and texts
 * through which requests can be followed. Nothing is sent over the real network.
 */
import { parseTarget, SimulatedResolver, type RequestResult } from '@skep/adapter-simulator';
import {
  compareText,
  hostnameOf,
  isSkepError,
  Network,
  Node,
  parseAddress,
  seededRandom,
  Service,
  SkepError,
  Task,
  taskName,
  type AnyKind,
} from '@skep/api';
import type { NodeTables as NodeAnswer } from '@skep/control';
import {
  buildTables,
  connect,
  createNodeLocal,
  planNodeLocal,
  renderNftables,
  renderNode,
  taskNamespace,
  World,
  type Delivery,
  type NodeNetworkState,
  type NodeTables,
} from '@skep/network';
import type { View } from '@skep/store';
import { findNode, findTask } from 'skep';
import type { ExitCode, Surroundings } from '../surroundings.js';
import type { LookRequest, NetworkLook, NodeLook } from '../views/network-look.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { expandedTask } from './references.js';
import { look } from './replica.js';

/** Kinds that names of nodes, tasks and services are found in. */
const KINDS: readonly AnyKind[] = Object.freeze([Node, Task, Service, Network]);

/** Prefix length of the underlay, whatever the machine has: all nodes reach each other. */
const UNDERLAY_PREFIX = 16;

/** A node that answered. */
interface RunningNode extends NodeLook {
  readonly address: string;
  readonly tables: NodeTables;
}

/** Runs `use` on the network of the chosen cluster. */
export function withRunningNetwork(
  choice: ClusterChoice,
  surroundings: Surroundings,
  use: (network: NetworkLook) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withCluster(choice, surroundings, async (connected) => {
    const view = await look(connected.client, KINDS);
    return use(new RunningNetwork(view, connected, surroundings.err));
  });
}

class RunningNetwork implements NetworkLook {
  readonly view: View;
  readonly #connected: Connected;
  readonly #err: (text: string) => void;
  readonly #known = new Map<string, Promise<RunningNode>>();
  #world: Promise<World> | undefined;

  constructor(view: View, connected: Connected, err: (text: string) => void) {
    this.view = view;
    this.#connected = connected;
    this.#err = err;
  }

  readonly nodeName = (id: string): string => {
    const node = this.view.get(Node, id);
    return node === undefined ? id : hostnameOf(node);
  };

  node(reference: string): Promise<RunningNode> {
    const { meta } = findNode(this.view, reference);
    const known = this.#known.get(meta.id) ?? this.#ask(meta.id);
    this.#known.set(meta.id, known);
    return known;
  }

  /** All nodes that answer; of the others it is told that they do not. */
  async nodes(): Promise<readonly RunningNode[]> {
    const sorted = [...this.view.list(Node)].sort((a, b) => compareText(a.meta.name, b.meta.name));
    const answers = await Promise.all(sorted.map(({ meta }) => this.#orNothing(meta.id)));
    return answers.flatMap((node) => node ?? []);
  }

  async request(target: string, request: LookRequest): Promise<RequestResult> {
    const { host, port } = parseTarget(target);
    const nodes = await this.nodes();
    const from =
      request.from === undefined
        ? undefined
        : findTask(this.view, expandedTask(this.view, request.from));
    const asker = from === undefined ? undefined : await this.node(from.status.nodeId ?? '');
    const destination =
      from === undefined || asker === undefined
        ? addressOutside(host, nodes)
        : addressFor(asker, from.meta.id, host);
    if (destination === undefined) {
      const reason = `the name '${host}' is not known`;
      return { outcome: 'unresolved', body: '', reason, hops: [], replyHops: [] };
    }
    const world = await (this.#world ??= this.#worldOf(nodes));
    const result = connect(world, {
      from:
        from === undefined || asker === undefined
          ? { outside: outsideOf(nodes) }
          : { node: asker.name, namespace: taskNamespace('', from.meta.id).name },
      destination,
      destinationPort: port,
      protocol: request.protocol,
      listens: (delivery) => this.#taskAt(delivery)?.status.state === 'running',
    });
    return this.#resultOf(result);
  }

  #resultOf(result: ReturnType<typeof connect>): RequestResult {
    const { outcome, hops, replyHops, reason, delivered } = result;
    const task = delivered === undefined ? undefined : this.#taskAt(delivered);
    const { containerId } = task?.status.container ?? {};
    return {
      outcome,
      body: '',
      ...(delivered === undefined ? {} : { node: delivered.node }),
      ...(delivered === undefined ? {} : { seenSource: delivered.seenSource.address }),
      ...(task === undefined ? {} : { taskId: task.meta.id, taskName: taskName(task) }),
      ...(containerId === undefined ? {} : { containerId }),
      ...(reason === undefined ? {} : { reason }),
      hops,
      replyHops,
    };
  }

  #taskAt({ taskId }: Delivery): Task | undefined {
    return taskId === undefined ? undefined : this.view.get(Task, taskId);
  }

  async #orNothing(id: string): Promise<RunningNode | undefined> {
    try {
      return await this.node(id);
    } catch (thrown) {
      if (!isSkepError(thrown, 'unavailable')) throw thrown;
      this.#err(`skep: node ${this.nodeName(id)} is left out: ${thrown.message}\n`);
      return undefined;
    }
  }

  async #ask(id: string): Promise<RunningNode> {
    const answer = await this.#connected.client.tables(id);
    const address = findNode(this.view, id).status.address;
    const state = stateOf(answer);
    const local = planNodeLocal(createNodeLocal({ underlayAddress: address }), state);
    const resolver = new SimulatedResolver(seededRandom(id));
    await resolver.apply(state, undefined);
    return {
      id,
      name: this.nodeName(id),
      address,
      tables: buildTables(state, local),
      lookup: (taskId, name, type) => resolver.lookup(taskId, name, type),
    };
  }

  /** Every node with the texts that its tools are given. */
  #worldOf(nodes: readonly RunningNode[]): Promise<World> {
    const { dataplane } = this.#connected.info.settings;
    const render = dataplane === 'nftables' ? renderNftables : renderNode;
    const world = new World();
    for (const { name, address } of nodes) {
      world.addNode({ name, address: `${address}/${UNDERLAY_PREFIX}` });
    }
    for (const { name, tables } of nodes) world.setNode(name, render(tables));
    return Promise.resolve(world);
  }
}

/** The items of a complete assignment, by their keys. */
export function stateOf({ nodeName, assignment }: NodeAnswer): NodeNetworkState {
  const maps = {
    networks: new Map(),
    services: new Map(),
    slices: new Map(),
    peers: new Map(),
    tasks: new Map(),
  } satisfies Pick<NodeNetworkState, 'networks' | 'peers' | 'services' | 'slices' | 'tasks'>;
  let node: NodeNetworkState['node'] | undefined;
  for (const item of assignment.upserts) {
    if (item.kind === 'node') node = item.value;
    else if (item.kind === 'network') maps.networks.set(item.key, item.value);
    else if (item.kind === 'service') maps.services.set(item.key, item.value);
    else if (item.kind === 'slice') maps.slices.set(item.key, item.value);
    else if (item.kind === 'peer') maps.peers.set(item.key, item.value);
    else if (item.kind === 'task') maps.tasks.set(item.key, item.value);
  }
  if (node !== undefined) return { revision: assignment.revision, node, ...maps };
  throw new SkepError('failed-precondition', `node ${nodeName} was assigned nothing yet`);
}

function addressOutside(host: string, nodes: readonly RunningNode[]): string | undefined {
  if (parseAddress(host) !== undefined) return host;
  return nodes.find(({ name }) => name === host)?.address;
}

function addressFor(asker: RunningNode, taskId: string, host: string): string | undefined {
  return parseAddress(host) === undefined ? asker.lookup(taskId, host, 'A').addresses[0] : host;
}

/** An address of the underlay that no node has: somebody outside of the cluster. */
function outsideOf(nodes: readonly RunningNode[]): string {
  const taken = new Set(nodes.map(({ address }) => address));
  const network = (nodes[0]?.address ?? '192.168.50.1').split('.').slice(0, 3).join('.');
  for (let last = 1; last < 255; last += 1) {
    if (!taken.has(`${network}.${last}`)) return `${network}.${last}`;
  }
  return `${network}.255`;
}
