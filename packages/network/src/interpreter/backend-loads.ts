/**
 * How many connections the backends of IPVS services have.
 *
 * **Source:** Linux net/netfilter/ipvs (ip_vs_conn: activeconns, inactconns; ip_vs_proto_tcp,
 * ip_vs_proto_udp: timeouts).
 */
import type { BalancedConnection } from './balancer.js';

/** A closed connection of tcp waits this long (TIME_WAIT). */
const TCP_CLOSED_MS = 120_000;
/** A flow of udp is taken for over when it was silent for this long. */
const UDP_SILENT_MS = 300_000;

interface Load {
  open: number;
  /** Open ones of udp, which the kernel always counts as ending. */
  openUdp: number;
  /** Connections that ended, until when they count. */
  fading: { readonly until: number; count: number }[];
}

/** See the module comment. Backends are named by the key of their service, and their address. */
export class BackendLoads {
  private readonly loads = new Map<string, Load>();

  /** Connections that are open. */
  open(service: number, address: string): number {
    const load = this.loads.get(`${service} ${address}`);
    return load === undefined ? 0 : load.open + load.openUdp;
  }

  /** Connections as the kernel counts them at a time. */
  at(
    service: number,
    address: string,
    now: number,
  ): { readonly open: number; readonly ending: number } {
    const load = this.loads.get(`${service} ${address}`);
    if (load === undefined) return { open: 0, ending: 0 };
    load.fading = load.fading.filter(({ until }) => until > now);
    const ending = load.fading.reduce((sum, { count }) => sum + count, load.openUdp);
    return { open: load.open, ending };
  }

  /** Counts one more. */
  add(service: number, connection: BalancedConnection): void {
    this.change(service, connection, 1);
  }

  /** Counts one less. */
  remove(service: number, connection: BalancedConnection): void {
    this.change(service, connection, -1);
  }

  /** Counts a connection that ended for as long as the kernel does; gives that time. */
  fade(service: number, { original, backend }: BalancedConnection, now: number): number {
    const { protocol } = original;
    if (protocol !== 'tcp' && protocol !== 'udp') return now;
    const until = now + (protocol === 'tcp' ? TCP_CLOSED_MS : UDP_SILENT_MS);
    const { fading } = this.load(service, backend.address);
    const last = fading.at(-1);
    if (last?.until === until) last.count += 1;
    else fading.push({ until, count: 1 });
    while (fading[0] !== undefined && fading[0].until <= now) fading.shift();
    return until;
  }

  /** Forgets a backend, or with `*` all of the service: their connections are over. */
  clear(service: number, address: string): void {
    if (address !== '*') {
      this.loads.delete(`${service} ${address}`);
      return;
    }
    for (const key of this.loads.keys()) {
      if (key.startsWith(`${service} `)) this.loads.delete(key);
    }
  }

  private change(service: number, { original, backend }: BalancedConnection, by: number): void {
    const load = this.load(service, backend.address);
    const kind = original.protocol === 'udp' ? 'openUdp' : 'open';
    load[kind] = Math.max(0, load[kind] + by);
  }

  private load(service: number, address: string): Load {
    const key = `${service} ${address}`;
    let load = this.loads.get(key);
    if (load === undefined) {
      load = { open: 0, openUdp: 0, fading: [] };
      this.loads.set(key, load);
    }
    return load;
  }
}
