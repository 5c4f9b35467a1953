/**
 * The bodies of the Docker Engine API that create services, networks, secrets, configs and volumes.
 * Field names are the API's; times are nanoseconds, sizes bytes. Fields that the Docker client
 * always
 * sends are required and may be null.
 *
 * **Source:** Docker Engine API v1.43 to v1.49, definitions ServiceSpec, NetworkCreateRequest,
 * SecretSpec, ConfigSpec, VolumeCreateOptions.
 */

/** Text pairs. */
export type DockerMap = Readonly<Record<string, string>>;

/** A driver with its options. */
export interface DockerDriver {
  readonly Name?: string;
  readonly Options?: DockerMap;
}

/** A mount of a container. */
export interface DockerMount {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: DockerMap;
    readonly DriverConfig?: DockerDriver;
    readonly Subpath?: string;
  };
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[];
  };
  readonly ImageOptions?: { readonly Subpath?: string };
  readonly ClusterOptions?: Readonly<Record<string, never>>;
}

/** A file in the container. */
export interface DockerFileTarget {
  readonly Name: string;
  readonly UID: string;
  readonly GID: string;
  readonly Mode: number;
}

/** Use of a secret. */
export interface DockerSecretReference {
  readonly File?: DockerFileTarget;
  readonly SecretID: string;
  readonly SecretName: string;
}

/** Use of a config. */
export interface DockerConfigReference {
  readonly File?: DockerFileTarget;
  readonly Runtime?: Readonly<Record<string, never>>;
  readonly ConfigID: string;
  readonly ConfigName: string;
}

/** A health check. */
export interface DockerHealthCheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** Security settings. */
export interface DockerPrivileges {
  readonly CredentialSpec: {
    readonly Config: string;
    readonly File: string;
    readonly Registry: string;
  } | null;
  readonly SELinuxContext: {
    readonly Disable: boolean;
    readonly User: string;
    readonly Role: string;
    readonly Type: string;
    readonly Level: string;
  } | null;
  readonly Seccomp?: { readonly Mode?: string; readonly Profile?: string };
  readonly AppArmor?: { readonly Mode?: string };
  readonly NoNewPrivileges: boolean;
}

/** A container of a service. */
export interface DockerContainerSpec {
  readonly Image?: string;
  readonly Labels?: DockerMap;
  readonly Command?: readonly string[];
  readonly Args?: readonly string[];
  readonly Hostname?: string;
  readonly Env?: readonly string[];
  readonly Dir?: string;
  readonly User?: string;
  readonly Groups?: readonly string[];
  readonly Privileges?: DockerPrivileges;
  readonly Init?: boolean;
  readonly StopSignal?: string;
  readonly TTY?: boolean;
  readonly OpenStdin?: boolean;
  readonly ReadOnly?: boolean;
  readonly Mounts?: readonly DockerMount[];
  readonly StopGracePeriod?: number;
  readonly Healthcheck?: DockerHealthCheck;
  readonly Hosts?: readonly string[];
  readonly DNSConfig?: {
    readonly Nameservers?: readonly string[];
    readonly Search?: readonly string[];
    readonly Options?: readonly string[];
  };
  readonly Secrets?: readonly DockerSecretReference[];
  readonly Configs?: readonly DockerConfigReference[];
  readonly Isolation?: string;
  readonly Sysctls?: DockerMap;
  readonly CapabilityAdd?: readonly string[];
  readonly CapabilityDrop?: readonly string[];
  readonly Ulimits?: readonly {
    readonly Name: string;
    readonly Hard: number;
    readonly Soft: number;
  }[];
  readonly OomScoreAdj?: number;
  readonly PullOptions?: { readonly RegistryAuth?: string };
}

/** A user-defined resource. */
export interface DockerGenericResource {
  readonly NamedResourceSpec?: { readonly Kind?: string; readonly Value?: string };
  readonly DiscreteResourceSpec?: { readonly Kind?: string; readonly Value?: number };
}

/** Attachment to a network. */
export interface DockerAttachment {
  readonly Target?: string;
  readonly Aliases?: readonly string[];
  readonly DriverOpts?: DockerMap;
}

