import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { changeBetween, nodeState, port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { VOTE_CLUSTER, voteNode } from '../__fixtures__/vote.js';
import { freshLocal } from '../__fixtures__/world.js';
import { nodeView } from '../__fixtures__/world-view.js';
import { World } from '../interpreter/world.js';
import { textOf, type RenderedStep } from '../render/rendered.js';
import { buildTables } from '../table/build.js';
import { diffTables } from '../table/diff.js';
import { createNodeLocal, type NodeLocal } from '../table/node-local.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import type { NodeTables } from '../table/node-tables.js';
import { updateTables } from '../table/update.js';
import { renderDiff, renderNode } from './render.js';

const EMPTY: FixtureCluster = { ...VOTE_CLUSTER, networks: [], services: [], tasks: [] };

function worldWith(tables: NodeTables): World {
  const world = new World();
  world.addNode({ name: 'node1', address: '192.168.50.11/24' });
  world.setNode('node1', renderNode(tables));
  return world;
}

/** The tables of node1 for one cluster after the other, each made from the one before. */
function history(clusters: readonly FixtureCluster[]): readonly NodeTables[] {
  let state = nodeState(EMPTY, 'node1', 0);
  const isIpv4 = clusters.every(({ families = 'ipv4' }) => families === 'ipv4');
  let local: NodeLocal = freshLocal(
    { ...VOTE_CLUSTER, families: isIpv4 ? 'ipv4' : 'dual' },
    'node1',
  );
  const all = [buildTables(state, local)];
  for (const [index, cluster] of clusters.entries()) {
    const next = nodeState(cluster, 'node1', index + 1);
    const change = changeBetween(state, next);
    local = planNodeLocal(local, next, change);
    all.push(updateTables(all.at(-1) ?? buildTables(next, local), next, change, local));
    state = next;
  }
  return all;
}

function stepsBetween(before: FixtureCluster, after: FixtureCluster): readonly RenderedStep[] {
  const [, a, b] = history([before, after]);
  if (a === undefined || b === undefined) throw new Error('two tables');
  return renderDiff(diffTables(a, b));
}

const print = (steps: readonly RenderedStep[]): string =>
  steps
    .map(
      (step) =>
        `${step.namespace.name} ${step.tool}: ${textOf(step).trim().replaceAll('\n', '; ')}`,
    )
    .join('\n');

describe('renderNode', () => {
  it('gives one text per tool and namespace, namespaces in the order to apply', () => {
    const { state, local } = voteNode('node2');
    const rendered = renderNode(buildTables(state, local));
    expect(rendered.map(({ namespace }) => namespace.name)).toEqual([
      'host',
      '1-ingress',
      'ingress_sbox',
      '1-overlay1',
      'lb_overlay1',
      'task_vote1',
    ]);
    const sandbox = rendered.find(({ namespace }) => namespace.name === 'lb_overlay1');
    expect(sandbox?.texts.ipvs).toBe(
      [
        '-A -f 256 -s rr',
        '-a -f 256 -r 10.0.9.8:0 -m -w 1',
        '-A -f 258 -s rr',
        '-a -f 258 -r 10.0.9.3:0 -m -w 1',
        '-a -f 258 -r 10.0.9.4:0 -m -w 1',
        '',
      ].join('\n'),
    );
  });

  it('puts the prefix of a node before the names of its namespaces', () => {
    const { state } = voteNode('node2');
    const local = planNodeLocal(
      createNodeLocal({ underlayAddress: '192.168.50.12', namespacePrefix: 'n2-' }),
      state,
    );
    const names = renderNode(buildTables(state, local)).map(({ namespace }) => namespace.name);
    expect(names).toContain('n2-ingress_sbox');
    expect(names).toContain('n2-task_vote1');
  });

  it.each([
    ['round-robin', [1, 1], '-s rr'],
    ['round-robin', [1, 3], '-s wrr'],
    ['round-robin', [2, 0], '-s rr'],
    ['weighted-round-robin', [1, 1], '-s wrr'],
    ['least-connections', [1, 1], '-s lc'],
    ['least-connections', [1, 2], '-s wlc'],
    ['source-hash', [1, 1], '-s sh -b sh-fallback'],
    ['maglev', [1, 1], '-s mh -b mh-fallback'],
  ] as const)('%s with weights %j becomes %s', (algorithm, weights, expected) => {
    const cluster = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) => ({ ...service, algorithm })),
      tasks: VOTE_CLUSTER.tasks.map((task) => ({
        ...task,
        weight: task.id === 'vote1' ? weights[0] : weights[1],
      })),
    };
    const { state, local } = voteNode('node1', cluster);
    const text = renderNode(buildTables(state, local)).find(
      ({ namespace }) => namespace.name === 'lb_overlay1',
    )?.texts.ipvs;
    expect(text).toContain(`-A -f 258 ${expected}\n`);
  });

  it('gives affinity its time in seconds', () => {
    const cluster = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) => ({ ...service, affinityMs: 1500 })),
    };
    const { state, local } = voteNode('node1', cluster);
    const texts = renderNode(buildTables(state, local)).map((one) => one.texts.ipvs);
    expect(texts.join('')).toContain('-A -f 258 -s rr -p 2\n');
  });

  it('binds host-mode ports on the node, choosing numbers that nobody named', () => {
    const cluster = {
      ...VOTE_CLUSTER,
      services: [
        {
          id: 'web',
          order: 1,
          vips: { overlay1: '10.0.9.2' },
          ports: [
            port(0, 80, { publishMode: 'host' }),
            port(9000, 90, { publishMode: 'host', protocol: 'udp' }),
          ],
        },
      ],
      tasks: [{ id: 'w', service: 'web', node: 'node1', addresses: { overlay1: '10.0.9.3' } }],
    };
    const { state, local } = voteNode('node1', cluster);
    const host = renderNode(buildTables(state, local))[0]?.texts.iptables ?? '';
    expect(host).toContain(
      '-A DOCKER ! -i docker_gwbridge -p tcp -m tcp --dport 32768 ' +
        '-j DNAT --to-destination 172.18.0.3:80',
    );
    expect(host).toContain('--dport 9000 -j DNAT --to-destination 172.18.0.3:90');
  });
});

