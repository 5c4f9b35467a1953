/**
 * The endpoint of one service: its published ports, and its virtual address in each network.
 *
 * **Source:** libnetwork cnmallocator (AllocateService), SwarmKit manager/allocator. Transactional:
 * when something cannot be had, the service keeps all that it has (defect 22).
 */
import {
  Service,
  endpointMode,
  serviceNetworks,
  withMeta,
  withStatus,
  type AllocatedPort,
  type NetworkId,
  type ServiceEndpoint,
  type VirtualAddress,
} from '@skep/api';
import { allocatePorts, type PortClaim, type PortFailure } from '@skep/network';
import {
  allocatedConditions,
  failedConditions,
  failure,
  success,
  type Failure,
  type Outcome,
} from './failure.js';
import { ownedPorts } from './claims.js';
import { keyOf, splitKey } from './key-index.js';
import { exhausted, resolveTarget } from './network-texts.js';
import type { AllocationPass } from './pass.js';
import { BUCKETS, FINALIZER, hasHeldPorts, isServiceLeaving, isServicePending } from './waiting.js';

/** Plans one service. */
export function planService(pass: AllocationPass, service: Service): void {
  if (isServiceLeaving(service)) {
    planEnd(pass, service);
    return;
  }
  const isWritten = isServicePending(service) && planEndpoint(pass, service);
  if (!isWritten && hasHeldPorts(service)) planHeldPorts(pass, service);
}

/**
 * Frees ports and virtual addresses once no table has them: the service, deleting and without
 * tasks, is in no assignment any more, and that is in force in each of its networks.
 */
function planEnd(pass: AllocationPass, service: Service): void {
  const { version, finalizers, id } = service.meta;
  const { virtualAddresses = [] } = service.status.endpoint ?? {};
  const networks = new Set(virtualAddresses.map(({ networkId }) => networkId));
  const ingress = ownedPorts(service).length > 0 ? pass.ingress() : undefined;
  if (ingress !== undefined) networks.add(ingress.meta.id);
  for (const networkId of networks) if (!pass.isInForce(networkId, version)) return;
  const mark = pass.mark();
  const ties = virtualAddresses
    .filter(({ networkId, address }) => pass.giveBack(networkId, address, false))
    .map(({ networkId }) => networkId);
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const object = withMeta(service, { finalizers: left });
  pass.write({ key: keyOf('Service', id), object, mark, ties });
}

/** Lets go of ports that were given up, once no table has them. */
function planHeldPorts(pass: AllocationPass, service: Service): void {
  const { endpoint } = service.status;
  const ingress = pass.ingress();
  const isKnown = ingress === undefined || pass.isInForce(ingress.meta.id, service.meta.version);
  if (endpoint === undefined || !isKnown) return;
  const { heldPorts: _, ...rest } = endpoint;
  write(pass, service, { endpoint: rest }, { mark: pass.mark() });
}

/** Whether there was something to write. */
function planEndpoint(pass: AllocationPass, service: Service): boolean {
  const mark = pass.mark();
  const ties: NetworkId[] = [];
  const outcome = endpointOf(pass, service, ties);
  const { generation } = service.meta;
  const { conditions } = service.status;
  const { now } = pass;
  if (!outcome.ok) {
    pass.rollback(mark);
    const next = failedConditions({ conditions, failure: outcome.failure, generation, now });
    if (next === conditions) return false;
    pass.warn(service, outcome.failure);
    write(pass, service, { conditions: next }, { mark });
  } else if (outcome.value === undefined) {
    pass.rollback(mark);
    return false;
  } else {
    const next = allocatedConditions({ conditions, generation, now });
    write(pass, service, { endpoint: outcome.value, conditions: next }, { mark, ties });
  }
  return true;
}

function write(
  pass: AllocationPass,
  service: Service,
  status: Partial<Service['status']>,
  commit: { readonly mark: number; readonly ties?: readonly NetworkId[] },
): void {
  const object = withStatus(service, { ...service.status, ...status });
  pass.write({ key: keyOf('Service', service.meta.id), object, ...commit });
}

/** The endpoint that the spec asks for; undefined while a network is not ready yet. */
function endpointOf(
  pass: AllocationPass,
  service: Service,
  ties: NetworkId[],
): Outcome<ServiceEndpoint | undefined> {
  const { endpoint } = service.spec;
  const before = service.status.endpoint;
  const mode = endpointMode(endpoint);
  const ports = portsOf(pass, service);
  if (!ports.ok) return ports;
  const { given, held } = ports.value;
  const published = given.find(({ publishMode }) => publishMode === 'ingress');
  if (mode === 'dnsrr' && published !== undefined) {
    return failure(
      'invalid-endpoint',
      `port ${published.targetPort} is published in ingress mode, which needs endpoint mode vip, ` +
        'not dnsrr',
    );
  }
  const networks = virtualNetworks(pass, service, published !== undefined);
  if (!networks.ok) return networks;
  if (networks.value === undefined) return success(undefined);
  const wanted = mode === 'vip' ? networks.value : [];
  const addresses = virtualAddresses(pass, before, wanted);
  if (!addresses.ok) return addresses;
  // Last: tables have these until they know better, so they are held, and nothing fails after this.
  for (const { networkId, address } of before?.virtualAddresses ?? []) {
    if (wanted.includes(networkId)) continue;
    if (pass.giveBack(networkId, address, true)) ties.push(networkId);
  }
  return success({
    observedGeneration: service.meta.generation,
    mode,
    ports: given,
    virtualAddresses: addresses.value,
    ...(held.length === 0 ? {} : { heldPorts: held }),
  });
}

