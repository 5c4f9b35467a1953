/**
 * Objects for views, each as it is in a healthy cluster but for what a test says.
 */
import {
  Cluster,
  EndpointSlice,
  Network,
  newObject,
  Node,
  Service,
  Task,
  type AllocatedPort,
  type NetworkStatus,
  type NodeStatus,
  type ServiceSpec,
  type ServiceStatus,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type View } from '@skep/store';

export function viewOf(...objects: readonly StoredObject[]): View {
  const kinds = [Cluster, EndpointSlice, Network, Node, Service, Task];
  const store = memoryStore({ clock: new VirtualClock(), kinds });
  // A memory store commits within the call.
  void store.commit({
    actor: 'user',
    changes: objects.map((object) => ({ type: 'create', object })),
  });
  return store.view();
}

export function service(
  id: string,
  status: Partial<ServiceStatus> = {},
  spec: Partial<ServiceSpec> = {},
): Service {
  return newObject(Service, {
    id,
    name: id,
    spec: { task: {}, ...spec },
    status: { observedGeneration: 1, createdTasks: 0, ...status },
  });
}

export function task(
  id: string,
  status: Partial<TaskStatus> = {},
  spec: Partial<TaskSpec> = {},
): Task {
  return newObject(Task, {
    id,
    spec: {
      serviceId: 'web',
      serviceName: 'web',
      slot: 1,
      desiredState: 'running',
      cause: 'scale',
      template: {},
      ...spec,
    },
    status: {
      state: 'running',
      timestamp: 0,
      appliedAt: 0,
      message: '',
      nodeId: 'n1',
      runningAt: 1,
      ...status,
    },
  });
}

export function node(id: string, status: Partial<NodeStatus> = {}): Node {
  return newObject(Node, {
    id,
    name: id,
    spec: { role: 'worker', availability: 'active' },
    status: { state: 'ready', message: '', address: '', ...status },
  });
}

export function network(id: string, status: Partial<NetworkStatus> = {}): Network {
  return newObject(Network, {
    id,
    name: id,
    spec: {},
    status: { observedGeneration: 1, subnets: [], quarantine: [], ...status },
  });
}

export function slice(...backends: readonly string[]): EndpointSlice {
  return newObject(EndpointSlice, {
    id: 'slice',
    spec: {
      serviceId: 'web',
      networkId: 'a',
      index: 0,
      backends: backends.map((taskId) => ({
        taskId,
        taskName: taskId,
        nodeId: 'n1',
        address: '10.0.0.3',
        weight: 1,
        state: 'serving',
        aliases: [],
      })),
    },
  });
}

export function endpoint(
  change: Partial<NonNullable<ServiceStatus['endpoint']>>,
): Required<Pick<ServiceStatus, 'endpoint'>> {
  const nothing = { observedGeneration: 1, mode: 'vip', ports: [], virtualAddresses: [] } as const;
  return { endpoint: { ...nothing, ...change } };
}

export function port(
  publishedPort: number,
  publishMode: 'ingress' | 'host' = 'ingress',
): AllocatedPort {
  return { name: '', protocol: 'tcp', targetPort: 80, publishedPort, publishMode };
}

export const SUBNET = {
  subnet: '10.0.0.0/24',
  gateway: '10.0.0.1',
  vxlanId: 4097,
  lastAddress: '',
};
export const inA = (address: string) => ({ networkId: 'a', address });
export const taskInA = (address: string) => ({
  networks: [{ networkId: 'a', addresses: [address], aliases: [] }],
});
export const reserving = (cpuNanos: number, memoryBytes: number): Partial<TaskSpec> => ({
  template: { resources: { reservations: { cpuNanos, memoryBytes } } },
});
export const DESCRIPTION = {
  hostname: 'n1',
  platform: { os: 'linux', architecture: 'amd64' },
  resources: { cpuNanos: 2e9, memoryBytes: 100 },
  engine: { version: '1', labels: {} },
} as const;