describe('renderDiff', () => {
  const drained: FixtureCluster = {
    ...VOTE_CLUSTER,
    tasks: VOTE_CLUSTER.tasks.map((task) =>
      task.id === 'vote1' ? { ...task, state: 'draining' as const } : task,
    ),
  };
  const without = (cluster: FixtureCluster, id: string): FixtureCluster => ({
    ...cluster,
    tasks: cluster.tasks.filter((task) => task.id !== id),
  });

  it('is two commands when a backend drains', () => {
    expect(print(stepsBetween(VOTE_CLUSTER, drained))).toBe(
      'ingress_sbox ipvs: -e -f 257 -r 10.0.0.5:0 -m -w 0\n' +
        'lb_overlay1 ipvs: -e -f 258 -r 10.0.9.3:0 -m -w 0',
    );
  });

  it('takes a backend out of the tables before the way to it', () => {
    expect(print(stepsBetween(drained, without(drained, 'vote1')))).toBe(
      [
        'ingress_sbox ipvs: -d -f 257 -r 10.0.0.5:0',
        'lb_overlay1 ipvs: -d -f 258 -r 10.0.9.3:0',
        '1-ingress ip: neigh delete 10.0.0.5 dev vxlan0',
        '1-overlay1 ip: neigh delete 10.0.9.3 dev vxlan0',
        '1-ingress bridge: fdb delete 02:42:0a:00:00:05 dev vxlan0 dst 192.168.50.12 self',
        '1-overlay1 bridge: fdb delete 02:42:0a:00:09:03 dev vxlan0 dst 192.168.50.12 self',
      ].join('\n'),
    );
  });

  it('defect 26: a backend that comes back has weight 1 again', () => {
    expect(print(stepsBetween(drained, VOTE_CLUSTER))).toBe(
      'ingress_sbox ipvs: -e -f 257 -r 10.0.0.5:0 -m -w 1\n' +
        'lb_overlay1 ipvs: -e -f 258 -r 10.0.9.3:0 -m -w 1',
    );
  });

  it('12.10: leaves nothing of a service without backends', () => {
    const left = without(without(VOTE_CLUSTER, 'vote1'), 'vote2');
    const world = worldWith(history([left])[1] as NodeTables);
    const rendered = JSON.stringify(nodeView(world, 'node1'));
    expect(rendered).not.toMatch(/8080|10\.0\.0\.4\b|10\.0\.9\.2\b|0x101|0x102/);
  });

  it('publishes another port without touching the one that is there', () => {
    const more = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) =>
        service.id === 'vote' ? { ...service, ports: [port(8080, 80), port(8443, 443)] } : service,
      ),
      // Ports of running tasks do not change: new ones would replace them.
      tasks: VOTE_CLUSTER.tasks.filter(({ node }) => node !== 'node1'),
    };
    const fewer = { ...more, services: VOTE_CLUSTER.services };
    expect(print(stepsBetween(fewer, more))).toBe(
      'ingress_sbox iptables: *mangle; -A PREROUTING -p tcp -m tcp --dport 8443 ' +
        '-j MARK --set-xmark 0x101/0xffffffff; COMMIT\n' +
        'host iptables: *nat; -I DOCKER-INGRESS -p tcp -m tcp --dport 8443 ' +
        '-j DNAT --to-destination 172.18.0.2:8443; COMMIT; ' +
        '*filter; -I DOCKER-INGRESS -p tcp -m tcp --dport 8443 -j ACCEPT; ' +
        '-I DOCKER-INGRESS -p tcp -m state --state RELATED,ESTABLISHED -m tcp --sport 8443 ' +
        '-j ACCEPT; COMMIT',
    );
  });

  it('is nothing between equal tables', () => {
    expect(stepsBetween(VOTE_CLUSTER, VOTE_CLUSTER)).toEqual([]);
  });

  it('makes of the old texts what the new ones say, after any sequence of changes', () => {
    fc.assert(
      fc.property(
        fc.array(randomCluster({ families: ['ipv4', 'dual', 'ipv6'] }), {
          minLength: 2,
          maxLength: 4,
        }),
        (clusters) => {
          const tables = history(clusters);
          const [first] = tables;
          if (first === undefined) return;
          const world = worldWith(first);
          for (const [index, next] of tables.slice(1).entries()) {
            const before = tables[index];
            if (before !== undefined) world.apply('node1', renderDiff(diffTables(before, next)));
            expect(nodeView(world, 'node1')).toEqual(nodeView(worldWith(next), 'node1'));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    [
      'another range',
      (cluster: FixtureCluster): FixtureCluster => ({
        ...cluster,
        networks: cluster.networks.map((network) =>
          network.id === 'overlay1' ? { ...network, vxlanId: 5000, gateway: '10.0.9.9' } : network,
        ),
      }),
    ],
    [
      'another load-balancer address',
      (cluster: FixtureCluster): FixtureCluster => ({
        ...cluster,
        networks: cluster.networks.map((network) => ({
          ...network,
          balancers: { ...network.balancers, node1: network.balancers['node1'] + '0' },
        })),
      }),
    ],
    [
      'no load-balancer address',
      (cluster: FixtureCluster): FixtureCluster => ({
        ...cluster,
        networks: cluster.networks.map((network) => ({ ...network, balancers: {} })),
      }),
    ],
    [
      'a network that turns internal',
      (cluster: FixtureCluster): FixtureCluster => ({
        ...cluster,
        networks: cluster.networks.map((network) =>
          network.id === 'overlay1' ? { ...network, isInternal: true } : network,
        ),
      }),
    ],
  ])('builds again what stands on a network that changes: %s', (_, change) => {
    for (const clusters of [
      [VOTE_CLUSTER, change(VOTE_CLUSTER)],
      [change(VOTE_CLUSTER), VOTE_CLUSTER],
    ]) {
      const [, a, b] = history(clusters);
      if (a === undefined || b === undefined) return;
      const world = worldWith(a);
      world.apply('node1', renderDiff(diffTables(a, b)));
      expect(nodeView(world, 'node1')).toEqual(nodeView(worldWith(b), 'node1'));
    }
  });

  it('moves everything to another gateway bridge', () => {
    const { state, local } = voteNode('node1');
    const other = createNodeLocal({
      underlayAddress: '192.168.50.11',
      gatewayBridge: { name: 'docker_gwbridge', address: '172.30.0.1/24' },
    });
    const a = buildTables(state, local);
    const b = buildTables(state, planNodeLocal(other, state));
    const world = worldWith(a);
    world.apply('node1', renderDiff(diffTables(a, b)));
    expect(nodeView(world, 'node1')).toEqual(nodeView(worldWith(b), 'node1'));
  });
});

describe('both families', () => {
  const textsOf = (cluster: FixtureCluster, name: string): Readonly<Record<string, string>> => {
    const [, tables] = history([cluster]);
    if (tables === undefined) throw new Error('a table');
    const found = renderNode(tables).find(({ namespace }) => namespace.name === name);
    return { ...found?.texts };
  };
  const dual: FixtureCluster = { ...VOTE_CLUSTER, families: 'dual' };

  it('have an address, a mark and a balancer each in the sandbox of an overlay', () => {
    const texts = textsOf(dual, 'lb_overlay1');
    const four = textsOf(VOTE_CLUSTER, 'lb_overlay1');
    expect(texts['iptables']).toBe(four['iptables']);
    expect(texts['ip']).toBe(
      [
        'link set lo up',
        'addr add 10.0.9.6/24 dev eth0',
        'addr add fd00:a:0:9::6/64 dev eth0 nodad',
        'link set eth0 up',
        'addr add 10.0.9.7/32 dev eth0',
        'addr add fd00:a:0:9::7/128 dev eth0 nodad',
        'addr add 10.0.9.2/32 dev eth0',
        'addr add fd00:a:0:9::2/128 dev eth0 nodad',
        '',
      ].join('\n'),
    );
    expect(texts['ip6tables']).toBe(
      [
        '*mangle',
        '-F',
        '-A INPUT -d fd00:a:0:9::7/128 -j MARK --set-xmark 0x100/0xffffffff',
        '-A INPUT -d fd00:a:0:9::2/128 -j MARK --set-xmark 0x102/0xffffffff',
        'COMMIT',
        '*nat',
        '-F',
        '-A POSTROUTING -d fd00:a:0:9::/64 -m ipvs --ipvs -j SNAT --to-source fd00:a:0:9::6',
        'COMMIT',
        '',
      ].join('\n'),
    );
    const six = (texts['ipvs'] ?? '').split('\n').filter((line) => line.includes(' -6'));
    expect(six.slice(-3)).toEqual([
      '-A -f 258 -6 -s rr',
      '-a -f 258 -6 -r [fd00:a:0:9::3]:0 -m -w 1',
      '-a -f 258 -6 -r [fd00:a:0:9::4]:0 -m -w 1',
    ]);
    expect(texts['sysctl']).toContain('net.ipv6.conf.all.forwarding = 1');
  });

  it('are published on the host, and lead to the port of the task, in both', () => {
    expect(textsOf(dual, 'host')['ip6tables']).toContain(
      '-A DOCKER-INGRESS -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:ac:12::2]:8080',
    );
    expect(textsOf(dual, 'ingress_sbox')['ip6tables']).toContain(
      '-A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x101/0xffffffff',
    );
    expect(textsOf(dual, 'task_vote2')['ip6tables']).toContain(
      '-A PREROUTING -d fd00:a::6/128 -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80',
    );
    expect(textsOf(dual, 'task_vote2')['ip']).toContain(
      'route replace default via fd00:ac:12::1 dev eth2',
    );
  });

  it('share a segment: one bridge, one tunnel, one MAC address, one forwarding entry', () => {
    const { ip = '', bridge = '' } = textsOf(dual, '1-overlay1');
    expect(ip).toContain('addr add 10.0.9.1/24 dev br0\naddr add fd00:a:0:9::1/64 dev br0 nodad');
    expect(ip).not.toContain('br1');
    expect(ip).toContain('neigh replace fd00:a:0:9::3 lladdr 02:42:0a:00:09:03 dev vxlan0');
    expect(bridge.match(/02:42:0a:00:09:03/g)).toHaveLength(1);
  });

  it('IPv6 alone leaves nothing of IPv4 in a network', () => {
    const texts = textsOf({ ...VOTE_CLUSTER, families: 'ipv6' }, 'lb_overlay1');
    expect(texts['iptables']).toBe('');
    expect(Object.values(texts).join('\n')).not.toMatch(/10\.0\.9\./);
    expect(texts['ipvs']).toContain('-A -f 258 -6 -s rr');
  });
});
