/**
 * Which published ports this machine answers, and which nodes they lead to.
 */
import type { Node, PortProtocol, Service, Task } from '@skep/api';

/** Where what comes to a port is sent. */
export interface PortTarget {
  readonly address: string;
  readonly port: number;
}

/** A port that services publish. */
export interface WantedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Names of the services, for people. */
  readonly service: string;
  /** By address. Empty: nobody could answer just now. */
  readonly targets: readonly PortTarget[];
}

/** What is known of the cluster. */
export interface PublishedObjects {
  readonly services: Iterable<Service>;
  readonly nodes: Iterable<Node>;
  /** For ports that only the nodes of a service's tasks answer. */
  readonly tasks: Iterable<Task>;
}

/**
 * Ports in order of number and protocol. An ingress port leads to every node that is ready; when
 * none is, to every node: kernels go on without their agents.
 */
export function wantedPorts(objects: PublishedObjects): readonly WantedPort[] {
  const ready = addressesOf(objects.nodes);
  const tasks = [...objects.tasks].filter(({ status }) => status.state === 'running');
  const found = new Map<string, { port: WantedPort; targets: Map<string, PortTarget> }>();
  const add = (
    service: string,
    protocol: PortProtocol,
    number: number,
    addresses: Iterable<string>,
  ): void => {
    // Nothing in user space forwards SCTP; 0 is a port that is not decided yet.
    if (protocol === 'sctp' || number === 0) return;
    const key = `${protocol}/${number}`;
    const port = { protocol, port: number, service, targets: [] };
    const entry = found.get(key) ?? { port, targets: new Map<string, PortTarget>() };
    for (const address of addresses) {
      const target = { address, port: number };
      entry.targets.set(`${address}/${number}`, target);
    }
    found.set(key, entry);
  };
  for (const service of [...objects.services].sort((a, b) => compare(a.meta.name, b.meta.name))) {
    for (const port of service.status.endpoint?.ports ?? []) {
      if (port.publishMode !== 'ingress') continue;
      add(service.meta.name, port.protocol, port.publishedPort, ready.values());
    }
    for (const task of tasks.filter(({ spec }) => spec.serviceId === service.meta.id)) {
      const address = ready.get(task.spec.nodeId ?? '');
      if (address === undefined) continue;
      for (const port of task.status.hostPorts ?? []) {
        add(service.meta.name, port.protocol, port.publishedPort, [address]);
      }
    }
  }
  return [...found.values()]
    .map(({ port, targets }) => ({
      ...port,
      targets: [...targets.values()].sort((a, b) => compare(a.address, b.address)),
    }))
    .sort((a, b) => a.port - b.port || compare(a.protocol, b.protocol));
}

/** Addresses of nodes by their ids. */
function addressesOf(nodes: Iterable<Node>): ReadonlyMap<string, string> {
  const known = [...nodes].filter(({ status }) => status.address !== '');
  const ready = known.filter(({ status }) => status.state === 'ready');
  const used = ready.length > 0 ? ready : known;
  return new Map(used.map(({ meta, status }) => [meta.id, status.address]));
}

/** Whether any service has ports that only the nodes of its tasks answer. */
export function needsTasks(services: Iterable<Service>): boolean {
  for (const { status } of services) {
    if (status.endpoint?.ports.some(({ publishMode }) => publishMode === 'host') === true) {
      return true;
    }
  }
  return false;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
