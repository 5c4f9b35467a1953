/**
 * A cluster on this machine for measurements: the manager on the system's clock, with nodes that
 * are network namespaces, all in this process; tasks are real.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, removeLeftover, type TaskRuntime } from '@skep/adapter';
import {
  kernelDataplane,
  NamespacedCluster,
  nodePrefix,
  nodeResolver,
  type KernelDataplane,
  type NodeResolver,
} from '@skep/adapter-hosts';
import { byService, isTerminal, Node, Service, Task, type Logger } from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import type { AdmissionResult, DeclaredObject } from '@skep/orchestrator';
import { openCluster, type LiveCluster } from 'skep';

/** What a runtime is made from. */
export interface HostPlace {
  readonly name: string;
  /** For what the runtime keeps; removed with the cluster. */
  readonly folder: string;
  readonly dataplane: KernelDataplane;
}

/** A runtime that can be closed without ending what it runs. */
export type HostRuntime = TaskRuntime & { close(): Promise<void> };

interface Host extends HostPlace {
  readonly agent: Agent;
  readonly resolver: NodeResolver;
  readonly runtime: HostRuntime;
}

/** How a {@link HostCluster} is made. */
export interface HostClusterOptions {
  /** Names of namespaces begin with it. */
  readonly id: string;
  readonly nodes: number;
  /** Who makes the namespaces of tasks. Default: the dataplane. */
  readonly taskNamespaces?: 'made' | 'adopted';
  readonly runtime: (place: HostPlace) => HostRuntime;
}

const PATIENCE_MS = 120_000;
const LOOK_MS = 10;

/** See the module comment. */
export class HostCluster {
  readonly hosts: Host[] = [];
  /** Warnings and errors of agents and manager. */
  readonly told: string[];
  readonly #options: HostClusterOptions;
  readonly #clock = systemClock();
  readonly #random = systemRandom();
  readonly #cluster: LiveCluster;
  readonly #namespaces: NamespacedCluster;
  readonly #folder: string;

  private constructor(options: HostClusterOptions, cluster: LiveCluster, told: string[]) {
    this.told = told;
    this.#options = options;
    this.#cluster = cluster;
    this.#namespaces = new NamespacedCluster({ clusterId: options.id });
    this.#folder = mkdtempSync(join(tmpdir(), `${options.id}-`));
  }

  /** Starts a cluster; its nodes are READY. */
  static async start(options: HostClusterOptions): Promise<HostCluster> {
    const told: string[] = [];
    const manager = await openCluster({ logger: loggerOf('manager', told) });
    const cluster = new HostCluster(options, manager, told);
    try {
      for (let number = 1; number <= options.nodes; number += 1) await cluster.#addHost(number);
      await cluster.until('nodes that are ready', () =>
        manager.list(Node).every(({ status }) => status.state === 'ready'),
      );
    } catch (thrown) {
      await cluster.stop();
      throw thrown;
    }
    return cluster;
  }

  /** Declares objects. */
  apply(...objects: readonly DeclaredObject[]): Promise<readonly AdmissionResult[]> {
    return this.#cluster.declare(objects);
  }

  /** Sets the number of replicas. */
  scale(service: string, replicas: number): Promise<void> {
    return this.#cluster.scale(service, replicas);
  }

  /** Removes services. */
  remove(services: readonly string[]): Promise<void> {
    return this.#cluster.remove(...services);
  }

  /** Tasks of services that have not ended. */
  tasks(services: readonly string[]): readonly Task[] {
    const view = this.#cluster.view();
    return services
      .flatMap((name) => view.getByName(Service, name) ?? [])
      .flatMap(({ meta }) => view.list(Task, byService(meta.id)))
      .filter(({ status }) => !isTerminal(status.state));
  }

  /** All tasks, also those that have ended. */
  allTasks(): readonly Task[] {
    return this.#cluster.view().list(Task);
  }

  /** How many tasks of a service run. */
  running(service: string): number {
    return this.tasks([service]).filter(({ status }) => status.state === 'running').length;
  }

  /** Whether every node's kernel has so many tasks behind the VIP of each service, and no other. */
  isInTables(services: readonly string[], replicas: number): boolean {
    return this.hosts.every(({ dataplane }) => {
      const networks = dataplane.tables?.networks.values() ?? [];
      const whole = networks
        .flatMap((network) => network.vips.values())
        .filter(({ backends }) => {
          const isServing = backends.every(({ weight }) => weight > 0);
          return isServing && backends.length === replicas;
        });
      const names = new Set(whole.flatMap((vip) => vip.services.map((one) => one.serviceName)));
      return services.every((name) => names.has(name));
    });
  }

  /** Waits until nothing is left of any task, on the nodes and in the store. */
  async untilEmpty(): Promise<void> {
    await this.until('no task', () => this.allTasks().length === 0);
    for (const { runtime, dataplane } of this.hosts) {
      while ((await runtime.known()).length > 0) await sleep(LOOK_MS);
      await this.until('no table', () => (dataplane.tables?.tasks.size ?? 0) === 0);
    }
  }

  /** Waits until it is so; milliseconds since the call. */
  async until(what: string, isSo: () => boolean): Promise<number> {
    const start = performance.now();
    while (!isSo()) {
      if (performance.now() - start > PATIENCE_MS) {
        throw new Error(`waited in vain for ${what}; told: ${this.told.slice(-20).join('; ')}`);
      }
      await sleep(LOOK_MS);
    }
    return performance.now() - start;
  }

  /** Ends everything and removes what was made. */
  async stop(): Promise<void> {
    for (const { agent, dataplane, resolver, runtime } of this.hosts) {
      await agent.stop();
      for (const id of await runtime.known()) await removeLeftover(runtime, id);
      await runtime.close();
      await resolver.close();
      await dataplane.close();
    }
    await this.#cluster.stop();
    await this.#namespaces.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #addHost(number: number): Promise<void> {
    const name = `node${number}`;
    const { id } = this.#options;
    const address = `10.91.0.${10 + number}`;
    const { namespace } = await this.#namespaces.ensureNode(name, `${address}/24`);
    const node = await this.#cluster.declareNode({ name });
    const folder = mkdtempSync(join(this.#folder, `${name}-`));
    const clock = this.#clock;
    const random = this.#random;
    const logger = loggerOf(name, this.told);
    const dataplane = kernelDataplane({
      node: { namespace, namespacePrefix: nodePrefix(id, name), underlayAddress: address },
      stateFile: join(this.#folder, `${name}.json`),
      ...(this.#options.taskNamespaces === undefined
        ? {}
        : { taskNamespaces: this.#options.taskNamespaces }),
    });
    const place = { name, folder, dataplane };
    const runtime = this.#options.runtime(place);
    const resolver = nodeResolver({ dataplane, clock, random, logger });
    const { link } = this.#cluster;
    const nodeId = node.meta.id;
    const seams = { link, runtime, dataplane, resolver, clock, random, logger };
    const agent = new Agent({ nodeId, address, ...seams });
    this.hosts.push({ ...place, agent, resolver, runtime });
    await agent.start();
  }
}

function loggerOf(name: string, told: string[]): Logger {
  const tell = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    told.push(`${name}: ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: tell, error: tell };
}
