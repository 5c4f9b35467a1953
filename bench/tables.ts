/**
 * The tables of one node, pure: built whole, as text, and after one change, for many services; and
 * Maglev's table by itself.
 *
 * CPU time of the process, so that a busy machine does not count. A change is everything that a
 * node does with it before its kernel does anything: its own decisions, the new tables, the
 * difference, and the commands. `slots` and `others`: elements of maps and sets that one change
 * names at most; the first are those that change hands.
 */
import * as network from '@skep/network';
import type {
  NetworkChange,
  NodeLocal,
  NodeNetworkState,
  NodeTables,
  RenderedNamespace,
  RenderedStep,
  TableContent,
  TableDiff,
} from '@skep/network';
import { medianOf, type Bench, type BenchResult } from './support/measure.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A state whose maps are changed in place, as a node does with its assignment. */
type State = Mutable<NodeNetworkState>;
type Slice = NodeNetworkState['slices'] extends ReadonlyMap<string, infer V> ? V : never;
type Peer = NodeNetworkState['peers'] extends ReadonlyMap<string, infer V> ? V : never;

/** What makes texts of tables. */
interface Renderer {
  readonly name: string;
  readonly whole: (tables: TableContent) => readonly RenderedNamespace[];
  readonly difference: (diff: TableDiff) => readonly RenderedStep[];
}

const IPVS: Renderer = {
  name: 'ipvs',
  whole: network.renderNode,
  difference: network.renderDiff,
};
const NFTABLES: Renderer = {
  name: 'nftables',
  whole: network.renderNftables,
  difference: network.renderNftablesDiff,
};

const CHANGES = 200;
/** Batches of changes that are not counted. */
const WARM_UPS = 30;
const NODES = 50;

/** Milliseconds of CPU, in the process and for it in the kernel, that `run` takes. */
function cpuMillisecondsOf(run: () => void): Promise<number> {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return Promise.resolve((user + system) / 1000);
}

/** `10.0.0.0` and so many more. */
function address(offset: number): string {
  return `10.${(offset >>> 16) & 255}.${(offset >>> 8) & 255}.${offset & 255}`;
}

const NODE = {
  id: 'node0',
  name: 'node0',
  role: 'worker',
  availability: 'active',
  dnsTtlMs: 5000,
  dataPathPort: 4789,
} as const;

/** A node in one overlay network with services of so many backends each, all on other nodes. */
function stateOf(services: number, backends: number): State {
  const state = {
    revision: 1,
    node: NODE,
    networks: new Map([['net', netOf()]]),
    services: new Map<string, ReturnType<typeof frontOf>>(),
    slices: new Map<string, Slice>(),
    peers: new Map<string, Peer>(),
    tasks: new Map(),
  };
  for (let at = 0; at < services; at += 1) {
    const id = `s${String(at).padStart(6, '0')}`;
    state.services.set(`${id}/net`, frontOf(id, at));
    const slice = sliceOf(id, at * backends, backends);
    state.slices.set(slice.id, slice);
    for (const backend of slice.backends) {
      const peer = peerOf(backend.address, backend.nodeId);
      state.peers.set(`net/${peer.address}`, peer);
    }
  }
  return state;
}

function netOf() {
  return {
    id: 'net',
    name: 'net',
    driver: 'overlay',
    isIngress: false,
    isInternal: false,
    isEncrypted: false,
    subnets: [{ subnet: '10.0.0.0/8', gateway: '10.0.0.1', vxlanId: 4097 }],
    loadBalancerAddress: '10.0.0.2/8',
  };
}

function frontOf(serviceId: string, at: number) {
  return {
    serviceId,
    serviceName: serviceId,
    networkId: 'net',
    order: at,
    virtualAddress: `${address(0x100 + at)}/8`,
    aliases: [],
    ports: [],
    algorithm: 'round-robin',
    isLocalOnly: false,
  } as const;
}

function backendOf(serviceId: string, number: number) {
  const taskId = `t${String(number).padStart(7, '0')}`;
  return {
    taskId,
    taskName: `${serviceId}.1.${taskId}`,
    nodeId: `node${1 + (number % NODES)}`,
    address: address(0x20_0000 + number),
    weight: 1,
    state: 'serving',
    aliases: [],
  } as const;
}

