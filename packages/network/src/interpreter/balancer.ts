/**
 * IPVS in a namespace: services by mark, their schedulers, the connections they have.
 *
 * **Source:** Linux net/netfilter/ipvs (ip_vs_core, ip_vs_rr, ip_vs_wrr, ip_vs_lc, ip_vs_wlc). The
 * source-hash and maglev schedulers keep their property, one client one backend, but not the
 * kernel's choice of it.
 */
import { hash32 } from '@skep/api';
import type { BalancerConfig, DestinationConfig } from './namespace-config.js';
import { tupleKey, tupleOf, type Packet, type Tuple } from './packet.js';

/** Most connections that a namespace remembers; beyond, the oldest are forgotten. */
export const BALANCED_MAX = 65_536;

/** A connection that was given to a backend. */
export interface BalancedConnection {
  readonly mark: number;
  /** Client to virtual address. */
  readonly original: Tuple;
  readonly backend: { readonly address: string; readonly port: number };
}

/** What became of a packet that IPVS looked at. */
export type BalanceResult =
  | { readonly type: 'pass' }
  | { readonly type: 'refuse'; readonly reason: string }
  | { readonly type: 'send'; readonly connection: BalancedConnection };

interface SchedulerState {
  /** The scheduler whose state it is: another one starts afresh. */
  scheduler: string;
  /** Backend chosen last, and the list as it was then. */
  last: string | undefined;
  order: readonly string[];
  /** Threshold of weighted round robin. */
  threshold: number;
  readonly templates: Map<string, { readonly address: string; readonly until: number }>;
}

const isServing = ({ weight }: DestinationConfig): boolean => weight > 0;

/** See the module comment. The services themselves are configuration and passed in. */
export class Balancer {
  private readonly connections = new Map<string, BalancedConnection>();
  private readonly replies = new Map<string, BalancedConnection>();
  private readonly states = new Map<number, SchedulerState>();
  private readonly max: number;

  /** `max`: how many connections, and clients with affinity per service, are remembered. */
  constructor(max = BALANCED_MAX) {
    this.max = max;
  }

  /** Open connections of a backend. Cost: O(connections). */
  activeConnections(mark: number, address: string): number {
    let count = 0;
    for (const connection of this.connections.values()) {
      if (connection.mark === mark && connection.backend.address === address) count += 1;
    }
    return count;
  }

  /** What happens to a packet for a virtual address. `now` in ms, for affinity. */
  request(
    packet: Packet,
    services: ReadonlyMap<number, BalancerConfig>,
    now: number,
  ): BalanceResult {
    if (packet.protocol === 'icmp') return { type: 'pass' };
    const original = tupleOf(packet);
    const known = this.connections.get(tupleKey(original));
    if (known !== undefined) {
      const destinations = services.get(known.mark)?.destinations ?? [];
      if (destinations.some(({ address }) => address === known.backend.address)) {
        return { type: 'send', connection: known };
      }
      this.close(known);
      return { type: 'refuse', reason: `its backend ${known.backend.address} was removed` };
    }
    const service = services.get(packet.mark);
    if (service === undefined) return { type: 'pass' };
    const chosen = this.schedule(packet, service, now);
    if (chosen === undefined) return { type: 'refuse', reason: 'no backend takes connections' };
    const port = chosen.port === 0 ? packet.destinationPort : chosen.port;
    const connection = {
      mark: packet.mark,
      original,
      backend: { address: chosen.address, port },
    };
    this.remember(connection);
    return { type: 'send', connection };
  }

  /** The connection that a packet from a backend answers. */
  reply(packet: Packet): BalancedConnection | undefined {
    return this.replies.get(tupleKey(tupleOf(packet)));
  }

  /** Forgets a connection. */
  close(connection: BalancedConnection): void {
    this.connections.delete(tupleKey(connection.original));
    const reply = replyKey(connection);
    if (this.replies.get(reply) === connection) this.replies.delete(reply);
  }

  /** The connection of a client to a virtual address. */
  find(original: Tuple): BalancedConnection | undefined {
    return this.connections.get(tupleKey(original));
  }

  private remember(connection: BalancedConnection): void {
    this.connections.set(tupleKey(connection.original), connection);
    this.replies.set(replyKey(connection), connection);
    while (this.connections.size > this.max) {
      const oldest = this.connections.values().next().value;
      if (oldest === undefined) break;
      this.close(oldest);
    }
  }

  private stateOf(mark: number): SchedulerState {
    let state = this.states.get(mark);
    if (state === undefined) {
      state = { scheduler: '', last: undefined, order: [], threshold: 0, templates: new Map() };
      this.states.set(mark, state);
    }
    return state;
  }

