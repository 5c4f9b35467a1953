/**
 * A small cluster for tests: a store in memory on virtual time, and hands that write what other
 * loops and nodes would write. The store checks ownership, freezes, and lists in random order.
 */
import {
  ACTORS,
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  compareText,
  newObject,
  seededRandom,
  withMeta,
  withSpec,
  withStatus,
  type ClusterSpec,
  type Kind,
  type NetworkSpec,
  type NodeStatus,
  type ServiceSpec,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Change, type Store } from '@skep/store';
import { planEndpoints } from '../plan.js';

const KINDS = [
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
];

/** What a test says about a task; the rest has defaults. */
export interface TaskInput {
  readonly serviceId?: string;
  readonly nodeId?: string;
  readonly spec?: Partial<TaskSpec>;
  readonly status?: Partial<TaskStatus>;
}

/** The cluster. Every commit happens within the call, as in any memory store. */
export class TestCluster {
  readonly clock = new VirtualClock();
  readonly store: Store;

  constructor(options: { readonly checksOwnership?: boolean; readonly watcherBufferMax?: number } = {}) {
    this.store = memoryStore({
      clock: this.clock,
      kinds: KINDS,
      checks: { ownership: options.checksOwnership ?? true, freeze: true },
      listOrder: seededRandom('lists'),
      watcher: { bufferMax: options.watcherBufferMax ?? 10_000 },
    });
  }

  get view() {
    return this.store.view();
  }

  get now(): number {
    return this.clock.now();
  }

  get<Spec, Status>(kind: Kind<Spec, Status>, id: string): StoredObject<Spec, Status> {
    const object = this.view.get(kind, id);
    if (object === undefined) throw new Error(`no ${kind.name} ${id}`);
    return object;
  }

  async commit(actor: string, ...changes: readonly Change[]): Promise<number> {
    const result = await this.store.commit({ actor, changes });
    if (!result.ok) throw new Error(result.conflict.message);
    return result.revision;
  }

  create(object: StoredObject): Promise<number> {
    return this.commit(ACTORS.user, { type: 'create', object });
  }

  remove(kind: { readonly name: string }, id: string): Promise<number> {
    return this.commit(ACTORS.user, { type: 'delete', kind: kind.name, id });
  }

  cluster(spec: ClusterSpec): Promise<number> {
    return this.create(newObject(Cluster, { id: 'cluster', name: 'default', spec }));
  }

  network(id: string, spec: NetworkSpec = {}, subnet = '10.0.1.0/24'): Promise<number> {
    const gateway = subnet.replace(/\.0\/.*/, '.1');
    const subnets = [{ subnet, gateway, vxlanId: 4097, lastAddress: gateway }];
    const status = { observedGeneration: 1, subnets, quarantine: [] };
    return this.create(newObject(Network, { id, name: `${id}-name`, spec, status }));
  }

  /** A node that is READY, with load-balancer addresses: network id → address. */
  node(id: string, addresses: Readonly<Record<string, string>> = {}): Promise<number> {
    const networks = Object.entries(addresses)
      .map(([networkId, address]) => ({ networkId, address }))
      .sort((a, b) => compareText(a.networkId, b.networkId));
    const status: NodeStatus = { state: 'ready', message: '', address: `192.0.2.${id}`, networks };
    const spec = { role: 'worker', availability: 'active' } as const;
    return this.create(newObject(Node, { id, name: `node-${id}`, spec, status }));
  }

  setNode(id: string, status: Partial<NodeStatus>, actor: string = ACTORS.dispatcher) {
    const node = this.get(Node, id);
    const object = withStatus(node, { ...node.status, ...status });
    return this.commit(actor, { type: 'update', object });
  }

  /** The node acknowledged this revision. */
  acknowledge(id: string, appliedRevision = this.view.revision): Promise<number> {
    return this.setNode(id, { tables: { appliedRevision } });
  }

  /** A service that is allocated: network id → virtual address. */
  service(
    id: string,
    spec: Partial<ServiceSpec> = {},
    addresses: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const virtualAddresses = Object.entries(addresses).map(([networkId, address]) => ({
      networkId,
      address,
    }));
    const mode = spec.endpoint?.mode ?? 'vip';
    const endpoint = { observedGeneration: 1, mode, ports: [], virtualAddresses };
    const status = { observedGeneration: 1, createdTasks: 0, endpoint };
    const full = { task: {}, ...spec };
    return this.create(newObject(Service, { id, name: `${id}-name`, spec: full, status }));
  }

  setService(id: string, spec: Partial<ServiceSpec>): Promise<number> {
    const service = this.get(Service, id);
    const object = withSpec(service, { ...service.spec, ...spec });
    return this.commit(ACTORS.user, { type: 'update', object });
  }

  /** A task that runs, with addresses: network id → address. */
  task(
    id: string,
    input: TaskInput,
    addresses: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const networks = Object.entries(addresses).map(([networkId, address]) => ({
      networkId,
      addresses: [address],
      aliases: [],
    }));
    const { serviceId, nodeId } = input;
    const spec: TaskSpec = {
      ...(serviceId === undefined ? {} : { serviceId }),
      serviceName: serviceId ?? '',
      slot: 1,
      desiredState: 'running',
      template: {},
      cause: 'scale',
      ...input.spec,
    };
    const state = input.status?.state ?? 'running';
    const status: TaskStatus = {
      state,
      timestamp: this.now,
      appliedAt: this.now,
      message: '',
      networks,
      ...(nodeId === undefined ? {} : { nodeId }),
      ...(state === 'running' ? { runningAt: this.now } : {}),
      ...input.status,
    };
    return this.create(newObject(Task, { id, spec, status }));
  }

  setTask(id: string, status: Partial<TaskStatus>, actor: string = ACTORS.dispatcher) {
    const task = this.get(Task, id);
    const object = withStatus(task, { ...task.status, ...status });
    return this.commit(actor, { type: 'update', object });
  }

  /** The orchestrator wants something of a task. */
  want(id: string, spec: Partial<TaskSpec>): Promise<number> {
    const task = this.get(Task, id);
    const object = withSpec(task, { ...task.spec, ...spec });
    return this.commit(ACTORS.orchestrator, { type: 'update', object });
  }

  setMeta<Spec, Status>(
    kind: Kind<Spec, Status>,
    id: string,
    change: Partial<StoredObject['meta']>,
  ): Promise<number> {
    const object = withMeta(this.get(kind, id), change);
    return this.commit(ACTORS.user, { type: 'update', object });
  }

  /** Runs the endpoints loop for a service until it has nothing to change; counts its commits. */
  async endpoints(serviceId: string): Promise<number> {
    for (let passes = 0; passes < 20; passes += 1) {
      const { changes } = planEndpoints(this.view, serviceId, this.now);
      if (changes.length === 0) return passes;
      await this.commit(ACTORS.endpoints, ...changes);
    }
    throw new Error('the endpoints loop does not come to rest');
  }

  /** `task:state` of each backend of a service in a network, by slice, then by task. */
  backends(serviceId: string, networkId: string): readonly string[] {
    return this.view
      .list(EndpointSlice)
      .filter(({ spec }) => spec.serviceId === serviceId && spec.networkId === networkId)
      .sort((a, b) => a.spec.index - b.spec.index)
      .flatMap(({ spec }) => spec.backends.map(({ taskId, state }) => `${taskId}:${state}`));
  }
}
