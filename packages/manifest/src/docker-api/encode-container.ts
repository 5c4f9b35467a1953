/**
 * A container of ours as the Docker API wants it.
 */
import type { ContainerSpec, FileTarget, HealthCheck, Mount, Privileges } from '@skep/api';
import { compact, defined } from './fields.js';
import { toNanos } from './time.js';
import type {
  DockerContainerSpec,
  DockerFileTarget,
  DockerHealthCheck,
  DockerMount,
  DockerPrivileges,
} from './types.js';

/** The container of a service. */
export function encodeContainer(spec: ContainerSpec): DockerContainerSpec {
  const fields = compact<DockerContainerSpec>({
    Image: spec.image,
    Labels: spec.labels,
    Command: spec.command,
    Args: spec.args,
    Hostname: spec.hostname,
    Env: spec.env,
    Dir: spec.workingDir,
    User: spec.user,
    Groups: spec.groups,
    Privileges: encodePrivileges(spec.privileges ?? {}),
    StopSignal: spec.stopSignal,
    TTY: spec.hasTty,
    OpenStdin: spec.opensStdin,
    ReadOnly: spec.isReadOnly,
    Mounts: spec.mounts?.map(encodeMount),
    Healthcheck: spec.healthCheck && encodeHealthCheck(spec.healthCheck),
    Hosts: spec.hosts,
    DNSConfig:
      spec.dns &&
      compact({
        Nameservers: spec.dns.nameservers,
        Search: spec.dns.search,
        Options: spec.dns.options,
      }),
    Secrets: spec.secrets?.map((use) => ({
      File: encodeFile(use.file),
      SecretID: use.secretId,
      SecretName: use.secretName,
    })),
    Configs: spec.configs?.map((use) =>
      defined({
        File: use.file && encodeFile(use.file),
        Runtime: use.isRuntime ? {} : undefined,
        ConfigID: use.configId,
        ConfigName: use.configName,
      }),
    ),
    Isolation: spec.isolation,
    Sysctls: spec.sysctls,
    CapabilityAdd: spec.capabilityAdd,
    CapabilityDrop: spec.capabilityDrop,
    Ulimits: spec.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    OomScoreAdj: spec.oomScoreAdj,
    PullOptions: spec.pullOptions && defined({ RegistryAuth: spec.pullOptions.registryAuth }),
  });
  // These two are sent even when they are false or 0.
  return {
    ...fields,
    ...defined({ Init: spec.hasInit, StopGracePeriod: toNanos(spec.stopGracePeriodMs) }),
  };
}

function encodeFile(file: FileTarget): DockerFileTarget {
  return { Name: file.name, UID: file.uid, GID: file.gid, Mode: file.mode };
}

function encodeHealthCheck(check: HealthCheck): DockerHealthCheck {
  return compact<DockerHealthCheck>({
    Test: check.test,
    Interval: toNanos(check.intervalMs),
    Timeout: toNanos(check.timeoutMs),
    StartPeriod: toNanos(check.startPeriodMs),
    StartInterval: toNanos(check.startIntervalMs),
    Retries: check.retries,
  });
}

function encodePrivileges(privileges: Privileges): DockerPrivileges {
  const { credentialSpec, seLinuxContext, seccomp, appArmor } = privileges;
  return defined<DockerPrivileges>({
    CredentialSpec: credentialSpec
      ? {
          Config: credentialSpec.config ?? '',
          File: credentialSpec.file ?? '',
          Registry: credentialSpec.registry ?? '',
        }
      : null,
    SELinuxContext: seLinuxContext
      ? {
          Disable: seLinuxContext.isDisabled,
          User: seLinuxContext.user ?? '',
          Role: seLinuxContext.role ?? '',
          Type: seLinuxContext.type ?? '',
          Level: seLinuxContext.level ?? '',
        }
      : null,
    Seccomp: seccomp && compact({ Mode: seccomp.mode, Profile: seccomp.profile }),
    AppArmor: appArmor && compact({ Mode: appArmor.mode }),
    NoNewPrivileges: privileges.hasNoNewPrivileges ?? false,
  });
}

function encodeMount(mount: Mount): DockerMount {
  const { bind, volume, tmpfs } = mount;
  return compact<DockerMount>({
    Type: mount.type,
    Source: mount.source,
    Target: mount.target,
    ReadOnly: mount.isReadOnly,
    Consistency: mount.consistency,
    BindOptions:
      bind &&
      compact({
        Propagation: bind.propagation,
        NonRecursive: bind.isNonRecursive,
        CreateMountpoint: bind.createsMountpoint,
        ReadOnlyNonRecursive: bind.isReadOnlyNonRecursive,
        ReadOnlyForceRecursive: bind.isReadOnlyForceRecursive,
      }),
    VolumeOptions:
      volume &&
      compact({
        NoCopy: volume.hasNoCopy,
        Labels: volume.labels,
        DriverConfig:
          volume.driver && compact({ Name: volume.driver.name, Options: volume.driver.options }),
        Subpath: volume.subpath,
      }),
    TmpfsOptions:
      tmpfs && compact({ SizeBytes: tmpfs.sizeBytes, Mode: tmpfs.mode, Options: tmpfs.options }),
    ImageOptions: mount.image && compact({ Subpath: mount.image.subpath }),
    ClusterOptions: mount.type === 'cluster' ? {} : undefined,
  });
}
