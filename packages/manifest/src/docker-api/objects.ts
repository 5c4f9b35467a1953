/**
 * Networks, secrets, configs and volumes between the Docker API and ours.
 */
import type {
  ConfigSpec,
  DriverConfig,
  IpamConfig,
  Labels,
  NetworkSpec,
  SecretSpec,
  VolumeAccess,
  VolumeSpec,
} from '@skep/api';
import { compact, defined } from './fields.js';
import type { DockerDriver, DockerFileBody, DockerNetworkBody, DockerVolumeBody } from './types.js';

/** Reads the body of `POST /networks/create`. */
export function decodeNetwork(body: DockerNetworkBody): NetworkSpec {
  const { IPAM: ipam } = body;
  return defined<NetworkSpec>({
    driver: { name: body.Driver, ...defined({ options: body.Options ?? undefined }) },
    isInternal: body.Internal || undefined,
    isAttachable: body.Attachable || undefined,
    isIngress: body.Ingress || undefined,
    enablesIpv4: body.EnableIPv4,
    enablesIpv6: body.EnableIPv6,
    ipam:
      ipam === null
        ? undefined
        : defined({
            driver: ipam.Driver === '' ? undefined : ipam.Driver,
            options: ipam.Options ?? undefined,
            configs: ipam.Config?.map((pool) =>
              defined<IpamConfig>({
                subnet: pool.Subnet,
                ipRange: pool.IPRange,
                gateway: pool.Gateway,
                auxiliaryAddresses: pool.AuxiliaryAddresses,
              }),
            ),
          }),
    scope: body.Scope === '' ? undefined : body.Scope,
    isConfigOnly: body.ConfigOnly || undefined,
    configFrom: body.ConfigFrom?.Network,
  });
}

/** The body of `POST /networks/create`. */
export function encodeNetwork(name: string, labels: Labels, spec: NetworkSpec): DockerNetworkBody {
  const { ipam } = spec;
  return defined<DockerNetworkBody>({
    Driver: spec.driver?.name ?? 'overlay',
    Scope: spec.scope ?? '',
    EnableIPv4: spec.enablesIpv4,
    EnableIPv6: spec.enablesIpv6,
    IPAM: ipam
      ? {
          Driver: ipam.driver ?? '',
          Options: ipam.options ?? null,
          Config:
            ipam.configs?.map((pool) =>
              compact({
                Subnet: pool.subnet,
                IPRange: pool.ipRange,
                Gateway: pool.gateway,
                AuxiliaryAddresses: pool.auxiliaryAddresses,
              }),
            ) ?? null,
        }
      : null,
    Internal: spec.isInternal ?? false,
    Attachable: spec.isAttachable ?? false,
    Ingress: spec.isIngress ?? false,
    ConfigOnly: spec.isConfigOnly ?? false,
    ConfigFrom: spec.configFrom === undefined ? null : { Network: spec.configFrom },
    Options: spec.driver?.options ?? null,
    Labels: labels,
    Name: name,
  });
}

function decodeDriver(driver: DockerDriver | undefined): DriverConfig | undefined {
  return driver && { name: driver.Name ?? '', ...defined({ options: driver.Options }) };
}

function encodeDriver(driver: DriverConfig | undefined): DockerDriver | undefined {
  return driver && compact({ Name: driver.name, Options: driver.options });
}

/** Reads the body of `POST /secrets/create`. */
export function decodeSecret(body: DockerFileBody): SecretSpec {
  return defined<SecretSpec>({
    data: body.Data,
    driver: decodeDriver(body.Driver),
    templating: decodeDriver(body.Templating),
  });
}

/** Reads the body of `POST /configs/create`. */
export function decodeConfig(body: DockerFileBody): ConfigSpec {
  return defined<ConfigSpec>({ data: body.Data, templating: decodeDriver(body.Templating) });
}

/** The body of `POST /secrets/create` or `POST /configs/create`. */
export function encodeFileObject(
  name: string,
  labels: Labels,
  spec: SecretSpec | ConfigSpec,
): DockerFileBody {
  return defined<DockerFileBody>({
    Name: name,
    Labels: labels,
    Data: spec.data === '' ? undefined : spec.data,
    Driver: 'driver' in spec ? encodeDriver(spec.driver) : undefined,
    Templating: encodeDriver(spec.templating),
  });
}

const SHARING: Readonly<Record<string, VolumeAccess['sharing']>> = {
  none: 'none',
  readonly: 'read-only',
  onewriter: 'one-writer',
  all: 'all',
};

/** Reads the body of `POST /volumes/create`, whose volume becomes a cluster volume. */
export function decodeVolume(body: DockerVolumeBody): VolumeSpec {
  const cluster = body.ClusterVolumeSpec ?? {};
  const access = cluster.AccessMode ?? {};
  const requirements = cluster.AccessibilityRequirements;
  const capacity = cluster.CapacityRange;
  return defined<VolumeSpec>({
    group: cluster.Group,
    driver: { name: body.Driver ?? '', ...defined({ options: body.DriverOpts }) },
    access: {
      scope: access.Scope === 'multi' ? 'multi' : 'single',
      sharing: SHARING[access.Sharing ?? 'none'] ?? 'none',
      type: access.BlockVolume ? 'block' : 'mount',
      ...defined({
        fsType: access.MountVolume?.FsType,
        mountFlags: access.MountVolume?.MountFlags,
      }),
    },
    availability: cluster.Availability as VolumeSpec['availability'],
    secrets:
      cluster.Secrets &&
      Object.fromEntries(cluster.Secrets.map(({ Key = '', Secret = '' }) => [Key, Secret])),
    capacity:
      capacity &&
      defined({ requiredBytes: capacity.RequiredBytes, limitBytes: capacity.LimitBytes }),
    accessibility:
      requirements &&
      defined({
        requisite: requirements.Requisite?.map(({ Segments = {} }) => Segments),
        preferred: requirements.Preferred?.map(({ Segments = {} }) => Segments),
      }),
  });
}

/** The body of `POST /volumes/create`. */
export function encodeVolume(name: string, labels: Labels, spec: VolumeSpec): DockerVolumeBody {
  const { access, capacity, accessibility } = spec;
  const sharing = Object.keys(SHARING).find((word) => SHARING[word] === access.sharing) ?? 'none';
  const isBlock = access.type === 'block';
  return compact<DockerVolumeBody>({
    Name: name,
    Driver: spec.driver.name,
    DriverOpts: spec.driver.options,
    Labels: Object.keys(labels).length === 0 ? undefined : labels,
    ClusterVolumeSpec: compact<NonNullable<DockerVolumeBody['ClusterVolumeSpec']>>({
      Group: spec.group,
      AccessMode: {
        Scope: access.scope,
        Sharing: sharing,
        ...(isBlock
          ? { BlockVolume: {} }
          : { MountVolume: compact({ FsType: access.fsType, MountFlags: access.mountFlags }) }),
      },
      AccessibilityRequirements:
        accessibility &&
        compact({
          Requisite: accessibility.requisite?.map((Segments) => ({ Segments })),
          Preferred: accessibility.preferred?.map((Segments) => ({ Segments })),
        }),
      CapacityRange:
        capacity &&
        compact({ RequiredBytes: capacity.requiredBytes, LimitBytes: capacity.limitBytes }),
      Secrets:
        spec.secrets && Object.entries(spec.secrets).map(([Key, Secret]) => ({ Key, Secret })),
      Availability: spec.availability,
    }),
  });
}
