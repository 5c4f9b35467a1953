/**
 * Stored objects in a few words, and views of them.
 */
import {
  Network,
  newObject,
  Node,
  Service,
  Task,
  type NetworkStatus,
  type NodeStatus,
  type ServiceSpec,
  type ServiceStatus,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Store, type View } from '@skep/store';
import { BUILT_IN_KINDS } from '../modules/store-module.js';

export function node(id: string, status: Partial<NodeStatus> = {}, name = id): Node {
  return newObject(Node, {
    id,
    name,
    spec: { role: 'worker', availability: 'active' },
    status: { state: 'ready', message: '', address: '1.1.1.1', ...status },
  });
}

export function service(
  id: string,
  spec: Partial<ServiceSpec> = {},
  status: Partial<ServiceStatus> = {},
): Service {
  return newObject(Service, {
    id,
    name: id,
    spec: { task: { container: { image: 'web' } }, ...spec },
    status: { observedGeneration: 1, createdTasks: 0, ...status },
  });
}

export function task(
  id: string,
  spec: Partial<TaskSpec> = {},
  status: Partial<TaskStatus> = {},
): Task {
  const base = { serviceName: 'web', slot: 1, desiredState: 'running', cause: 'scale' } as const;
  return newObject(Task, {
    id,
    spec: { serviceId: 'web', template: {}, ...base, ...spec },
    status: { ...Task.initialStatus, state: 'running', ...status },
  });
}

export function network(id: string, status: Partial<NetworkStatus> = {}): Network {
  return newObject(Network, {
    id,
    name: id,
    spec: {},
    status: { ...Network.initialStatus, ...status },
  });
}

/** A store of these objects, written in this order, a commit each. */
export async function storeOf(...objects: readonly StoredObject[]): Promise<Store> {
  const store = memoryStore({ clock: new VirtualClock(), kinds: BUILT_IN_KINDS });
  for (const object of objects) {
    const result = await store.commit({ actor: 'test', changes: [{ type: 'create', object }] });
    if (!result.ok) throw new Error(result.conflict.message);
  }
  return store;
}

/** A view of these objects. */
export async function viewOf(...objects: readonly StoredObject[]): Promise<View> {
  return (await storeOf(...objects)).view();
}
