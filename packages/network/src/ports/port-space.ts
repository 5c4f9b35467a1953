/**
 * Published ports: which service has which number.
 *
 * **Source:** SwarmKit manager/allocator/portallocator.go for the two spaces;
 * manager/controlapi/service.go for what conflicts with what.
 */
import { compareText, type PortProtocol } from '@skep/api';
import { SerialSpace, type SerialRange } from './serial-space.js';

/** How a port is published. */
export type PublishMode = 'ingress' | 'host';

/** A number that somebody publishes on. */
export interface PortClaim {
  readonly protocol: PortProtocol;
  readonly port: number;
  readonly mode: PublishMode;
  /** Id of the service. */
  readonly owner: string;
}

/** Highest port. */
export const PORT_MAX = 65_535;

/** The protocols that ports are kept apart by. */
export const PORT_PROTOCOLS: readonly PortProtocol[] = Object.freeze(['tcp', 'udp', 'sctp']);

interface Owners {
  /** Owner → how many claims it has. */
  readonly ingress: Map<string, number>;
  readonly host: Map<string, number>;
}

/**
 * The ports of one protocol.
 *
 * A number published in ingress mode is taken on every node, so nobody else may have it in either
 * mode. Host-mode ports of different services may share a number: the scheduler keeps them on
 * different nodes.
 * Claims are counted, not checked: what the store says is so. Ask {@link conflict} first.
 */
export class PortSpace {
  readonly #space: SerialSpace;
  readonly #owners = new Map<number, Owners>();

  /** `dynamic` is the range that {@link next} draws from; `last` the number it gave last. */
  constructor(dynamic: SerialRange, last?: number) {
    this.#space = new SerialSpace(dynamic, {
      max: PORT_MAX,
      ...(last === undefined ? {} : { last }),
    });
  }

  /** The dynamic number given last. */
  get last(): number | undefined {
    return this.#space.last;
  }

  set last(port: number | undefined) {
    this.#space.last = port;
  }

  /** The range of dynamic numbers. */
  get dynamic(): SerialRange {
    return this.#space.range;
  }

  /** Somebody else whose claim forbids this one; the first by id. */
  conflict(port: number, mode: PublishMode, owner: string): string | undefined {
    const owners = this.#owners.get(port);
    if (owners === undefined) return undefined;
    const rivals = [...owners.ingress.keys(), ...(mode === 'ingress' ? owners.host.keys() : [])];
    return rivals.filter((rival) => rival !== owner).sort(compareText)[0];
  }

  /** Notes a claim. */
  claim(port: number, mode: PublishMode, owner: string): void {
    let owners = this.#owners.get(port);
    if (owners === undefined) {
      owners = { ingress: new Map(), host: new Map() };
      this.#owners.set(port, owners);
      this.#space.take(port);
    }
    owners[mode].set(owner, (owners[mode].get(owner) ?? 0) + 1);
  }

  /** Takes back a claim. False when there was none. */
  release(port: number, mode: PublishMode, owner: string): boolean {
    const owners = this.#owners.get(port);
    const count = owners?.[mode].get(owner) ?? 0;
    if (owners === undefined || count === 0) return false;
    if (count > 1) owners[mode].set(owner, count - 1);
    else owners[mode].delete(owner);
    if (owners.ingress.size + owners.host.size === 0) {
      this.#owners.delete(port);
      this.#space.release(port);
    }
    return true;
  }

  /** Claims the next free dynamic number in ingress mode; undefined when all are taken. */
  next(owner: string): number | undefined {
    const port = this.#space.next();
    if (port === undefined) return undefined;
    // The space has taken it by itself; the claim takes it again, for the count.
    this.#space.release(port);
    this.claim(port, 'ingress', owner);
    return port;
  }

  /** Numbers that somebody claims. */
  get taken(): number {
    return this.#owners.size;
  }
}

/** The spaces of all protocols. */
export type PortSpaces = Readonly<Record<PortProtocol, PortSpace>>;

/** Spaces in which nothing is taken. */
export function portSpaces(
  dynamic: SerialRange,
  last: Readonly<Partial<Record<PortProtocol, number>>> = {},
): PortSpaces {
  return {
    tcp: new PortSpace(dynamic, last.tcp),
    udp: new PortSpace(dynamic, last.udp),
    sctp: new PortSpace(dynamic, last.sctp),
  };
}
