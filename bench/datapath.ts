/**
 * What the way through a balancer costs: requests a second and the 99th percentile of their
 * duration, by the virtual address of a service and by its published port, beside the same server
 * addressed directly over the same way.
 *
 * Two nodes that are namespaces of this machine, programmed by the dataplane; nginx runs as a task
 * on the second, wrk where the client is. `direct` asks the task's address in the overlay from
 * another node's task, `vip` the virtual address from there. `mesh direct` and `mesh` come from
 * outside by the first node and its ingress sandbox over the ingress network, once to the task's
 * address there (by routes that are added for it) and once to the published port.
 *
 * In each round all are measured in turn; figures are medians over the rounds, a `ratio` is the
 * median of the ratios of the rounds. The machine has to be at rest: server and client have no
 * priority. With one, p99 was 1 to 30 ms instead of 0.7: they fill both processors, and presumably
 * kept the kernel from handling packets. Needs root, nginx and wrk.
 *
 * Options: `--rounds 15`, `--seconds 2` (each), `--connections 16`, `--close`: a connection for
 * each request, `--dataplane nftables|ipvs`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NamespacedCluster, kernelDataplane, nodePrefix, runCommands } from '@skep/adapter-hosts';
import type { KernelDataplane, NamespaceCommand } from '@skep/adapter-hosts';
// The cluster of the tests of the tables: `vote` on node2, a client on node1.
import { nodeState, type FixtureCluster } from '../packages/network/src/__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../packages/network/src/__fixtures__/vote.js';
import type { Bench, BenchOptions, BenchResult } from './support/measure.js';

export const bench: Bench = {
  name: 'datapath',
  about: 'requests through a virtual address and through the mesh, beside direct ones (root)',
  run,
};

const NODES = [
  ['node1', '192.168.50.11'],
  ['node2', '192.168.50.12'],
] as const;
const TASK = 'vote1';
const CLUSTER: FixtureCluster = {
  ...VOTE_CLUSTER,
  tasks: VOTE_CLUSTER.tasks.filter(({ id }) => id !== 'vote2'),
};

/** A way to the server. */
interface Way {
  readonly name: string;
  readonly namespace: string;
  readonly url: string;
}

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly isClosing: boolean;
}

async function* run({ args }: BenchOptions): AsyncIterable<BenchResult> {
  if (process.getuid?.() !== 0) throw new Error('bench datapath needs the rights of root');
  const option = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const settings = {
    rounds: option('rounds', 15),
    seconds: option('seconds', 2),
    connections: option('connections', 16),
    isClosing: args.includes('--close'),
  };
  const renderer = args[args.indexOf('--dataplane') + 1] === 'ipvs' ? 'ipvs' : 'nftables';
  const stage = new Stage(`skt-${process.pid}`, renderer);
  try {
    yield* measured(await stage.open(), settings);
  } finally {
    await stage.close();
  }
}

/** Two nodes, the server, the ways to it. */
class Stage {
  readonly #clusterId: string;
  readonly #house: NamespacedCluster;
  readonly #dataplanes: readonly KernelDataplane[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'skt-datapath-'));
  #server: ChildProcess | undefined;

