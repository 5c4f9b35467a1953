/**
 * A small cluster as plain objects: two nodes, two networks, three services and their tasks.
 */
import {
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  newObject,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  withMeta,
  type AnyKind,
  type NodeSpec,
  type ServiceSpec,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import type { ObjectList } from '@skep/control';
import { BUILT_IN_KINDS } from 'skep';
import type { View } from '@skep/store';
import { viewOf } from '../live/replica.js';

/** The manager's clock in these tests. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** When everything was created: five minutes before. */
export const THEN = NOW - 300_000;

/** The object as a store would have stamped it. */
export function stored<T extends StoredObject>(object: T, version = 7): T {
  return withMeta(object, { version, createdAt: THEN, updatedAt: THEN }) as T;
}

/** A node that is ready. */
export function nodeOf(name: string, spec: Partial<NodeSpec> = {}): Node {
  return stored(
    newObject(Node, {
      id: `id-${name}`,
      name,
      labels: name === 'node2' ? { disk: 'ssd' } : {},
      spec: { role: name === 'node1' ? 'manager' : 'worker', availability: 'active', ...spec },
      status: {
        state: 'ready',
        message: '',
        address: `10.90.0.1${name.slice(-1)}`,
        networks: [{ networkId: 'net-front', address: `10.0.1.25${name.slice(-1)}/24` }],
        tables: { appliedRevision: 9 },
        description: {
          hostname: name,
          platform: { os: 'linux', architecture: 'amd64' },
          resources: { cpuNanos: 4e9, memoryBytes: 8 * 2 ** 30 },
          engine: { version: '1.2', labels: {} },
        },
      },
    }),
  );
}

/** A service with a virtual address in the network `front`. */
export function serviceOf(
  name: string,
  spec: Partial<ServiceSpec> = {},
  status: Partial<Service['status']> = {},
): Service {
  return stored(
    newObject(Service, {
      id: `id-${name}`,
      name,
      spec: {
        mode: { type: 'replicated', replicas: 2 },
        task: { container: { image: `${name}:1` }, networks: [{ target: 'front' }] },
        ...spec,
      },
      status: {
        observedGeneration: 1,
        createdTasks: 2,
        endpoint: {
          observedGeneration: 1,
          mode: 'vip',
          ports: [
            {
              name: '',
              protocol: 'tcp',
              targetPort: 80,
              publishedPort: 8080,
              publishMode: 'ingress',
            },
          ],
          virtualAddresses: [{ networkId: 'net-front', address: '10.0.1.2/24' }],
        },
        ...status,
      },
    }),
  );
}

/** A task; on node1, running, unless it is said otherwise. */
export function taskOf(
  service: string,
  slot: number,
  spec: Partial<TaskSpec> = {},
  status: Partial<TaskStatus> = {},
): Task {
  return stored(
    newObject(Task, {
      id: `${service}${slot}abcdefghij`,
      spec: {
        serviceId: `id-${service}`,
        serviceName: service,
        slot,
        desiredState: 'running',
        specVersion: 1,
        template: { container: { image: `${service}:1` } },
        cause: 'scale',
        ...spec,
      },
      status: {
        state: 'running',
        timestamp: NOW - 60_000,
        appliedAt: NOW - 60_000,
        message: 'started',
        nodeId: 'id-node1',
        networks: [{ networkId: 'net-front', addresses: [`10.0.1.1${slot}/24`], aliases: [] }],
        ...status,
      },
    }),
  );
}

/** What a task says that waits for a node. */
export const PENDING: Partial<TaskStatus> = Object.freeze({
  state: 'pending',
  nodeId: undefined as never,
  message: 'pending task scheduling',
  pending: {
    code: 'no-suitable-node',
    message: 'no suitable node (1 of 2)',
    filters: [{ filter: 'constraint', nodes: 2 }],
    nodes: [{ nodeId: 'id-node1', nodeName: 'node1', filters: ['constraint'] }],
  },
});

const front = stored(
  newObject(Network, {
    id: 'net-front',
    name: 'front',
    spec: { driver: { name: 'overlay' }, isAttachable: true },
    status: {
      observedGeneration: 1,
      subnets: [
        { subnet: '10.0.1.0/24', gateway: '10.0.1.1', vxlanId: 4097, lastAddress: '10.0.1.12' },
      ],
      quarantine: [],
    },
  }),
);

/** Every object of the small cluster. */
export const OBJECTS: readonly StoredObject[] = Object.freeze([
  nodeOf('node1'),
  nodeOf('node2', { availability: 'drain' }),
  front,
  serviceOf('web'),
  serviceOf('db', { mode: { type: 'replicated', replicas: 1 } }),
  taskOf('web', 1),
  taskOf('web', 2, {}, { state: 'starting' }),
  taskOf('db', 1, {}, PENDING),
  stored(newObject(Secret, { id: 'id-token', name: 'token', spec: {} })),
  stored(newObject(Config, { id: 'id-conf', name: 'conf', spec: { data: 'aGVsbG8=' } })),
  stored(
    newObject(Volume, {
      id: 'id-vol',
      name: 'vol',
      spec: {
        driver: { name: 'csi' },
        access: { scope: 'single', sharing: 'none', type: 'mount' },
      },
    }),
  ),
  stored(newObject(Cluster, { id: 'default', name: 'default', spec: { dataplane: 'nftables' } })),
  stored(
    newObject(Lease, {
      id: 'lease',
      name: 'leader',
      spec: { holder: 'm1', term: 3, durationMs: 1, acquiredAt: THEN, renewedAt: NOW - 5_000 },
    }),
  ),
  stored(
    newObject(EndpointSlice, {
      id: 'slice',
      spec: {
        serviceId: 'id-web',
        networkId: 'net-front',
        index: 0,
        backends: [
          {
            taskId: 'web1abcdefghij',
            taskName: 'web.1.web1abcdefghij',
            nodeId: 'id-node1',
            address: '10.0.1.11',
            weight: 1,
            state: 'serving',
            aliases: [],
          },
        ],
      },
    }),
  ),
  stored(
    newObject(Event, {
      id: 'event',
      spec: {
        regarding: { kind: 'Service', id: 'id-web', name: 'web' },
        type: 'warning' as const,
        reason: 'TaskFailed',
        message: 'it failed',
        actor: 'orchestrator',
        count: 3,
        firstAt: THEN,
        lastAt: NOW - 30_000,
      },
    }),
  ),
]);

/** A list as a manager sends it. */
export function listOf(objects: readonly StoredObject[], revision = 9): ObjectList {
  return { revision, objects };
}

/** A view of these objects. */
export function smallView(
  objects: readonly StoredObject[] = OBJECTS,
  kinds: readonly AnyKind[] = BUILT_IN_KINDS,
): Promise<View> {
  return viewOf(listOf(objects), kinds);
}
