/**
 * Services and tasks for tests.
 */
import {
  Service,
  SkepError,
  Task,
  newObject,
  wantedReplicas,
  withMeta,
  type EndpointSpec,
  type Placement,
  type PortProtocol,
  type PortSpec,
  type ServiceSpec,
  type ServiceStatus,
  type TaskTemplate,
} from '@skep/api';
import { wholeAmount } from './amount.js';
import {
  checkOptions,
  type DemandOptions,
  type ServiceOptions,
  type TaskOptions,
} from './options.js';
import { reservations } from './resources.js';

/**
 * A replicated service of one replica that needs nothing, but for what the options say.
 * @throws invalid-argument for an option that does not exist, or an amount that is none.
 */
export function service(name: string, options: ServiceOptions = {}): Service {
  const where = `service('${name}')`;
  checkOptions('service', options, where);
  const { labels, version = 1 } = options;
  const endpoint = endpointOf(options, where);
  const replicas = wholeAmount(options.replicas ?? 1, `${where}: replicas`);
  const created = newObject(Service, {
    id: name,
    name,
    ...(labels === undefined ? {} : { labels }),
    spec: {
      mode: { type: 'replicated', replicas },
      task: templateOf(options, where),
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    status: {
      observedGeneration: version,
      createdTasks: 0,
      ...(options.faults === undefined ? {} : { faults: faultsOf(options.faults, version) }),
    },
  });
  const generation = wholeAmount(version, `${where}: version`, 1);
  return withMeta<ServiceSpec, ServiceStatus>(created, { generation });
}

/** As if they had failed just now: at the time 0 of the tests. */
function faultsOf(
  faults: NonNullable<ServiceOptions['faults']>,
  specVersion: number,
): NonNullable<Service['status']['faults']> {
  return Object.entries(faults).map(([nodeId, count]) => ({
    nodeId,
    specVersion,
    times: Array.from({ length: count }, () => 0),
  }));
}

/** The tasks that a replicated service wants, `web.1` and on; they wait for a node. */
export function tasksOf(wanted: Service): readonly Task[] {
  return Array.from({ length: wantedReplicas(wanted.spec) ?? 0 }, (_, at) =>
    taskOf(wanted, { name: `${wanted.meta.name}.${at + 1}`, slot: at + 1 }),
  );
}

/** The tasks of a service, running on a node already: `web@n1.1` and on. */
export function runningTasksOf(running: Service, nodeId: string): readonly Task[] {
  const { name } = running.meta;
  return Array.from({ length: wantedReplicas(running.spec) ?? 0 }, (_, at) =>
    runningOn(taskOf(running, { name: `${name}@${nodeId}.${at + 1}`, slot: at + 1 }), nodeId),
  );
}

function taskOf(of: Service, as: { readonly name: string; readonly slot: number }): Task {
  const { endpoint } = of.spec;
  return newObject(Task, {
    id: as.name,
    name: as.name,
    spec: {
      serviceId: of.meta.id,
      serviceName: of.meta.name,
      slot: as.slot,
      specVersion: of.meta.generation,
      desiredState: 'running',
      cause: 'scale',
      template: of.spec.task,
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    status: PENDING,
  });
}

const PENDING: Task['status'] = Object.freeze({
  state: 'pending',
  timestamp: 0,
  appliedAt: 0,
  message: '',
});

/** The task as it is once it runs on the node. */
export function runningOn(waiting: Task, nodeId: string): Task {
  return { ...waiting, status: { ...waiting.status, state: 'running', nodeId } };
}

/**
 * A task that waits for a node, or runs on one (`on`), alone or of a service.
 * @throws invalid-argument as {@link service} does.
 */
export function task(name: string, options: TaskOptions = {}): Task {
  const where = `task('${name}')`;
  checkOptions('task', options, where);
  const { service: owner, on, preassignedTo, version = 1 } = options;
  const endpoint = endpointOf(options, where);
  const waiting = newObject(Task, {
    id: name,
    name,
    spec: {
      ...(owner === undefined ? {} : { serviceId: owner, specVersion: version }),
      serviceName: owner ?? name,
      slot: options.slot ?? (owner === undefined ? 0 : 1),
      ...(preassignedTo === undefined ? {} : { nodeId: preassignedTo }),
      desiredState: 'running',
      cause: 'scale',
      template: templateOf(options, where),
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    status: PENDING,
  });
  return on === undefined ? waiting : runningOn(waiting, on);
}

/** Name of a task for people: as the builders gave it, else service and slot. */
export function nameOf({ meta, spec }: Pick<Task, 'meta' | 'spec'>): string {
  return meta.name === '' ? `${spec.serviceName}.${spec.slot}` : meta.name;
}

function templateOf(options: DemandOptions, where: string): TaskTemplate {
  const kept = reservations(options, where);
  const placement = placementOf(options);
  const { template } = options;
  return {
    ...template,
    ...(kept === undefined
      ? {}
      : {
          resources: {
            ...template?.resources,
            reservations: { ...template?.resources?.reservations, ...kept },
          },
        }),
    ...(placement === undefined ? {} : { placement: { ...template?.placement, ...placement } }),
  };
}

function placementOf(options: DemandOptions): Placement | undefined {
  const { constraints, spread, maxPerNode, priority, placement } = options;
  const own: Placement = {
    ...placement,
    ...(constraints === undefined ? {} : { constraints: listOf(constraints) }),
    ...(spread === undefined
      ? {}
      : { preferences: listOf(spread).map((key) => ({ spread: labelKey(key) })) }),
    ...(maxPerNode === undefined ? {} : { maxReplicasPerNode: maxPerNode }),
    ...(priority === undefined ? {} : { priority }),
  };
  return Object.keys(own).length === 0 ? undefined : own;
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

const PLACE = /^(node|engine)\./;

/** Where to look on a node: what does not begin with `node.` or `engine.` is a label's name. */
export function labelKey(key: string): string {
  return PLACE.test(key) ? key : `node.labels.${key}`;
}

const PORT = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/;

function endpointOf({ hostPorts }: DemandOptions, where: string): EndpointSpec | undefined {
  if (hostPorts === undefined) return undefined;
  const ports = hostPorts.map((port): PortSpec => {
    const [, digits, protocol = 'tcp'] = PORT.exec(String(port)) ?? [];
    const publishedPort = Number(digits);
    if (!(publishedPort >= 1 && publishedPort <= 65_535)) {
      throw new SkepError(
        'invalid-argument',
        `${where}: hostPorts has '${port}'; write 8080 or '53/udp'`,
      );
    }
    return {
      protocol: protocol as PortProtocol,
      targetPort: publishedPort,
      publishedPort,
      publishMode: 'host',
    };
  });
  return { ports };
}
