import { newObject, Node, Service, Task } from '@skep/api';
import type { AllocatedPort, NodeState, TaskState } from '@skep/api';

let created = 0;

/** A node with an address. */
export function aNode(name: string, address: string, state: NodeState = 'ready'): Node {
  const node = newObject(Node, {
    id: name,
    name,
    spec: { role: 'worker', availability: 'active' },
  });
  return { ...node, status: { ...node.status, state, address } };
}

/** A service with published ports: `8080/tcp`, `53/udp host`. */
export function aService(name: string, ...ports: readonly string[]): Service {
  const service = newObject(Service, { id: name, name, spec: { task: {} } });
  const endpoint = {
    observedGeneration: 1,
    mode: 'vip' as const,
    virtualAddresses: [],
    ports: ports.map(portOf),
  };
  return { ...service, status: { ...service.status, endpoint } };
}

/** A task of a service on a node. */
export function aTask(
  serviceId: string,
  nodeId: string,
  state: TaskState,
  ...ports: readonly string[]
): Task {
  created += 1;
  const id = `${serviceId}.${created}`;
  const task = newObject(Task, {
    id,
    name: id,
    spec: { serviceId, slot: created, nodeId, desiredState: 'running' } as Task['spec'],
  });
  return { ...task, status: { ...task.status, state, hostPorts: ports.map(portOf) } };
}

function portOf(text: string): AllocatedPort {
  const [number, protocol, mode = 'ingress'] = text.split(/[/ ]/);
  return {
    name: '',
    protocol: protocol as AllocatedPort['protocol'],
    targetPort: 80,
    publishedPort: Number(number),
    publishMode: mode as AllocatedPort['publishMode'],
  };
}
