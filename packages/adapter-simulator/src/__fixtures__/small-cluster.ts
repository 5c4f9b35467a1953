/**
 * A small cluster in a few words, and what each of its nodes is assigned: an ingress network, an
 * overlay `net1`, services with their tasks.
 */
import {
  ASSIGNMENT_KINDS,
  isEqual,
  type AllocatedPort,
  type AssignedService,
  type AssignedSlice,
  type AssignedTask,
  type Assignment,
  type AssignmentItem,
  type Backend,
  type BackendState,
} from '@skep/api';
import fc from 'fast-check';

export interface SmallTask {
  readonly id: string;
  readonly node: string;
  readonly state?: BackendState;
  readonly weight?: number;
  readonly change?: Partial<AssignedTask>;
}

export interface SmallService {
  /** One digit: it makes the addresses. */
  readonly number: number;
  readonly tasks: readonly SmallTask[];
  /** Published ports, each for port 80 of the tasks. */
  readonly ports?: readonly AllocatedPort[];
  readonly isDnsrr?: boolean;
}

export interface SmallCluster {
  readonly services: readonly SmallService[];
}

const NODES = ['node1', 'node2'];
const NETWORKS = ['ingress', 'net1'] as const;

/** Underlay address of a node, as a simulator gives it to the first and the second host. */
export const underlayOf = (node: string): string => `192.168.50.${11 + NODES.indexOf(node)}`;

const subnetOf = (network: string): string => `10.0.${network === 'ingress' ? 0 : 1}`;
export const serviceName = ({ number }: SmallService): string => `web${number}`;
export const virtualAddressOf = (network: string, { number }: SmallService): string =>
  `${subnetOf(network)}.${20 + number}`;

/** Address of a task in a network; the last digit of its id makes it. */
export const taskAddressOf = (network: string, { id }: SmallTask): string =>
  `${subnetOf(network)}.${100 + Number(id.slice(1))}`;

const networksOf = (service: SmallService): readonly string[] =>
  (service.ports ?? []).length > 0 ? NETWORKS : ['net1'];

/** Everything that a node is assigned. */
export function itemsOf(cluster: SmallCluster, nodeId: string, revision = 1): AssignmentItem[] {
  const items: AssignmentItem[] = [
    {
      kind: 'node',
      key: nodeId,
      value: {
        id: nodeId,
        name: nodeId,
        role: 'worker',
        availability: 'active',
        dnsTtlMs: 5_000,
        dataPathPort: 4_789,
      },
    },
    ...NETWORKS.map((id, index): AssignmentItem => {
      const subnets = [
        { subnet: `${subnetOf(id)}.0/24`, gateway: `${subnetOf(id)}.1`, vxlanId: 4_096 + index },
      ];
      const value = {
        id,
        name: id,
        driver: 'overlay',
        isIngress: id === 'ingress',
        isInternal: false,
        isEncrypted: false,
        subnets,
        loadBalancerAddress: `${balancerOf(id, nodeId)}/24`,
      };
      return { kind: 'network', key: id, value };
    }),
    ...peersOf(cluster, nodeId),
    ...cluster.services.flatMap((service) => serviceItems(service, nodeId, revision)),
  ];
  return items.sort(
    (a, b) => ASSIGNMENT_KINDS.indexOf(a.kind) - ASSIGNMENT_KINDS.indexOf(b.kind),
  );
}

const balancerOf = (network: string, node: string): string =>
  `${subnetOf(network)}.${2 + NODES.indexOf(node)}`;

function peersOf(cluster: SmallCluster, nodeId: string): AssignmentItem[] {
  const peer = (networkId: string, address: string, node: string): AssignmentItem[] => {
    if (node === nodeId) return [];
    const value = { networkId, address, nodeId: node, tunnelAddress: underlayOf(node) };
    return [{ kind: 'peer', key: `${networkId}/${address}`, value }];
  };
  return [
    ...NETWORKS.flatMap((id) => NODES.flatMap((node) => peer(id, balancerOf(id, node), node))),
    ...cluster.services.flatMap((service) =>
      networksOf(service).flatMap((id) =>
        service.tasks.flatMap((task) => peer(id, taskAddressOf(id, task), task.node)),
      ),
    ),
  ];
}

