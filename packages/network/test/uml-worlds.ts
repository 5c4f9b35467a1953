/**
 * Plans for the kernel in user-mode-linux: nodes with the texts that are rendered for them, and
 * random tables over a fixed set of tasks.
 */
import type { AssignedService, AssignedSlice, Backend, BalancingAlgorithm } from '@skep/api';
import fc from 'fast-check';

import { nodeState, port, sixOf, type FixtureCluster } from '../src/__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../src/__fixtures__/vote.js';
import {
  TOOLS,
  textOf,
  type RenderedNamespace,
  type RenderedStep,
  type Tool,
} from '../src/index.js';
import type { NodeNetworkState } from '../src/index.js';
import type { DriverStep } from './uml-driver.js';
import { IP6TABLES, IPTABLES } from './uml-kernel.js';

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ip: ['ip', '-batch', '-'],
  bridge: ['bridge', '-batch', '-'],
  iptables: [IPTABLES, '--noflush'],
  ip6tables: [IP6TABLES, '--noflush'],
  ipvs: ['ipvsadm', '--restore'],
  // Written by the driver itself.
  sysctl: ['sysctl'],
};

/** Gives a text to a tool; those of iptables are first only tested, and then applied. */
function toolSteps(namespace: string, tool: Tool, text: string, isTested: boolean): DriverStep[] {
  const command = COMMANDS[tool];
  if (text === '' || command === undefined) return [];
  const apply: DriverStep = { do: 'run', namespace, command, input: text };
  return isTested && tool.endsWith('tables')
    ? [{ ...apply, command: [...command, '--test'] }, apply]
    : [apply];
}

/** Whole texts of a node whose own namespace is called `host`. */
export function wholeSteps(
  host: string,
  rendered: readonly RenderedNamespace[],
  isTested = true,
): DriverStep[] {
  return rendered.flatMap(({ namespace, texts }) =>
    TOOLS.flatMap((tool) => {
      const name = namespace.kind === 'host' ? host : namespace.name;
      return toolSteps(name, tool, texts[tool] ?? '', isTested);
    }),
  );
}

/** The commands of a difference. */
export function diffSteps(
  host: string,
  steps: readonly RenderedStep[],
  isTested = true,
): DriverStep[] {
  const merged: { namespace: string; tool: Tool; text: string }[] = [];
  for (const step of steps) {
    const namespace = step.namespace.kind === 'host' ? host : step.namespace.name;
    const last = merged.at(-1);
    // Each start of a program takes its time there; the order of the lines stays.
    if (last?.namespace === namespace && last.tool === step.tool) last.text += textOf(step);
    else merged.push({ namespace, tool: step.tool, text: textOf(step) });
  }
  return merged.flatMap(({ namespace, tool, text }) => toolSteps(namespace, tool, text, isTested));
}

/** Makes a namespace for a node, with its interface in the underlay `underlay`, a bridge. */
export function hostSteps(host: string, address: string): DriverStep[] {
  const run = (namespace: string, input: string): DriverStep => {
    return { do: 'run', namespace, command: ['ip', '-batch', '-'], input };
  };
  return [
    run(
      '',
      `netns add ${host}\n` +
        `link add up_${host} type veth peer name eth0 netns ${host}\n` +
        `link set up_${host} master underlay up\n`,
    ),
    run(
      host,
      `link set lo up\naddr add ${address}/24 dev eth0\n` +
        `addr add ${sixOf(address)}/64 dev eth0 nodad\nlink set eth0 up\n` +
        `route add default dev eth0\nroute add ::/0 dev eth0\n`,
    ),
  ];
}

/** The bridge that stands for the network between the nodes. */
export const UNDERLAY_STEPS: readonly DriverStep[] = [
  {
    do: 'run',
    namespace: '',
    command: ['ip', '-batch', '-'],
    input: 'link add underlay type bridge\nlink set underlay up\n',
  },
];

/** Tasks that random tables lead to, all on one node, and one to ask from. */
const TASKS = [1, 2, 3, 4, 5, 6] as const;

/** A cluster with these tasks, of both families. */
export const BASE_CLUSTER: FixtureCluster = {
  ...VOTE_CLUSTER,
  families: 'dual',
  services: [
    {
      id: 'base',
      order: 1,
      vips: { ingress: '10.0.0.9', overlay1: '10.0.9.9' },
      ports: [port(8080, 80), port(5353, 53, { protocol: 'udp' })],
    },
    { id: 'probe', order: 2, vips: { overlay1: '10.0.9.99' } },
  ],
  tasks: [
    ...TASKS.map((number) => ({
      id: `t${number}`,
      service: 'base',
      node: 'node1',
      slot: number,
      addresses: { ingress: `10.0.0.${20 + number}`, overlay1: `10.0.9.${20 + number}` },
    })),
    { id: 'probe', service: 'probe', node: 'node1', addresses: { overlay1: '10.0.9.100' } },
  ],
};