function sliceOf(serviceId: string, first: number, count: number): Slice {
  const backends = Array.from({ length: count }, (_, at) => backendOf(serviceId, first + at));
  const id = `${serviceId}.0`;
  return { id, revision: 1, serviceId, networkId: 'net', index: 0, backends };
}

function peerOf(of: string, nodeId: string): Peer {
  return { networkId: 'net', address: of, nodeId, tunnelAddress: `192.168.50.${nodeId.slice(4)}` };
}

interface Built {
  readonly local: NodeLocal;
  readonly tables: NodeTables;
}

function build(state: NodeNetworkState): Built {
  const fresh = network.createNodeLocal({ underlayAddress: '192.168.50.100' });
  const local = network.planNodeLocal(fresh, state);
  return { local, tables: network.buildTables(state, local) };
}

/** A node that takes one change after another. */
class Node {
  private readonly state: State;
  private readonly renderer: Renderer;
  private built: Built;
  private next: number;

  constructor(state: State, renderer: Renderer) {
    this.state = state;
    this.renderer = renderer;
    this.built = build(state);
    this.next = state.peers.size;
  }

  /** Gives a service another backend, or takes the last from it; the commands that come of it. */
  change(at: number, isAddition: boolean): readonly RenderedStep[] {
    const id = `s${String(at).padStart(6, '0')}`;
    const slice = this.state.slices.get(`${id}.0`);
    if (slice === undefined) throw new Error(`no slice of ${id}`);
    const peers = this.state.peers as Map<string, Peer>;
    const last = slice.backends.at(-1);
    const fresh = backendOf(id, this.next);
    const moved = isAddition ? fresh : last;
    if (moved === undefined) throw new Error(`no backend of ${id}`);
    const backends = isAddition ? [...slice.backends, fresh] : slice.backends.slice(0, -1);
    this.next += Number(isAddition);
    const peer = `net/${moved.address}`;
    if (isAddition) peers.set(peer, peerOf(moved.address, moved.nodeId));
    else peers.delete(peer);
    (this.state.slices as Map<string, Slice>).set(slice.id, { ...slice, backends });
    this.state.revision += 1;
    const nothing: readonly string[] = [];
    return this.apply({
      networks: nothing,
      services: nothing,
      slices: [slice.id],
      peers: [peer],
      tasks: nothing,
    });
  }

  private apply(change: NetworkChange): readonly RenderedStep[] {
    const before = this.built;
    const local = network.planNodeLocal(before.local, this.state, change);
    const tables = network.updateTables(before.tables, this.state, change, local);
    this.built = { local, tables };
    return this.renderer.difference(network.diffTables(before.tables, tables));
  }
}

/**
 * Median of one change among many, in ms: each a batch of additions and removals. A node lives
 * long, so the first thousands of changes, in which the program is still being compiled, are not
 * counted.
 */
async function changeTime(services: number, renderer: Renderer): Promise<number> {
  const node = new Node(stateOf(services, 10), renderer);
  let step = 0;
  const once = async (): Promise<number> => {
    const time = await cpuMillisecondsOf(() => {
      for (let i = 0; i < CHANGES; i += 1) {
        // Spread over all services; what is added to one is taken from it again.
        const commands = node.change(((step >>> 1) * 7919) % services, step % 2 === 0);
        if (commands.length === 0) throw new Error('a change without a command');
        step += 1;
      }
    });
    return time / CHANGES;
  };
  return await medianOf(once, { warmUps: WARM_UPS });
}

/** Elements of the slot maps, and of other sets and maps, that one change names at most. */
function touchedBy(services: number): { readonly slots: number; readonly others: number } {
  const node = new Node(stateOf(services, 10), NFTABLES);
  const counts = [true, false].map((isAddition) => {
    const keys = new Set(node.change(services >>> 1, isAddition).flatMap(elementKeys));
    const slots = [...keys].filter((key) => key.startsWith('slots')).length;
    return { slots, others: keys.size - slots };
  });
  return {
    slots: Math.max(...counts.map(({ slots }) => slots)),
    others: Math.max(...counts.map(({ others }) => others)),
  };
}

