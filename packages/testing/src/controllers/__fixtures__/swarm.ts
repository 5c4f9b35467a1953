/**
 * All built-in loops, with nodes that are controllers, too: they do at once what they are told.
 */
import {
  ACTORS,
  Cluster,
  compareText,
  Config,
  defineKind,
  deriveId,
  EndpointSlice,
  isAtLeast,
  isTerminal,
  Network,
  newObject,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  withMeta,
  withSpec,
  withStatus,
  type AnyKind,
  type Kind,
  type Labels,
  type NodeAvailability,
  type ObjectId,
  type Random,
  type ServiceSpec,
  type StoredObject,
  type TaskStatus,
  type Timestamp,
} from '@skep/api';
import { create, defineController, noChanges, update } from '@skep/controller';
import type { ControllerDefinition, PlanController } from '@skep/controller';
import { builtInControllers, CLUSTER_ID, INGRESS_ID } from '@skep/orchestrator';
import { orchestratorController, planScale } from '@skep/orchestrator';
import type { Change } from '@skep/store';

export const SWARM_KINDS: readonly AnyKind[] = [
  Cluster,
  Config,
  EndpointSlice,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
];

/** All loops of a manager, made anew, and nodes. */
export function swarm(): readonly ControllerDefinition[] {
  return [...builtInControllers({}), taskRunner(), tableKeeper()];
}

/** Runs what is assigned, stops what is drained or has waited long enough. */
function taskRunner(): PlanController {
  return defineController({
    name: 'task-runner',
    actor: ACTORS.dispatcher,
    for: Task,
    plan: (view, taskId, now) => {
      const task = view.get(Task, taskId);
      if (task === undefined) return noChanges;
      const { state, drainedAt } = task.status;
      const { desiredState, stopBy = Infinity } = task.spec;
      if (!isAtLeast(state, 'assigned') || isTerminal(state)) return noChanges;
      const moved = (next: Partial<TaskStatus>): StoredObject =>
        withStatus(task, { ...task.status, ...next, timestamp: now, appliedAt: now });
      if (desiredState === 'shutdown' || desiredState === 'remove') {
        const isDue = drainedAt !== undefined || now >= stopBy;
        if (isDue) return { changes: [update(moved({ state: 'shutdown' }))] };
        return stopBy === Infinity ? noChanges : { changes: [], requeueAt: stopBy };
      }
      // What runs to its end is at its end as soon as it runs.
      const isOver = desiredState === 'complete' && state === 'running';
      const next = desiredState === 'ready' ? 'ready' : isOver ? 'complete' : 'running';
      if (state === next) return noChanges;
      const started: { runningAt?: Timestamp } = next === 'running' ? { runningAt: now } : {};
      return { changes: [update(moved({ state: next, ...started }))] };
    },
  });
}

/** What tables are made of. */
const TABLE_KINDS = [EndpointSlice, Network, Service, Task] as const;

/** Applies all tables at once, on all nodes: every revision that somebody may wait for. */
function tableKeeper(): PlanController {
  const everything = (): readonly string[] => ['all'];
  return defineController({
    name: 'table-keeper',
    actor: ACTORS.dispatcher,
    watches: [...TABLE_KINDS, Node].map((kind) => ({ kind, keys: everything })),
    plan: (view) => {
      const sent = TABLE_KINDS.flatMap((kind): readonly StoredObject[] => view.list(kind as Kind));
      const appliedRevision = Math.max(0, ...sent.map(({ meta }) => meta.version));
      const behind = view
        .list(Node)
        .filter(({ status }) => (status.tables?.appliedRevision ?? 0) < appliedRevision)
        .sort((a, b) => compareText(a.meta.id, b.meta.id));
      const tables = { appliedRevision };
      return {
        changes: behind.map((node) => update(withStatus(node, { ...node.status, tables }))),
      };
    },
  });
}