function serviceItems(service: SmallService, nodeId: string, revision: number): AssignmentItem[] {
  const { number, ports = [], isDnsrr = false, tasks } = service;
  const name = serviceName(service);
  const shared = networksOf(service).flatMap((networkId): AssignmentItem[] => {
    const front: AssignedService = {
      serviceId: name,
      serviceName: name,
      networkId,
      order: number,
      ...(isDnsrr && networkId !== 'ingress'
        ? {}
        : { virtualAddress: `${virtualAddressOf(networkId, service)}/24` }),
      aliases: [`alias${number % 2}`],
      ports: networkId === 'ingress' ? ports.filter((port) => port.publishMode === 'ingress') : [],
      algorithm: 'round-robin',
      isLocalOnly: false,
    };
    const backends = tasks.map((task) => backendOf(name, networkId, task));
    const id = `${name}.${networkId}.0`;
    const slice: AssignedSlice = { id, revision, serviceId: name, networkId, index: 0, backends };
    return [
      { kind: 'service', key: `${name}/${networkId}`, value: front },
      ...(tasks.length === 0 ? [] : [{ kind: 'slice', key: id, value: slice } as const]),
    ];
  });
  const own = tasks
    .filter(({ node }) => node === nodeId)
    .map((task): AssignmentItem => {
      const networks = networksOf(service).map((networkId) => ({
        networkId,
        addresses: [`${taskAddressOf(networkId, task)}/24`],
        aliases: [],
      }));
      const value: AssignedTask = {
        id: task.id,
        name: `${name}.${task.id.slice(1)}.${task.id}`,
        serviceId: name,
        serviceName: name,
        serviceLabels: {},
        slot: Number(task.id.slice(1)),
        desiredState: 'running',
        template: { container: { image: name } },
        networks,
        ports,
        genericResources: [],
        volumes: [],
        isDrained: false,
        knownState: 'assigned',
        ...task.change,
      };
      return { kind: 'task', key: task.id, value };
    });
  return [...shared, ...own];
}

function backendOf(name: string, networkId: string, task: SmallTask): Backend {
  return {
    taskId: task.id,
    taskName: `${name}.${task.id.slice(1)}.${task.id}`,
    nodeId: task.node,
    address: taskAddressOf(networkId, task),
    weight: task.weight ?? 1,
    state: task.state ?? 'serving',
    aliases: [task.id],
  };
}

/** A published port. */
export function port(publishedPort: number, rest: Partial<AllocatedPort> = {}): AllocatedPort {
  const publishMode = 'ingress';
  return { name: '', protocol: 'tcp', targetPort: 80, publishedPort, publishMode, ...rest };
}

/** The whole assignment of a node. */
export function completeAssignment(
  cluster: SmallCluster,
  nodeId: string,
  revision = 1,
): Assignment {
  return { type: 'complete', revision, upserts: itemsOf(cluster, nodeId, revision), removals: [] };
}

/** The difference between two assignments of a node. */
export function assignmentBetween(
  nodeId: string,
  before: { readonly cluster: SmallCluster; readonly revision: number },
  after: { readonly cluster: SmallCluster; readonly revision: number },
): Assignment {
  // Slices that did not change keep the revision they had.
  const old = itemsOf(before.cluster, nodeId, 1);
  const next = itemsOf(after.cluster, nodeId, 1);
  const has = (items: readonly AssignmentItem[], { kind, key }: AssignmentItem) =>
    items.find((item) => item.kind === kind && item.key === key);
  return {
    type: 'incremental',
    appliesTo: before.revision,
    revision: after.revision,
    upserts: next.filter((item) => !isEqual(has(old, item), item)),
    removals: old
      .filter((item) => has(next, item) === undefined)
      .map(({ kind, key }) => ({ kind, key })),
  };
}

/** Any small cluster: up to three services with up to six tasks, everything possible. */
export const anyCluster: fc.Arbitrary<SmallCluster> = fc
  .record({
    services: fc.uniqueArray(
      fc.record({
        number: fc.integer({ min: 1, max: 3 }),
        isPublished: fc.boolean(),
        isDnsrr: fc.boolean(),
      }),
      { maxLength: 3, selector: ({ number }) => number },
    ),
    tasks: fc.uniqueArray(
      fc.record({
        number: fc.integer({ min: 1, max: 6 }),
        service: fc.nat(2),
        state: fc.constantFrom<BackendState>('starting', 'serving', 'draining'),
        weight: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 6, selector: ({ number }) => number },
    ),
  })
  .map(({ services, tasks }) => ({
    services: services.map(({ number, isPublished, isDnsrr }, index) => ({
      number,
      isDnsrr,
      ports: isPublished ? [port(8_080 + number)] : [],
      tasks: tasks
        .filter((task) => task.service % services.length === index)
        // A task never moves: its number says where it is.
        .map(({ number: id, state, weight }) => {
          return { id: `t${id}`, node: id <= 3 ? 'node1' : 'node2', state, weight };
        }),
    })),
  }));
