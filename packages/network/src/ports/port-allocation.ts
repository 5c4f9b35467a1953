/**
 * The ports of one service: fixed numbers, numbers it had before, new numbers.
 *
 * **Source:** SwarmKit manager/allocator/portallocator.go (reconcilePortConfigs,
 * serviceAllocatePorts). Two things differ: a dynamic number stays when the *number* of ports
 * changes too, and a conflict leaves the service what it had.
 */
import type { AllocatedPort, PortSpec } from '@skep/api';
import type { PortClaim, PortSpaces } from './port-space.js';

/** Why a service cannot have its ports. */
export type PortFailure =
  | { readonly reason: 'taken'; readonly port: AllocatedPort; readonly owner: string }
  /** Two ports of the service itself want the same number. */
  | { readonly reason: 'duplicate'; readonly port: AllocatedPort }
  | { readonly reason: 'invalid'; readonly port: AllocatedPort }
  /** No dynamic number is free. */
  | { readonly reason: 'exhausted'; readonly port: AllocatedPort };

/** The ports of a service and what changed in the spaces, or why not; then nothing changed. */
export type PortAllocation =
  | {
      readonly ok: true;
      readonly ports: readonly AllocatedPort[];
      readonly claimed: readonly PortClaim[];
      readonly released: readonly PortClaim[];
    }
  | { readonly ok: false; readonly failure: PortFailure };

/**
 * Which number each wanted port has already: its own, or the one that a port of the same name,
 * protocol, target and mode has. 0: still to be chosen (ingress), or left to the node (host).
 * Numbers that a port of the service has by its spec are left to that port, and those that are
 * promised to other services to them.
 */
export function matchPorts(
  wanted: readonly PortSpec[],
  previous: readonly AllocatedPort[],
  isPromised: (port: AllocatedPort) => boolean = () => false,
): readonly AllocatedPort[] {
  const ports = wanted.map(completePort);
  const fixed = new Set(
    ports.filter((port) => port.publishedPort !== 0).map((port) => numberKey(port)),
  );
  const left = previous.filter((old) => !fixed.has(numberKey(old)) && !isPromised(old));
  return ports.map((port) => {
    if (port.publishedPort !== 0 || port.publishMode === 'host') return port;
    const at = left.findIndex((old) => isSamePort(old, port) && old.publishedPort !== 0);
    const old = left[at];
    if (old === undefined) return port;
    left.splice(at, 1);
    return { ...port, publishedPort: old.publishedPort };
  });
}

/** Whether the service has all the ports it wants, in whatever order. Nothing needs allocation. */
export function arePortsAllocated(
  wanted: readonly PortSpec[],
  previous: readonly AllocatedPort[],
): boolean {
  if (wanted.length !== previous.length) return false;
  const left = [...previous];
  return matchPorts(wanted, previous).every((port) => {
    const at = left.findIndex(
      (old) => isSamePort(old, port) && old.publishedPort === port.publishedPort,
    );
    if (at < 0 || (port.publishMode === 'ingress' && port.publishedPort === 0)) return false;
    left.splice(at, 1);
    return true;
  });
}

/**
 * Gives a service its ports, all or none. Its earlier ports are in the spaces already; those it
 * keeps stay, those it does not want any more are released. `isPromised` says of a number that it
 * is another service's by declaration, as soon as it is free: a dynamic port does not keep it.
 */
export function allocatePorts(
  spaces: PortSpaces,
  owner: string,
  wanted: readonly PortSpec[],
  previous: readonly AllocatedPort[],
  isPromised?: (port: AllocatedPort) => boolean,
): PortAllocation {
  const matched = matchPorts(wanted, previous, isPromised);
  const failure = conflictOf(spaces, owner, matched);
  if (failure !== undefined) return { ok: false, failure };
  const before = claimsOf(owner, previous);
  const claimed: PortClaim[] = [];
  const ports: AllocatedPort[] = [];
  // Fixed and kept numbers first: a new dynamic one may not take what a later port needs.
  for (const claim of claimsOf(owner, matched)) {
    const at = before.findIndex((old) => isSameClaim(old, claim));
    if (at >= 0) {
      before.splice(at, 1);
      continue;
    }
    spaces[claim.protocol].claim(claim.port, claim.mode, owner);
    claimed.push(claim);
  }
  for (const port of matched) {
    const { protocol, publishMode } = port;
    if (publishMode === 'host' || port.publishedPort !== 0) {
      ports.push(port);
      continue;
    }
    const number = spaces[protocol].next(owner);
    if (number === undefined) {
      for (const claim of claimed) releaseClaim(spaces, claim);
      return { ok: false, failure: { reason: 'exhausted', port } };
    }
    claimed.push({ protocol, port: number, mode: 'ingress', owner });
    ports.push({ ...port, publishedPort: number });
  }
  for (const claim of before) releaseClaim(spaces, claim);
  return { ok: true, ports, claimed, released: before };
}

/** The claims that follow from a service's allocated ports. */
export function claimsOf(owner: string, ports: readonly AllocatedPort[]): PortClaim[] {
  return ports
    .filter((port) => port.publishedPort > 0)
    .map((port) => ({
      protocol: port.protocol,
      port: port.publishedPort,
      mode: port.publishMode,
      owner,
    }));
}

/** Takes back a claim. */
export function releaseClaim(spaces: PortSpaces, claim: PortClaim): void {
  spaces[claim.protocol].release(claim.port, claim.mode, claim.owner);
}

function conflictOf(
  spaces: PortSpaces,
  owner: string,
  ports: readonly AllocatedPort[],
): PortFailure | undefined {
  const seen = new Set<string>();
  for (const port of ports) {
    const number = port.publishedPort;
    if (number === 0) continue;
    if (!Number.isInteger(number) || number < 1 || number > 65_535) {
      return { reason: 'invalid', port };
    }
    const key = numberKey(port);
    if (seen.has(key)) return { reason: 'duplicate', port };
    seen.add(key);
    const rival = spaces[port.protocol].conflict(number, port.publishMode, owner);
    if (rival !== undefined) return { reason: 'taken', port, owner: rival };
  }
  return undefined;
}

function completePort(spec: PortSpec): AllocatedPort {
  return {
    name: spec.name ?? '',
    protocol: spec.protocol ?? 'tcp',
    targetPort: spec.targetPort,
    publishedPort: spec.publishedPort ?? 0,
    publishMode: spec.publishMode ?? 'ingress',
  };
}

function numberKey(port: AllocatedPort): string {
  return `${port.protocol}/${port.publishedPort}`;
}

function isSamePort(a: AllocatedPort, b: AllocatedPort): boolean {
  return (
    a.name === b.name &&
    a.protocol === b.protocol &&
    a.targetPort === b.targetPort &&
    a.publishMode === b.publishMode
  );
}

function isSameClaim(a: PortClaim, b: PortClaim): boolean {
  return a.protocol === b.protocol && a.port === b.port && a.mode === b.mode;
}
