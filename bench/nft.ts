/**
 * What a kernel takes for nftables text: all of it, and one change, for thousands of services of
 * two backends; beside it a chain for each service, and what it costs to have the rules in every
 * task's namespace rather than once.
 *
 * Everything happens in namespaces of a process of its own; root, `nft` and `ip` are needed.
 * `cold`: all transactions, each given to an `nft -f` of its own, one after another; the text is
 * made before.
 * `change`: one backend less and, next, one more; median of both, by an `nft -i` that was started
 * once, as a dataplane keeps it. `one-shot` is a whole `nft -f`: most of its time it is done, and
 * waits, for the kernel lets a program that removed something end only after a grace period.
 * `cpu` does not depend on what else the machine does.
 *
 * Options: `--services 256,1k,10k,50k`; `--namespaces`: the cost of 1, 20 and 100 namespaces only.
 */
import { readFileSync } from 'node:fs';

import type { AssignedNetwork, AssignedService, AssignedSlice, Backend } from '@skep/api';
import {
  buildTables,
  createNodeLocal,
  diffTables,
  planNodeLocal,
  renderNftablesChunks,
  renderNftablesDiff,
  updateTables,
  type NetworkChange,
  type NodeNetworkState,
  type RenderedStep,
} from '@skep/network';
import type { Bench, BenchOptions, BenchResult } from './support/measure.js';
import { House } from './support/nft-house.js';

const SIZES: readonly (readonly [string, number])[] = [
  // So many take turns, each by a chain of its own.
  ['256', 256],
  ['1k', 1000],
  ['10k', 10_000],
  ['50k', 50_000],
];
const NAMESPACES = [1, 20, 100];
/** Services in each namespace when the cost of several is measured. */
const SPREAD_SERVICES = 1000;
const BRIDGE = '1-net';
/** A chain per service takes so long that larger tables are left out. */
const CHAINS_MAX = 10_000;
const CHANGES = 21;

export const bench: Bench = {
  name: 'nft',
  about: 'nftables in this kernel: cold start and one change, services × 2 backends',
  run,
};

async function* run(options: BenchOptions): AsyncIterable<BenchResult> {
  const { args } = options;
  if (process.getuid?.() !== 0) throw new Error('bench nft needs the rights of root');
  const chosen = args[args.indexOf('--services') + 1]?.split(',') ?? [];
  const sizes = args.includes('--services')
    ? SIZES.filter(([label]) => chosen.includes(label))
    : SIZES;
  if (!args.includes('--namespaces')) {
    for (const [label, count] of sizes) {
      yield* slotCases(label, count);
      if (count <= CHAINS_MAX) yield* chainCases(label, count);
    }
  }
  yield* namespaceCases();
}

/** Milliseconds as a result. */
function ms(name: string, value: number, metric = 'time'): BenchResult {
  return { case: name, metric, value, unit: 'ms' };
}

// --- Our own text. ---

async function* slotCases(label: string, count: number): AsyncIterable<BenchResult> {
  const house = new House();
  try {
    const base = stateOf(count);
    const local = planNodeLocal(createNodeLocal({ underlayAddress: '192.168.50.11' }), base);
    const tables = buildTables(base, local);
    const chunks = renderNftablesChunks(tables).filter(isBalancing);
    yield ms(`cold ${label}`, await house.apply(chunks.map(textOf)));
    yield ms(`cold ${label}`, house.cpuMs(), 'cpu');
    const [less = '', more = ''] = (['draining', 'serving'] as const).map((state, at) => {
      const next = withState(base, count >> 1, state);
      const change: NetworkChange = {
        networks: [],
        services: [],
        slices: [`s${count >> 1}`],
        peers: [],
        tasks: [],
      };
      const before = at === 0 ? base : withState(base, count >> 1, 'draining');
      const from = updateTables(tables, before, change, local);
      const to = updateTables(from, next, change, local);
      return renderNftablesDiff(diffTables(from, to)).filter(isBalancing).map(textOf).join('');
    });
    yield* changeCases(label, '', house, [less, more]);
    const routes = renderNftablesChunks(tables).filter(
      ({ tool, namespace }) => tool === 'ip' && namespace.name === BRIDGE,
    );
    const vips = routes.flatMap(({ lines }) => lines.filter((line) => line.includes(' local ')));
    yield ms(`routes ${label}`, await house.route(vips));
  } finally {
    await house.close();
  }
}

const isBalancing = ({ tool, namespace }: RenderedStep): boolean =>
  tool === 'nft' && namespace.name === BRIDGE;

const textOf = ({ lines }: RenderedStep): string => `${lines.join('\n')}\n`;

