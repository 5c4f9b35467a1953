/**
 * What runs in a task: the container and everything it is given.
 *
 * **Source:** Docker Engine API v1.43, `TaskSpec.ContainerSpec`; every field has its place here.
 * Times are milliseconds, sizes bytes. A field that is absent was not set by the user; defaults are
 * applied where the value is used (`defaults.ts`), so that a spec says what its writer said.
 */
import type { Labels } from './meta.js';

/** A health check run inside the container. */
export interface HealthCheck {
  /**
   * `[]` inherits the image's, `['NONE']` disables it, `['CMD', …]` runs a command directly and
   * `['CMD-SHELL', line]` by the shell.
   */
  readonly test: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  /** Failures during this time after the start do not count. */
  readonly startPeriodMs?: number;
  /** Interval while the start period lasts. */
  readonly startIntervalMs?: number;
}

/** A volume, bind, tmpfs, named pipe or cluster volume in the container's file system. */
export interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image';
  /** Volume name, host path, `group:NAME` (cluster). Absent: anonymous volume. */
  readonly source?: string;
  readonly target: string;
  readonly isReadOnly?: boolean;
  readonly consistency?: string;
  readonly bind?: {
    readonly propagation?: string;
    readonly isNonRecursive?: boolean;
    readonly createsMountpoint?: boolean;
    readonly isReadOnlyNonRecursive?: boolean;
    readonly isReadOnlyForceRecursive?: boolean;
  };
  readonly volume?: {
    readonly hasNoCopy?: boolean;
    readonly labels?: Labels;
    readonly driver?: DriverConfig;
    readonly subpath?: string;
  };
  readonly tmpfs?: {
    readonly sizeBytes?: number;
    readonly mode?: number;
    readonly options?: readonly (readonly string[])[];
  };
  readonly image?: { readonly subpath?: string };
}

/** A driver by name, with its options. */
export interface DriverConfig {
  readonly name: string;
  readonly options?: Labels;
}

/** Where a secret or config appears in the container. */
export interface FileTarget {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  /** File mode as a number (0o444 is 292). */
  readonly mode: number;
}

/** Use of a secret by a container. `id` may be empty until the reference was resolved by name. */
export interface SecretReference {
  readonly secretId: string;
  readonly secretName: string;
  readonly file: FileTarget;
}

/** Use of a config by a container: as a file, or at run time (a credential spec). */
export interface ConfigReference {
  readonly configId: string;
  readonly configName: string;
  readonly file?: FileTarget;
  readonly isRuntime?: boolean;
}

/** Security settings. */
export interface Privileges {
  readonly credentialSpec?: {
    readonly config?: string;
    readonly file?: string;
    readonly registry?: string;
  };
  readonly seLinuxContext?: {
    readonly isDisabled: boolean;
    readonly user?: string;
    readonly role?: string;
    readonly type?: string;
    readonly level?: string;
  };
  readonly seccomp?: { readonly mode: string; readonly profile?: string };
  readonly appArmor?: { readonly mode: string };
  readonly hasNoNewPrivileges?: boolean;
}

/** A resource limit of the process (`ulimit`). */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** A container as the user asked for it. */
export interface ContainerSpec {
  readonly image: string;
  readonly labels?: Labels;
  /** Entrypoint; `args` are its arguments. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** May hold Go templates such as `{{.Task.Slot}}`. */
  readonly hostname?: string;
  /** `NAME=value`, or `NAME` alone: taken from the host's environment. */
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly privileges?: Privileges;
  readonly hasTty?: boolean;
  readonly opensStdin?: boolean;
  readonly isReadOnly?: boolean;
  readonly hasInit?: boolean;
  readonly mounts?: readonly Mount[];
  readonly stopSignal?: string;
  readonly stopGracePeriodMs?: number;
  readonly healthCheck?: HealthCheck;
  /** Lines of /etc/hosts: `address name…`. */
  readonly hosts?: readonly string[];
  readonly dns?: {
    readonly nameservers?: readonly string[];
    readonly search?: readonly string[];
    readonly options?: readonly string[];
  };
  readonly secrets?: readonly SecretReference[];
  readonly configs?: readonly ConfigReference[];
  readonly isolation?: string;
  readonly sysctls?: Labels;
  readonly capabilityAdd?: readonly string[];
  readonly capabilityDrop?: readonly string[];
  readonly ulimits?: readonly Ulimit[];
  readonly oomScoreAdj?: number;
  readonly pullOptions?: { readonly registryAuth?: string };
}
