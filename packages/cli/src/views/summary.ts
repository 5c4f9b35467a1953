/**
 * A cluster in tables, and as data.
 */
import Table from 'cli-table3';
import {
  byNode,
  byService,
  compareBy,
  compareText,
  hostnameOf,
  isJob,
  isRunnable,
  Network,
  Node,
  serviceMode,
  Service,
  Task,
  taskName,
  wantedReplicas,
  type StoredObject,
} from '@skep/api';
import type { View } from '@skep/store';

const byName = (a: StoredObject, b: StoredObject): number => compareText(a.meta.name, b.meta.name);

/** Lines between columns only; no colour, so that the output is the same everywhere. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const plain = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  plain.push(...rows.map((row) => [...row]));
  return plain.toString();
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Nodes with their state, and how many tasks each has. */
export function nodesTable(view: View): string {
  const rows = [...view.list(Node)]
    .sort(byName)
    .map((node) => [
      hostnameOf(node),
      node.spec.role,
      node.status.state,
      node.spec.availability,
      node.status.address,
      String(tasksOn(view, node).length),
    ]);
  return table(['NODE', 'ROLE', 'STATE', 'AVAILABILITY', 'ADDRESS', 'TASKS'], rows);
}

function tasksOn(view: View, node: Node): readonly Task[] {
  return view.list(Task, byNode(node.meta.id)).filter(({ status }) => isRunnable(status.state));
}

/** Services with their replicas and ports. */
export function servicesTable(view: View): string {
  const rows = [...view.list(Service)]
    .sort(byName)
    .map((service) => [
      service.meta.name,
      serviceMode(service.spec).type,
      replicasOf(view, service),
      service.spec.task.container?.image ?? '',
      (service.status.endpoint?.ports ?? [])
        .map(
          ({ publishedPort, targetPort, protocol }) => `${publishedPort}→${targetPort}/${protocol}`,
        )
        .join(' '),
      placesOf(view, service),
    ]);
  return table(['SERVICE', 'MODE', 'REPLICAS', 'IMAGE', 'PORTS', 'NODES'], rows);
}

/** `2/3`: running and wanted. A global service wants a task on every node that qualifies. */
export function replicasOf(view: View, service: Service): string {
  const tasks = view.list(Task, byService(service.meta.id));
  const running = tasks.filter(({ status }) => status.state === 'running').length;
  const mode = serviceMode(service.spec);
  if (isJob(mode)) {
    const complete = tasks.filter(({ status }) => status.state === 'complete').length;
    return `${running} + ${complete} complete`;
  }
  const wanted =
    wantedReplicas(service.spec) ??
    tasks.filter(({ spec }) => spec.desiredState === 'running').length;
  return `${running}/${wanted}`;
}

/** Names of the global services that have no task, since no node qualifies; sorted. */
export function globalsWithoutNodes(view: View): readonly string[] {
  return view
    .list(Service)
    .filter((service) => serviceMode(service.spec).type === 'global')
    .filter((service) => view.count(Task, byService(service.meta.id)) === 0)
    .map(({ meta }) => meta.name)
    .sort(compareText);
}

/** `node1 ×3, node2`: where running tasks are. */
export function placesOf(view: View, service: Service): string {
  const counts = new Map<string, number>();
  for (const { status } of view.list(Task, byService(service.meta.id))) {
    if (status.state !== 'running') continue;
    const node = view.get(Node, status.nodeId ?? '');
    const name = node === undefined ? '?' : hostnameOf(node);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, count]) => (count === 1 ? name : `${name} ×${count}`))
    .join(', ');
}

/** Nodes, networks, services and tasks as plain data, sorted by name. */
export function clusterSummary(view: View): Readonly<Record<string, unknown>> {
  const tasks = [...view.list(Task)].sort(
    compareBy(
      (a, b) => compareText(a.spec.serviceName, b.spec.serviceName),
      (a, b) => a.spec.slot - b.spec.slot,
      (a, b) => compareText(a.meta.id, b.meta.id),
    ),
  );
  return {
    nodes: [...view.list(Node)].sort(byName).map(({ meta, spec, status }) => ({
      id: meta.id,
      name: meta.name,
      role: spec.role,
      availability: spec.availability,
      state: status.state,
      address: status.address,
      networks: status.networks ?? [],
    })),
    networks: [...view.list(Network)].sort(byName).map(({ meta, status }) => ({
      id: meta.id,
      name: meta.name,
      subnets: status.subnets,
    })),
    services: [...view.list(Service)].sort(byName).map(({ meta, spec, status }) => ({
      id: meta.id,
      name: meta.name,
      mode: serviceMode(spec),
      endpoint: status.endpoint ?? null,
      update: status.update ?? null,
    })),
    tasks: tasks.map((task) => ({
      id: task.meta.id,
      name: taskName(task),
      slot: task.spec.slot,
      desiredState: task.spec.desiredState,
      state: task.status.state,
      message: task.status.message,
      error: task.status.error ?? null,
      node: nodeNameOf(view, task),
      networks: task.status.networks ?? [],
      placement: task.status.placement ?? null,
      pending: task.status.pending ?? null,
    })),
  };
}

function nodeNameOf(view: View, task: Task): string | null {
  const node = view.get(Node, task.status.nodeId ?? '');
  return node === undefined ? null : hostnameOf(node);
}
