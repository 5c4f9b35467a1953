import { describe, expect, it } from '@jest/globals';

import { port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { tablesOf, worldOf } from '../__fixtures__/world.js';
import { connect } from '../interpreter/send.js';
import { renderConnection, renderHops } from './hops-text.js';
import { renderNodeMap } from './node-map.js';
import { renderTables } from './node-tables-text.js';
import { textTable } from './text-table.js';

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

describe('renderNodeMap', () => {
  it('draws what an operator draws on a whiteboard', () => {
    expect(renderNodeMap(tablesOf(VOTE_CLUSTER, 'node1'))).toBe(
      text([
        'node1  192.168.50.11',
        '',
        '                          ingress       overlay1      docker_gwbridge',
        '  range                   10.0.0.0/24   10.0.9.0/24   172.18.0.0/16',
        '  VXLAN id                4096          4097          -',
        '  bridge                  10.0.0.1      10.0.9.1      172.18.0.1',
        '  ingress sandbox         10.0.0.2      -             172.18.0.2',
        '  balancer of overlay1    -             10.0.9.6      -',
        '  task client.1.client1   -             10.0.9.8      172.18.0.3',
        '  task vote.2.vote2       10.0.0.6      10.0.9.4      172.18.0.4',
        '  VIP of client           -             10.0.9.7      -',
        '  VIP of vote             10.0.0.4      10.0.9.2      -',
        '',
        '  through the tunnel',
        '    node2  192.168.50.12  ingress: 10.0.0.3 10.0.0.5',
        '                          overlay1: 10.0.9.3 10.0.9.5',
      ]),
    );
  });

  it('puts many networks below each other', () => {
    const cluster: FixtureCluster = {
      ...VOTE_CLUSTER,
      services: [],
      tasks: [],
      networks: Array.from({ length: 7 }, (_, i) => ({
        id: `n${i}`,
        subnet: `10.1.${i}.0/24`,
        gateway: `10.1.${i}.1`,
        vxlanId: 5000 + i,
        balancers: {},
      })),
    };
    const map = renderNodeMap(tablesOf(cluster, 'node1'));
    expect(map.match(/VXLAN id/g)).toHaveLength(2);
    expect(Math.max(...map.split('\n').map((line) => line.length))).toBeLessThan(100);
  });

  it('is short for a node without networks', () => {
    const map = renderNodeMap(tablesOf({ ...VOTE_CLUSTER, networks: [], tasks: [] }, 'node1'));
    expect(map).toContain('docker_gwbridge');
    expect(map).not.toContain('tunnel');
  });
});

describe('renderTables', () => {
  it('leads from ports and addresses to backends', () => {
    const drained = {
      ...VOTE_CLUSTER,
      tasks: VOTE_CLUSTER.tasks.map((task) =>
        task.id === 'vote1' ? { ...task, state: 'draining' as const } : task,
      ),
    };
    const view = renderTables(tablesOf(drained, 'node1'), {
      network: 'overlay1',
      nodeName: (id) => id.slice(-1),
    });
    expect(view).toBe(
      text([
        'node1  tables of revision 1',
        '',
        '  no published ports',
        '',
        '  overlay1 in lb_overlay1 (10.0.9.6)',
        '    VIP       MARK   SERVICE  PORTS  SCHEDULER  BACKEND       WEIGHT  TASK' +
          '              NODE',
        '    10.0.9.7  0x100  client   all    rr         10.0.9.8           1  client.1.client1  1',
        '    10.0.9.2  0x102  vote     all    rr         10.0.9.3  0 (drains)  vote.1.vote1      2',
        '                                                10.0.9.4           1  vote.2.vote2      1',
      ]),
    );
  });

  it('lists ports of the mesh and of the node', () => {
    const cluster = {
      ...VOTE_CLUSTER,
      services: VOTE_CLUSTER.services.map((service) =>
        service.id === 'client'
          ? { ...service, ports: [port(9000, 90, { publishMode: 'host' })], affinityMs: 1500 }
          : service,
      ),
    };
    const view = renderTables(tablesOf(cluster, 'node1'));
    expect(view).toContain('8080/tcp  172.18.0.2:8080  0x101  vote\n');
    expect(view).toContain('9000/tcp  172.18.0.3:90    -      task client.1.client1\n');
    expect(view).toContain('8080->80/tcp');
    expect(view).toContain('rr, a client for 1.5 s');
  });

  it('says so when a network has nothing', () => {
    const cluster = { ...VOTE_CLUSTER, services: [], tasks: [] };
    expect(renderTables(tablesOf(cluster, 'node1'))).toContain('no virtual addresses');
  });
});

describe('renderConnection', () => {
  it('tells the way there and back', () => {
    const world = worldOf(VOTE_CLUSTER);
    const from = { outside: '203.0.113.7' };
    const to = { from, destination: '192.168.50.11' };
    const done = renderConnection(connect(world, { ...to, destinationPort: 8080 }), { indent: 2 });
    const lines = done.split('\n');
    expect(lines[0]).toBe('  request');
    expect(lines).toContain('  answer');
    expect(lines.at(-2)).toBe('  answered');
    expect(done).toMatch(/node1 host +prerouting +DNAT/);
    const refused = renderConnection(connect(world, { ...to, destinationPort: 81 }));
    expect(refused).toContain('refused: nobody listens on 192.168.50.11:81');
    expect(refused).not.toContain('answer\n');
  });

  it('names what is outside of all nodes', () => {
    const hop = { node: '', namespace: '', hook: 'drop', action: 'dropped', text: 'why' } as const;
    expect(renderHops([hop])).toBe('outside  drop  dropped  why\n');
  });
});

describe('textTable', () => {
  it('aligns, indents and leaves no blanks at the ends', () => {
    const lines = textTable(
      [
        ['a', '1', ''],
        ['bbb', '22'],
        ['…', '333', 'c'],
      ],
      { indent: 1, gap: 1, rightColumns: [1] },
    );
    expect(lines).toEqual([' a     1', ' bbb  22', ' …   333 c']);
  });
});
