import { describe, expect, it } from '@jest/globals';

import { nodeState, port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER, voteNode } from '../__fixtures__/vote.js';
import { buildTables } from './build.js';
import type { NodeTables } from './node-tables.js';

function tablesOf(cluster: FixtureCluster, node: 'node1' | 'node2' = 'node1'): NodeTables {
  const { state, local } = voteNode(node, cluster);
  return buildTables(state, local);
}

/** One VIP service on overlay1 with the tasks given as `[state, address]`. */
function web(
  tasks: readonly (readonly [string, 'starting' | 'serving' | 'draining', string])[],
): FixtureCluster {
  return {
    ...VOTE_CLUSTER,
    services: [
      {
        id: 'web',
        order: 3,
        vips: { ingress: '10.0.0.9', overlay1: '10.0.9.9' },
        ports: [port(80, 8080)],
      },
    ],
    tasks: tasks.map(([id, state, last], index) => ({
      id,
      service: 'web',
      node: 'node2',
      slot: index + 1,
      addresses: { ingress: `10.0.0.${last}`, overlay1: `10.0.9.${last}` },
      state,
    })),
  };
}

const weights = (tables: NodeTables, vip = '10.0.9.9'): string[] =>
  (tables.networks.get('overlay1')?.vips.get(vip)?.backends ?? []).map(
    ({ address, weight }) => `${address} ${weight}`,
  );

