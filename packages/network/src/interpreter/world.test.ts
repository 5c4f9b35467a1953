import { describe, expect, it } from '@jest/globals';

import { port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { tablesOf, withProbe, worldOf } from '../__fixtures__/world.js';
import { renderNode } from '../ipvs/render.js';
import type { BalancingAlgorithm } from '@skep/api';
import { connect, sendPacket, type ConnectInput } from './send.js';
import type { World } from './world.js';

const PROBE = { node: 'node1', namespace: 'task_probe' } as const;
const OUTSIDE = { outside: '203.0.113.7' } as const;

/** Service `web` with the weights given, one task each, on node1 and node2 in turn. */
function web(
  weights: readonly (number | 'draining')[],
  rest: Partial<FixtureCluster['services'][number]> = {},
): FixtureCluster {
  return withProbe({
    ...VOTE_CLUSTER,
    services: [
      {
        id: 'web',
        order: 1,
        vips: { ingress: '10.0.0.4', overlay1: '10.0.9.2' },
        ports: [port(8080, 80), port(5353, 53, { protocol: 'udp' })],
        ...rest,
      },
    ],
    tasks: weights.map((weight, index) => ({
      id: `w${index}`,
      service: 'web',
      node: index % 2 === 0 ? 'node1' : 'node2',
      slot: index + 1,
      addresses: { ingress: `10.0.0.${20 + index}`, overlay1: `10.0.9.${20 + index}` },
      ...(weight === 'draining' ? { state: 'draining' as const } : { weight }),
    })),
  });
}

const VIP: Pick<ConnectInput, 'destination' | 'destinationPort'> = {
  destination: '10.0.9.2',
  destinationPort: 80,
};

function spread(world: World, count: number, rest: Partial<ConnectInput> = {}): string[] {
  return Array.from({ length: count }, () => {
    const result = connect(world, { from: PROBE, ...VIP, ...rest });
    return result.delivered?.taskId ?? result.reason ?? '';
  });
}

const counts = (list: readonly string[]): Record<string, number> => {
  const result: Record<string, number> = {};
  for (const item of [...list].sort()) result[item] = (result[item] ?? 0) + 1;
  return result;
};

function setCluster(world: World, cluster: FixtureCluster): void {
  for (const { id } of cluster.nodes) world.setNode(id, renderNode(tablesOf(cluster, id)));
}

describe('schedulers', () => {
  it.each([
    ['round-robin', [1, 1, 1], { w0: 4, w1: 4, w2: 4 }],
    ['round-robin', [3, 1, 0], { w0: 9, w1: 3 }],
    ['weighted-round-robin', [1, 2, 3], { w0: 2, w1: 4, w2: 6 }],
    ['weighted-round-robin', [4, 2, 'draining'], { w0: 8, w1: 4 }],
    ['least-connections', [1, 1, 1], { w0: 4, w1: 4, w2: 4 }],
    ['least-connections', [1, 2, 3], { w0: 2, w1: 4, w2: 6 }],
  ] as const)('%s over %j', (algorithm: BalancingAlgorithm, weights, expected) => {
    const world = worldOf(web(weights, { algorithm }));
    // Connections stay open: least-connections counts them.
    expect(counts(spread(world, 12, { staysOpen: true }))).toEqual(expected);
  });

  it('source-hash keeps a client on a backend, and moves only clients of one that goes', () => {
    const world = worldOf(web([1, 1, 1], { algorithm: 'source-hash' }));
    const clients = Array.from({ length: 30 }, (_, i) => `203.0.113.${i + 1}`);
    const ask = (): string[] =>
      clients.map((outside) => {
        const to = { destination: '192.168.50.11', destinationPort: 8080 };
        return connect(world, { from: { outside }, ...to }).delivered?.taskId ?? '';
      });
    const first = ask();
    expect(ask()).toEqual(first);
    expect(new Set(first).size).toBe(3);
    setCluster(world, web([1, 1, 'draining'], { algorithm: 'source-hash' }));
    const second = ask();
    for (const [index, task] of first.entries())
      if (task !== 'w2') expect(second[index]).toBe(task);
    expect(second).not.toContain('w2');
  });

  it('affinity holds for its time and does not lead to a backend that drains', () => {
    const world = worldOf(web([1, 1], { affinityMs: 10_000 }));
    const [first = ''] = spread(world, 1);
    expect(new Set(spread(world, 5))).toEqual(new Set([first]));
    // Closed connections wait for two minutes, and what they hang on is looked at every minute.
    world.now += 10_001;
    expect(spread(world, 1)).toEqual([first]);
    world.now += 190_000;
    const [second = ''] = spread(world, 1);
    expect(second).not.toBe(first);
    setCluster(
      world,
      web(second === 'w0' ? ['draining', 1] : [1, 'draining'], { affinityMs: 10_000 }),
    );
    expect(spread(world, 2)).toEqual([first, first]);
  });

  it('refuses when every backend drains', () => {
    const world = worldOf(web(['draining', 'draining']));
    expect(spread(world, 1)).toEqual(['no backend takes connections']);
  });
});

describe('state across changes', () => {
  it('keeps an open connection on a backend that drains, and new ones away from it', () => {
    const world = worldOf(web([1, 1]));
    const open = connect(world, { from: PROBE, ...VIP, staysOpen: true });
    const kept = open.delivered?.taskId ?? '';
    setCluster(world, web(kept === 'w0' ? ['draining', 1] : [1, 'draining']));
    const again = { ...VIP, from: PROBE, sourcePort: open.sourcePort };
    expect(sendPacket(world, again).delivered?.taskId).toBe(kept);
    expect(new Set(spread(world, 4)).has(kept)).toBe(false);
    expect(sendPacket(world, again).delivered?.taskId).toBe(kept);
  });

  it('ends a connection whose backend is removed; the next packet finds another', () => {
    const world = worldOf(web([1, 1]));
    const open = connect(world, { from: PROBE, ...VIP, staysOpen: true });
    const gone = open.delivered?.taskId ?? '';
    setCluster(world, web(gone === 'w0' ? ['draining', 1] : [1]));
    const left = web([1, 1]);
    setCluster(world, { ...left, tasks: left.tasks.filter(({ id }) => id !== gone) });
    const again = { ...VIP, from: PROBE, sourcePort: open.sourcePort };
    expect(sendPacket(world, again).dropped).toContain('was removed');
    expect(sendPacket(world, { ...VIP, from: PROBE }).delivered?.taskId).not.toBe(gone);
  });

  it('goes on with round robin where it was when other texts change', () => {
    const world = worldOf(web([1, 1, 1]));
    const before = spread(world, 1);
    setCluster(world, web([1, 1, 1], { ports: [port(8080, 80)] }));
    expect(new Set([...before, ...spread(world, 2)]).size).toBe(3);
  });

  it('does nothing for texts that are as they were', () => {
    const world = worldOf(VOTE_CLUSTER);
    const before = world.namespace('node1', 'lb_overlay1').config;
    setCluster(world, VOTE_CLUSTER);
    expect(world.namespace('node1', 'lb_overlay1').config).toBe(before);
  });

  it('leaves nothing behind of connections that are closed', () => {
    const world = worldOf(VOTE_CLUSTER);
    connect(world, { from: OUTSIDE, destination: '192.168.50.11', destinationPort: 8080 });
    for (const { namespaces } of world.nodes.values()) {
      for (const { connections } of namespaces.values()) expect(connections.size).toBe(0);
    }
  });

  it('gives two clients with the same source port each their own answer', () => {
    const world = worldOf(web([1]));
    const to = { destination: '192.168.50.11', destinationPort: 8080, sourcePort: 5000 };
    const a = connect(world, { from: { outside: '203.0.113.1' }, ...to, staysOpen: true });
    const b = connect(world, { from: { outside: '203.0.113.2' }, ...to, staysOpen: true });
    expect([a.outcome, b.outcome]).toEqual(['answered', 'answered']);
    expect(a.delivered?.seenSource).not.toEqual(b.delivered?.seenSource);
  });
});

describe('ways', () => {
  const world = worldOf(web([1, 1]));

  it('udp ports have their own way', () => {
    const to = { destination: '192.168.50.12', protocol: 'udp' } as const;
    const dns = connect(world, { from: OUTSIDE, ...to, destinationPort: 5353 });
    expect([dns.outcome, dns.delivered?.port]).toEqual(['answered', 53]);
    expect(connect(world, { from: OUTSIDE, ...to, destinationPort: 8080 }).outcome).toBe('refused');
  });

  it('a ping of a VIP is answered by the sandbox', () => {
    const result = sendPacket(world, { from: PROBE, destination: '10.0.9.2', protocol: 'icmp' });
    expect(result.delivered).toMatchObject({ node: 'node1', namespace: 'lb_overlay1' });
  });

  it('tasks reach each other by their addresses, on this node and through the tunnel', () => {
    for (const [destination, taskId] of [
      ['10.0.9.20', 'w0'],
      ['10.0.9.21', 'w1'],
    ] as const) {
      const result = connect(world, { from: PROBE, destination, destinationPort: 1234 });
      expect([result.outcome, result.delivered?.taskId]).toEqual(['answered', taskId]);
      expect(result.delivered?.seenSource.address).toBe('10.0.9.100');
    }
  });

  it('a task reaches the outside with the address of its node', () => {
    const result = connect(world, {
      from: PROBE,
      destination: '198.51.100.1',
      destinationPort: 443,
    });
    expect(result.outcome).toBe('answered');
    expect(result.delivered).toMatchObject({
      node: '',
      seenSource: { address: '192.168.50.11' },
    });
  });

  it('a task reaches a published port of its own node, and of the other', () => {
    for (const destination of ['192.168.50.11', '192.168.50.12']) {
      const result = connect(world, { from: PROBE, destination, destinationPort: 8080 });
      expect([result.outcome, result.reason]).toEqual(['answered', undefined]);
    }
  });

  it('gateway legs do not see each other', () => {
    const result = sendPacket(world, {
      from: PROBE,
      destination: '172.18.0.3',
      destinationPort: 80,
    });
    expect(result.dropped).toBe('dropped by a rule of FORWARD');
  });

  it('host-mode ports lead to the task of that node only', () => {
    const hosted = worldOf(web([1], { ports: [port(9000, 90, { publishMode: 'host' })] }));
    const to = { from: OUTSIDE, destinationPort: 9000 };
    const there = connect(hosted, { ...to, destination: '192.168.50.11' });
    expect(there.outcome).toBe('answered');
    expect(there.delivered).toMatchObject({ taskId: 'w0', port: 90 });
    // The client's address is kept.
    expect(there.delivered?.seenSource.address).toBe('203.0.113.7');
    expect(connect(hosted, { ...to, destination: '192.168.50.12' }).outcome).toBe('refused');
  });

  it('nobody answers for an address that nobody has', () => {
    const to = { from: PROBE, destinationPort: 80 };
    expect(sendPacket(world, { ...to, destination: '10.0.9.77' }).dropped).toContain('nobody');
    const other = { from: { node: 'node1', namespace: 'lb_overlay1' }, destination: '8.8.8.8' };
    expect(sendPacket(world, other).dropped).toBe('no route to 8.8.8.8');
  });
});

describe('nodes and the underlay', () => {
  it('a node that is down takes half of the connections with it, until tables change', () => {
    const world = worldOf(web([1, 1]));
    world.node('node2').isUp = false;
    const results = spread(world, 4);
    expect(counts(results)).toEqual({
      'the tunnel end point 192.168.50.12 does not answer': 2,
      w0: 2,
    });
    const entry = { destination: '192.168.50.12', destinationPort: 8080 };
    expect(connect(world, { from: OUTSIDE, ...entry }).outcome).toBe('dropped');
    world.node('node2').isUp = true;
    expect(counts(spread(world, 4))).toEqual({ w0: 2, w1: 2 });
  });

  it('a cut underlay separates two nodes', () => {
    const world = worldOf(web([1, 1]));
    world.setReachable('node2', 'node1', false);
    expect(counts(spread(world, 2))).toHaveProperty('w0', 1);
    const entry = { destination: '192.168.50.12', destinationPort: 8080 };
    const host = { node: 'node1', namespace: 'host' };
    expect(connect(world, { from: host, ...entry }).outcome).toBe('dropped');
    world.setReachable('node1', 'node2', true);
    expect(connect(world, { from: host, ...entry }).outcome).toBe('answered');
  });

  it('knows its nodes', () => {
    const world = worldOf(VOTE_CLUSTER);
    expect(() => world.addNode({ name: 'node1', address: '1.2.3.4/24' })).toThrow('exists');
    expect(() => world.node('node9')).toThrow('no node node9');
    expect(() => world.namespace('node1', 'x')).toThrow('no namespace x');
    world.removeNode('node2');
    expect(world.nodeAt('192.168.50.12')).toBeUndefined();
    const lost = connect(world, {
      from: OUTSIDE,
      destination: '192.168.50.12',
      destinationPort: 8080,
    });
    expect(lost.outcome).toBe('dropped');
  });

  it('a namespace that is gone is not sent to', () => {
    const world = worldOf(web([1, 1]));
    world.removeNamespace('node2', 'task_w1');
    expect(spread(world, 2).join()).toContain('nobody');
  });
});
