/**
 * What the manager refuses in networks, secrets, configs and the cluster, though their form is
 * right.
 * **Source:** SwarmKit manager/controlapi (network.go, secret.go, config.go).
 */
import {
  isInCidr,
  networkDriver,
  parseAddress,
  parseCidr,
  type CidrRange,
  type ClusterSpec,
  type ConfigSpec,
  type IpamConfig,
  type NetworkSpec,
  type SecretSpec,
} from '@skep/api';
import { base64Length } from '../convert/base64.js';
import { dnsNameFaults, fault, fileNameFaults, type SpecFault } from './faults.js';

/** Faults of a network. */
export function networkFaults(name: string, spec: NetworkSpec): readonly SpecFault[] {
  const faults: SpecFault[] = [...dnsNameFaults(name)];
  if (spec.isIngress && spec.isAttachable) {
    const message = 'the ingress network cannot be attachable';
    faults.push(fault('reserved-network', ['isAttachable'], message, 'remove isAttachable'));
  }
  if (spec.isIngress && networkDriver(spec) !== 'overlay') {
    const message = 'the ingress network must be an overlay';
    faults.push(fault('reserved-network', ['driver'], message, 'remove the driver'));
  }
  const pools = spec.ipam?.configs ?? [];
  pools.forEach((pool, index) => faults.push(...poolFaults(pool, index)));
  return [...faults, ...overlapFaults(pools)];
}

function poolFaults(pool: IpamConfig, index: number): readonly SpecFault[] {
  const steps = ['ipam', 'configs', index];
  const faults: SpecFault[] = [];
  const subnet = rangeOf(pool.subnet);
  if (pool.subnet !== undefined && subnet === undefined) {
    const message = `'${pool.subnet}' is not a subnet`;
    const hint = 'write an address and a prefix length, such as 10.1.0.0/16';
    faults.push(fault('invalid-subnet', [...steps, 'subnet'], message, hint));
  }
  if (pool.ipRange !== undefined) {
    const range = rangeOf(pool.ipRange);
    const [address = ''] = pool.ipRange.split('/', 1);
    const isInside = range && subnet && range.prefix >= subnet.prefix && isInCidr(address, subnet);
    if (range === undefined || (subnet && !isInside)) {
      const message = `'${pool.ipRange}' is not a range within ${pool.subnet ?? 'a subnet'}`;
      faults.push(fault('invalid-subnet', [...steps, 'ipRange'], message));
    }
  }
  const singles = [
    ['gateway', pool.gateway] as const,
    ...Object.entries(pool.auxiliaryAddresses ?? {}).map(
      ([name, address]) => [`auxiliaryAddresses.${name}`, address] as const,
    ),
  ];
  for (const [field, address] of singles) {
    if (address === undefined) continue;
    if (parseAddress(address) && (subnet === undefined || isInCidr(address, subnet))) continue;
    const message = `'${address}' is not an address within ${pool.subnet ?? 'a subnet'}`;
    faults.push(fault('invalid-address', [...steps, ...field.split('.')], message));
  }
  return faults;
}

function rangeOf(text: string | undefined): CidrRange | undefined {
  return text?.includes('/') ? parseCidr(text) : undefined;
}

function overlapFaults(pools: readonly IpamConfig[]): readonly SpecFault[] {
  const ranges = pools.map((pool) => rangeOf(pool.subnet));
  return ranges.flatMap((range, index) => {
    const earlier = ranges.slice(0, index).findIndex((other) => overlaps(other, range));
    if (earlier < 0) return [];
    const message = `overlaps with the subnet ${pools[earlier]?.subnet} of the same network`;
    return [fault('invalid-subnet', ['ipam', 'configs', index, 'subnet'], message)];
  });
}

function overlaps(a: CidrRange | undefined, b: CidrRange | undefined): boolean {
  if (a === undefined || b === undefined || a.bits !== b.bits) return false;
  const shift = BigInt(a.bits - Math.min(a.prefix, b.prefix));
  return a.value >> shift === b.value >> shift;
}

const SECRET_BYTES_MAX = 500 * 1024;
const CONFIG_BYTES_MAX = 1000 * 1024;

/** Faults of a secret. */
export function secretFaults(name: string, spec: SecretSpec): readonly SpecFault[] {
  const faults = spec.driver ? [] : contentFaults(spec.data, SECRET_BYTES_MAX, 'secret');
  return [...fileNameFaults(name), ...faults];
}

/** Faults of a config. */
export function configFaults(name: string, spec: ConfigSpec): readonly SpecFault[] {
  return [...fileNameFaults(name), ...contentFaults(spec.data, CONFIG_BYTES_MAX, 'config')];
}

function contentFaults(
  data: string | undefined,
  limit: number,
  what: string,
): readonly SpecFault[] {
  const bytes = base64Length(data ?? '');
  if (bytes === undefined) {
    return [fault('invalid-value', ['data'], 'not base64', 'encode the content in base64')];
  }
  if (bytes >= limit) {
    const message = `the ${what} has ${bytes} bytes; it must have less than ${limit}`;
    return [fault('content-too-large', ['data'], message, 'split it, or put it into the image')];
  }
  if (bytes > 0) return [];
  const message = `the ${what} is empty`;
  // A manager takes no secret that holds nothing; an empty config is an empty file.
  if (what === 'secret') {
    return [fault('content-empty', ['data'], message, 'give at least one byte of content')];
  }
  return [{ severity: 'warning', code: 'content-empty', steps: ['data'], message }];
}

/** Faults of the cluster's settings. */
export function clusterFaults(spec: ClusterSpec): readonly SpecFault[] {
  const faults = (spec.addressPools ?? []).flatMap((pool, index) => {
    if (rangeOf(pool)) return [];
    const message = `'${pool}' is not an address range`;
    return [fault('invalid-subnet', ['addressPools', index], message, 'such as 10.0.0.0/8')];
  });
  const ports = spec.dynamicPorts;
  if (ports && ports.last < ports.first) {
    const message = `the last dynamic port ${ports.last} is before the first, ${ports.first}`;
    faults.push(fault('invalid-value', ['dynamicPorts', 'last'], message));
  }
  return faults;
}
