/**
 * Published ports, and the endpoint as a whole.
 *
 * **Source:** SwarmKit manager/controlapi/service.go (validateEndpointSpec, checkPortConflicts).
 */
import {
  Service,
  compareText,
  endpointMode,
  isDeleting,
  type DataplaneName,
  type EndpointSpec,
  type PortSpec,
} from '@skep/api';
import { unsupportedBy } from '@skep/network';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { requireNotNegative, requireWithin } from './number-rules.js';
import { judgeChoice } from './update-rules.js';

const FIELD = 'spec.endpoint';
const PROTOCOLS: readonly string[] = ['tcp', 'udp', 'sctp'];
const PUBLISH_MODES: readonly string[] = ['ingress', 'host'];
const ALGORITHMS: readonly string[] = [
  'round-robin',
  'weighted-round-robin',
  'least-connections',
  'source-hash',
  'maglev',
];
const PORT_MAX = 65_535;

/** Judges what the endpoint says by itself, and whether the dataplane can do it. */
export function judgeEndpoint(
  to: Objections,
  endpoint: EndpointSpec | undefined,
  dataplane: DataplaneName,
): void {
  if (endpoint === undefined) return;
  judgeChoice(to, { field: `${FIELD}.mode`, value: endpoint.mode, of: ['vip', 'dnsrr'] });
  judgeChoice(to, { field: `${FIELD}.algorithm`, value: endpoint.algorithm, of: ALGORITHMS });
  judgePorts(to, endpoint);
  const { weights = [], affinity, slowStartMs } = endpoint;
  for (const [index, { weight }] of weights.entries()) {
    const field = `${FIELD}.weights[${index}].weight`;
    requireNotNegative(to, { field, value: weight, noun: 'the weight' });
  }
  to.require(affinity === undefined || affinity.timeoutMs > 0, `${FIELD}.affinity.timeoutMs`, {
    message: `the affinity lasts ${affinity?.timeoutMs} ms`,
    hint: 'write more than 0, or leave the affinity out',
  });
  requireNotNegative(to, { field: `${FIELD}.slowStartMs`, value: slowStartMs, noun: 'the time' });
  for (const { field, reason, hint } of unsupportedBy(dataplane, endpoint)) {
    to.add(`${FIELD}.${field}`, { code: 'failed-precondition', message: reason, hint });
  }
}

function judgePorts(to: Objections, endpoint: EndpointSpec): void {
  const seen = new Set<string>();
  for (const [index, port] of (endpoint.ports ?? []).entries()) {
    const field = `${FIELD}.ports[${index}]`;
    const { targetPort, publishedPort } = port;
    judgeChoice(to, { field: `${field}.protocol`, value: port.protocol, of: PROTOCOLS });
    judgeChoice(to, { field: `${field}.publishMode`, value: port.publishMode, of: PUBLISH_MODES });
    const target = { field: `${field}.targetPort`, value: targetPort, noun: 'the target port' };
    requireWithin(to, target, { least: 1, most: PORT_MAX });
    const published = { field: `${field}.publishedPort`, value: publishedPort, noun: 'the port' };
    requireWithin(to, published, { least: 0, most: PORT_MAX });
    to.require(endpointMode(endpoint) === 'vip' || modeOf(port) === 'host', field, {
      message: `port ${publishedPort ?? targetPort} is published by ingress, the mode is dnsrr`,
      hint: 'publish the port in host mode, or use the endpoint mode vip',
    });
    if (!publishedPort) continue;
    const key = `${claimOf(port)}/${modeOf(port)}`;
    to.require(!seen.has(key), field, {
      message: `port ${claimOf(port)} is published twice`,
      hint: 'publish each port once',
    });
    seen.add(key);
  }
}

/**
 * Judges the ports against those of the other services: an ingress port is nobody else's, in
 * whatever mode; host ports of different services get along, the scheduler keeps them apart. Who
 * has
 * a port already keeps it: the newcomer is to blame, in whichever order a transaction has them.
 * Services that are being removed, and newcomers in `later`, do not count. Cost: O(services).
 */
export function judgePortClashes(to: Objections, service: Service, context: PortContext): void {
  const ports = (service.spec.endpoint?.ports ?? []).filter((port) => Boolean(port.publishedPort));
  if (ports.length === 0) return;
  const own = claimsOf(context.base.get(Service, service.meta.id));
  const claims = claimsOfOthers(service, context);
  for (const [index, port] of (service.spec.endpoint?.ports ?? []).entries()) {
    const [key, mode] = [claimOf(port), modeOf(port)];
    const isOwn = own.some((claim) => claim.key === key && claim.mode === mode);
    if (!port.publishedPort || isOwn) continue;
    const owner = claims.find(
      (claim) => claim.key === key && (claim.mode === 'ingress' || mode === 'ingress'),
    );
    to.require(owner === undefined, `${FIELD}.ports[${index}].publishedPort`, {
      code: 'already-exists',
      message: `port ${key} belongs to the service '${owner?.name ?? ''}'`,
      hint: 'publish another port, or 0 to have one chosen',
    });
  }
}

interface Claim {
  readonly key: string;
  readonly mode: 'ingress' | 'host';
  readonly name: string;
}

/** Where ports are judged: the world before and after the transaction, and what it does later. */
export interface PortContext {
  readonly base: View;
  readonly view: View;
  readonly later: ReadonlySet<string>;
}

function claimsOfOthers(service: Service, { base, view, later }: PortContext): readonly Claim[] {
  return view
    .list(Service)
    .filter(({ meta }) => meta.id !== service.meta.id)
    .filter((other) => !isDeleting(other))
    .sort((a, b) => compareText(a.meta.name, b.meta.name))
    .flatMap((other) => {
      const claims = claimsOf(other);
      if (!later.has(other.meta.id)) return claims;
      const stored = claimsOf(base.get(Service, other.meta.id));
      return claims.filter((claim) =>
        stored.some(({ key, mode }) => key === claim.key && mode === claim.mode),
      );
    });
}

function claimsOf(service: Service | undefined): readonly Claim[] {
  if (service === undefined) return [];
  const { name } = service.meta;
  return portsOf(service).map((port) => ({ key: claimOf(port), mode: modeOf(port), name }));
}

/** Fixed ports as declared; dynamic ones with the number that they got. */
function portsOf({ spec, status }: Service): readonly PortSpec[] {
  const declared = spec.endpoint?.ports ?? [];
  const dynamic = new Set(
    declared.filter((port) => !port.publishedPort).map((port) => targetOf(port)),
  );
  const allocated = (status.endpoint?.ports ?? []).filter(
    (port) => port.publishedPort > 0 && dynamic.has(targetOf(port)),
  );
  return [...declared.filter((port) => Boolean(port.publishedPort)), ...allocated];
}

function claimOf(port: PortSpec): string {
  return `${port.publishedPort ?? 0}/${port.protocol ?? 'tcp'}`;
}

function targetOf(port: PortSpec): string {
  return `${port.targetPort}/${port.protocol ?? 'tcp'}`;
}

/** How the port is published; by ingress when it does not say. */
export function modeOf(port: PortSpec): 'ingress' | 'host' {
  return port.publishMode ?? 'ingress';
}
