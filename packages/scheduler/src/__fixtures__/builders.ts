/**
 * Nodes, tasks and the like for tests, with defaults that fit anything.
 */
import {
  Network,
  Node,
  Service,
  Task,
  Volume,
  newObject,
  withMeta,
  type EndpointSpec,
  type EnginePlugin,
  type GenericResource,
  type Labels,
  type NodeFaults,
  type NodeResources,
  type NodeSpec,
  type NodeState,
  type Platform,
  type Resources,
  type TaskSpec,
  type TaskStatus,
  type TaskTemplate,
  type VolumeAccess,
  type VolumeSpec,
  type VolumeStatus,
} from '@skep/api';
import { ClusterState } from '../cluster-state.js';
import {
  placeGroup,
  type GroupPlacement,
  type Placement,
  type PlacementReason,
} from '../place.js';
import type { Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { groupTasks, type TaskGroup } from '../task-group.js';

export const MB = 1_000_000;

export interface NodeInput {
  readonly id?: string;
  readonly name?: string;
  readonly state?: NodeState;
  readonly availability?: NodeSpec['availability'];
  readonly role?: NodeSpec['role'];
  readonly address?: string;
  readonly labels?: Labels;
  readonly engineLabels?: Labels;
  readonly platform?: Platform;
  readonly plugins?: readonly EnginePlugin[];
  readonly resources?: NodeResources;
  readonly topology?: Labels;
  readonly hasNoDescription?: boolean;
}

/** A node that is ready; 4 cores and 8 GB unless said otherwise. */
export function node(input: NodeInput = {}): Node {
  const id = input.id ?? 'n1';
  const description = {
    hostname: input.name ?? id,
    platform: input.platform ?? { os: 'linux', architecture: 'amd64' },
    resources: input.resources ?? { cpuNanos: 4e9, memoryBytes: 8000 * MB },
    engine: {
      version: '24.0',
      labels: input.engineLabels ?? {},
      ...(input.plugins === undefined ? {} : { plugins: input.plugins }),
    },
    ...(input.topology === undefined ? {} : { topology: input.topology }),
  };
  return newObject(Node, {
    id,
    name: input.name ?? id,
    labels: input.labels ?? {},
    spec: { role: input.role ?? 'worker', availability: input.availability ?? 'active' },
    status: {
      state: input.state ?? 'ready',
      message: '',
      address: input.address ?? '10.1.0.1',
      ...(input.hasNoDescription ? {} : { description }),
    },
  });
}

/** Nodes named n1 … nN. */
export function nodes(count: number, input: NodeInput = {}): Node[] {
  return Array.from({ length: count }, (_, at) => node({ ...input, id: `n${at + 1}` }));
}

export interface TaskInput {
  readonly id?: string;
  /** Id and name of the service; null for a stand-alone task. */
  readonly service?: string | null;
  readonly slot?: number;
  /** Default 1; null for none. */
  readonly specVersion?: number | null;
  readonly desiredState?: TaskSpec['desiredState'];
  readonly state?: TaskStatus['state'];
  /** The node that the task is on. */
  readonly nodeId?: string;
  /** The node that it is to go to. */
  readonly preassignedTo?: string;
  readonly reservations?: Resources;
  readonly template?: TaskTemplate;
  readonly ports?: EndpointSpec['ports'];
  readonly networks?: readonly string[];
  readonly generic?: readonly GenericResource[];
  readonly volumes?: NonNullable<TaskStatus['volumes']>;
  readonly createdAt?: number;
}

/** A task that waits for a node, or runs on one if `nodeId` is given. */
export function task(input: TaskInput = {}): Task {
  const service = input.service === undefined ? 'web' : input.service;
  const specVersion = input.specVersion === undefined ? 1 : input.specVersion;
  const slot = input.slot ?? 1;
  const created = newObject(Task, {
    id: input.id ?? `${service ?? 'task'}.${slot}`,
    spec: {
      ...(service === null ? {} : { serviceId: service }),
      serviceName: service ?? '',
      slot,
      ...(input.preassignedTo === undefined ? {} : { nodeId: input.preassignedTo }),
      desiredState: input.desiredState ?? 'running',
      ...(specVersion === null ? {} : { specVersion }),
      template: {
        ...(input.reservations === undefined
          ? {}
          : { resources: { reservations: input.reservations } }),
        ...input.template,
      },
      ...(input.ports === undefined ? {} : { endpoint: { ports: input.ports } }),
      cause: 'scale',
    },
    status: {
      state: input.state ?? (input.nodeId === undefined ? 'pending' : 'running'),
      timestamp: 0,
      appliedAt: 0,
      message: '',
      ...(input.nodeId === undefined ? {} : { nodeId: input.nodeId }),
      ...(input.generic === undefined ? {} : { genericResources: input.generic }),
      ...(input.volumes === undefined ? {} : { volumes: input.volumes }),
      networks: (input.networks ?? []).map((networkId) => ({
        networkId,
        addresses: [],
        aliases: [],
      })),
    },
  });
  return withMeta(created, { version: 1, createdAt: input.createdAt ?? 0 }) as Task;
}

/** Tasks of one service in slots 1 … N (or from `firstSlot`). */
export function tasks(count: number, input: TaskInput & { readonly firstSlot?: number } = {}) {
  const first = input.firstSlot ?? 1;
  return Array.from({ length: count }, (_, at) => task({ ...input, slot: first + at }));
}

/** Tasks of a service that run on a node already. */
export function running(count: number, on: { readonly nodeId: string } & TaskInput): Task[] {
  const service = on.service ?? 'web';
  return Array.from({ length: count }, (_, at) =>
    task({ ...on, id: `${service}.${on.nodeId}.${at}`, slot: 1000 + at }),
  );
}

/** A service with a fault memory. */
export function faultyService(id: string, faults: readonly NodeFaults[]): Service {
  return newObject(Service, {
    id,
    name: id,
    spec: { task: {} },
    status: { observedGeneration: 1, createdTasks: 0, faults },
  });
}

export function network(id: string, driver: string): Network {
  return newObject(Network, { id, name: id, spec: { driver: { name: driver } } });
}

export function volume(
  id: string,
  input: Partial<VolumeSpec> & {
    readonly access?: VolumeAccess;
    readonly status?: VolumeStatus;
  } = {},
): Volume {
  const { status, ...spec } = input;
  return newObject(Volume, {
    id,
    name: id,
    spec: {
      driver: { name: 'csi' },
      access: { scope: 'multi', sharing: 'all', type: 'mount' },
      ...spec,
    },
    status: status ?? { volumeId: `driver-${id}` },
  });
}

/** The one group that these tasks are. */
export function group(members: readonly Task[]): TaskGroup {
  const [first, ...others] = groupTasks(members);
  if (first === undefined || others.length > 0) throw new Error('the tasks are not one group');
  return first;
}

/** Places all tasks, group by group, as the scheduler loop does. */
export function placeAll(
  state: ClusterState,
  members: readonly Task[],
  options: { readonly now?: number; readonly policy?: Policy } = {},
): GroupPlacement {
  const { now = 0, policy = swarmPolicy() } = options;
  const results = groupTasks(members).map((one) => placeGroup(state, one, { policy, now }));
  return {
    placements: results.flatMap((result) => result.placements),
    unplaced: results.flatMap((result) => result.unplaced),
  };
}

/** How many tasks went to each node. */
export function countsByNode(result: GroupPlacement): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { nodeId } of result.placements) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

/** Task id → node id. */
export function placesOf(result: GroupPlacement): Record<string, string> {
  return Object.fromEntries(result.placements.map(({ taskId, nodeId }) => [taskId, nodeId]));
}

/** Where a task went and why, in one. */
export function decision(placement?: Placement): PlacementReason & { readonly nodeId: string } {
  if (placement === undefined) throw new Error('nothing was placed');
  return { nodeId: placement.nodeId, ...placement.reason };
}
