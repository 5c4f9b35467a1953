/**
 * From a task to what has to be launched: what the launch script is written from.
 */
import {
  SkepError,
  stopGracePeriodMs,
  type AssignedTask,
  type ContainerSpec,
  type HealthCheck,
  type Mount,
  type Ulimit,
} from '@skep/api';
import type { TaskContext } from '@skep/adapter';
import { expandFields } from '../task/template-fields.js';
import { hostsText, resolvText } from '../task/name-texts.js';
import { taskFiles, type TaskFile } from '../task/task-files.js';
import { signalNumber } from '../task/stop-signal.js';
import { capabilitySet } from './capabilities.js';
import { resolveUser, type ProcessUser, type UserFiles } from './user.js';

/** What an image stands for on hosts without a container engine: defaults of a command. */
export interface ProcessImage {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly stopSignal?: string;
  readonly healthCheck?: HealthCheck;
}

/** A mount with its source on the host. */
export interface PlannedMount {
  readonly type: 'bind' | 'tmpfs';
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** Everything that a task's process is launched with. */
export interface LaunchPlan {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: ProcessUser;
  readonly hostname: string;
  readonly mounts: readonly PlannedMount[];
  /** Folders of named and anonymous volumes that have to be made, if they are not there. */
  readonly volumeFolders: readonly string[];
  readonly files: readonly TaskFile[];
  readonly hostsText: string | undefined;
  readonly resolvText: string | undefined;
  readonly networkNamespace: string | undefined;
  /** Capabilities that the command can have, `chown` for CAP_CHOWN; sorted. */
  readonly capabilities: readonly string[];
  readonly hasNoNewPrivileges: boolean;
  readonly ulimits: readonly Ulimit[];
  readonly oomScoreAdj: number | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly isReadOnly: boolean;
  readonly stopSignal: number;
  readonly stopGraceMs: number;
  readonly healthCheck: HealthCheck | undefined;
}

/** What the plan needs to know about the host. */
export interface HostFacts {
  readonly image: ProcessImage | undefined;
  readonly userFiles: UserFiles;
  readonly networkNamespace: string | undefined;
  /** Name server of tasks in a network namespace of their own. */
  readonly nameserver: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of a named volume. */
  readonly volumeFolder: (name: string) => string;
  /** Folder of the task's anonymous volume of this number. */
  readonly anonymousFolder: (index: number) => string;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Settings that each network or IPC namespace has of its own. */
const OWN_SYSCTLS = /^(net\.|kernel\.(msg|sem$|shm)|fs\.mqueue\.)/;

/**
 * Plans a launch.
 * @throws not-found when there is nothing to run; unimplemented for what plain processes cannot do
 */
export function planLaunch(task: AssignedTask, context: TaskContext, host: HostFacts): LaunchPlan {
  const container = containerOf(task);
  const image: ProcessImage = host.image ?? {};
  const expand = (text: string): string => expandFields(text, task, context.node);
  const user = resolveUser(container.user ?? image.user, container.groups ?? [], host.userFiles);
  const hostname = expand(container.hostname ?? '') || task.id.slice(0, 12);
  const { mounts, volumeFolders } = planMounts(container.mounts ?? [], expand, host);
  const hasNetwork = host.networkNamespace !== undefined;
  return {
    words: wordsOf(container, image),
    env: environmentOf({ container, image, expand, host, user, hostname }),
    workingDir: container.workingDir ?? image.workingDir ?? '/',
    user,
    hostname,
    mounts,
    volumeFolders,
    files: taskFiles(task, context),
    ...nameTexts({ container, hostname, task }, hasNetwork ? host.nameserver : undefined),
    networkNamespace: host.networkNamespace,
    capabilities: capabilitySet(container.capabilityAdd, container.capabilityDrop),
    hasNoNewPrivileges: container.privileges?.hasNoNewPrivileges ?? false,
    ulimits: container.ulimits ?? [],
    oomScoreAdj: container.oomScoreAdj,
    sysctls: sysctlsOf(container, hasNetwork),
    isReadOnly: container.isReadOnly ?? false,
    stopSignal: signalNumber(container.stopSignal ?? image.stopSignal),
    stopGraceMs: stopGracePeriodMs(task.template),
    healthCheck: healthCheckOf(container, image),
  };
}

function containerOf(task: AssignedTask): ContainerSpec {
  const { container, runtime = 'container' } = task.template;
  if (runtime !== 'container' || container === undefined) {
    throw new SkepError('unimplemented', `tasks of kind '${runtime}' cannot be run as processes`);
  }
  const { privileges = {} } = container;
  const asked: readonly (readonly [unknown, string])[] = [
    [privileges.credentialSpec, 'a credential spec'],
    [privileges.seLinuxContext, 'an SELinux context'],
    [privileges.seccomp, 'a seccomp profile'],
    [privileges.appArmor, 'an AppArmor profile'],
    [container.hasTty === true ? true : undefined, 'a terminal'],
    [task.volumes.length > 0 ? true : undefined, 'cluster volumes'],
  ];
  const [refused] = asked.filter(([value]) => value !== undefined);
  if (refused !== undefined) {
    throw new SkepError(
      'unimplemented',
      `plain processes have no ${refused[1].replace(/^an? /, '')}`,
    );
  }
  return container;
}

function wordsOf(container: ContainerSpec, image: ProcessImage): readonly string[] {
  const own = container.command ?? [];
  const entry = own.length > 0 ? own : (image.command ?? []);
  // As for containers: a command of the task's own drops the arguments of the image.
  const defaults = own.length > 0 ? [] : (image.args ?? []);
  const words = [...entry, ...(container.args ?? defaults)];
  if (words.length > 0) return words;
  throw new SkepError(
    'not-found',
    `No such image: ${container.image}: processes have no images; name a command in the service, ` +
      'or give the runtime one for the image',
    { details: { image: container.image } },
  );
}

function environmentOf(from: {
  container: ContainerSpec;
  image: ProcessImage;
  expand: (text: string) => string;
  host: HostFacts;
  user: ProcessUser;
  hostname: string;
}): Readonly<Record<string, string>> {
  const env = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', from.hostname],
    ['HOME', from.user.home],
  ]);
  for (const entry of [...(from.image.env ?? []), ...(from.container.env ?? [])]) {
    const at = entry.indexOf('=');
    if (at > 0) env.set(entry.slice(0, at), from.expand(entry.slice(at + 1)));
    else if (at < 0) {
      const value = from.host.environment[entry];
      if (value === undefined) env.delete(entry);
      else env.set(entry, value);
    }
  }
  return Object.fromEntries(env);
}

