/**
 * A cluster for tests whose nodes are namespaces of this machine's kernel: a manager in memory on
 * virtual time, the real agent, the real dataplane and resolver, and tasks that say who they are.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type TaskHandle, type TaskRuntime } from '@skep/adapter';
import {
  Node,
  SkepError,
  Task,
  type AssignedTask,
  type Logger,
  type NodeDescription,
} from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import type { VipTable } from '@skep/network';
import { TestCluster } from '@skep/testing/cluster';
import { kernelDataplane, type KernelDataplane } from '../src/dataplane/kernel-dataplane.js';
import { nodeNamespace, nodePrefix } from '../src/namespace/cluster-names.js';
import { missingPrograms } from '../../../scripts/test-needs.js';
import { enter, runCommands, searchPath } from '../src/namespace/command-runner.js';
import { NamespacedCluster } from '../src/namespace/namespaced-cluster.js';
import { nodeResolver, type NodeResolver } from '../src/resolver/node-resolver.js';
import { openNameSockets, type NameSockets } from '../src/resolver/name-sockets.js';

/** Programs that the tests of the kernel need. */
const PROGRAMS = ['sh', 'bash', 'nsenter', 'ip', 'bridge', 'sysctl', 'nft', 'conntrack'];
const CLIENTS = ['busybox', 'dig', 'curl'];

/** What is missing on this machine for these tests. */
export function missingForKernel(): readonly string[] {
  return missingPrograms([...PROGRAMS, ...CLIENTS]);
}

/** Interfaces that nodes make, had they been made outside of their namespaces. */
const OWN_LINK = /^(?:(?:gw|up)[0-9a-f]{8}|(?:br|vxlan|veth)\d{1,3})\b/;

/** What a test could leave behind: interfaces, rules and namespaces of the machine, processes. */
export function machineState(mark: string): unknown {
  const text = (command: string, ...words: string[]): string =>
    spawnSync(command, words, { encoding: 'utf8', env: { ...process.env, PATH: searchPath() } })
      .stdout;
  return {
    // Others may work on this machine meanwhile: only what has names as ours counts.
    links: text('ip', '-br', 'link')
      .split('\n')
      .filter((line) => line.startsWith(mark) || OWN_LINK.test(line)),
    tables: text('nft', 'list', 'tables')
      .split('\n')
      .filter((line) => line.includes('skep')),
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns').filter(isOf(mark)) : [],
    files: readdirSync(tmpdir()).filter(isOf(mark)),
    processes: readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
      } catch {
        return false;
      }
    }),
  };
}

function isOf(mark: string): (name: string) => boolean {
  return (name) => name.startsWith(mark);
}

interface Serving {
  readonly httpd: ChildProcess;
  readonly sockets: NameSockets;
  readonly http: Server;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/**
 * Tasks that say who they are: `busybox httpd` on port 80; on port 81, tcp and udp, with the
 * address of the client.
 */
class ServingRuntime implements TaskRuntime {
  readonly #namespaceOf: (taskId: string) => string;
  readonly #folder: string;
  readonly #name: string;
  readonly #serving = new Map<string, Serving>();

  constructor(name: string, folder: string, namespaceOf: (taskId: string) => string) {
    this.#name = name;
    this.#folder = folder;
    this.#namespaceOf = namespaceOf;
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve({
      hostname: this.#name,
      platform: { os: 'linux', architecture: 'amd64' },
      resources: { cpuNanos: 4e9, memoryBytes: 2 ** 33 },
      engine: { version: '1', labels: {} },
    });
  }

