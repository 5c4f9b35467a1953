/**
 * A cluster for tests whose nodes are namespaces of this machine's kernel: a manager in memory, the
 * real agent, the real dataplane and resolver. On virtual time, with tasks that say who they are;
 * or on the machine's clock, with a runtime that starts programs.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type TaskRuntime } from '@skep/adapter';
import { Node, Service, Task, type ClusterSpec, type Logger } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import type { VipTable } from '@skep/network';
import { TestCluster } from '@skep/testing/cluster';
import { missingPrograms } from '../../../scripts/missing-programs.js';
import { CONTEXT, taskOf } from '../src/__fixtures__/tasks.js';
import { kernelDataplane, type KernelDataplane } from '../src/dataplane/kernel-dataplane.js';
import { nodeNamespace, nodePrefix } from '../src/namespace/cluster-names.js';
import { runCommands } from '../src/namespace/command-runner.js';
import { NamespacedCluster } from '../src/namespace/namespaced-cluster.js';
import { nodeResolver, type NodeResolver } from '../src/resolver/node-resolver.js';
import { RealTimeManager, type ClusterManager } from './real-time-manager.js';
import { RepairClock } from './repair-clock.js';
import { ServingRuntime } from './serving-runtime.js';

export { machineState } from './machine-state.js';

/** Programs that the tests of the kernel need. */
const PROGRAMS = ['sh', 'bash', 'nsenter', 'ip', 'bridge', 'sysctl', 'nft', 'conntrack'];
const CLIENTS = ['busybox', 'dig', 'curl'];

/** What is missing on this machine for these tests. */
export function missingForKernel(): readonly string[] {
  return missingPrograms([...PROGRAMS, ...CLIENTS]);
}

interface HostPlace {
  readonly nodeId: string;
  readonly name: string;
  readonly address: string;
  readonly namespace: string;
  readonly runtime?: TaskRuntime;
}

interface KernelHost extends HostPlace {
  readonly agent: Agent;
  readonly dataplane: KernelDataplane;
  readonly resolver: NodeResolver;
  readonly runtime: TaskRuntime;
}

/** A node that is given a runtime. */
export interface RuntimePlace {
  readonly name: string;
  /** For what the runtime keeps; removed with the cluster. */
  readonly folder: string;
  readonly dataplane: KernelDataplane;
}

/** A cluster of programs on the machine's clock. */
export interface RealClusterOptions {
  readonly id: string;
  readonly nodes: number;
  /** Name servers for what is not the cluster's. */
  readonly servers?: readonly string[];
  readonly runtimeOf: (place: RuntimePlace) => TaskRuntime;
  /** Who makes the namespaces of tasks; default: the dataplane. */
  readonly taskNamespaces?: 'made' | 'adopted';
  readonly cluster?: ClusterSpec;
}

/** Real time after which something that is waited for is given up. */
const PATIENCE_MS = 90_000;

/** See the module comment. */
export class KernelCluster<M extends ClusterManager = TestCluster> {
  readonly id: string;
  readonly manager: M;
  readonly hosts: KernelHost[] = [];
  /** Texts of the faults that agents told after a repair, and of errors. */
  readonly told: string[];
  /** The clock of all agents. */
  readonly #clock: RepairClock;
  readonly #namespaces: NamespacedCluster;
  /** For what the nodes keep; removed with the cluster. */
  readonly folder: string;
  readonly #servers: readonly string[];
  readonly #runtimeOf: RealClusterOptions['runtimeOf'] | undefined;
  readonly #taskNamespaces: 'made' | 'adopted';

  private constructor(
    manager: M,
    options: Partial<RealClusterOptions> & { readonly id: string; readonly told?: string[] },
  ) {
    const { id, servers = [], runtimeOf, taskNamespaces = 'made', told = [] } = options;
    this.told = told;
    this.id = id;
    this.manager = manager;
    this.#clock = new RepairClock(manager.clock);
    this.#servers = servers;
    this.#runtimeOf = runtimeOf;
    this.#taskNamespaces = taskNamespaces;
    this.#namespaces = new NamespacedCluster({ clusterId: id });
    this.folder = mkdtempSync(join(tmpdir(), `${id}-`));
  }

