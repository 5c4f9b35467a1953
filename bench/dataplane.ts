/**
 * What the dataplane of one node costs, by nftables: 50 services with 200 tasks on 4 nodes, so 50
 * of them here, on this machine's kernel in namespaces of its own. Root is needed.
 *
 * `cold`: the node's first tables, everything made. `change`: a backend elsewhere is given no more
 * connections, or again; `arrival`: a task elsewhere goes, or comes: ways, rules, connections.
 * Each is an `apply`, once through programs `nft` that stay and once (`own nft`) with a program for
 * each text. `repair`: everything is read back, and nothing is wrong. `cpu` is that of this process
 * and of all that it started. `share` is a repair's CPU time in 30 s, of one CPU.
 *
 * Options: `--services 50`, `--tasks 200`, `--nodes 4`, `--rounds 10`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NamespacedCluster, kernelDataplane, nodePrefix } from '@skep/adapter-hosts';
import type { KernelDataplane } from '@skep/adapter-hosts';
import type { NodeNetworkState } from '@skep/network';
// The same clusters as in the tests of the tables.
import {
  changeBetween,
  nodeState,
  port,
  type FixtureCluster,
  type FixtureTask,
} from '../packages/network/src/__fixtures__/cluster.js';
import { runCommands } from '../packages/adapter-hosts/src/namespace/command-runner.js';
import type { Bench, BenchOptions, BenchResult } from './support/measure.js';
import { millisecondsOf } from './support/measure.js';

const PERIOD_MS = 30_000;
const PUBLISHED_MAX = 10;
const NODE = 'node1';

export const bench: Bench = {
  name: 'dataplane',
  about: 'tables of a node in this kernel: first application, changes, repair (root)',
  run,
};

async function* run({ args }: BenchOptions): AsyncIterable<BenchResult> {
  if (process.getuid?.() !== 0) throw new Error('bench dataplane needs the rights of root');
  const option = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const size = {
    services: option('services', 50),
    tasks: option('tasks', 200),
    nodes: option('nodes', 4),
  };
  const rounds = option('rounds', 10);
  for (const isKept of args.includes('--kept') ? [true] : [false, true])
    yield* casesOf(size, rounds, isKept);
}

interface Size {
  readonly services: number;
  readonly tasks: number;
  readonly nodes: number;
}

async function* casesOf(size: Size, rounds: number, isKept: boolean): AsyncIterable<BenchResult> {
  const clusterId = `skt-${process.pid}`;
  const house = new NamespacedCluster({ clusterId });
  const { namespace } = await house.ensureNode(NODE, '10.90.0.11/24');
  const dataplane = kernelDataplane({
    node: {
      namespace,
      namespacePrefix: nodePrefix(clusterId, NODE),
      underlayAddress: '10.90.0.11',
    },
    ...(isKept ? {} : { run: runCommands }),
  });
  const label = (name: string): string => (isKept ? name : `${name}, own nft`);
  try {
    const { whole, drained, gone, fewer } = statesOf(size);
    const meter = new Meter(dataplane);
    yield* meter.results(label('cold'), [
      await meter.measure(() => dataplane.apply(whole, undefined)),
    ]);
    yield* meter.results(label('first repair'), [await meter.measure(() => repaired(dataplane))]);
    for (const [name, other] of [
      ['change', drained],
      ['arrival', gone],
      ['arrival of 10 here', fewer],
    ] as const) {
      const change = changeBetween(whole, other);
      const [back, away]: [Cost[], Cost[]] = [[], []];
      // The first change of a namespace starts its program.
      for (let round = -1; round < rounds; round += 1) {
        for (const [state, costs] of [
          [other, away],
          [whole, back],
        ] as const) {
          const cost = await meter.measure(() => dataplane.apply(state, change));
          if (round >= 0) costs.push(cost);
        }
      }
      yield* meter.results(label(name), back);
      yield* meter.results(label(`${name}, and back`), away);
    }
    if (!isKept) return;
    yield* memory(dataplane);
    // Addresses that the kernel gives by itself come a little later.
    await sleep(3_000);
    await repaired(dataplane);
    const repairs: Cost[] = [];
    for (let round = 0; round < rounds; round += 1) {
      repairs.push(await meter.measure(() => repaired(dataplane)));
    }
    yield* meter.results('repair', repairs);
    const cpuMs = average(repairs.map(({ cpu }) => cpu));
    yield { case: 'repair', metric: 'share', value: (100 * cpuMs) / PERIOD_MS, unit: '%' };
  } finally {
    await dataplane.close();
    await house.remove();
  }
}

async function repaired(dataplane: KernelDataplane): Promise<void> {
  const findings = await dataplane.repair();
  if (findings.length > 0) throw new Error(`something was wrong: ${findings.join('; ')}`);
}

interface Cost {
  readonly time: number;
  readonly cpu: number;
}

/** Milliseconds on the clock and of the CPUs. */
class Meter {
  readonly #dataplane: KernelDataplane;

