/**
 * A container of the Docker API as ours.
 */
import type { ContainerSpec, FileTarget, Mount, Privileges } from '@skep/api';
import { compact, defined } from './fields.js';
import { toMs } from './time.js';
import type {
  DockerContainerSpec,
  DockerFileTarget,
  DockerMount,
  DockerPrivileges,
} from './types.js';

/** The container of a service. Fields that say nothing are left out. */
export function decodeContainer(spec: DockerContainerSpec): ContainerSpec {
  const check = spec.Healthcheck;
  return defined<ContainerSpec>({
    image: spec.Image ?? '',
    labels: spec.Labels,
    command: spec.Command,
    args: spec.Args,
    hostname: spec.Hostname,
    env: spec.Env,
    workingDir: spec.Dir,
    user: spec.User,
    groups: spec.Groups,
    privileges: spec.Privileges && decodePrivileges(spec.Privileges),
    hasTty: spec.TTY,
    opensStdin: spec.OpenStdin,
    isReadOnly: spec.ReadOnly,
    hasInit: spec.Init,
    mounts: spec.Mounts?.map(decodeMount),
    stopSignal: spec.StopSignal,
    stopGracePeriodMs: toMs(spec.StopGracePeriod),
    healthCheck: check && {
      test: check.Test ?? [],
      ...defined({
        intervalMs: toMs(check.Interval),
        timeoutMs: toMs(check.Timeout),
        retries: check.Retries,
        startPeriodMs: toMs(check.StartPeriod),
        startIntervalMs: toMs(check.StartInterval),
      }),
    },
    hosts: spec.Hosts,
    dns:
      spec.DNSConfig &&
      defined({
        nameservers: spec.DNSConfig.Nameservers,
        search: spec.DNSConfig.Search,
        options: spec.DNSConfig.Options,
      }),
    secrets: spec.Secrets?.map((use) => ({
      secretId: use.SecretID,
      secretName: use.SecretName,
      file: decodeFile(use.File) ?? { name: use.SecretName, uid: '0', gid: '0', mode: 0o444 },
    })),
    configs: spec.Configs?.map((use) =>
      defined({
        configId: use.ConfigID,
        configName: use.ConfigName,
        file: decodeFile(use.File),
        isRuntime: use.Runtime ? true : undefined,
      }),
    ),
    isolation: spec.Isolation,
    sysctls: spec.Sysctls,
    capabilityAdd: spec.CapabilityAdd,
    capabilityDrop: spec.CapabilityDrop,
    ulimits: spec.Ulimits?.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    oomScoreAdj: spec.OomScoreAdj,
    pullOptions: spec.PullOptions && defined({ registryAuth: spec.PullOptions.RegistryAuth }),
  });
}

function decodeFile(file: DockerFileTarget | undefined): FileTarget | undefined {
  return file && { name: file.Name, uid: file.UID, gid: file.GID, mode: file.Mode };
}

/** Undefined when nothing is set: the client sends the empty form with every container. */
function decodePrivileges(privileges: DockerPrivileges): Privileges | undefined {
  const credential = privileges.CredentialSpec;
  const context = privileges.SELinuxContext;
  const decoded = compact<Privileges>({
    credentialSpec:
      credential === null
        ? undefined
        : compact({
            config: credential.Config,
            file: credential.File,
            registry: credential.Registry,
          }),
    seLinuxContext:
      context === null
        ? undefined
        : {
            isDisabled: context.Disable,
            ...compact({
              user: context.User,
              role: context.Role,
              type: context.Type,
              level: context.Level,
            }),
          },
    seccomp: privileges.Seccomp && {
      mode: privileges.Seccomp.Mode ?? '',
      ...defined({ profile: privileges.Seccomp.Profile }),
    },
    appArmor: privileges.AppArmor && { mode: privileges.AppArmor.Mode ?? '' },
    hasNoNewPrivileges: privileges.NoNewPrivileges,
  });
  return Object.keys(decoded).length === 0 ? undefined : decoded;
}

/** A mount. One without a type is a volume. */
function decodeMount(mount: DockerMount): Mount {
  const { BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  const driver = volume?.DriverConfig;
  return defined<Mount>({
    // What is no type is found when the spec is validated.
    type: (mount.Type ?? 'volume') as Mount['type'],
    source: mount.Source,
    target: mount.Target ?? '',
    isReadOnly: mount.ReadOnly,
    consistency: mount.Consistency,
    bind:
      bind &&
      defined({
        propagation: bind.Propagation,
        isNonRecursive: bind.NonRecursive,
        createsMountpoint: bind.CreateMountpoint,
        isReadOnlyNonRecursive: bind.ReadOnlyNonRecursive,
        isReadOnlyForceRecursive: bind.ReadOnlyForceRecursive,
      }),
    volume:
      volume &&
      defined({
        hasNoCopy: volume.NoCopy,
        labels: volume.Labels,
        driver: driver && { name: driver.Name ?? '', ...defined({ options: driver.Options }) },
        subpath: volume.Subpath,
      }),
    tmpfs:
      tmpfs && defined({ sizeBytes: tmpfs.SizeBytes, mode: tmpfs.Mode, options: tmpfs.Options }),
    image: mount.ImageOptions && defined({ subpath: mount.ImageOptions.Subpath }),
  });
}