function planMounts(
  mounts: readonly Mount[],
  expand: (text: string) => string,
  host: HostFacts,
): Pick<LaunchPlan, 'mounts' | 'volumeFolders'> {
  const volumeFolders: string[] = [];
  const planned = mounts.map((mount, index): PlannedMount => {
    const access = mount.isReadOnly === true ? ['ro'] : [];
    const target = expand(mount.target);
    if (!target.startsWith('/')) {
      throw new SkepError('invalid-argument', `mount target '${target}' must be absolute`);
    }
    if (mount.type === 'tmpfs') {
      const { sizeBytes, mode, options = [] } = mount.tmpfs ?? {};
      const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
      const extra = options.map((option) => option.join('='));
      const all = [...access, ...size, `mode=${(mode ?? 0o1777).toString(8)}`, ...extra];
      return { type: 'tmpfs', source: 'tmpfs', target, options: all };
    }
    if (mount.type === 'bind') {
      const depth = mount.bind?.isNonRecursive === true ? 'bind' : 'rbind';
      const propagation = mount.bind?.propagation;
      const options = [depth, ...access, ...(propagation === undefined ? [] : [propagation])];
      return { type: 'bind', source: expand(mount.source ?? ''), target, options };
    }
    if (mount.type === 'volume') {
      const name = expand(mount.source ?? '');
      const folder = name === '' ? host.anonymousFolder(index) : host.volumeFolder(name);
      volumeFolders.push(folder);
      return { type: 'bind', source: folder, target, options: ['bind', ...access] };
    }
    throw new SkepError('unimplemented', `mounts of type '${mount.type}' need a container engine`);
  });
  return { mounts: planned, volumeFolders };
}

/** Tasks in a network of their own find themselves by their hostname, as containers do. */
function nameTexts(
  of: { container: ContainerSpec; hostname: string; task: AssignedTask },
  nameserver: string | undefined,
): Pick<LaunchPlan, 'hostsText' | 'resolvText'> {
  const { container, hostname, task } = of;
  const { dns, hosts } = container;
  const isOwn = nameserver !== undefined;
  const addresses = isOwn ? task.networks.flatMap((network) => network.addresses) : [];
  return {
    hostsText: isOwn || hosts !== undefined ? hostsText({ hostname, addresses, hosts }) : undefined,
    resolvText: isOwn || dns !== undefined ? resolvText(dns, nameserver) : undefined,
  };
}

function sysctlsOf(
  { sysctls = {} }: ContainerSpec,
  hasNetwork: boolean,
): Readonly<Record<string, string>> {
  for (const name of Object.keys(sysctls)) {
    if (OWN_SYSCTLS.test(name) && (hasNetwork || !name.startsWith('net.'))) continue;
    const text = `sysctl '${name}' is not the task's own: it would change the whole host`;
    throw new SkepError('invalid-argument', text);
  }
  // As the engine does: in a network of its own, any user may listen on any port.
  const own: Record<string, string> = hasNetwork
    ? { 'net.ipv4.ip_unprivileged_port_start': '0' }
    : {};
  return { ...own, ...sysctls };
}

function healthCheckOf(
  { healthCheck }: ContainerSpec,
  image: ProcessImage,
): HealthCheck | undefined {
  const isInherited = healthCheck === undefined || healthCheck.test.length === 0;
  const test = isInherited ? image.healthCheck?.test : healthCheck.test;
  if (test === undefined || test.length === 0 || test[0] === 'NONE') return undefined;
  return { ...image.healthCheck, ...healthCheck, test };
}
