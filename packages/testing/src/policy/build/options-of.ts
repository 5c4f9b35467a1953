/**
 * The way back: which options of the builders make an object. What they cannot say is lost.
 */
import type { DeviceRequest, GenericResource, Node, NodeDevice, Task } from '@skep/api';
import { renderBytes } from './amount.js';
import type { DemandOptions, NodeOptions, TaskOptions } from './options.js';
import { node } from './node.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const DEFAULT = node('default');

/** The options that {@link node} needs for this node; only what is not its default. */
export function nodeOptionsOf({ meta, spec, status }: Node): NodeOptions {
  const { description } = status;
  const usual = DEFAULT.status.description;
  const resources = description?.resources ?? {};
  const options: Writable<NodeOptions> = {};
  if (meta.id !== meta.name) options.id = meta.id;
  if (resources.cpuNanos !== usual?.resources.cpuNanos) {
    options.cpus = (resources.cpuNanos ?? 0) / 1e9;
  }
  if (resources.memoryBytes !== usual?.resources.memoryBytes) {
    options.memory = sizeOf(resources.memoryBytes ?? 0);
  }
  Object.assign(options, devicesOf(resources.devices ?? []));
  if (resources.generic !== undefined) {
    options.generic = Object.fromEntries(
      resources.generic.map((item) => [item.kind, 'ids' in item ? item.ids : item.count]),
    );
  }
  if (Object.keys(meta.labels).length > 0) options.labels = meta.labels;
  if (spec.role !== 'worker') options.role = spec.role;
  if (spec.availability !== 'active') options.availability = spec.availability;
  if (status.state !== 'ready') options.state = status.state;
  if (status.address !== DEFAULT.status.address) options.address = status.address;
  if (spec.taints !== undefined) options.taints = spec.taints;
  if (description === undefined) return options;
  const { platform, engine, images, topology } = description;
  if (platform.os !== 'linux') options.os = platform.os;
  if (platform.architecture !== 'amd64') options.architecture = platform.architecture;
  if (Object.keys(engine.labels).length > 0) options.engineLabels = engine.labels;
  if (engine.plugins !== undefined) options.plugins = engine.plugins;
  if (images !== undefined) options.images = images;
  if (topology !== undefined) options.topology = topology;
  return options;
}

/** The shortest way to say it that is exact. */
function sizeOf(bytes: number): number | string {
  const text = renderBytes(bytes).replace(' ', '');
  const isExact = bytes >= 1024 && /^\d+[KMGTP]iB$/.test(text);
  return isExact ? text : bytes;
}

/** GPUs that are alike and stand first are said by their number. */
function devicesOf(devices: readonly NodeDevice[]): Pick<NodeOptions, 'gpus' | 'devices'> {
  const [first] = devices;
  if (first?.kind !== 'gpu') return devices.length === 0 ? {} : { devices };
  const differs = devices.findIndex((device) => !isSameDevice(device, first));
  const count = differs < 0 ? devices.length : differs;
  const { model, capacityMilli } = first;
  const isPlain = model === undefined && capacityMilli === undefined;
  return {
    gpus: isPlain
      ? count
      : {
          count,
          ...(model === undefined ? {} : { model }),
          ...(capacityMilli === undefined ? {} : { capacityMilli }),
        },
    ...(count === devices.length ? {} : { devices: devices.slice(count) }),
  };
}

function isSameDevice(a: NodeDevice, b: NodeDevice): boolean {
  return a.kind === b.kind && a.model === b.model && a.capacityMilli === b.capacityMilli;
}

/** The options that `task` needs for this task; only what is not its default. */
export function taskOptionsOf({ meta, spec, status }: Task): TaskOptions {
  const options: Writable<TaskOptions> = { ...demandOptionsOf(spec) };
  const isOfService = spec.serviceId !== undefined;
  if (isOfService) options.service = spec.serviceName;
  if (spec.slot !== (isOfService ? 1 : 0)) options.slot = spec.slot;
  if (isOfService && spec.specVersion !== undefined && spec.specVersion !== 1) {
    options.version = spec.specVersion;
  }
  if (spec.nodeId !== undefined) options.preassignedTo = spec.nodeId;
  if (status.nodeId !== undefined && meta.id !== '') options.on = status.nodeId;
  return options;
}

/** The demands of a task. */
export function demandOptionsOf({
  template,
  endpoint,
}: Pick<Task['spec'], 'template' | 'endpoint'>): DemandOptions {
  const { resources, placement, ...rest } = template;
  const { reservations, ...limits } = resources ?? {};
  const options: Writable<DemandOptions> = {};
  if (reservations?.cpuNanos !== undefined) options.cpus = reservations.cpuNanos / 1e9;
  if (reservations?.memoryBytes !== undefined) options.memory = sizeOf(reservations.memoryBytes);
  Object.assign(options, requestsOf(reservations?.devices ?? []));
  if (reservations?.generic !== undefined) options.generic = countsOf(reservations.generic);
  const { constraints, preferences, maxReplicasPerNode, priority, ...others } = placement ?? {};
  if (constraints !== undefined) options.constraints = single(constraints);
  if (preferences !== undefined) {
    options.spread = single(
      preferences.map(({ spread }) => spread.replace(/^node\.labels\.(?!node\.|engine\.)/, '')),
    );
  }
  if (maxReplicasPerNode !== undefined) options.maxPerNode = maxReplicasPerNode;
  if (priority !== undefined) options.priority = priority;
  if (Object.keys(others).length > 0) options.placement = others;
  const remaining = {
    ...rest,
    ...(Object.keys(limits).length === 0 ? {} : { resources: limits }),
  };
  if (Object.keys(remaining).length > 0) options.template = remaining;
  const ports = endpoint?.ports?.filter(({ publishMode }) => publishMode === 'host') ?? [];
  if (ports.length > 0) {
    options.hostPorts = ports.map(({ protocol = 'tcp', publishedPort = 0 }) =>
      protocol === 'tcp' ? publishedPort : `${publishedPort}/${protocol}`,
    );
  }
  return options;
}

/** Whole GPUs and a part of one have short forms. */
function requestsOf(requests: readonly DeviceRequest[]): Pick<DemandOptions, 'gpus' | 'devices'> {
  const [first, ...rest] = requests;
  if (first?.kind !== 'gpu') return requests.length === 0 ? {} : { devices: requests };
  const { count, milli, models } = first;
  const others = rest.length === 0 ? {} : { devices: rest };
  if (models === undefined && milli === undefined) return { gpus: count, ...others };
  if (models === undefined && milli !== undefined && count === 1 && milli < 1000) {
    return { gpus: milli / 1000, ...others };
  }
  const { kind: _kind, ...detail } = first;
  return { gpus: detail, ...others };
}

function countsOf(generic: readonly GenericResource[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    generic.map((item) => [item.kind, 'ids' in item ? item.ids.length : item.count]),
  );
}

function single(list: readonly string[]): string | readonly string[] {
  return list.length === 1 ? (list[0] as string) : list;
}