/** The template of a service's tasks. */
export interface DockerTaskSpec {
  readonly ContainerSpec?: DockerContainerSpec;
  readonly PluginSpec?: {
    readonly Name?: string;
    readonly Remote?: string;
    readonly Disabled?: boolean;
    readonly PluginPrivilege?: readonly {
      readonly Name?: string;
      readonly Description?: string;
      readonly Value?: readonly string[];
    }[];
    readonly Env?: readonly string[];
  };
  readonly NetworkAttachmentSpec?: { readonly ContainerID?: string };
  readonly Resources?: {
    readonly Limits?: {
      readonly NanoCPUs?: number;
      readonly MemoryBytes?: number;
      readonly Pids?: number;
    };
    readonly Reservations?: {
      readonly NanoCPUs?: number;
      readonly MemoryBytes?: number;
      readonly GenericResources?: readonly DockerGenericResource[];
    };
    readonly SwapBytes?: number;
    readonly MemorySwappiness?: number;
  };
  readonly RestartPolicy?: {
    readonly Condition?: string;
    readonly Delay?: number;
    readonly MaxAttempts?: number;
    readonly Window?: number;
  };
  readonly Placement?: {
    readonly Constraints?: readonly string[];
    readonly Preferences?: readonly {
      readonly Spread?: { readonly SpreadDescriptor?: string };
    }[];
    readonly MaxReplicas?: number;
    readonly Platforms?: readonly { readonly Architecture?: string; readonly OS?: string }[];
  };
  readonly Networks?: readonly DockerAttachment[];
  readonly LogDriver?: DockerDriver;
  readonly ForceUpdate: number;
  readonly Runtime?: string;
}

/** How a service is updated. */
export interface DockerUpdateConfig {
  readonly Parallelism: number;
  readonly Delay?: number;
  readonly FailureAction?: string;
  readonly Monitor?: number;
  readonly MaxFailureRatio: number;
  readonly Order: string;
}

/** A published port. */
export interface DockerPort {
  readonly Name?: string;
  readonly Protocol?: string;
  readonly TargetPort?: number;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
}

/** Body of `POST /services/create`. */
export interface DockerServiceBody {
  readonly Name: string;
  readonly Labels: DockerMap | null;
  readonly TaskTemplate: DockerTaskSpec;
  readonly Mode: {
    readonly Replicated?: { readonly Replicas?: number };
    readonly Global?: Readonly<Record<string, never>>;
    readonly ReplicatedJob?: {
      readonly MaxConcurrent?: number;
      readonly TotalCompletions?: number;
    };
    readonly GlobalJob?: Readonly<Record<string, never>>;
  };
  readonly UpdateConfig?: DockerUpdateConfig;
  readonly RollbackConfig?: DockerUpdateConfig;
  /** Deprecated. */
  readonly Networks?: readonly DockerAttachment[];
  readonly EndpointSpec?: { readonly Mode?: string; readonly Ports?: readonly DockerPort[] };
}

/** Body of `POST /networks/create`. */
export interface DockerNetworkBody {
  readonly Driver: string;
  readonly Scope: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6?: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: DockerMap | null;
    readonly Config:
      | readonly {
          readonly Subnet?: string;
          readonly IPRange?: string;
          readonly Gateway?: string;
          readonly AuxiliaryAddresses?: DockerMap;
        }[]
      | null;
  } | null;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigOnly: boolean;
  readonly ConfigFrom: { readonly Network: string } | null;
  readonly Options: DockerMap | null;
  readonly Labels: DockerMap | null;
  readonly Name: string;
}

/** Body of `POST /secrets/create` and `POST /configs/create`. */
export interface DockerFileBody {
  readonly Name: string;
  readonly Labels: DockerMap | null;
  /** Base64; absent when empty. */
  readonly Data?: string;
  /** Secrets only. */
  readonly Driver?: DockerDriver;
  readonly Templating?: DockerDriver;
}

/** Where a cluster volume can be reached. */
export interface DockerTopology {
  readonly Segments?: DockerMap;
}

/** Body of `POST /volumes/create`. */
export interface DockerVolumeBody {
  readonly Name: string;
  readonly Driver?: string;
  readonly DriverOpts?: DockerMap;
  readonly Labels?: DockerMap;
  readonly ClusterVolumeSpec?: {
    readonly Group?: string;
    readonly AccessMode?: {
      readonly Scope?: string;
      readonly Sharing?: string;
      readonly MountVolume?: { readonly FsType?: string; readonly MountFlags?: readonly string[] };
      readonly BlockVolume?: Readonly<Record<string, never>>;
    };
    readonly AccessibilityRequirements?: {
      readonly Requisite?: readonly DockerTopology[];
      readonly Preferred?: readonly DockerTopology[];
    };
    readonly CapacityRange?: { readonly RequiredBytes?: number; readonly LimitBytes?: number };
    readonly Secrets?: readonly { readonly Key?: string; readonly Secret?: string }[];
    readonly Availability?: string;
  };
}

/** A request that creates an object. */
export type DockerRequest =
  | DockerRequestOf<'/services/create', DockerServiceBody>
  | DockerRequestOf<'/networks/create', DockerNetworkBody>
  | DockerRequestOf<'/secrets/create', DockerFileBody>
  | DockerRequestOf<'/configs/create', DockerFileBody>
  | DockerRequestOf<'/volumes/create', DockerVolumeBody>;

/** A request with one path and one kind of body. */
export interface DockerRequestOf<Path extends string, Body> {
  readonly method: 'POST';
  readonly path: Path;
  readonly body: Body;
}