/** A service of a random table. */
export interface RandomService {
  readonly number: number;
  readonly algorithm: BalancingAlgorithm;
  readonly hasAffinity: boolean;
  readonly isPublished: boolean;
  /** By number of the task; undefined: it is not behind the service. */
  readonly backends: readonly (
    { readonly weight: number; readonly isDraining: boolean } | undefined
  )[];
}

/** Services over the tasks of {@link BASE_CLUSTER}. At most one is published. */
const randomServices: fc.Arbitrary<readonly RandomService[]> = fc
  .uniqueArray(
    fc.record({
      number: fc.integer({ min: 0, max: 3 }),
      algorithm: fc.constantFrom<BalancingAlgorithm>(
        'round-robin',
        'weighted-round-robin',
        'least-connections',
        'source-hash',
        'maglev',
      ),
      hasAffinity: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 0),
      isPublished: fc.boolean(),
      backends: fc.tuple(
        ...TASKS.map(() =>
          fc.option(
            fc.record({
              weight: fc.integer({ min: 1, max: 6 }),
              isDraining: fc.integer({ min: 0, max: 3 }).map((draw) => draw === 0),
            }),
            { nil: undefined },
          ),
        ),
      ),
    }),
    { minLength: 1, maxLength: 3, selector: ({ number }) => number },
  )
  .map((services) => {
    const published = services.findIndex(({ isPublished }) => isPublished);
    return services.map((service, at) => ({ ...service, isPublished: at === published }));
  });

/**
 * Random tables, each made from the one before: most of the time only other backends, algorithms or
 * affinity of the services that are there, else other services.
 */
export function randomTables(count: number, seed: number): readonly (readonly RandomService[])[] {
  const drawn = fc.sample(fc.tuple(randomServices, fc.nat({ max: 19 })), { numRuns: count, seed });
  const tables: (readonly RandomService[])[] = [];
  for (const [services, draw] of drawn) {
    const before = tables.at(-1);
    const changed = before?.map((service, at) => ({
      ...service,
      ...(services[at] === undefined
        ? {}
        : {
            backends: services[at].backends,
            // A walk over backends alone shows how a scheduler goes on.
            ...(draw < 10
              ? {}
              : { algorithm: services[at].algorithm, hasAffinity: services[at].hasAffinity }),
          }),
    }));
    tables.push(changed === undefined || draw === 0 ? services : changed);
  }
  return tables;
}

/** What node1 is assigned for a random table. */
export function randomState(
  services: readonly RandomService[],
  revision: number,
): NodeNetworkState {
  const base = nodeState(BASE_CLUSTER, 'node1', revision);
  const fronts: [string, AssignedService][] = [];
  const slices: [string, AssignedSlice][] = [];
  for (const service of services) {
    const networks = service.isPublished ? ['ingress', 'overlay1'] : ['overlay1'];
    for (const networkId of networks) {
      const front = frontOf(service, networkId);
      fronts.push([`${front.serviceId}/${networkId}`, front]);
      const id = `${front.serviceId}.${networkId}`;
      const backends = backendsOf(service, networkId);
      const { serviceId } = front;
      slices.push([id, { id, revision, serviceId, networkId, index: 0, backends }]);
    }
  }
  return { ...base, services: new Map(fronts), slices: new Map(slices) };
}

const third = (networkId: string): string => (networkId === 'ingress' ? '10.0.0' : '10.0.9');

function frontOf(service: RandomService, networkId: string): AssignedService {
  const vip = `${third(networkId)}.${150 + service.number}`;
  const isIngress = networkId === 'ingress';
  return {
    serviceId: `s${service.number}`,
    serviceName: `s${service.number}`,
    networkId,
    order: 10 + service.number,
    virtualAddress: `${vip}/24`,
    virtualAddress6: `${sixOf(vip)}/64`,
    aliases: [],
    ports: isIngress ? [port(8080, 80), port(5353, 53, { protocol: 'udp' })] : [],
    algorithm: service.algorithm,
    ...(service.hasAffinity ? { affinity: { type: 'client-ip', timeoutMs: 900_000 } } : {}),
    isLocalOnly: false,
  };
}

function backendsOf(service: RandomService, networkId: string): readonly Backend[] {
  return service.backends.flatMap((backend, at): Backend[] => {
    if (backend === undefined) return [];
    const address = `${third(networkId)}.${21 + at}`;
    const taskId = `t${at + 1}`;
    return [
      {
        taskId,
        taskName: `base.${at + 1}.${taskId}`,
        nodeId: 'node1',
        address,
        address6: sixOf(address),
        weight: backend.weight,
        state: backend.isDraining ? 'draining' : 'serving',
        aliases: [],
      },
    ];
  });
}