  /** Nodes `node1`… of 10.90.0.11…, and a machine `client`, 10.90.0.99, that is none. */
  static async start(
    id: string,
    nodes: number,
    servers: readonly string[] = [],
  ): Promise<KernelCluster> {
    const manager = await TestCluster.start({ nodes: [] });
    const cluster = new KernelCluster(manager, { id, servers });
    await cluster.#begin(nodes);
    return cluster;
  }

  /** The same nodes on the machine's clock, with another runtime. */
  static async startReal(options: RealClusterOptions): Promise<KernelCluster<RealTimeManager>> {
    const told: string[] = [];
    const logger = loggerTo(told, 'manager');
    const spec: ClusterSpec = { dataplane: 'nftables', ...options.cluster };
    const manager = await RealTimeManager.start(spec, logger);
    const cluster = new KernelCluster(manager, { ...options, told });
    await cluster.#begin(options.nodes);
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

  /** Every agent looks at its tables now, and not when its period is over. */
  repairNow(): void {
    this.#clock.passRepairPeriod();
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
    const { runtime, ...place } = old;
    // What runs inside of this process ends with its runtime.
    const isKept = this.#runtimeOf === undefined;
    if (!isKept) await runtime.close();
    const host = this.#host(isKept ? { ...place, runtime } : place);
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

  /** Address that stands for all tasks of a service. */
  vip(service: string): string {
    const found = this.manager.view().getByName(Service, service);
    const { virtualAddresses = [] } = found?.status.endpoint ?? {};
    return virtualAddresses.at(-1)?.address.split('/')[0] ?? '';
  }

  /** Network namespace of a task. */
  sandbox(taskId: string): string {
    return this.hostOf(taskId).dataplane.taskNamespace(taskId);
  }

  /** Ends everything and removes what was made. */
  async stop(): Promise<void> {
    for (const { agent, dataplane, resolver, runtime } of this.hosts) {
      await agent.stop();
      await removeTasks(runtime);
      await runtime.close();
      await resolver.close();
      await dataplane.close();
    }
    await this.manager.stop();
    await this.#namespaces.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Adds the nodes; what was made is removed when that fails, for nobody has the cluster yet. */
  async #begin(nodes: number): Promise<void> {
    try {
      await this.#addHosts(nodes);
    } catch (thrown) {
      await this.stop();
      throw thrown;
    }
  }

  async #addHosts(nodes: number): Promise<void> {
    await this.#namespaces.ensureNode('client', '10.90.0.99/24');
    for (let number = 1; number <= nodes; number += 1) {
      await this.#addHost(`node${number}`, `10.90.0.${10 + number}`);
    }
    const ready = (): readonly Node[] =>
      this.manager
        .view()
        .list(Node)
        .filter(({ status }) => status.state === 'ready');
    await this.until('nodes that are ready', () => ready().length === nodes);
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
    const clock = this.#clock;
    const random = seededRandom(name);
    const dataplane = kernelDataplane({
      node: { namespace, namespacePrefix: nodePrefix(this.id, name), underlayAddress: address },
      stateFile: join(this.folder, `${name}.json`),
      taskNamespaces: this.#taskNamespaces,
    });
    const logger = loggerTo(this.told, name);
    const resolver = nodeResolver({ dataplane, clock, random, logger, servers: this.#servers });
    const runtime = place.runtime ?? this.#runtime(name, dataplane);
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

  #runtime(name: string, dataplane: KernelDataplane): TaskRuntime {
    const folder = join(this.folder, name);
    if (this.#runtimeOf === undefined) {
      return new ServingRuntime(name, this.folder, (id) => dataplane.taskNamespace(id));
    }
    mkdirSync(folder, { recursive: true });
    return this.#runtimeOf({ name, folder, dataplane });
  }
}

/** Ends what a runtime leaves running when it is closed. */
async function removeTasks(runtime: TaskRuntime): Promise<void> {
  const ids = await runtime.known();
  await Promise.all(ids.map((id) => runtime.task(taskOf(id, {}), CONTEXT).remove()));
}

function loggerTo(told: string[], name: string): Logger {
  const tell = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    told.push(`${name}: ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: tell, error: tell };
}
