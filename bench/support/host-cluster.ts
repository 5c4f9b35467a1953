/**
 * A cluster on this machine for measurements: the manager on the system's clock, with nodes that
 * are network namespaces, all in this process; tasks are real.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type TaskContext, type TaskRuntime } from '@skep/adapter';
import {
  kernelDataplane,
  NamespacedCluster,
  nodePrefix,
  nodeResolver,
  type KernelDataplane,
  type NodeResolver,
} from '@skep/adapter-hosts';
import {
  byService,
  idSource,
  isTerminal,
  Node,
  Service,
  SkepError,
  Task,
  type AssignedTask,
  type IdSource,
  type Logger,
} from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import {
  admissionError,
  createManager,
  planApply,
  planRemove,
  planScale,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
} from '@skep/orchestrator';
import { memoryStore, type Store, type View } from '@skep/store';
import { BUILT_IN_KINDS } from 'skep';

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
const ATTEMPTS_MAX = 100;

/** See the module comment. */
export class HostCluster {
  readonly hosts: Host[] = [];
  /** Warnings and errors of agents and manager. */
  readonly told: string[] = [];
  readonly #options: HostClusterOptions;
  readonly #clock = systemClock();
  readonly #random = systemRandom();
  readonly #ids: IdSource;
  readonly #store: Store;
  readonly #manager: Manager;
  readonly #namespaces: NamespacedCluster;
  readonly #folder: string;

  private constructor(options: HostClusterOptions) {
    this.#options = options;
    this.#ids = idSource(this.#random);
    this.#store = memoryStore({ clock: this.#clock, kinds: BUILT_IN_KINDS });
    this.#manager = createManager({
      store: this.#store,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger('manager'),
    });
    this.#namespaces = new NamespacedCluster({ clusterId: options.id });
    this.#folder = mkdtempSync(join(tmpdir(), `${options.id}-`));
  }

  /** Starts a cluster; its nodes are READY. */
  static async start(options: HostClusterOptions): Promise<HostCluster> {
    const cluster = new HostCluster(options);
    try {
      await cluster.#manager.start();
      for (let number = 1; number <= options.nodes; number += 1) await cluster.#addHost(number);
      await cluster.until('nodes that are ready', () =>
        cluster.#store
          .view()
          .list(Node)
          .every(({ status }) => status.state === 'ready'),
      );
    } catch (thrown) {
      await cluster.stop();
      throw thrown;
    }
    return cluster;
  }

  /** Declares objects. */
  apply(...objects: readonly DeclaredObject[]): Promise<readonly AdmissionResult[]> {
    return this.#admit((view) => planApply(view, objects, { ids: this.#ids }));
  }

  /** Sets the number of replicas. */
  async scale(service: string, replicas: number): Promise<void> {
    await this.#admit((view) => planScale(view, service, replicas));
  }

  /** Removes services. */
  async remove(services: readonly string[]): Promise<void> {
    await this.#admit((view) =>
      planRemove(
        view,
        services.map((reference) => ({ kind: Service, reference })),
      ),
    );
  }

  /** Tasks of services that have not ended. */
  tasks(services: readonly string[]): readonly Task[] {
    const view = this.#store.view();
    return services
      .flatMap((name) => view.getByName(Service, name) ?? [])
      .flatMap(({ meta }) => view.list(Task, byService(meta.id)))
      .filter(({ status }) => !isTerminal(status.state));
  }

  /** All tasks, also those that have ended. */
  allTasks(): readonly Task[] {
    return this.#store.view().list(Task);
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
      for (const id of await runtime.known()) await runtime.task(leftover(id), NO_FILES).remove();
      await runtime.close();
      await resolver.close();
      await dataplane.close();
    }
    await this.#manager.stop();
    await this.#store.close();
    await this.#namespaces.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #addHost(number: number): Promise<void> {
    const name = `node${number}`;
    const { id } = this.#options;
    const address = `10.91.0.${10 + number}`;
    const { namespace } = await this.#namespaces.ensureNode(name, `${address}/24`);
    const spec = { role: 'worker', availability: 'active' } as const;
    const [node] = await this.apply({ kind: Node, name, spec });
    const folder = mkdtempSync(join(this.#folder, `${name}-`));
    const clock = this.#clock;
    const random = this.#random;
    const logger = this.#logger(name);
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
    const { link } = this.#manager;
    const nodeId = node?.id ?? '';
    const seams = { link, runtime, dataplane, resolver, clock, random, logger };
    const agent = new Agent({ nodeId, address, ...seams });
    this.hosts.push({ ...place, agent, resolver, runtime });
    await agent.start();
  }

  async #admit(plan: (view: View) => AdmissionPlan): Promise<readonly AdmissionResult[]> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { complaints, changes, results } = plan(this.#store.view());
      if (complaints.length > 0) throw admissionError(complaints);
      const { conflict } = await this.#store.batch({ actor: 'user', changes });
      if (conflict === undefined) return results;
    }
    throw new SkepError('aborted', 'the loops of the cluster were always first');
  }

  #logger(name: string): Logger {
    const tell = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      this.told.push(`${name}: ${message} ${JSON.stringify(fields ?? {})}`);
    };
    const silent = (): void => undefined;
    return { debug: silent, info: silent, warn: tell, error: tell };
  }
}

const NO_FILES: TaskContext = { secrets: new Map(), configs: new Map(), node: undefined };

/** A task of which nothing is known but that the runtime has it. */
function leftover(id: string): AssignedTask {
  return {
    id,
    name: id,
    serviceName: '',
    serviceLabels: {},
    slot: 0,
    desiredState: 'remove',
    template: {},
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: true,
    knownState: 'shutdown',
  };
}
