/**
 * IPVS in a namespace: the connections it gave to backends, and whom clients with affinity belong
 * to.
 *
 * **Source:** Linux net/netfilter/ipvs (ip_vs_core, ip_vs_conn, ip_vs_proto_tcp).
 */
import { BackendLoads } from './backend-loads.js';
import { balancerKey, type BalancerConfig, type DestinationConfig } from './namespace-config.js';
import { tupleKey, tupleOf, type Packet, type Tuple } from './packet.js';
import { schedule } from './scheduler.js';

/** Most connections that a namespace remembers; beyond, the oldest are forgotten. */
export const BALANCED_MAX = 65_536;

/** How long the kernel looks again whether a client has connections left. */
const TEMPLATE_RECHECK_MS = 60_000;

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

/** Settings of the namespace that matter. */
export interface BalanceSettings {
  /** `net.ipv4.vs.expire_quiescent_template`: affinity does not lead to a backend that drains. */
  readonly expiresQuiescent: boolean;
}

/** Whose a client is. */
interface Template {
  readonly address: string;
  until: number;
  /** Connections that hang on it: it outlives them. */
  open: number;
  lastEnd: number;
}

/** See the module comment. The services themselves are configuration and passed in. */
export class Balancer {
  private readonly connections = new Map<string, BalancedConnection>();
  private readonly replies = new Map<string, BalancedConnection>();
  private readonly loads = new BackendLoads();
  /** `SERVICE CLIENT` → whose it is. */
  private readonly templates = new Map<string, Template>();
  private readonly max: number;

  /** `max`: how many connections, and clients with affinity, are remembered. */
  constructor(max = BALANCED_MAX) {
    this.max = max;
  }

  /** Open connections of a backend. */
  activeConnections(mark: number, address: string): number {
    return this.loads.open(balancerKey(mark, address), address);
  }

  /** What happens to a packet for a virtual address. `now` in ms, for affinity and closed ones. */
  request(
    packet: Packet,
    services: ReadonlyMap<number, BalancerConfig>,
    now: number,
    settings: BalanceSettings = { expiresQuiescent: true },
  ): BalanceResult {
    if (packet.protocol === 'icmp') return { type: 'pass' };
    const original = tupleOf(packet);
    const known = this.connections.get(tupleKey(original));
    if (known !== undefined) {
      const key = balancerKey(known.mark, original.destination);
      const destinations = services.get(key)?.destinations ?? [];
      if (destinations.some(({ address }) => address === known.backend.address)) {
        return { type: 'send', connection: known };
      }
      this.forget(known);
      return { type: 'refuse', reason: `its backend ${known.backend.address} was removed` };
    }
    const service = services.get(balancerKey(packet.mark, packet.destination));
    if (service === undefined) return { type: 'pass' };
    const chosen = this.choose(packet, service, now, settings);
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

  /**
   * Ends a connection at a time. A backend's load remembers it for as long as the kernel does:
   * those of tcp for two minutes, those of udp, of whose end nobody is told, for five.
   */
  close(connection: BalancedConnection, now = 0): void {
    if (this.connections.get(tupleKey(connection.original)) !== connection) return;
    this.forget(connection);
    const end = this.loads.fade(keyOf(connection), connection, now);
    const template = this.templates.get(templateKey(connection));
    if (template !== undefined) template.lastEnd = Math.max(template.lastEnd, end);
  }

  /** The connection of a client to a virtual address. */
  find(original: Tuple): BalancedConnection | undefined {
    return this.connections.get(tupleKey(original));
  }

  private forget(connection: BalancedConnection): void {
    if (!this.connections.delete(tupleKey(connection.original))) return;
    const reply = replyKey(connection);
    if (this.replies.get(reply) === connection) this.replies.delete(reply);
    this.loads.remove(keyOf(connection), connection);
    const template = this.templates.get(templateKey(connection));
    if (template !== undefined && template.open > 0) template.open -= 1;
  }

  private remember(connection: BalancedConnection): void {
    this.connections.set(tupleKey(connection.original), connection);
    this.replies.set(replyKey(connection), connection);
    this.loads.add(keyOf(connection), connection);
    const template = this.templates.get(templateKey(connection));
    if (template !== undefined) template.open += 1;
    while (this.connections.size > this.max) {
      const oldest = this.connections.values().next().value;
      if (oldest === undefined) break;
      this.forget(oldest);
    }
  }

  /** The connections of a backend that was removed are over, and nobody belongs to it. */
  private forgetBackend(key: number, address: string): void {
    this.loads.clear(key, address);
    for (const [name, template] of this.templates) {
      const isMeant = address === '*' || template.address === address;
      if (isMeant && name.startsWith(`${key} `)) this.templates.delete(name);
    }
  }

  private choose(
    packet: Packet,
    service: BalancerConfig,
    now: number,
    settings: BalanceSettings,
  ): DestinationConfig | undefined {
    const key = balancerKey(packet.mark, packet.destination);
    for (const address of service.removed) this.forgetBackend(key, address);
    service.removed.clear();
    const fresh = (): DestinationConfig | undefined =>
      schedule(service, {
        client: { address: packet.source, port: packet.sourcePort },
        connections: (address) => this.loads.at(key, address, now),
      });
    if (service.persistence === 0) return fresh();
    const name = `${key} ${packet.source}`;
    const template = this.templates.get(name);
    const kept =
      template === undefined || hasExpired(template, now)
        ? undefined
        : service.destinations.find(({ address }) => address === template.address);
    const isKept = kept !== undefined && (kept.weight > 0 || !settings.expiresQuiescent);
    const chosen = isKept ? kept : fresh();
    this.templates.delete(name);
    if (chosen === undefined) return undefined;
    this.templates.set(name, {
      address: chosen.address,
      until: now + service.persistence * 1000,
      open: isKept ? (template?.open ?? 0) : 0,
      lastEnd: isKept ? (template?.lastEnd ?? 0) : 0,
    });
    if (this.templates.size > this.max) {
      const oldest = this.templates.keys().next().value;
      if (oldest !== undefined) this.templates.delete(oldest);
    }
    return chosen;
  }
}

/** When its time is over, it stays as long as connections hang on it, looked at every minute. */
function hasExpired(template: Template, now: number): boolean {
  if (template.until > now) return false;
  const last = template.open > 0 ? now + 1 : template.lastEnd;
  if (last <= template.until) return true;
  const rounds = Math.ceil((Math.min(last, now + 1) - template.until) / TEMPLATE_RECHECK_MS);
  template.until += rounds * TEMPLATE_RECHECK_MS;
  return template.until <= now;
}

function keyOf({ mark, original }: BalancedConnection): number {
  return balancerKey(mark, original.destination);
}

function templateKey(connection: BalancedConnection): string {
  return `${keyOf(connection)} ${connection.original.source}`;
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