describe('buildTables', () => {
  it('says what a virtual address means', () => {
    const vip = tablesOf(VOTE_CLUSTER).networks.get('overlay1')?.vips.get('10.0.9.2');
    expect(vip).toEqual({
      address: '10.0.9.2',
      mark: 258,
      services: [{ serviceId: 'vote', serviceName: 'vote' }],
      ports: 'all',
      backends: [
        {
          address: '10.0.9.3',
          weight: 1,
          taskId: 'vote1',
          taskName: 'vote.1.vote1',
          nodeId: 'node2',
        },
        {
          address: '10.0.9.4',
          weight: 1,
          taskId: 'vote2',
          taskName: 'vote.2.vote2',
          nodeId: 'node1',
        },
      ],
      algorithm: 'round-robin',
    });
  });

  it('lists published ports in the ingress network and on the host', () => {
    const tables = tablesOf(VOTE_CLUSTER);
    expect(tables.networks.get('ingress')?.vips.get('10.0.0.4')?.ports).toEqual([
      { protocol: 'tcp', publishedPort: 8080, targetPort: 80 },
    ]);
    expect(tables.host.ingressPorts.entries()).toEqual([
      [
        'tcp/8080',
        {
          protocol: 'tcp',
          publishedPort: 8080,
          networkId: 'ingress',
          virtualAddress: '10.0.0.4',
          mark: 257,
        },
      ],
    ]);
    expect(tables.networks.get('ingress')?.gatewayLeg).toBe('172.18.0.2/16');
  });

  it('numbers interfaces, bridge ports and gateway legs as Swarm does', () => {
    const tables = tablesOf(VOTE_CLUSTER);
    const task = tables.tasks.get('vote2');
    expect(task?.endpoints.map((end) => [end.interfaceName, end.address, end.bridgePort])).toEqual([
      ['eth0', '10.0.0.6/24', 'veth1'],
      ['eth1', '10.0.9.4/24', 'veth2'],
    ]);
    expect(task?.gateway).toEqual({ interfaceName: 'eth2', address: '172.18.0.4/16' });
    expect(tables.tasks.get('client1')?.gateway?.address).toBe('172.18.0.3/16');
  });

  // 12.10: the view of one node's table while a service lives.
  it.each([
    [
      'activate three',
      [
        ['t1', 'serving', '21'],
        ['t2', 'serving', '22'],
        ['t3', 'serving', '23'],
      ],
      ['10.0.9.21 1', '10.0.9.22 1', '10.0.9.23 1'],
    ],
    [
      'drain the second',
      [
        ['t1', 'serving', '21'],
        ['t2', 'draining', '22'],
        ['t3', 'serving', '23'],
      ],
      ['10.0.9.21 1', '10.0.9.22 0', '10.0.9.23 1'],
    ],
    [
      'remove it',
      [
        ['t1', 'serving', '21'],
        ['t3', 'serving', '23'],
      ],
      ['10.0.9.21 1', '10.0.9.23 1'],
    ],
    [
      'not yet serving',
      [
        ['t1', 'serving', '21'],
        ['t2', 'starting', '22'],
      ],
      ['10.0.9.21 1'],
    ],
  ] as const)('12.10: %s', (_, tasks, expected) => {
    expect(weights(tablesOf(web(tasks)))).toEqual(expected);
  });

  it('12.10: nothing is left when all backends are gone', () => {
    const tables = tablesOf(web([]));
    expect(tables.networks.values().map(({ vips }) => vips.size)).toEqual([0, 0]);
    expect(tables.host.ingressPorts.size).toBe(0);
  });

  it('defect 26: a task with the address of one that drains has weight 1', () => {
    const both = tablesOf(
      web([
        ['t1', 'draining', '21'],
        ['t2', 'serving', '21'],
      ]),
    );
    expect(weights(both)).toEqual(['10.0.9.21 1']);
    const [backend] = both.networks.get('overlay1')?.vips.get('10.0.9.9')?.backends ?? [];
    expect(backend?.taskId).toBe('t2');
    expect(weights(tablesOf(web([['t1', 'draining', '21']])))).toEqual(['10.0.9.21 0']);
    expect(weights(tablesOf(web([['t1', 'serving', '21']])))).toEqual(['10.0.9.21 1']);
  });

  it('defect 27: a VIP lives as long as one service that claims it has a backend', () => {
    const both: FixtureCluster = {
      ...VOTE_CLUSTER,
      services: [
        { id: 'old', order: 1, vips: { ingress: '10.0.0.9' }, ports: [port(80, 80)] },
        { id: 'new', order: 2, vips: { ingress: '10.0.0.9' }, ports: [port(80, 80), port(81, 81)] },
      ],
      tasks: [
        { id: 'o1', service: 'old', node: 'node1', addresses: { ingress: '10.0.0.21' } },
        { id: 'n1', service: 'new', node: 'node1', addresses: { ingress: '10.0.0.22' } },
      ],
    };
    const after = { ...both, tasks: both.tasks.filter(({ service }) => service === 'new') };
    const view = (tables: NodeTables): unknown => ({
      backends: tables.networks
        .get('ingress')
        ?.vips.get('10.0.0.9')
        ?.backends.map(({ address }) => address),
      ports: tables.host.ingressPorts.keys(),
    });
    expect(view(tablesOf(both))).toEqual({
      backends: ['10.0.0.21', '10.0.0.22'],
      ports: ['tcp/80', 'tcp/81'],
    });
    expect(view(tablesOf(after))).toEqual({
      backends: ['10.0.0.22'],
      ports: ['tcp/80', 'tcp/81'],
    });
    expect(tablesOf({ ...both, tasks: [] }).host.ingressPorts.size).toBe(0);
  });

  it('keeps to backends of the node when the service asks for it', () => {
    const local = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) => ({ ...service, isLocalOnly: true })),
    };
    const vip = tablesOf(local).networks.get('overlay1')?.vips.get('10.0.9.2');
    expect(vip?.backends.map(({ address }) => address)).toEqual(['10.0.9.4']);
    expect(tablesOf(local, 'node2').networks.get('overlay1')?.vips.has('10.0.9.7')).toBe(false);
  });

  it('says that only own backends were let in', () => {
    const local = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) => ({ ...service, isLocalOnly: true })),
    };
    const vip = tablesOf(local).networks.get('ingress')?.vips.get('10.0.0.4');
    expect(vip?.isLocalOnly).toBe(true);
    // A node without a backend knows no such port, so a balancer outside sees where to go.
    const elsewhere = { ...local, tasks: local.tasks.filter(({ node }) => node === 'node1') };
    expect(tablesOf(elsewhere, 'node2').host.ingressPorts.size).toBe(0);
  });

  it('has two VIPs with one mark for a service of both families', () => {
    const tables = tablesOf({ ...VOTE_CLUSTER, families: 'dual' });
    const vips = tables.networks.get('overlay1')?.vips;
    const backends = (address: string): unknown => {
      const vip = vips?.get(address);
      return [vip?.mark, vip?.backends.map((backend) => `${backend.taskId} ${backend.address}`)];
    };
    expect(backends('10.0.9.2')).toEqual([258, ['vote1 10.0.9.3', 'vote2 10.0.9.4']]);
    expect(backends('fd00:a:0:9::2')).toEqual([
      258,
      ['vote1 fd00:a:0:9::3', 'vote2 fd00:a:0:9::4'],
    ]);
    expect(tables.host.ingressPorts.get('tcp/8080')).toMatchObject({
      virtualAddress: '10.0.0.4',
      virtualAddress6: 'fd00:a::4',
      mark: 257,
    });
    const task = tables.tasks.get('vote2');
    expect(task?.endpoints[1]).toMatchObject({
      address: '10.0.9.4/24',
      address6: 'fd00:a:0:9::4/64',
      macAddress: '02:42:0a:00:09:04',
    });
    // The gateway bridge has no IPv6 here, so there is no way out by it.
    expect(task?.gateway).not.toHaveProperty('address6');
  });

  it('knows a service of IPv6 alone', () => {
    const tables = tablesOf({ ...VOTE_CLUSTER, families: 'ipv6' });
    expect(tables.networks.get('overlay1')?.vips.keys()).toEqual([
      'fd00:a:0:9::2',
      'fd00:a:0:9::7',
    ]);
    const header = tables.networks.get('overlay1');
    expect(header?.loadBalancerAddress).toBeUndefined();
    expect(header?.loadBalancerAddress6).toBe('fd00:a:0:9::6/64');
    expect(tables.host.ingressPorts.get('tcp/8080')?.virtualAddress).toBe('fd00:a::4');
  });

  it('does not depend on the order of the maps', () => {
    const { state, local } = voteNode('node1');
    const reversed = {
      ...state,
      networks: new Map([...state.networks].reverse()),
      services: new Map([...state.services].reverse()),
      slices: new Map([...state.slices].reverse()),
      peers: new Map([...state.peers].reverse()),
      tasks: new Map([...state.tasks].reverse()),
    };
    expect(buildTables(reversed, local)).toEqual(buildTables(state, local));
  });

  it('knows nothing of networks that nodes do not build', () => {
    const state = nodeState(VOTE_CLUSTER, 'node1');
    const networks = new Map(
      [...state.networks].map(([id, network]) => [id, { ...network, driver: 'bridge' }]),
    );
    const tables = buildTables({ ...state, networks }, voteNode('node1').local);
    expect(tables.networks.size).toBe(0);
    expect(tables.tasks.get('vote2')?.endpoints).toEqual([]);
  });

  it('does not look through all ports of a service for each of them', () => {
    const { state, local } = voteNode('node1');
    let reads = 0;
    const ports = Array.from({ length: 50 }, (_, index) => ({
      ...{ name: '', protocol: 'tcp' as const, publishMode: 'ingress' as const },
      ...{ targetPort: 80, publishedPort: 9000 + index },
    }));
    const counted = [...state.services].map(([key, service]) => {
      const wide = { ...service };
      Object.defineProperty(wide, 'ports', { get: () => ((reads += 1), ports) });
      return [key, wide] as const;
    });
    buildTables({ ...state, services: new Map(counted) }, local);
    expect(reads).toBeLessThan(50);
  });
});