async function* changeCases(
  label: string,
  suffix: string,
  house: House,
  texts: readonly [string, string],
): AsyncIterable<BenchResult> {
  const oneShot: number[] = [];
  const longLived: number[] = [];
  const before = house.cpuMs();
  for (let at = 0; at < CHANGES + 1; at += 1) {
    oneShot.push(await house.apply([texts[at % 2] ?? '']));
  }
  const cpuMs = (house.cpuMs() - before) / (CHANGES + 1);
  for (let at = 0; at < CHANGES + 1; at += 1) {
    longLived.push(await house.say(texts[at % 2] ?? ''));
  }
  yield ms(`change ${label}${suffix}`, median(longLived));
  yield ms(`change ${label}${suffix}`, median(oneShot), 'time, one-shot');
  yield ms(`change ${label}${suffix}`, cpuMs, 'cpu, one-shot');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** A network with so many services of two backends each. */
function stateOf(count: number): NodeNetworkState {
  const network: AssignedNetwork = {
    id: 'net',
    name: 'net',
    driver: 'overlay',
    isIngress: false,
    isInternal: false,
    isEncrypted: false,
    subnets: [{ subnet: '10.0.0.0/8', gateway: '10.0.0.1', vxlanId: 4097 }],
    loadBalancerAddress: '10.255.255.1/8',
  };
  const services: [string, AssignedService][] = [];
  const slices: [string, AssignedSlice][] = [];
  for (let number = 0; number < count; number += 1) {
    const serviceId = `s${number}`;
    services.push([
      `${serviceId}/net`,
      {
        serviceId,
        serviceName: serviceId,
        networkId: 'net',
        order: number,
        virtualAddress: `${address(1, number)}/8`,
        aliases: [],
        ports: [],
        algorithm: 'round-robin',
        isLocalOnly: false,
      },
    ]);
    slices.push([serviceId, sliceOf(serviceId, number, 'serving')]);
  }
  return {
    revision: 1,
    node: {
      id: 'node1',
      name: 'node1',
      role: 'worker',
      availability: 'active',
      dnsTtlMs: 5000,
      dataPathPort: 4789,
    },
    networks: new Map([['net', network]]),
    services: new Map(services),
    slices: new Map(slices),
    peers: new Map(),
    tasks: new Map(),
  };
}

const address = (block: number, number: number): string =>
  `10.${block * 4 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

function sliceOf(id: string, number: number, state: Backend['state']): AssignedSlice {
  const backends = [2, 3].map((block, at): Backend => {
    const taskId = `${id}-${at}`;
    return {
      taskId,
      taskName: `${id}.${at}.${taskId}`,
      nodeId: 'node2',
      address: address(block, number),
      weight: 1,
      state: at === 0 ? state : 'serving',
      aliases: [],
    };
  });
  return { id, revision: 1, serviceId: id, networkId: 'net', index: 0, backends };
}

function withState(
  base: NodeNetworkState,
  number: number,
  state: Backend['state'],
): NodeNetworkState {
  const slices = new Map(base.slices);
  slices.set(`s${number}`, sliceOf(`s${number}`, number, state));
  return { ...base, slices };
}

// --- A chain for each service, reached by a verdict map. ---

async function* chainCases(label: string, count: number): AsyncIterable<BenchResult> {
  const house = new House();
  const suffix = ' (chain per service)';
  try {
    const texts = [chainText(0, Math.min(count, 1000), true)];
    for (let at = 1000; at < count; at += 1000) {
      texts.push(chainText(at, Math.min(count, at + 1000), false));
    }
    yield ms(`cold ${label}${suffix}`, await house.apply(texts));
    yield ms(`cold ${label}${suffix}`, house.cpuMs(), 'cpu');
    const middle = count >> 1;
    const rule = (backends: readonly string[]): string => {
      const map = backends.map((to, slot) => `${slot} : ${to}`).join(', ');
      return (
        `flush chain ip chains s${middle}\nadd rule ip chains s${middle} ` +
        `dnat to numgen inc mod ${backends.length} map { ${map} }\n`
      );
    };
    const both = [address(2, middle), address(3, middle)];
    yield* changeCases(label, suffix, house, [rule(both.slice(1)), rule(both)]);
  } finally {
    await house.close();
  }
}

function chainText(from: number, to: number, isFirst: boolean): string {
  const lines = isFirst
    ? [
        'table ip chains {',
        '\tmap services {',
        '\t\ttype ipv4_addr : verdict',
        '\t}',
        '\tchain prerouting {',
        '\t\ttype nat hook prerouting priority dstnat; policy accept;',
        '\t\tip daddr vmap @services',
        '\t}',
        '}',
      ]
    : [];
  for (let number = from; number < to; number += 1) {
    const map = `{ 0 : ${address(2, number)}, 1 : ${address(3, number)} }`;
    lines.push(
      `add chain ip chains s${number}`,
      `add rule ip chains s${number} dnat to numgen inc mod 2 map ${map}`,
      `add element ip chains services { ${address(1, number)} : goto s${number} }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

// --- Once per node and network, or in the namespace of every task. ---

async function* namespaceCases(): AsyncIterable<BenchResult> {
  const base = stateOf(SPREAD_SERVICES);
  const local = planNodeLocal(createNodeLocal({ underlayAddress: '192.168.50.11' }), base);
  const tables = buildTables(base, local);
  const text = renderNftablesChunks(tables).filter(isBalancing).map(textOf).join('');
  const after = updateTables(
    tables,
    withState(base, 7, 'draining'),
    { networks: [], services: [], slices: ['s7'], peers: [], tasks: [] },
    local,
  );
  const change = renderNftablesDiff(diffTables(tables, after)).filter(isBalancing).map(textOf);
  for (const count of NAMESPACES) {
    const houses: House[] = [];
    try {
      for (let at = 0; at < count; at += 1) houses.push(new House());
      for (const house of houses) await house.apply(['table ip ready\n']);
      const memoryBefore = slabKib();
      let cold = 0;
      let one = 0;
      for (const house of houses) cold += await house.apply([text]);
      const kib = slabKib() - memoryBefore;
      for (const house of houses) one += await house.apply([change.join('')]);
      yield ms(`${count} namespaces: cold 1k`, cold);
      yield ms(`${count} namespaces: change 1k`, one);
      // What one namespace takes is less than what the rest of the machine gives back meanwhile.
      if (count > 1) {
        yield { case: `${count} namespaces: 1k`, metric: 'slab', value: kib / 1024, unit: 'MiB' };
      }
    } finally {
      for (const house of houses) await house.close();
    }
  }
}

/** Memory of the kernel's own structures. */
function slabKib(): number {
  return Number(/^Slab:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? Number.NaN);
}