  task(task: AssignedTask): TaskHandle {
    const { id } = task;
    const stop = (): Promise<void> => {
      this.#serving.get(id)?.end();
      this.#serving.delete(id);
      return Promise.resolve();
    };
    return {
      prepare: () => Promise.resolve(),
      start: async () => {
        if (!this.#serving.has(id)) this.#serving.set(id, await this.#serve(id));
        return { container: { containerId: id } };
      },
      wait: async (signal) => {
        const aborted = new Promise<never>((_, reject) => {
          const fail = (): void => reject(new SkepError('aborted', 'nobody waits any more'));
          signal.addEventListener('abort', fail);
        });
        await Promise.race([this.#serving.get(id)?.ended, aborted]);
        return { exitCode: 0 };
      },
      shutdown: stop,
      remove: stop,
    };
  }

  known(): Promise<readonly string[]> {
    return Promise.resolve([...this.#serving.keys()]);
  }

  close(): Promise<void> {
    for (const { end } of this.#serving.values()) end();
    return Promise.resolve();
  }

  async #serve(id: string): Promise<Serving> {
    const namespace = this.#namespaceOf(id);
    const pages = join(this.#folder, id);
    mkdirSync(pages, { recursive: true });
    writeFileSync(join(pages, 'index.html'), id);
    const words = [...enter(namespace), 'busybox', 'httpd', '-f', '-p', '80', '-h', pages];
    const httpd = spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore' });
    const sockets = await openNameSockets(namespace, '0.0.0.0', 81);
    const http = createServer((request, response) => {
      response.setHeader('connection', 'close');
      response.end(`${id} ${request.socket.remoteAddress}`);
    });
    sockets.tcp.on('connection', (socket) => http.emit('connection', socket));
    sockets.udp.on('message', (_, { address, port }) => {
      sockets.udp.send(`${id} ${address}\n`, port, address);
    });
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = () => {
        httpd.kill('SIGKILL');
        for (const socket of [sockets.udp, sockets.client, sockets.tcp]) socket.close();
        resolve();
      };
    });
    return { httpd, sockets, http, ended, end };
  }
}

interface HostPlace {
  readonly nodeId: string;
  readonly name: string;
  readonly address: string;
  readonly namespace: string;
  readonly runtime?: ServingRuntime;
}

interface KernelHost extends HostPlace {
  readonly agent: Agent;
  readonly dataplane: KernelDataplane;
  readonly resolver: NodeResolver;
  readonly runtime: ServingRuntime;
}

/** Real time after which something that is waited for is given up. */
const PATIENCE_MS = 40_000;

/** See the module comment. */
export class KernelCluster {
  readonly id: string;
  readonly manager: TestCluster;
  readonly hosts: KernelHost[] = [];
  /** Texts of the faults that agents told after a repair, and of errors. */
  readonly told: string[] = [];
  readonly #namespaces: NamespacedCluster;
  readonly #folder: string;
  readonly #servers: readonly string[];

  private constructor(id: string, manager: TestCluster, servers: readonly string[]) {
    this.id = id;
    this.manager = manager;
    this.#servers = servers;
    this.#namespaces = new NamespacedCluster({ clusterId: id });
    this.#folder = mkdtempSync(join(tmpdir(), `${id}-`));
  }

  /** Nodes `node1`… of 10.90.0.11…, and a machine `client`, 10.90.0.99, that is none. */
  static async start(
    id: string,
    nodes: number,
    servers: readonly string[] = [],
  ): Promise<KernelCluster> {
    const manager = await TestCluster.start({ nodes: [] });
    const cluster = new KernelCluster(id, manager, servers);
    await cluster.#namespaces.ensureNode('client', '10.90.0.99/24');
    for (let number = 1; number <= nodes; number += 1) {
      await cluster.#addHost(`node${number}`, `10.90.0.${10 + number}`);
    }
    await cluster.until('nodes that are ready', () => {
      const ready = manager
        .view()
        .list(Node)
        .filter(({ status }) => status.state === 'ready');
      return ready.length === nodes;
    });
    return cluster;
  }

  /** Namespace of a node. */
  node(name: string): string {
    return nodeNamespace(this.id, name);
  }

  /** Lets time pass, virtual and real, until it is so. */
  async until(what: string, isSo: () => boolean, stepMs = 100): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      if (performance.now() > end) {
        throw new Error(
          `waited in vain: ${what}; told: ${this.told.join('; ')}; ${this.#states()}`,
        );
      }
      await this.manager.advance(stepMs);
      await sleep(10);
    }
  }

  /** Until the service has so many running tasks, in every node's tables. */
  async settled(service: string, replicas: number): Promise<void> {
    await this.until(`${replicas} of ${service}`, () => {
      const tasks = this.manager.tasks(service);
      const running = tasks.filter(({ status }) => status.state === 'running');
      if (tasks.length !== replicas || running.length !== replicas) return false;
      const vips = this.hosts.flatMap(({ dataplane }) => {
        const tables = dataplane.tables?.networks.values() ?? [];
        return tables
          .flatMap((network) => network.vips.values())
          .filter(({ services }) => services.some((one) => one.serviceName === service));
      });
      const isWhole = ({ backends }: VipTable): boolean =>
        backends.length === replicas && backends.every(({ weight }) => weight > 0);
      return vips.length > 0 && vips.every(isWhole);
    });
  }

  /** What programs in a namespace print. */
  async run(namespace: string, ...commands: readonly (readonly string[])[]): Promise<string[]> {
    const results = await runCommands(commands.map((command) => ({ namespace, command })));
    return results.map(({ output, errors, status }) =>
      (status === 0 ? output : `${status}: ${errors}${output}`).trim(),
    );
  }

  /** Answers to so many requests of their own connections. */
  get(namespace: string, url: string, times: number): Promise<string[]> {
    const command = ['curl', '-s', '-S', '--max-time', '5', url];
    return this.run(namespace, ...Array.from({ length: times }, () => command));
  }

  /** Answers to so many datagrams, each from a port of its own. */
  ask(namespace: string, address: string, port: number, times: number): Promise<string[]> {
    const script = `exec 3<>/dev/udp/${address}/${port}; echo q >&3; timeout 5 head -n 1 <&3`;
    return this.run(namespace, ...Array.from({ length: times }, () => ['bash', '-c', script]));
  }

  /** The agent of a node ends, and another one comes to the same kernel and the same tasks. */
  async restartAgent(name: string): Promise<void> {
    const at = this.hosts.findIndex((host) => host.name === name);
    const [old] = this.hosts.splice(at, 1);
    if (old === undefined) throw new Error(`there is no node ${name}`);
    await old.agent.stop();
    await old.resolver.close();
    await old.dataplane.close();
    const host = this.#host(old);
    this.hosts.splice(at, 0, host);
    await host.agent.start();
    await this.until('the tables of the new agent', () => host.agent.appliedRevision > 0);
  }

  /** The host on which a task runs. */
  hostOf(taskId: string): KernelHost {
    const host = this.hosts.find(({ dataplane }) => dataplane.tables?.tasks.has(taskId));
    if (host === undefined) throw new Error(`no node has the task ${taskId}`);
    return host;
  }

  /** Network namespace of a task. */
  sandbox(taskId: string): string {
    return this.hostOf(taskId).dataplane.taskNamespace(taskId);
  }

  /** Ends everything and removes what was made. */
  async stop(): Promise<void> {
    for (const { agent, dataplane, resolver, runtime } of this.hosts) {
      await agent.stop();
      await runtime.close();
      await resolver.close();
      await dataplane.close();
    }
    await this.manager.stop();
    await this.#namespaces.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #addHost(name: string, address: string): Promise<void> {
    const { manager } = this;
    const { namespace } = await this.#namespaces.ensureNode(name, `${address}/24`);
    const [node] = await manager.apply({
      kind: Node,
      name,
      spec: { role: 'worker', availability: 'active' },
    });
    const host = this.#host({ nodeId: node?.id ?? '', name, address, namespace });
    this.hosts.push(host);
    await host.agent.start();
  }

  #host(place: HostPlace): KernelHost {
    const { nodeId, name, address, namespace } = place;
    const { manager } = this;
    const { clock } = manager;
    const random = seededRandom(name);
    const dataplane = kernelDataplane({
      node: { namespace, namespacePrefix: nodePrefix(this.id, name), underlayAddress: address },
      stateFile: join(this.#folder, `${name}.json`),
    });
    const logger = this.#logger(name);
    const resolver = nodeResolver({ dataplane, clock, random, logger, servers: this.#servers });
    const runtime =
      place.runtime ?? new ServingRuntime(name, this.#folder, (id) => dataplane.taskNamespace(id));
    const agent = new Agent({
      nodeId,
      address,
      link: { open: (hello, handlers) => manager.manager.link.open(hello, handlers) },
      runtime,
      dataplane,
      resolver,
      clock,
      random: random.fork('agent'),
      logger,
    });
    return { ...place, agent, dataplane, resolver, runtime };
  }

  /** The tasks as the manager sees them, for people. */
  #states(): string {
    const tasks = this.manager.view().list(Task);
    return tasks
      .map(({ meta, spec, status }) => `${meta.name} ${spec.nodeId} ${JSON.stringify(status)}`)
      .join('\n');
  }

  #logger(name: string): Logger {
    const tell = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      this.told.push(`${name}: ${message} ${JSON.stringify(fields ?? {})}`);
    };
    const silent = (): void => undefined;
    return {
      debug: silent,
      info: silent,
      warn: tell,
      error: tell,
    };
  }
}