/** Networks in which the service needs an address: ingress first, then in the spec's order. */
function virtualNetworks(
  pass: AllocationPass,
  service: Service,
  isPublished: boolean,
): Outcome<readonly NetworkId[] | undefined> {
  const ids = new Set<NetworkId>();
  const has = service.status.endpoint?.virtualAddresses ?? [];
  let isReady = true;
  if (isPublished) {
    const ingress = pass.ingress();
    if (ingress === undefined) {
      return failure(
        'network-not-found',
        'ports are published in ingress mode, and there is no ingress network',
      );
    }
    const target = resolveTarget(pass, ingress.meta.id, false);
    if (!target.ok) return target;
    if (target.value.type === 'cluster') ids.add(ingress.meta.id);
    else isReady = false;
  }
  for (const attachment of serviceNetworks(service.spec)) {
    const known = pass.network(attachment.target)?.meta.id;
    const isNewUser = !has.some(({ networkId }) => networkId === known);
    const target = resolveTarget(pass, attachment.target, isNewUser);
    if (!target.ok) return target;
    if (target.value.type === 'cluster') ids.add(target.value.network.meta.id);
    else if (target.value.type === 'wait') isReady = false;
  }
  return success(isReady ? [...ids] : undefined);
}

/** One address of each family in each network; those that the service has stay. */
function virtualAddresses(
  pass: AllocationPass,
  before: ServiceEndpoint | undefined,
  networks: readonly NetworkId[],
): Outcome<readonly VirtualAddress[]> {
  const addresses: VirtualAddress[] = [];
  for (const networkId of networks) {
    const kept = (before?.virtualAddresses ?? []).filter((one) => one.networkId === networkId);
    if (kept.length > 0) {
      addresses.push(...kept);
      continue;
    }
    const given = pass.allocate(networkId);
    if (given === undefined) return { ok: false, failure: exhausted(pass, networkId) };
    for (const address of given) addresses.push({ networkId, address });
  }
  return success(addresses);
}

interface Ports {
  readonly given: readonly AllocatedPort[];
  /** Given up, and not to be given to others yet. */
  readonly held: readonly AllocatedPort[];
}

function portsOf(pass: AllocationPass, service: Service): Outcome<Ports> {
  const { ports } = pass.book;
  const { id } = service.meta;
  const before = ownedPorts(service);
  const last = { tcp: ports.tcp.last, udp: ports.udp.last, sctp: ports.sctp.last };
  pass.onRollback(() => {
    ports.tcp.last = last.tcp;
    ports.udp.last = last.udp;
    ports.sctp.last = last.sctp;
  });
  const wanted = service.spec.endpoint?.ports ?? [];
  const result = allocatePorts(ports, id, wanted, before, (port) => isPromised(pass, port, id));
  if (!result.ok) return { ok: false, failure: portFailure(pass, result.failure) };
  // Tables know of host ports with the tasks that have them; those of ingress outlive the wish.
  const isHeld = ({ mode }: PortClaim): boolean =>
    mode === 'ingress' && pass.ingress() !== undefined;
  const held = result.released.filter(isHeld);
  for (const { protocol, port, mode } of held) ports[protocol].claim(port, mode, id);
  pass.notePorts(
    result.claimed,
    result.released.filter((claim) => !isHeld(claim)),
  );
  return success({
    given: result.ports,
    held: before.filter(({ protocol, publishedPort, publishMode }) =>
      held.some(
        (claim) =>
          claim.protocol === protocol && claim.port === publishedPort && claim.mode === publishMode,
      ),
    ),
  });
}

/** Whether another service, which waits for it, declares this very number. */
function isPromised(pass: AllocationPass, port: AllocatedPort, owner: string): boolean {
  for (const key of pass.memory.waiting.in(BUCKETS.services)) {
    const { id } = splitKey(key);
    const ports = id === owner ? undefined : pass.view.get(Service, id)?.spec.endpoint?.ports;
    const isDeclared = ports?.some(
      ({ publishedPort, protocol = 'tcp' }) =>
        publishedPort === port.publishedPort && protocol === port.protocol,
    );
    if (isDeclared === true) return true;
  }
  return false;
}

function portFailure(pass: AllocationPass, failed: PortFailure): Failure {
  const { port } = failed;
  const number = `${port.publishedPort}/${port.protocol}`;
  switch (failed.reason) {
    case 'taken': {
      const owner = pass.view.get(Service, failed.owner);
      const name = owner?.meta.name ?? failed.owner;
      const isGivenUp = owner?.status.endpoint?.heldPorts?.some(
        (held) => held.protocol === port.protocol && held.publishedPort === port.publishedPort,
      );
      const how = isGivenUp === true ? 'was given up by' : 'is published by';
      const rest = isGivenUp === true ? ', and tables still have it' : ' already';
      return {
        code: 'port-conflict',
        message: `port ${number} (${port.publishMode}) ${how} service '${name}'${rest}`,
      };
    }
    case 'duplicate':
      return { code: 'port-conflict', message: `port ${number} is asked for twice` };
    case 'invalid':
      return {
        code: 'invalid-endpoint',
        message: `port ${port.publishedPort} is not between 1 and 65535`,
      };
    case 'exhausted': {
      const { first, last } = pass.settings.dynamicPorts;
      return {
        code: 'ports-exhausted',
        message: `no ${port.protocol} port from ${first} to ${last} is free`,
      };
    }
  }
}