/** What every cluster has, and two nodes. */
export function surroundings(): readonly StoredObject[] {
  const ingress = newObject(Network, {
    id: INGRESS_ID,
    name: 'ingress',
    spec: { driver: { name: 'overlay' }, isIngress: true },
    finalizers: [ACTORS.allocator],
  });
  const back = newObject(Network, {
    id: deriveId('network', 'back'),
    name: 'back',
    spec: { driver: { name: 'overlay' } },
    finalizers: [ACTORS.allocator],
  });
  const cluster = newObject(Cluster, { id: CLUSTER_ID, name: 'default', spec: {} });
  return [cluster, ingress, back, node('one'), node('two')];
}

/** A node that is ready. */
export function node(
  name: string,
  availability: NodeAvailability = 'active',
  labels: Labels = {},
): StoredObject {
  return newObject(Node, {
    id: `node-${name}`,
    name,
    labels,
    spec: { role: 'worker', availability },
    status: {
      state: 'ready',
      message: '',
      address: `192.0.2.${name.length}`,
      description: {
        hostname: name,
        platform: { os: 'linux', architecture: 'amd64' },
        resources: { cpuNanos: 4e9, memoryBytes: 8e9 },
        engine: { version: '1', labels: {} },
      },
    },
  });
}

export const WEB_ID = deriveId('service', 'web');

/** A service with an address in a network, and a published port. */
export function web(image: string, replicas: number, spec: Partial<ServiceSpec> = {}): Service {
  return newObject(Service, {
    id: WEB_ID,
    name: 'web',
    finalizers: [ACTORS.orchestrator, ACTORS.allocator],
    spec: {
      mode: { type: 'replicated', replicas },
      task: { container: { image }, networks: [{ target: 'back' }] },
      update: { monitorMs: 1000 },
      endpoint: { ports: [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080 }] },
      ...spec,
    },
  });
}

interface WishSpec {
  readonly image?: string;
  readonly replicas?: number;
}

interface WishStatus {
  readonly isDone?: boolean;
}

/** Something that a client is to change in the service, once. */
export const Wish = defineKind<WishSpec, WishStatus>({ name: 'Wish', initialStatus: {} });

export const wish = (id: ObjectId, spec: WishSpec): StoredObject =>
  newObject(Wish, { id, name: id, spec });

/** Clients that read the service, change it, and write it back; who is beaten looks again. */
export function clients(): PlanController {
  return defineController({
    name: 'clients',
    actor: ACTORS.user,
    for: Wish,
    plan: (view, wishId) => {
      const wanted = view.get(Wish, wishId);
      const service = view.get(Service, WEB_ID);
      if (wanted === undefined || service === undefined || wanted.status.isDone) return noChanges;
      const { image, replicas } = wanted.spec;
      const { spec } = service;
      const container = { ...spec.task.container, image: image ?? '' };
      const wishes =
        replicas === undefined
          ? [update(withSpec(service, { ...spec, task: { ...spec.task, container } }))]
          : planScale(view, WEB_ID, replicas).changes;
      return { changes: [...wishes, update(withStatus(wanted, { isDone: true }))] };
    },
  });
}

/** The service loop, but each of its changes is a commit of its own: pieces as small as can be. */
export function piecemeal(): ControllerDefinition {
  const { plan, ...rest } = orchestratorController();
  return {
    ...rest,
    reconcile: async ({ view, now, commit }, key) => {
      const { changes, requeueAt } = plan(view, key, now);
      for (const change of changes) await commit([change]);
      return requeueAt === undefined ? {} : { requeueAt };
    },
  };
}

/** The service loop, but it draws the ids of its tasks, and does not count them. */
export function careless(random: Random): ControllerDefinition {
  const { plan, ...rest } = orchestratorController();
  const drawn = (change: Change): Change => {
    if (change.type !== 'create') return change;
    return create(withMeta(change.object, { id: `drawn-${random.int(2 ** 30)}` }));
  };
  return {
    ...rest,
    plan: (view, key, now) => {
      const whole = plan(view, key, now);
      const tasks = whole.changes.filter(({ type }) => type === 'create');
      return tasks.length === 0 ? whole : { ...whole, changes: tasks.map(drawn) };
    },
  };
}

/** All loops of a manager with another one in the place of one of them. */
export function swarmWith(other: ControllerDefinition): readonly ControllerDefinition[] {
  return swarm().map((each) => (each.name === other.name ? other : each));
}
