/**
 * Networks.
 *
 * **Source:** SwarmKit manager/controlapi/network.go and moby daemon/network.go (predefined ones);
 * declared subnets that overlap are refused
 * here rather than left to the allocator.
 */
import {
  Network,
  Service,
  Task,
  compareText,
  isDeleting,
  isEqual,
  isInCidr,
  isNodeLocal,
  isTerminal,
  networkDriver,
  parseCidr,
  servicesByNetwork,
  tasksByNetwork,
  type CidrRange,
  type IpamConfig,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { modeOf } from './port-rules.js';

/** Everything that a network has to be. */
export function judgeNetwork(
  to: Objections,
  network: Network,
  context: {
    readonly view: View;
    readonly before: Network | undefined;
    readonly later: ReadonlySet<string>;
  },
): void {
  const { spec } = network;
  if (context.before !== undefined) {
    to.require(isEqual(context.before.spec, spec), 'spec', {
      code: 'failed-precondition',
      message: 'a network cannot be changed, but for its labels',
      hint: 'remove it and create it again, or use another name',
    });
  }
  to.require(spec.driver === undefined || spec.driver.name !== '', 'spec.driver.name', {
    message: 'the driver has no name',
    hint: 'name a driver, or leave it out for overlay',
  });
  if (spec.isIngress === true) judgeIngress(to, network, context.view);
  for (const [index, config] of (spec.ipam?.configs ?? []).entries()) {
    judgeSubnet(to, `spec.ipam.configs[${index}]`, config);
  }
  judgeOverlaps(to, network, context);
}

function judgeIngress(to: Objections, network: Network, view: View): void {
  const { spec, meta } = network;
  to.require(networkDriver(spec) === 'overlay', 'spec.driver', {
    message: `the ingress network has the driver ${networkDriver(spec)}`,
    hint: 'use overlay',
  });
  to.require(spec.isAttachable !== true, 'spec.isAttachable', {
    message: 'the ingress network is attachable',
    hint: 'leave isAttachable out',
  });
  const other = view
    .list(Network)
    .filter((candidate) => candidate.spec.isIngress === true && candidate.meta.id !== meta.id)
    .sort((a, b) => compareText(a.meta.name, b.meta.name))[0];
  to.require(other === undefined, 'spec.isIngress', {
    code: 'already-exists',
    message: `'${other?.meta.name ?? ''}' is the ingress network already`,
    hint: 'remove that one first; there is at most one',
  });
}

function judgeSubnet(to: Objections, field: string, config: IpamConfig): void {
  const subnet = config.subnet === undefined ? undefined : parseCidr(config.subnet);
  to.require(config.subnet === undefined || isRange(config.subnet), `${field}.subnet`, {
    message: `'${config.subnet ?? ''}' is not an address range`,
    hint: 'write it as 10.0.9.0/24',
  });
  const inside = [
    ['gateway', config.gateway],
    ['ipRange', config.ipRange],
    ...Object.entries(config.auxiliaryAddresses ?? {}).map(([name, address]) => {
      return [`auxiliaryAddresses.${name}`, address] as const;
    }),
  ] as const;
  for (const [name, text] of inside) {
    if (text === undefined) continue;
    const isAddress = name === 'ipRange' ? isRange(text) : parseCidr(text) !== undefined;
    const isRight = to.require(isAddress, `${field}.${name}`, {
      message: `'${text}' is not an address${name === 'ipRange' ? ' range' : ''}`,
      hint: name === 'ipRange' ? 'write it as 10.0.9.0/25' : 'write it as 10.0.9.1',
    });
    const [address = ''] = text.split('/');
    to.require(!isRight || subnet === undefined || isInCidr(address, subnet), `${field}.${name}`, {
      message: `${text} is not in the subnet ${config.subnet ?? ''}`,
      hint: 'take one from the subnet',
    });
  }
}

function isRange(text: string): boolean {
  return text.includes('/') && parseCidr(text) !== undefined;
}

/** Two networks of the cluster may not share addresses. Cost: O(networks). */
function judgeOverlaps(
  to: Objections,
  network: Network,
  { view, later }: { readonly view: View; readonly later: ReadonlySet<string> },
): void {
  if (isNodeLocal(network.spec)) return;
  const others = view
    .list(Network)
    .filter(({ meta, spec }) => meta.id !== network.meta.id && !isNodeLocal(spec))
    .filter(({ meta }) => !later.has(meta.id))
    .sort((a, b) => compareText(a.meta.name, b.meta.name));
  for (const [index, { subnet }] of (network.spec.ipam?.configs ?? []).entries()) {
    const range = subnet === undefined ? undefined : parseCidr(subnet);
    if (range === undefined) continue;
    const other = others.find((candidate) =>
      rangesOf(candidate).some((taken) => isOverlap(range, taken)),
    );
    to.require(other === undefined, `spec.ipam.configs[${index}].subnet`, {
      code: 'already-exists',
      message: `${subnet ?? ''} overlaps with the network '${other?.meta.name ?? ''}'`,
      hint: 'take another range, or leave it out to have one chosen',
    });
  }
}

function rangesOf({ spec, status }: Network): readonly CidrRange[] {
  const texts = [
    ...(spec.ipam?.configs ?? []).map((config) => config.subnet),
    ...status.subnets.map((allocated) => allocated.subnet),
  ];
  return texts
    .map((text) => (text === undefined ? undefined : parseCidr(text)))
    .filter((range) => range !== undefined);
}

function isOverlap(a: CidrRange, b: CidrRange): boolean {
  if (a.bits !== b.bits) return false;
  const shift = BigInt(a.bits - Math.min(a.prefix, b.prefix));
  return a.value >> shift === b.value >> shift;
}

/** Networks of the nodes that are there from the start. */
const PREDEFINED: readonly string[] = Object.freeze(['bridge', 'host']);

/**
 * A network stays while services name it or live tasks are in it. What is being removed does not
 * count: the network's finalizer lets it live as long as they do.
 */
export function judgeNetworkRemoval(to: Objections, network: Network, view: View): void {
  const { id, name } = network.meta;
  const isPredefined = PREDEFINED.includes(name) && networkDriver(network.spec) === name;
  const isFree = to.require(!isPredefined, '', {
    code: 'failed-precondition',
    message: `'${name}' is predefined: every node has it`,
    hint: 'leave it; services that are to be apart need networks of their own',
  });
  if (!isFree) return;
  const users = new Set<string>();
  for (const target of [id, name]) {
    for (const service of view.list(Service, servicesByNetwork(target))) {
      if (!isDeleting(service)) users.add(service.meta.name);
    }
  }
  if (network.spec.isIngress === true) {
    for (const service of view.list(Service)) {
      const isPublished = service.spec.endpoint?.ports?.some((port) => modeOf(port) === 'ingress');
      if (isPublished === true && !isDeleting(service)) users.add(service.meta.name);
    }
  }
  const names = [...users].sort(compareText);
  to.require(names.length === 0, '', {
    code: 'failed-precondition',
    message: `the network is used by ${listOf(names)}`,
    hint: 'remove these services, or detach them, first',
  });
  if (names.length > 0) return;
  const tasks = view.list(Task, tasksByNetwork(id)).filter((task) => isAlive(view, task));
  to.require(tasks.length === 0, '', {
    code: 'failed-precondition',
    message: `the network is used by ${tasks.length === 1 ? '1 task' : `${tasks.length} tasks`}`,
    hint: 'wait until they have ended',
  });
}

function isAlive(view: View, task: Task): boolean {
  if (isTerminal(task.status.state) || task.spec.desiredState === 'remove') return false;
  const { serviceId } = task.spec;
  const service = serviceId === undefined ? undefined : view.get(Service, serviceId);
  return serviceId === undefined || (service !== undefined && !isDeleting(service));
}

/** At most five names, and how many more there are. */
export function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => `'${name}'`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
