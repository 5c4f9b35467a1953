/**
 * From a task to the request that creates its container. Pure.
 *
 * **Source:** Docker Engine API v1.43, `ContainerCreate`; SwarmKit's Docker executor
 * (moby daemon/cluster/executor/container/container.go) for what becomes what.
 */
import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import {
  SkepError,
  stopGracePeriodMs,
  type AllocatedPort,
  type AssignedTask,
  type ContainerSpec,
  type HealthCheck,
  type Mount,
} from '@skep/api';
import type { TaskContext } from '@skep/adapter';
import { expandFields } from '../task/template-fields.js';

/** Labels by which containers of ours are found, and told from all others. */
export const LABELS = Object.freeze({
  cluster: 'io.skep.cluster',
  node: 'io.skep.node',
  task: 'io.skep.task',
  taskName: 'io.skep.task.name',
  serviceId: 'io.skep.service.id',
  serviceName: 'io.skep.service.name',
} as const);

/** A file on the host, and where it is seen in the container. */
export interface PlacedFile {
  readonly source: string;
  readonly target: string;
}

/** What the request needs beyond the task. */
export interface ContainerPlace {
  readonly cluster: string;
  readonly node: string;
  /** `none`, `bridge`, `host`, or what else the engine knows. */
  readonly networkMode: string;
  /** Name server of a task whose network is made by skep. */
  readonly nameserver: string | undefined;
  /** Files of the task: where they are on the host, and where they go. */
  readonly files: readonly PlacedFile[];
  /**
   * `/etc/hosts` and `/etc/resolv.conf` of a task whose network is made by skep. The engine then
   * has nothing to do with that network, which saves half of the time of a start.
   */
  readonly nameFiles?: readonly PlacedFile[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const NANOSECONDS = 1e6;

/**
 * The request for a task's container.
 * @throws unimplemented for what the engine's API has no word for outside of swarm mode
 */
export function containerConfig(
  task: AssignedTask,
  context: TaskContext,
  place: ContainerPlace,
): ContainerCreateOptions {
  const container = containerOf(task);
  const expand = (text: string): string => expandFields(text, task, context.node);
  const check = container.healthCheck;
  return {
    name: task.name,
    Image: container.image,
    // The engine's own default: the first digits of the container's id.
    ...given('Hostname', container.hostname, expand),
    ...given('Entrypoint', nonEmpty(container.command), (words) => [...words]),
    ...given('Cmd', nonEmpty(container.args), (words) => [...words]),
    ...given('WorkingDir', container.workingDir),
    ...given('User', container.user),
    ...given('StopSignal', container.stopSignal),
    ...given('Healthcheck', check, healthConfig),
    Env: environmentOf(container, expand, place.environment),
    Tty: container.hasTty ?? false,
    OpenStdin: container.opensStdin ?? false,
    StopTimeout: stopSeconds(stopGracePeriodMs(task.template)),
    ExposedPorts: Object.fromEntries(hostModePorts(task).map((port) => [portKey(port), {}])),
    Labels: { ...container.labels, ...labelsOf(task, place) },
    ...given('NetworkDisabled', place.nameFiles && true),
    HostConfig: hostConfig(task, container, place, expand),
  };
}

/** Whole seconds, as the engine counts the time between stop signal and kill. */
export function stopSeconds(graceMs: number): number {
  return Math.ceil(graceMs / 1_000);
}

/** Ports that the task asks for on its own node. */
export function hostModePorts(task: AssignedTask): readonly AllocatedPort[] {
  return task.ports.filter(({ publishMode }) => publishMode === 'host');
}

/** `80/tcp` */
export function portKey({ targetPort, protocol }: AllocatedPort): string {
  return `${targetPort}/${protocol}`;
}

function containerOf(task: AssignedTask): ContainerSpec {
  const { container, runtime = 'container' } = task.template;
  if (runtime !== 'container' || container === undefined) {
    throw new SkepError('unimplemented', `tasks of kind '${runtime}' cannot be run as containers`);
  }
  if (task.volumes.length > 0) {
    throw new SkepError('unimplemented', 'cluster volumes cannot be published on this node');
  }
  return container;
}

function labelsOf(task: AssignedTask, { cluster, node }: ContainerPlace): Record<string, string> {
  return {
    [LABELS.cluster]: cluster,
    [LABELS.node]: node,
    [LABELS.task]: task.id,
    [LABELS.taskName]: task.name,
    [LABELS.serviceName]: task.serviceName,
    ...(task.serviceId === undefined ? {} : { [LABELS.serviceId]: task.serviceId }),
  };
}

function hostConfig(
  task: AssignedTask,
  container: ContainerSpec,
  place: ContainerPlace,
  expand: (text: string) => string,
): HostConfig {
  const { privileges = {} } = container;
  const bindings = place.networkMode === 'bridge' ? hostModePorts(task) : [];
  return {
    NetworkMode: place.networkMode,
    RestartPolicy: { Name: 'no' },
    Mounts: [
      ...(container.mounts ?? []).map((mount) => mountOf(mount, expand)),
      ...fileMounts(place),
      ...nameMounts(container, place),
    ],
    PortBindings: Object.fromEntries(
      bindings.map((port) => [portKey(port), [{ HostPort: String(port.publishedPort || '') }]]),
    ),
    ...limitsOf(task),
    ...given('Init', container.hasInit),
    ...given('ReadonlyRootfs', container.isReadOnly),
    ...given('CapAdd', container.capabilityAdd),
    ...given('CapDrop', container.capabilityDrop),
    ...given('Sysctls', container.sysctls, (sysctls) => ({ ...sysctls })),
    ...given('OomScoreAdj', container.oomScoreAdj),
    ...given('GroupAdd', container.groups, (groups) => [...groups]),
    ...given('Isolation', container.isolation),
    ...given('Ulimits', container.ulimits, (ulimits) =>
      ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ),
    ...(place.nameFiles === undefined ? nameSettings(container, place) : {}),
    ...given('LogConfig', task.template.logDriver, ({ name, options: config = {} }) => ({
      Type: name === '' ? 'json-file' : name,
      Config: { ...config },
    })),
    SecurityOpt: [
      ...(privileges.hasNoNewPrivileges === true ? ['no-new-privileges'] : []),
      ...(privileges.seLinuxContext?.isDisabled === true ? ['label=disable'] : []),
      ...(privileges.seccomp?.mode === 'unconfined' ? ['seccomp=unconfined'] : []),
      ...(privileges.appArmor?.mode === 'disabled' ? ['apparmor=unconfined'] : []),
    ],
  };
}

/** What the engine writes into the files for names. */
function nameSettings({ dns, hosts }: ContainerSpec, { nameserver }: ContainerPlace): HostConfig {
  const servers = nameserver === undefined ? dns?.nameservers : [nameserver];
  const options = dns?.options ?? (nameserver === undefined ? undefined : ['ndots:0']);
  return {
    ...given('ExtraHosts', hosts, extraHosts),
    ...given('Dns', servers, (list) => [...list]),
    ...given('DnsSearch', dns?.search, (list) => [...list]),
    ...given('DnsOptions', options, (list) => [...list]),
  };
}

function limitsOf({ template }: AssignedTask): HostConfig {
  const { limits, reservations, swapBytes, memorySwappiness } = template.resources ?? {};
  const memory = limits?.memoryBytes;
  return {
    ...given('Memory', memory),
    ...given('NanoCpus', limits?.cpuNanos),
    ...given('PidsLimit', limits?.pids),
    ...given('MemoryReservation', reservations?.memoryBytes),
    ...given('MemorySwappiness', memorySwappiness),
    // The engine counts memory and swap together.
    ...given('MemorySwap', swapBytes, (swap) => (swap < 0 ? -1 : (memory ?? 0) + swap)),
  };
}

function mountOf(mount: Mount, expand: (text: string) => string): MountSettings {
  if (mount.type === 'cluster') {
    throw new SkepError('unimplemented', `mount ${mount.target}: no cluster volumes on this node`);
  }
  const { bind, volume, tmpfs, image } = mount;
  const settings = {
    Type: mount.type,
    Target: expand(mount.target),
    ...given('Source', mount.source, expand),
    ...given('ReadOnly', mount.isReadOnly),
    ...given('BindOptions', bind, (options) => ({
      ...given('Propagation', options.propagation),
      ...given('NonRecursive', options.isNonRecursive),
      ...given('CreateMountpoint', options.createsMountpoint),
      ...given('ReadOnlyNonRecursive', options.isReadOnlyNonRecursive),
      ...given('ReadOnlyForceRecursive', options.isReadOnlyForceRecursive),
    })),
    ...given('VolumeOptions', volume, (options) => ({
      ...given('NoCopy', options.hasNoCopy),
      ...given('Labels', options.labels),
      ...given('Subpath', options.subpath),
      ...given('DriverConfig', options.driver, (driver) => ({
        Name: driver.name,
        Options: { ...driver.options },
      })),
    })),
    ...given('TmpfsOptions', tmpfs, (options) => ({
      ...given('SizeBytes', options.sizeBytes),
      ...given('Mode', options.mode),
    })),
    ...given('ImageOptions', image, (options) => ({ ...given('Subpath', options.subpath) })),
  };
  // The types of the client ask for more than the engine does.
  return settings as unknown as MountSettings;
}

function fileMounts({ files }: ContainerPlace): readonly MountSettings[] {
  return files.map(({ source, target }) => ({
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: true,
  }));
}

/** Where the task brings files of its own to, those are meant. */
function nameMounts(
  { mounts = [], isReadOnly = false }: ContainerSpec,
  { files, nameFiles = [] }: ContainerPlace,
): readonly MountSettings[] {
  const taken = new Set([...mounts, ...files].map(({ target }) => target));
  return nameFiles
    .filter(({ target }) => !taken.has(target))
    .map(({ source, target }) => ({
      Type: 'bind',
      Source: source,
      Target: target,
      ReadOnly: isReadOnly,
    }));
}

function healthConfig(check: HealthCheck): ContainerCreateOptions['Healthcheck'] {
  const nanos = (ms: number): number => ms * NANOSECONDS;
  return {
    Test: [...check.test],
    ...given('Interval', check.intervalMs, nanos),
    ...given('Timeout', check.timeoutMs, nanos),
    ...given('StartPeriod', check.startPeriodMs, nanos),
    ...given('StartInterval', check.startIntervalMs, nanos),
    ...given('Retries', check.retries),
  };
}

function environmentOf(
  { env = [] }: ContainerSpec,
  expand: (text: string) => string,
  host: Readonly<Record<string, string | undefined>>,
): string[] {
  return env.flatMap((entry) => {
    if (entry.includes('=')) return [expand(entry)];
    const value = host[entry];
    // The engine takes a name alone for a variable of the image to be taken away.
    return value === undefined ? [entry] : [`${entry}=${value}`];
  });
}

/** `address name…` lines as the engine's `name:address`. */
function extraHosts(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [address = '', ...names] = line.trim().split(/\s+/);
    return names.map((name) => `${name}:${address}`);
  });
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

/** A field that is there only if its value is. */
function given<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V };
function given<K extends string, V, W>(
  name: K,
  value: V | undefined,
  convert: (value: V) => W,
): { [P in K]?: W };
function given(
  name: string,
  value: unknown,
  convert: (value: unknown) => unknown = (same) => same,
): object {
  return value === undefined ? {} : { [name]: convert(value) };
}