  private schedule(
    packet: Packet,
    service: BalancerConfig,
    now: number,
  ): DestinationConfig | undefined {
    const state = this.stateOf(packet.mark);
    if (state.scheduler !== service.scheduler) {
      state.scheduler = service.scheduler;
      state.last = undefined;
      state.threshold = 0;
    }
    if (service.persistence === 0) return this.choose(packet, service, state);
    const template = state.templates.get(packet.source);
    const kept = service.destinations.find(({ address }) => address === template?.address);
    const isKept = template !== undefined && template.until > now && kept !== undefined;
    const chosen = isKept && isServing(kept) ? kept : this.choose(packet, service, state);
    state.templates.delete(packet.source);
    if (chosen !== undefined) {
      const until = now + service.persistence * 1000;
      state.templates.set(packet.source, { address: chosen.address, until });
    }
    if (state.templates.size > this.max) {
      const oldest = state.templates.keys().next().value;
      if (oldest !== undefined) state.templates.delete(oldest);
    }
    return chosen;
  }

  private choose(
    packet: Packet,
    { scheduler, destinations }: BalancerConfig,
    state: SchedulerState,
  ): DestinationConfig | undefined {
    switch (scheduler) {
      case 'rr':
        return roundRobin(destinations, state);
      case 'wrr':
        return weightedRoundRobin(destinations, state);
      case 'sh':
      case 'mh':
        return bySource(packet.source, destinations);
      default:
        return leastConnections(destinations, (destination) => {
          const active = this.activeConnections(packet.mark, destination.address);
          return scheduler === 'wlc' ? active / destination.weight : active;
        });
    }
  }
}

function replyKey({ original, backend }: BalancedConnection): string {
  return tupleKey({
    protocol: original.protocol,
    source: backend.address,
    sourcePort: backend.port,
    destination: original.source,
    destinationPort: original.sourcePort,
  });
}

/** Position of the backend chosen last; when it is gone, of the one before it. -1: start. */
function lastPosition(destinations: readonly DestinationConfig[], state: SchedulerState): number {
  const start = state.last === undefined ? -1 : state.order.indexOf(state.last);
  for (let i = start; i >= 0; i -= 1) {
    const position = destinations.findIndex(({ address }) => address === state.order[i]);
    if (position >= 0) return position;
  }
  return -1;
}

function remember(
  destinations: readonly DestinationConfig[],
  state: SchedulerState,
  chosen: DestinationConfig,
): DestinationConfig {
  state.last = chosen.address;
  state.order = destinations.map(({ address }) => address);
  return chosen;
}

function roundRobin(
  destinations: readonly DestinationConfig[],
  state: SchedulerState,
): DestinationConfig | undefined {
  const last = lastPosition(destinations, state);
  for (let step = 1; step <= destinations.length; step += 1) {
    const candidate = destinations[(last + step) % destinations.length];
    if (candidate !== undefined && isServing(candidate)) {
      return remember(destinations, state, candidate);
    }
  }
  return undefined;
}

function weightedRoundRobin(
  destinations: readonly DestinationConfig[],
  state: SchedulerState,
): DestinationConfig | undefined {
  const weights = destinations.filter(isServing).map(({ weight }) => weight);
  if (weights.length === 0) return undefined;
  const highest = Math.max(...weights);
  const divisor = weights.reduce(greatestDivisor);
  let at = lastPosition(destinations, state);
  if (state.threshold <= 0 || state.threshold > highest) state.threshold = highest;
  // Each round lowers the threshold by the divisor, so it is reached within this many steps.
  const steps = destinations.length * (highest / divisor + 1);
  for (let step = 0; step < steps; step += 1) {
    at += 1;
    if (at >= destinations.length) {
      at = 0;
      state.threshold -= divisor;
      if (state.threshold <= 0) state.threshold = highest;
    }
    const candidate = destinations[at];
    if (candidate !== undefined && candidate.weight >= state.threshold) {
      return remember(destinations, state, candidate);
    }
  }
  return undefined;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function leastConnections(
  destinations: readonly DestinationConfig[],
  load: (destination: DestinationConfig) => number,
): DestinationConfig | undefined {
  let best: DestinationConfig | undefined;
  let least = Infinity;
  for (const candidate of destinations) {
    if (!isServing(candidate)) continue;
    const value = load(candidate);
    if (value < least) {
      least = value;
      best = candidate;
    }
  }
  return best;
}

/** Highest random weight: a backend that goes only moves its own clients. */
function bySource(
  source: string,
  destinations: readonly DestinationConfig[],
): DestinationConfig | undefined {
  let best: DestinationConfig | undefined;
  let highest = -Infinity;
  for (const candidate of destinations) {
    if (!isServing(candidate)) continue;
    const draw = (hash32(`${source} ${candidate.address}`) + 1) / 4_294_967_297;
    const score = -candidate.weight / Math.log(draw);
    if (score > highest) {
      highest = score;
      best = candidate;
    }
  }
  return best;
}
