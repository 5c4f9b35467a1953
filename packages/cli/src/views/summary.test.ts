import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCluster, type Cluster } from 'skep';
import { clusterSummary, counted, globalsWithoutNodes } from './summary.js';
import { nodesTable, servicesTable } from './summary.js';

/** The cells of a table, without its frame. */
function cells(table: string): readonly (readonly string[])[] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const STACK = `
services:
  web:
    image: example/web:1
    ports: ["8080:80", "53:53/udp"]
    deploy: { replicas: 3 }
  agent: { image: example/agent:2, deploy: { mode: global } }
  gpu:
    image: example/gpu:1
    deploy: { mode: global, placement: { constraints: [node.labels.gpu == a] } }
  large: { image: example/large:1, deploy: { resources: { reservations: { cpus: "8" } } } }
  once: { image: example/once:1, deploy: { mode: replicated-job } }
`;

describe('views of a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    const behaviour = { 'example/once': { exit: { afterMs: 1_000, exitCode: 0 } } };
    cluster = await createCluster({ nodes: 2, behaviour });
    await cluster.apply(STACK);
    await cluster.settle();
    await cluster.drain('node2');
    await cluster.settle();
  });

  afterAll(async () => {
    await cluster.stop();
  });

  it('nodesTable: state and tasks of each node, by name', () => {
    expect(cells(nodesTable(cluster.view()))).toEqual([
      ['NODE', 'ROLE', 'STATE', 'AVAILABILITY', 'ADDRESS', 'TASKS'],
      ['node1', 'manager', 'ready', 'active', '192.168.50.11', '4'],
      ['node2', 'worker', 'ready', 'drain', '192.168.50.12', '0'],
    ]);
  });

  it('servicesTable: running and wanted, ports and places, by name', () => {
    expect(cells(servicesTable(cluster.view()))).toEqual([
      ['SERVICE', 'MODE', 'REPLICAS', 'IMAGE', 'PORTS', 'NODES'],
      ['agent', 'global', '1/1', 'example/agent:2', '', 'node1'],
      ['gpu', 'global', '0/0', 'example/gpu:1', '', ''],
      ['large', 'replicated', '0/1', 'example/large:1', '', ''],
      ['once', 'replicated-job', '0 + 1 complete', 'example/once:1', '', ''],
      ['web', 'replicated', '3/3', 'example/web:1', '53→53/udp 8080→80/tcp', 'node1 ×3'],
    ]);
  });

  it('globalsWithoutNodes: those that run nowhere', () => {
    expect(globalsWithoutNodes(cluster.view())).toEqual(['gpu']);
  });

  it('clusterSummary: plain data, by name', () => {
    const summary = clusterSummary(cluster.view()) as Readonly<
      Record<'nodes' | 'networks' | 'services' | 'tasks', readonly { readonly name: string }[]>
    >;
    expect(summary.nodes.map(({ name }) => name)).toEqual(['node1', 'node2']);
    expect(summary.networks.map(({ name }) => name)).toContain('default');
    expect(summary.services.map(({ name }) => name)).toEqual([
      'agent',
      'gpu',
      'large',
      'once',
      'web',
    ]);
    const large = summary.tasks.find(({ name }) => name.startsWith('large.'));
    expect(large).toMatchObject({
      state: 'pending',
      node: null,
      placement: null,
      pending: { code: 'no-suitable-node' },
    });
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });
});

describe('counted', () => {
  it.each([
    [0, '0 tasks'],
    [1, '1 task'],
    [2, '2 tasks'],
  ])('%i', (count, text) => {
    expect(counted(count, 'task')).toBe(text);
  });
});
