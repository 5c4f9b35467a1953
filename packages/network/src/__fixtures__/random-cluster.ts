/**
 * Arbitrary clusters for laws: two nodes, an ingress network, two overlays, up to four services
 * with
 * up to eight tasks in every state.
 */
import fc from 'fast-check';
import {
  port,
  type FixtureCluster,
  type FixtureFamilies,
  type FixtureService,
  type FixtureTask,
} from './cluster.js';

const NETWORKS = ['ingress', 'net1', 'net2'] as const;
const subnetOf = (network: string): string => `10.0.${NETWORKS.indexOf(network as 'net1')}`;

interface Shape {
  readonly hasSecondOverlay: boolean;
  readonly isInternal: boolean;
  readonly services: readonly {
    readonly number: number;
    readonly networks: readonly ('net1' | 'net2')[];
    readonly ports: readonly { readonly published: number; readonly isUdp: boolean }[];
    readonly isDnsrr: boolean;
    readonly isLocalOnly: boolean;
    readonly algorithm: NonNullable<FixtureService['algorithm']>;
    readonly sharesVip: boolean;
  }[];
  readonly tasks: readonly {
    readonly number: number;
    readonly service: number;
    readonly isOnFirst: boolean;
    readonly state: NonNullable<FixtureTask['state']>;
    readonly weight: number;
  }[];
}

const shape: fc.Arbitrary<Shape> = fc.record({
  hasSecondOverlay: fc.boolean(),
  isInternal: fc.boolean(),
  services: fc.uniqueArray(
    fc.record({
      number: fc.integer({ min: 0, max: 3 }),
      networks: fc.subarray(['net1', 'net2'] as const),
      ports: fc.uniqueArray(
        fc.record({ published: fc.integer({ min: 8080, max: 8083 }), isUdp: fc.boolean() }),
        { maxLength: 2, selector: ({ published }) => published },
      ),
      isDnsrr: fc.boolean(),
      isLocalOnly: fc.boolean(),
      algorithm: fc.constantFrom(
        'round-robin' as const,
        'weighted-round-robin' as const,
        'least-connections' as const,
        'source-hash' as const,
      ),
      sharesVip: fc.boolean(),
    }),
    { maxLength: 4, selector: ({ number }) => number },
  ),
  tasks: fc.uniqueArray(
    fc.record({
      number: fc.integer({ min: 0, max: 7 }),
      service: fc.integer({ min: 0, max: 3 }),
      isOnFirst: fc.boolean(),
      state: fc.constantFrom('starting' as const, 'serving' as const, 'draining' as const),
      weight: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 8, selector: ({ number }) => number },
  ),
});

/**
 * A random cluster; with `isStrict`, one that a correct manager declares: no shared VIP or port.
 */
export function randomCluster(
  options: {
    isStrict?: boolean;
    /** One of these is drawn. Default: ipv4 alone. */
    families?: readonly FixtureFamilies[];
    /** Some of the services that hash do it by Maglev. Default: false. */
    hasMaglev?: boolean;
  } = {},
): fc.Arbitrary<FixtureCluster> {
  const { isStrict = false, families = ['ipv4'], hasMaglev = false } = options;
  const withMaglev = (service: FixtureService): FixtureService =>
    hasMaglev && service.algorithm === 'source-hash' && service.order % 2 === 1
      ? { ...service, algorithm: 'maglev' }
      : service;
  return fc
    .tuple(shape, fc.constantFrom(...families))
    .map(([drawn, drawnFamilies]) => {
      const cluster = clusterOf(drawn, isStrict);
      const services = cluster.services.map(withMaglev);
      return { ...cluster, services, families: drawnFamilies };
    });
}

function clusterOf(drawn: Shape, isStrict: boolean): FixtureCluster {
  const overlays = drawn.hasSecondOverlay ? ['net1', 'net2'] : ['net1'];
  const services = drawn.services.map((service): FixtureService => {
    const isPublished = service.ports.length > 0;
    const networks = [
      ...(isPublished ? ['ingress'] : []),
      ...overlays.filter((id) => service.networks.includes(id as 'net1')),
    ];
    const host = 10 + (service.sharesVip && !isStrict ? 0 : service.number);
    return {
      id: `s${service.number}`,
      order: service.number,
      vips: Object.fromEntries(
        networks.map((id) => [
          id,
          service.isDnsrr && !isPublished ? '' : `${subnetOf(id)}.${host}`,
        ]),
      ),
      aliases: ['alias', `a${service.number % 2}`],
      ports: service.ports.map(({ published, isUdp }) =>
        port(published + (isStrict ? 10 * service.number : 0), 80, {
          protocol: isUdp ? 'udp' : 'tcp',
        }),
      ),
      algorithm: service.algorithm,
      isLocalOnly: service.isLocalOnly,
    };
  });
  const tasks = drawn.tasks.flatMap((task): FixtureTask[] => {
    const service = services.find(({ id }) => id === `s${task.service}`);
    if (service === undefined) return [];
    const host = 50 + task.number;
    return [
      {
        id: `t${task.number}`,
        service: service.id,
        node: task.isOnFirst ? 'node1' : 'node2',
        slot: task.number,
        addresses: Object.fromEntries(
          Object.keys(service.vips).map((id) => [id, `${subnetOf(id)}.${host}`]),
        ),
        state: task.state,
        weight: task.weight,
      },
    ];
  });
  return {
    nodes: [
      { id: 'node1', underlay: '192.168.50.11' },
      { id: 'node2', underlay: '192.168.50.12' },
    ],
    networks: ['ingress', ...overlays].map((id, index) => ({
      id,
      subnet: `${subnetOf(id)}.0/24`,
      gateway: `${subnetOf(id)}.1`,
      vxlanId: 4096 + index,
      isIngress: id === 'ingress',
      isInternal: id === 'net2' && drawn.isInternal,
      balancers: { node1: `${subnetOf(id)}.2`, node2: `${subnetOf(id)}.3` },
    })),
    services,
    tasks,
  };
}
