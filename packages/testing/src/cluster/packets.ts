/**
 * Packets through a cluster, and the law about them: none reaches a task that is not running, or
 * that belongs to another service.
 */
import {
  byService,
  compareText,
  isDeleting,
  Network,
  Node,
  Service,
  Task,
  taskName,
  type AllocatedPort,
} from '@skep/api';
import type { RequestResult, SimulatedHost } from '@skep/adapter-simulator';
import type { View } from '@skep/store';
import type { TestCluster } from './test-cluster.js';

/** Whom a request is meant for, and how it is made. */
interface Probe {
  readonly text: string;
  readonly service: Service;
  readonly request: () => RequestResult;
}

/**
 * Sends a request to every published port of every READY node, and from one running task of each
 * node to every virtual address of its networks. What is wrong about where they arrived, as
 * sentences; requests that nobody took are fine. Cost: O(nodes × (ports + addresses)) requests.
 *
 * A node that is not READY may hold old tables; nobody waits for it (it gets all of them before it
 * is READY again), so nothing is asked of it here.
 */
export function strayPackets(cluster: TestCluster): readonly string[] {
  const view = cluster.view();
  return probes(cluster, view).flatMap(({ text, service, request }) => {
    const result = request();
    const fault = faultOf(cluster, view, service, result);
    return fault === undefined ? [] : [`${text} ${fault}`];
  });
}

/**
 * The law of a settled cluster: every published port of a service with running tasks is answered
 * from every READY node, and so is every virtual address, by all backends in turn.
 */
export function unansweredPackets(cluster: TestCluster): readonly string[] {
  const view = cluster.view();
  return probes(cluster, view).flatMap(({ text, service, request }) => {
    const running = view
      .list(Task, byService(service.meta.id))
      .filter(({ status }) => status.state === 'running')
      .map(({ meta }) => meta.id);
    if (running.length === 0) return [];
    const results = running.map(() => request());
    const failed = results.find(({ outcome }) => outcome !== 'answered');
    if (failed !== undefined) return [`${text} is ${failed.outcome}: ${failed.reason ?? ''}`];
    const reached = new Set(results.map(({ taskId }) => taskId));
    if (reached.size === running.length) return [];
    return [`${text} reaches ${reached.size} of ${running.length} tasks`];
  });
}

function probes(cluster: TestCluster, view: View): readonly Probe[] {
  const nodes = view
    .list(Node)
    .filter(({ status }) => status.state === 'ready')
    .sort((a, b) => compareText(a.meta.name, b.meta.name));
  const services = view
    .list(Service)
    .filter((service) => !isDeleting(service))
    .sort((a, b) => compareText(a.meta.name, b.meta.name));
  return nodes.flatMap((node) => {
    const host = cluster.simulator.host(node.meta.id);
    if (!host.isOn) return [];
    return services.flatMap((service) => [
      ...publishedProbes(cluster, service, host),
      ...addressProbes({ cluster, view, service, node, host }),
    ]);
  });
}

function publishedProbes(
  cluster: TestCluster,
  service: Service,
  host: SimulatedHost,
): readonly Probe[] {
  const ports = service.status.endpoint?.ports ?? [];
  const isIngress = ({ publishMode }: AllocatedPort): boolean => publishMode === 'ingress';
  return ports.filter(isIngress).map(({ publishedPort, protocol }) => ({
    text: `${host.name}:${publishedPort} (${service.meta.name})`,
    service,
    request: () => cluster.simulator.request(`${host.name}:${publishedPort}`, { protocol }),
  }));
}

function addressProbes(input: {
  readonly cluster: TestCluster;
  readonly view: View;
  readonly service: Service;
  readonly node: Node;
  readonly host: SimulatedHost;
}): readonly Probe[] {
  const { cluster, view, service, node, host } = input;
  const addresses = service.status.endpoint?.virtualAddresses ?? [];
  return addresses.flatMap(({ networkId, address }) => {
    const network = view.get(Network, networkId);
    const asker = view
      .list(Task)
      .filter(({ status }) => status.nodeId === node.meta.id && status.state === 'running')
      .filter(({ status }) => (status.networks ?? []).some((one) => one.networkId === networkId))
      .filter(({ meta }) => host.runtime.container(meta.id)?.state === 'running')
      .sort((a, b) => compareText(a.meta.id, b.meta.id))[0];
    if (asker === undefined || network === undefined || network.spec.isIngress === true) return [];
    const plain = address.split('/')[0] ?? address;
    const from = asker.meta.id;
    return [
      {
        text: `${plain} (${service.meta.name} in ${network.meta.name}) from ${taskName(asker)}`,
        service,
        request: () => cluster.simulator.request(`${plain}:80`, { from }),
      },
    ];
  });
}

/** What is wrong about where a request arrived. */
function faultOf(
  cluster: TestCluster,
  view: View,
  service: Service,
  result: RequestResult,
): string | undefined {
  const { taskId, outcome } = result;
  if (taskId === undefined) return undefined;
  const container = cluster.simulator.hosts
    .map(({ runtime }) => runtime.container(taskId))
    .find((found) => found !== undefined);
  const task = view.get(Task, taskId);
  const name = task === undefined ? taskId : taskName(task);
  const owner = task?.spec.serviceName ?? container?.task.serviceName;
  if (owner !== service.meta.name && (outcome === 'answered' || owner !== undefined)) {
    return `reaches ${name} of another service`;
  }
  if (task?.status.drainedAt !== undefined && wasRouted(task)) {
    return `reaches ${name}, which is out of all tables (${outcome})`;
  }
  if (outcome === 'answered' && task?.status.state !== 'running') {
    return `is answered by ${name}, which is ${task?.status.state ?? 'gone'}`;
  }
  if (container?.state === 'running' || task === undefined) return undefined;
  // That a container ended by itself, or with its host, is known to its node only, if at all. One
  // that was told to end was drained before, but for the one whose time was up.
  const isToldToEnd = task.spec.desiredState === 'shutdown' || task.spec.desiredState === 'remove';
  const isLate = cluster.clock.now() >= (task.spec.stopBy ?? Infinity);
  const hasCrashed = container === undefined || cluster.crashed.has(taskId);
  if (!isToldToEnd || isLate || hasCrashed) return undefined;
  return `reaches ${name}, which was stopped before tables let go of it`;
}

/** Whether a task was ever behind an address, so that the end of that means something. */
function wasRouted(task: Task): boolean {
  return task.status.runningAt !== undefined;
}