  constructor(dataplane: KernelDataplane) {
    this.#dataplane = dataplane;
  }

  async measure(work: () => Promise<void>): Promise<Cost> {
    const before = this.#cpuMs();
    const time = await millisecondsOf(work);
    return { time, cpu: this.#cpuMs() - before };
  }

  *results(name: string, costs: readonly Cost[]): Iterable<BenchResult> {
    const times = costs.map(({ time }) => time).sort((a, b) => a - b);
    yield { case: name, metric: 'time', value: times[times.length >> 1] ?? 0, unit: 'ms' };
    yield { case: name, metric: 'cpu', value: average(costs.map(({ cpu }) => cpu)), unit: 'ms' };
  }

  /** To 10 ms, so of several together. */
  #cpuMs(): number {
    const { user, system } = process.cpuUsage();
    const kept = this.#dataplane.processes.map(([, pid]) => ticksOf(`${pid}`, [13, 14]));
    return (user + system) / 1e3 + 10 * (ticksOf('self', [15, 16]) + sum(kept));
  }
}

function ticksOf(pid: string, fields: readonly number[]): number {
  const words = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // The first two fields are cut off.
  return sum(fields.map((field) => Number(words[field - 2])));
}

function* memory(dataplane: KernelDataplane): Iterable<BenchResult> {
  const kept = dataplane.processes.map(([, pid]) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024;
  });
  yield { case: 'programs that stay', metric: 'count', value: kept.length, unit: '' };
  yield { case: 'programs that stay', metric: 'memory', value: sum(kept), unit: 'MiB' };
  yield {
    case: 'this process',
    metric: 'memory',
    value: process.memoryUsage().rss / 2 ** 20,
    unit: 'MiB',
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const average = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);

// --- The cluster. ---

interface States {
  readonly whole: NodeNetworkState;
  /** With a backend that drains on another node; without that task. */
  readonly drained: NodeNetworkState;
  readonly gone: NodeNetworkState;
  /** Without ten tasks of this node. */
  readonly fewer: NodeNetworkState;
}

function statesOf(size: Size): States {
  const tasks = Array.from({ length: size.tasks }, (_, at) => taskOf(at, size));
  const distant = tasks.findIndex(({ node }) => node !== NODE);
  const state = (all: readonly FixtureTask[], revision: number): NodeNetworkState =>
    nodeState(clusterOf(all, size), NODE, revision);
  const draining = tasks.map((task, at) =>
    at === distant ? ({ ...task, state: 'draining' } as const) : task,
  );
  const here = tasks.filter(({ node }) => node === NODE).slice(0, 10);
  return {
    whole: state(tasks, 1),
    drained: state(draining, 1),
    gone: state(
      tasks.filter((_, at) => at !== distant),
      1,
    ),
    fewer: state(
      tasks.filter((task) => !here.includes(task)),
      1,
    ),
  };
}

const third = (at: number): string => `${(at >> 8) & 255}.${at & 255}`;
const isPublished = (service: number): boolean => service < PUBLISHED_MAX;

function taskOf(at: number, { services, nodes }: Size): FixtureTask {
  const service = at % services;
  return {
    id: `task${at}`,
    service: `service${service}`,
    node: `node${(Math.floor(at / services) % nodes) + 1}`,
    slot: Math.floor(at / services) + 1,
    addresses: {
      overlay1: `10.1.${third(4_096 + at)}`,
      ...(isPublished(service) ? { ingress: `10.0.${third(4_096 + at)}` } : {}),
    },
  };
}

function clusterOf(tasks: readonly FixtureTask[], { services, nodes }: Size): FixtureCluster {
  const all = Array.from({ length: nodes }, (_, at) => `node${at + 1}`);
  const balancers = (net: string): Record<string, string> =>
    Object.fromEntries(all.map((id, at) => [id, `${net}.0.${2 + at}`]));
  const network = (id: string, net: string, vxlanId: number) => ({
    id,
    subnet: `${net}.0.0/16`,
    gateway: `${net}.0.1`,
    vxlanId,
    balancers: balancers(net),
  });
  return {
    nodes: all.map((id, at) => ({ id, underlay: `10.90.0.${11 + at}` })),
    networks: [
      { ...network('ingress', '10.0', 4_096), isIngress: true },
      network('overlay1', '10.1', 4_097),
    ],
    services: Array.from({ length: services }, (_, at) => ({
      id: `service${at}`,
      order: at + 1,
      vips: {
        ...(isPublished(at) ? { ingress: `10.0.${third(2_048 + at)}` } : {}),
        overlay1: `10.1.${third(2_048 + at)}`,
      },
      ...(isPublished(at) ? { ports: [port(8_000 + at, 80)] } : {}),
    })),
    tasks,
  };
}