/** `SET KEY` of every element that a step adds or deletes. */
function elementKeys({ tool, lines }: RenderedStep): readonly string[] {
  if (tool !== 'nft') return [];
  return lines.flatMap((line) => {
    const [, set = '', content = ''] = /^\w+ element inet skep (\S+) \{ (.*) \}$/.exec(line) ?? [];
    return content.split(', ').map((element) => `${set} ${element.split(' : ')[0] ?? ''}`);
  });
}

const MAGLEV = 'maglev 65537×1000';

const maglevBackends = (): readonly { readonly address: string; readonly weight: number }[] =>
  Array.from({ length: 1000 }, (_, at) => ({ address: address(at), weight: 1 }));

/** Median time of Maglev's table. */
async function maglevTime(): Promise<number> {
  const all = maglevBackends();
  return await medianOf(() => cpuMillisecondsOf(() => void network.maglevTable(all, 65_537)), {
    warmUps: 3,
  });
}

/** Worst share of the other entries that move when one backend of Maglev's table is lost, in %. */
function maglevMoves(): number {
  const all = maglevBackends();
  const before = network.maglevTable(all, 65_537);
  let worst = 0;
  for (let lost = 0; lost < all.length; lost += 10) {
    const left = all.map((one, at) => (at === lost ? { ...one, weight: 0 } : one));
    const after = network.maglevTable(left, 65_537);
    let [moved, others] = [0, 0];
    for (const [at, owner] of before.entries()) {
      if (owner === lost) continue;
      others += 1;
      moved += Number(after[at] !== owner);
    }
    worst = Math.max(worst, moved / others);
  }
  return 100 * worst;
}

async function buildTime(state: NodeNetworkState): Promise<number> {
  return await medianOf(() => cpuMillisecondsOf(() => void build(state)), { warmUps: 1, runs: 3 });
}

async function textTime(tables: NodeTables, renderer: Renderer): Promise<number> {
  return await medianOf(
    () =>
      cpuMillisecondsOf(() => {
        const length = renderer
          .whole(tables)
          .flatMap(({ texts }) => Object.values(texts))
          .reduce((sum, text) => sum + text.length, 0);
        if (length === 0) throw new Error('no text');
      }),
    { warmUps: 1, runs: 3 },
  );
}

function result(name: string, metric: string, value: number, unit = 'ms'): BenchResult {
  return { case: name, metric, value, unit };
}

async function* run(): AsyncGenerator<BenchResult> {
  // Small things first, then what takes memory: it counts all that the process has.
  yield result(MAGLEV, 'time', await maglevTime());
  yield* builtWhole('build 100k×2', stateOf(100_000, 2));
  for (const [name, services] of [
    ['change 100', 100],
    ['change 1k', 1_000],
    ['change 10k', 10_000],
    ['change 100k', 100_000],
  ] as const) {
    yield result(name, 'time', await changeTime(services, NFTABLES));
    yield result(name, 'time ipvs', await changeTime(services, IPVS));
    const { slots, others } = touchedBy(services);
    yield result(name, 'slots', slots, 'elements');
    yield result(name, 'others', others, 'elements');
  }
  yield result(MAGLEV, 'others that move', maglevMoves(), '%');
  const ten = stateOf(10_000, 10);
  yield* builtWhole('build 10k×10', ten);
  const { tables } = build(ten);
  yield result('text 10k×10', 'time', await textTime(tables, NFTABLES));
  yield result('text 10k×10', 'time ipvs', await textTime(tables, IPVS));
}

async function* builtWhole(name: string, state: State): AsyncGenerator<BenchResult> {
  yield result(name, 'time', await buildTime(state));
  yield result(name, 'memory of the process', process.memoryUsage.rss() / 2 ** 20, 'MiB');
}

/** `npm run bench -- tables`. */
export const bench: Bench = {
  name: 'tables',
  about: 'tables of one node: built whole, as text, and after one change; CPU time',
  run,
};
