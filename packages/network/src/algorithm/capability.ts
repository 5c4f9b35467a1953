/**
 * What a dataplane can do of what an endpoint asks for. What it cannot is refused when it is
 * declared: with the field, the reason, and what would be right.
 *
 * **Source:** ipvsadm(8) and Linux net/netfilter/ipvs; nft(8).
 */
import { endpointMode, type DataplaneName, type EndpointSpec } from '@skep/api';
import { WEIGHT_MAX } from './slow-start.js';

/** A field of an endpoint that cannot be had. */
export interface Unsupported {
  /** Within the endpoint: `affinity.timeoutMs`, `weights[0].weight`. */
  readonly field: string;
  /** Why not: begins small, no full stop. */
  readonly reason: string;
  /** What to write instead. */
  readonly hint: string;
}

/** Longest affinity of IPVS: 31 days. **Source:** ipvsadm, MAX_TIMEOUT. */
const PERSISTENCE_MAX_MS = 31 * 24 * 60 * 60 * 1000;

type Rule = (endpoint: EndpointSpec) => readonly Unsupported[];

/** What a dataplane cannot do for services with a virtual address. */
const LIMITS: Readonly<Record<DataplaneName, readonly Rule[]>> = Object.freeze({
  ipvs: [weightLimits, persistenceLimits],
  nftables: [weightLimits, connectionLimits, memoryLimits],
});

/** What none can do for services without one. */
const DNS_LIMITS: readonly Rule[] = [dnsLimits, weightLimits];

/**
 * What of the endpoint the dataplane cannot do; empty when it can do everything. Says nothing of
 * values that make no sense on any dataplane: that is for whoever judges the spec.
 * Cost: O(weights).
 */
export function unsupportedBy(
  dataplane: DataplaneName,
  endpoint: EndpointSpec | undefined,
): readonly Unsupported[] {
  if (endpoint === undefined) return [];
  const rules = endpointMode(endpoint) === 'dnsrr' ? DNS_LIMITS : LIMITS[dataplane];
  return rules.flatMap((rule) => rule(endpoint));
}

/** Without a virtual address there is nothing that could balance: clients choose. */
function dnsLimits(endpoint: EndpointSpec): readonly Unsupported[] {
  const { algorithm, affinity, isLocalOnly, slowStartMs, weights = [] } = endpoint;
  const isPartial = weights.some(({ weight }) => weight > 1);
  const asked: readonly (readonly [string, boolean])[] = [
    ['algorithm', algorithm !== undefined && algorithm !== 'round-robin'],
    ['affinity', affinity !== undefined],
    ['isLocalOnly', isLocalOnly === true],
    ['slowStartMs', (slowStartMs ?? 0) > 0],
    ['weights', isPartial],
  ];
  return asked
    .filter(([, isAsked]) => isAsked)
    .map(([field]) => ({
      field,
      reason: 'the mode dnsrr has no virtual address, so clients choose among all backends',
      hint: `use the mode vip, or leave ${field} out`,
    }));
}

function weightLimits({ weights = [] }: EndpointSpec): readonly Unsupported[] {
  return weights.flatMap(({ weight }, index) =>
    !(weight >= 0) || (Number.isInteger(weight) && weight <= WEIGHT_MAX)
      ? []
      : [
          {
            field: `weights[${index}].weight`,
            reason: `kernels take whole weights up to ${WEIGHT_MAX}, and not ${weight}`,
            hint: 'write a whole number; only the proportions of weights count',
          },
        ],
  );
}

function persistenceLimits({ affinity }: EndpointSpec): readonly Unsupported[] {
  if (affinity === undefined) return [];
  const { timeoutMs } = affinity;
  if (!(timeoutMs > 0)) return [];
  if (timeoutMs % 1000 === 0 && timeoutMs <= PERSISTENCE_MAX_MS) return [];
  return [
    {
      field: 'affinity.timeoutMs',
      reason: `ipvs remembers clients for whole seconds, at most 31 days, and not ${timeoutMs} ms`,
      hint: 'write a multiple of 1000, at most 2678400000',
    },
  ];
}

/** A rule sees one packet: it cannot compare how many connections backends have. */
function connectionLimits({ algorithm }: EndpointSpec): readonly Unsupported[] {
  if (algorithm !== 'least-connections') return [];
  return [
    {
      field: 'algorithm',
      reason: 'nftables cannot compare the open connections of backends',
      hint: 'use round-robin, weighted-round-robin, source-hash or maglev, or the dataplane ipvs',
    },
  ];
}

/** Its rules keep no list of clients, so a time after which one is forgotten means nothing. */
function memoryLimits({ affinity }: EndpointSpec): readonly Unsupported[] {
  if (affinity === undefined) return [];
  return [
    {
      field: 'affinity',
      reason: 'nftables remembers no clients, and so cannot forget one after a time',
      hint:
        'use the algorithm source-hash or maglev: a client keeps its backend while the backends ' +
        'stay the same; or the dataplane ipvs',
    },
  ];
}
