/**
 * A compose file as it was understood: variables filled in, short forms written out, files merged,
 * paths absolute. Nothing is scoped to a stack yet.
 *
 * Durations are nanoseconds and sizes bytes, as in the Docker Engine API. Empty texts and absent
 * fields mean the same, as they do to the Docker client.
 */
import type { PathStep, Place } from '../complaint.js';

/** Text pairs in the order of writing. */
export type TextMap = ReadonlyMap<string, string>;

/** A published port. */
export interface ComposePort {
  readonly name: string;
  readonly mode: string;
  readonly target: number;
  readonly published: number;
  readonly protocol: string;
  readonly place: Place;
}

/** A mount. */
export interface ComposeMount {
  /** `volume`, `bind`, `tmpfs`, `npipe`, `cluster`; other texts are judged at conversion. */
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  readonly consistency: string;
  readonly bind?: { readonly propagation: string };
  readonly volume?: { readonly hasNoCopy: boolean; readonly subpath: string };
  readonly tmpfs?: { readonly sizeBytes: number; readonly mode?: number };
  readonly hasClusterOptions: boolean;
  readonly place: Place;
}

/** Use of a secret or config. */
export interface ComposeFileReference {
  readonly source: string;
  readonly target: string;
  readonly uid: string;
  readonly gid: string;
  readonly mode?: number;
  readonly place: Place;
}

/** Attachment to a network. */
export interface ComposeAttachment {
  readonly aliases: readonly string[];
  readonly driverOptions: TextMap | undefined;
  readonly ipv4Address: string;
  readonly ipv6Address: string;
  /** Whether anything was written besides the name. */
  readonly isDetailed: boolean;
  readonly place: Place;
}

/** A health check. */
export interface ComposeHealthCheck {
  readonly test: readonly string[];
  readonly isDisabled: boolean;
  readonly timeout?: number;
  readonly interval?: number;
  readonly retries?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
}

/** How an update, or a rollback, goes. */
export interface ComposeUpdate {
  readonly parallelism?: number;
  readonly delay: number;
  readonly failureAction: string;
  readonly monitor: number;
  readonly maxFailureRatio: number;
  readonly order: string;
}

/** Amounts of one side: limits or reservations. */
export interface ComposeResources {
  readonly cpus: string;
  readonly memory: number;
  readonly pids: number;
  readonly generic: readonly { readonly kind: string; readonly value: number }[];
}

/** When a task is replaced. */
export interface ComposeRestartPolicy {
  readonly condition: string;
  readonly delay?: number;
  readonly maxAttempts?: number;
  readonly window?: number;
}

/** The `deploy` part of a service. */
export interface ComposeDeploy {
  readonly mode: string;
  readonly replicas?: number;
  readonly labels: TextMap;
  readonly update?: ComposeUpdate;
  readonly rollback?: ComposeUpdate;
  readonly limits?: ComposeResources;
  readonly reservations?: ComposeResources;
  readonly restartPolicy?: ComposeRestartPolicy;
  readonly constraints: readonly string[];
  readonly preferences: readonly string[];
  readonly maxReplicas: number;
  readonly endpointMode: string;
}

/** A resource limit of the process. */
export interface ComposeUlimit {
  readonly single: number;
  readonly soft: number;
  readonly hard: number;
}

/** A service. */
export interface ComposeService {
  readonly name: string;
  readonly image: string;
  /** Undefined where the image's is kept. */
  readonly command: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  /** A value that is undefined comes from the host's environment. */
  readonly environment: ReadonlyMap<string, string | undefined>;
  readonly labels: TextMap;
  readonly hostname: string;
  readonly workingDirectory: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly platform: string;
  readonly hasTty: boolean;
  readonly opensStdin: boolean;
  readonly isReadOnly: boolean;
  readonly hasInit?: boolean;
  readonly isolation: string;
  readonly stopGracePeriod?: number;
  readonly stopSignal: string;
  readonly restart: string;
  readonly oomScoreAdjustment: number;
  readonly capabilityAdd: readonly string[];
  readonly capabilityDrop: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  /** `host:address`, as written or sorted when a mapping was written. */
  readonly extraHosts: readonly string[];
  readonly sysctls: TextMap;
  readonly tmpfs: readonly string[];
  readonly ulimits: ReadonlyMap<string, ComposeUlimit>;
  readonly credentialSpec: {
    readonly config: string;
    readonly file: string;
    readonly registry: string;
  };
  readonly healthCheck?: ComposeHealthCheck;
  readonly logging?: { readonly driver: string; readonly options: TextMap | undefined };
  readonly networks: ReadonlyMap<string, ComposeAttachment>;
  readonly ports: readonly ComposePort[];
  readonly mounts: readonly ComposeMount[];
  readonly secrets: readonly ComposeFileReference[];
  readonly configs: readonly ComposeFileReference[];
  readonly deploy: ComposeDeploy;
  readonly place: Place;
}

/** What the top-level objects have in common. */
export interface ComposeObject {
  /** The name as written, or that of the external object; empty when the key names it. */
  readonly name: string;
  readonly isExternal: boolean;
  readonly labels: TextMap;
  readonly driver: string;
  readonly driverOptions: TextMap | undefined;
  readonly place: Place;
}

/** A network. */
export interface ComposeNetwork extends ComposeObject {
  readonly isInternal: boolean;
  readonly isAttachable: boolean;
  readonly enablesIpv6?: boolean;
  readonly ipamDriver: string;
  readonly ipamOptions: TextMap | undefined;
  readonly ipam: readonly {
    readonly subnet: string;
    readonly gateway: string;
    readonly ipRange: string;
    readonly auxiliaryAddresses: TextMap | undefined;
  }[];
}

/** Settings of a cluster volume. */
export interface ComposeClusterVolume {
  readonly group: string;
  readonly scope: string;
  readonly sharing: string;
  readonly isBlock: boolean;
  readonly fsType: string;
  readonly mountFlags: readonly string[];
  readonly requisite: readonly TextMap[];
  readonly preferred: readonly TextMap[];
  readonly requiredBytes: number;
  readonly limitBytes: number;
  readonly secrets: readonly { readonly key: string; readonly secret: string }[];
  readonly availability: string;
}

/** A volume. */
export interface ComposeVolume extends ComposeObject {
  readonly cluster?: ComposeClusterVolume;
}

/** A secret or config. */
export interface ComposeFileObject extends ComposeObject {
  /** Absolute path of the file with the content; empty where there is none. */
  readonly file: string;
  /** The content where it is in the file itself or in a variable. */
  readonly content?: string;
  readonly templateDriver: string;
}

/** A whole stack. */
export interface ComposeConfig {
  /** Full version, such as `3.13`. */
  readonly version: string;
  /** The top-level `name`, which only the Compose specification knows. */
  readonly name?: string;
  /** What relative paths started from. */
  readonly workingDirectory: string;
  /** Sorted by name. */
  readonly services: readonly ComposeService[];
  readonly networks: ReadonlyMap<string, ComposeNetwork>;
  readonly volumes: ReadonlyMap<string, ComposeVolume>;
  readonly secrets: ReadonlyMap<string, ComposeFileObject>;
  readonly configs: ReadonlyMap<string, ComposeFileObject>;
  /** Where a field was written, in whichever of the files it was. */
  readonly locate: (steps: readonly PathStep[]) => Place;
}