  constructor(clusterId: string, renderer: 'nftables' | 'ipvs') {
    this.#clusterId = clusterId;
    this.#house = new NamespacedCluster({ clusterId });
    this.#dataplanes = NODES.map(([name, underlayAddress]) =>
      kernelDataplane({
        renderer,
        node: {
          namespace: `${clusterId}.${name}`,
          namespacePrefix: nodePrefix(clusterId, name),
          underlayAddress,
        },
      }),
    );
  }

  async open(): Promise<readonly Way[]> {
    const id = this.#clusterId;
    for (const [name, address] of NODES) await this.#house.ensureNode(name, `${address}/24`);
    await this.#house.ensureNode('outside', '192.168.50.99/24');
    for (const [at, dataplane] of this.#dataplanes.entries()) {
      await dataplane.apply(nodeState(CLUSTER, NODES[at]?.[0] ?? ''), undefined);
    }
    await this.#serve(`${nodePrefix(id, 'node2')}task_${TASK}`);
    await this.#addDirectWay();
    const client = `${nodePrefix(id, 'node1')}task_client1`;
    const outside = `${id}.outside`;
    const ways = [
      { name: 'direct', namespace: client, url: 'http://10.0.9.3/' },
      { name: 'vip', namespace: client, url: 'http://10.0.9.2/' },
      { name: 'mesh direct', namespace: outside, url: 'http://10.0.0.5:8080/' },
      { name: 'mesh', namespace: outside, url: 'http://192.168.50.11:8080/' },
    ];
    for (const way of ways) await assertAnswers(way);
    return ways;
  }

  async close(): Promise<void> {
    this.#server?.kill('SIGTERM');
    await sleep(200);
    this.#server?.kill('SIGKILL');
    for (const dataplane of this.#dataplanes) {
      await dataplane.clear();
      await dataplane.close();
    }
    await this.#house.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #serve(namespace: string): Promise<void> {
    const path = join(this.#folder, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${this.#folder}/${name};`)
      .join(' ');
    writeFileSync(
      path,
      `user root; worker_processes 1; pid ${this.#folder}/pid; daemon off; master_process off;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000; ${temporary}
  server { listen 80; location / { return 200 "here\\n"; } }
}
`,
    );
    const words = [`--net=/run/netns/${namespace}`, '--', 'nginx', '-c', path];
    this.#server = spawn('nsenter', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    for (let tries = 0; !existsSync(`${this.#folder}/pid`) && tries < 200; tries += 1) {
      await sleep(50);
    }
  }

  /** Outside does not know the ingress network, and the node lets nobody into it: both for this. */
  async #addDirectWay(): Promise<void> {
    const id = this.#clusterId;
    const node = `${id}.node1`;
    const ip = (namespace: string, ...words: string[]): NamespaceCommand => ({
      namespace,
      command: ['ip', 'route', 'add', '10.0.0.0/24', ...words],
    });
    const accept = 'insert rule inet skep forward ip daddr 10.0.0.0/24 accept\n';
    await mustRun([
      ip(`${id}.outside`, 'via', '192.168.50.11'),
      ip(node, 'via', '172.18.0.2'),
      { namespace: node, command: ['nft', '-f', '-'], input: accept },
    ]);
  }
}

async function mustRun(commands: readonly NamespaceCommand[]): Promise<void> {
  for (const [at, { status, errors }] of (await runCommands(commands)).entries()) {
    if (status !== 0) throw new Error(`${commands[at]?.command.join(' ')}: ${errors}`);
  }
}

async function assertAnswers({ name, namespace, url }: Way): Promise<void> {
  const command = ['curl', '-s', '-S', '--max-time', '5', url];
  const [result] = await runCommands([{ namespace, command }]);
  if (result?.output !== 'here\n') throw new Error(`no answer, ${name}: ${result?.errors}`);
}

interface Figures {
  readonly rate: number;
  readonly p99: number;
}

async function* measured(ways: readonly Way[], settings: Settings): AsyncIterable<BenchResult> {
  const found = new Map(ways.map(({ name }) => [name, [] as Figures[]]));
  for (const way of ways) await load(way, { ...settings, seconds: 1 });
  for (let round = 0; round < settings.rounds; round += 1) {
    // Whoever comes first has no advantage.
    const turn = round % 2 === 0 ? ways : [...ways].reverse();
    for (const way of turn) found.get(way.name)?.push(await load(way, settings));
  }
  for (const { name } of ways) {
    const figures = found.get(name) ?? [];
    yield {
      case: name,
      metric: 'rate',
      value: median(figures.map(({ rate }) => rate)),
      unit: 'per s',
    };
    yield { case: name, metric: 'p99', value: median(figures.map(({ p99 }) => p99)), unit: 'ms' };
  }
  for (const [name, direct] of [
    ['vip', 'direct'],
    ['mesh', 'mesh direct'],
  ] as const) {
    const [own = [], other = []] = [found.get(name), found.get(direct)];
    const ratios = (key: keyof Figures): number[] =>
      own.map((one, at) => one[key] / (other[at]?.[key] ?? Number.NaN));
    yield { case: name, metric: 'ratio', value: median(ratios('rate')), unit: '' };
    yield { case: name, metric: 'p99 ratio', value: median(ratios('p99')), unit: '' };
  }
}

const UNITS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };

/** What wrk says of one way. */
async function load({ name, namespace, url }: Way, settings: Settings): Promise<Figures> {
  const { seconds, connections, isClosing } = settings;
  const command = [
    ...['wrk', '--latency', '-t', '1'],
    ...['-c', String(connections), '-d', `${seconds}s`],
    ...(isClosing ? ['-H', 'Connection: close'] : []),
    url,
  ];
  const [result] = await runCommands([{ namespace, command }]);
  const printed = result?.output ?? '';
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1];
  const tail = /99%\s+([\d.]+)(us|ms|s)/.exec(printed);
  if (rate === undefined || tail === null || /Socket errors|Non-2xx/.test(printed)) {
    throw new Error(`wrk, ${name}: ${printed}${result?.errors}`);
  }
  return { rate: Number(rate), p99: Number(tail[1]) * (UNITS[tail[2] ?? ''] ?? 1) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
