/**
 * The schedulers of IPVS: which backend a new connection gets.
 *
 * **Source:** Linux net/netfilter/ipvs (ip_vs_rr, ip_vs_wrr, ip_vs_lc, ip_vs_wlc, ip_vs_sh,
 * ip_vs_mh), followed step by step.
 */
import {
  byMaglev,
  bySourceHash,
  greatestDivisor,
  lookupTable,
  type LookupTable,
} from './kernel-hash.js';
import type { BalancerConfig, DestinationConfig } from './namespace-config.js';

/** Where a scheduler is in its list. */
export interface SchedulerPosition {
  /** Address of the backend chosen last; undefined: before the first. */
  last: string | undefined;
  /** Of weighted round robin: the weight that a backend needs for its turn. */
  threshold: number;
  /** Of source hashing and Maglev: the table, and the list it was made for. */
  lookup?: { readonly scheduler: string; readonly of: List; readonly table: LookupTable };
}

/** What a scheduler may ask for. */
export interface ScheduleContext {
  readonly client: { readonly address: string; readonly port: number };
  /** Open connections of a backend, and those that are ending. */
  readonly connections: (address: string) => { readonly open: number; readonly ending: number };
}

type List = readonly DestinationConfig[];

const isServing = ({ weight }: DestinationConfig): boolean => weight > 0;

/** A scheduler that has just been bound to a service with these backends. */
export function freshPosition(destinations: List): SchedulerPosition {
  return { last: undefined, threshold: limits(destinations).highest };
}

/** Chooses a backend and moves on; undefined when none takes connections. */
export function schedule(
  service: BalancerConfig,
  context: ScheduleContext,
): DestinationConfig | undefined {
  const { destinations, position, scheduler, flags } = service;
  const has = (flag: string): boolean => flags.includes(flag);
  const client = (withPort: boolean): ScheduleContext['client'] =>
    withPort ? context.client : { ...context.client, port: 0 };
  switch (scheduler) {
    case 'rr':
      return roundRobin(destinations, position);
    case 'wrr':
      return weightedRoundRobin(destinations, position);
    case 'sh':
      return bySourceHash(tableOf(service), client(has('sh-port')), has('sh-fallback'));
    case 'mh':
      return byMaglev(tableOf(service), client(has('mh-port')), has('mh-fallback'));
    default:
      return leastConnections(destinations, context, scheduler === 'wlc');
  }
}

/** The table of the service, made once for each list of backends. */
function tableOf({ scheduler, destinations, position }: BalancerConfig): LookupTable {
  const { lookup } = position;
  if (lookup?.of === destinations && lookup.scheduler === scheduler) return lookup.table;
  const table = lookupTable(scheduler, destinations);
  position.lookup = { scheduler, of: destinations, table };
  return table;
}

/**
 * Tells the scheduler that a backend was added, changed or removed. `before`: the list as it was.
 */
export function noteDestinations(service: BalancerConfig, before: List): void {
  const { position, destinations, scheduler } = service;
  if (scheduler !== 'wrr') {
    position.last = nearest(before, destinations, position.last);
    return;
  }
  const { divisor, highest } = limits(destinations);
  position.last = undefined;
  if (position.threshold > highest || position.threshold === 0) {
    position.threshold = highest;
  } else if (divisor > 1) {
    position.threshold = Math.trunc(position.threshold / divisor) * divisor + 1;
  }
}

/**
 * A position that goes on in another list: for a service whose whole text is applied again.
 * Connections go on as if only what differs had been changed.
 */
export function carriedPosition(from: BalancerConfig, to: BalancerConfig): SchedulerPosition {
  if (from.scheduler !== to.scheduler) return to.position;
  const { highest } = limits(to.destinations);
  const { last, threshold } = from.position;
  const isWeighted = to.scheduler === 'wrr';
  return {
    last: nearest(from.destinations, to.destinations, last),
    threshold: isWeighted && threshold <= highest && threshold > 0 ? threshold : highest,
  };
}

/** The backend itself, or when it is gone the one before it that is there; undefined: none. */
function nearest(before: List, after: List, last: string | undefined): string | undefined {
  const isThere = new Set(after.map(({ address }) => address));
  for (let at = before.findIndex(({ address }) => address === last); at >= 0; at -= 1) {
    const address = before[at]?.address;
    if (address !== undefined && isThere.has(address)) return address;
  }
  return undefined;
}

function roundRobin(
  destinations: List,
  position: SchedulerPosition,
): DestinationConfig | undefined {
  const last = destinations.findIndex(({ address }) => address === position.last);
  for (let step = 1; step <= destinations.length; step += 1) {
    const candidate = destinations[(last + step) % destinations.length];
    if (candidate !== undefined && isServing(candidate)) {
      position.last = candidate.address;
      return candidate;
    }
  }
  return undefined;
}

/** Greatest divisor of the weights, and the highest weight that a turn starts with. */
function limits(destinations: List): { readonly divisor: number; readonly highest: number } {
  const weights = destinations.filter(isServing).map(({ weight }) => weight);
  const divisor = weights.length === 0 ? 1 : weights.reduce(greatestDivisor);
  return { divisor, highest: Math.max(0, ...weights) - (divisor - 1) };
}

function weightedRoundRobin(
  destinations: List,
  position: SchedulerPosition,
): DestinationConfig | undefined {
  const { divisor, highest } = limits(destinations);
  if (highest === 0) return undefined;
  let at = destinations.findIndex(({ address }) => address === position.last);
  // Each round lowers the threshold by the divisor, so it is reached within this many steps.
  const steps = (destinations.length + 1) * (highest / divisor + 2);
  for (let step = 0; step < steps; step += 1) {
    at += 1;
    if (at >= destinations.length) {
      at = -1;
      position.threshold -= divisor;
      if (position.threshold <= 0) position.threshold = highest;
      continue;
    }
    const candidate = destinations[at];
    if (candidate !== undefined && candidate.weight >= position.threshold) {
      position.last = candidate.address;
      return candidate;
    }
  }
  return undefined;
}

/** An open connection counts as much as 256 that are ending. */
function leastConnections(
  destinations: List,
  { connections }: ScheduleContext,
  isWeighted: boolean,
): DestinationConfig | undefined {
  let best: { readonly destination: DestinationConfig; readonly load: number } | undefined;
  for (const destination of destinations.filter(isServing)) {
    const { open, ending } = connections(destination.address);
    const load = open * 256 + ending;
    const isBetter =
      best === undefined ||
      (isWeighted
        ? best.load * destination.weight > load * best.destination.weight
        : load < best.load);
    if (isBetter) best = { destination, load };
  }
  return best?.destination;
}
