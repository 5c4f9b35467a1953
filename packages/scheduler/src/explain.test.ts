import { describe, expect, it } from '@jest/globals';
import { MB, node, running, task } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import { explain } from './explain.js';
import { renderExplanation, renderLack, renderPlacementReason } from './render-explanation.js';
import { swarmPolicy } from './swarm-policy.js';

const options = { policy: swarmPolicy(), now: 0 };

function cluster(): ClusterState {
  return new ClusterState({
    nodes: [
      node({ id: 'n1', labels: { az: 'a' } }),
      node({ id: 'n2', labels: { az: 'b' }, resources: { memoryBytes: 100 * MB } }),
      node({ id: 'n3', labels: { az: 'b' }, state: 'down', role: 'manager' }),
      node({ id: 'n4', labels: { az: 'b' } }),
    ],
    tasks: [...running(1, { nodeId: 'n1' }), ...running(2, { nodeId: 'n4', service: 'other' })],
  });
}

const wish = task({
  reservations: { memoryBytes: 536_870_912 },
  template: {
    placement: {
      constraints: ['node.role != manager'],
      preferences: [{ spread: 'node.labels.az' }],
    },
  },
});

describe('explain', () => {
  it('tells of every node, filter, rank and branch, and places nothing', () => {
    const state = cluster();
    const { revision } = state;
    const told = explain(state, wish, options);
    expect(state.revision).toBe(revision);
    expect(told).toMatchObject({
      taskId: 'web.1',
      taskName: 'web.1.web.1',
      policy: 'swarm',
      chosen: { nodeId: 'n4', term: 'spread', values: [0, 1], runnerUp: 'n1', path: ['b'] },
    });
    expect(told.nodes.map(({ nodeId, isCandidate }) => [nodeId, isCandidate])).toEqual([
      ['n4', true],
      ['n1', true],
      ['n2', false],
      ['n3', false],
    ]);
    expect(told.nodes[0]).toEqual({
      nodeId: 'n4',
      nodeName: 'n4',
      isCandidate: true,
      verdicts: [{ filter: 'ready' }, { filter: 'resource' }, { filter: 'constraint' }],
      ranks: [
        { term: 'faults', value: 0 },
        { term: 'service-tasks', value: 0 },
        { term: 'total-tasks', value: 2 },
      ],
      branches: [{ level: 'node.labels.az', value: 'b', tasks: 0 }],
    });
    expect(told.nodes[2]?.verdicts[1]).toEqual({
      filter: 'resource',
      lacks: [{ what: 'memoryBytes', needed: 536_870_912, available: 100 * MB }],
    });
  });

  it('as text', () => {
    expect(renderExplanation(explain(cluster(), wish, options))).toBe(
      [
        'web.1.web.1 → n4: fewer tasks of the service in its branch of the spread (0, n1 1), ' +
          'of 2 nodes',
        '  candidates, best rank first:',
        '    n4  node.labels.az=b (0 tasks), faults 0, service-tasks 0, total-tasks 2',
        '    n1  node.labels.az=a (1 tasks), faults 0, service-tasks 1, total-tasks 1',
        '  refused:',
        '    n2  resource: memory needs 512 MiB, has 95.4 MiB',
        '    n3  ready: state needs ready, has down; ' +
          'constraint: constraint needs node.role != manager, has manager',
      ].join('\n'),
    );
  });

  it('tells a tie with a node of another branch that is as good', () => {
    const template = { placement: { preferences: [{ spread: 'node.labels.az' }] } };
    const spread = new ClusterState({
      nodes: ['a', 'b', 'b', 'c'].map((az, at) => node({ id: `n${at + 1}`, labels: { az } })),
      tasks: running(1, { nodeId: 'n4', template }),
    });
    const { chosen, tie } = explain(spread, task({ template }), options);
    expect([chosen?.term, chosen?.runnerUp]).toEqual(['name', 'n2']);
    expect(tie).toEqual({ nodes: ['n1', 'n2'], by: 'name' });
  });

  it('is the same whether or not groups were placed before', () => {
    const state = cluster();
    const fresh = task({ service: 'fresh' });
    const before = explain(state, fresh, options);
    expect(explain(state, fresh, options)).toEqual(before);
    expect(before.chosen).toMatchObject({ nodeId: 'n2', term: 'total-tasks' });
  });

  it('gives the reason of a task that fits nowhere', () => {
    const told = explain(cluster(), task({ reservations: { cpuNanos: 1e12 } }), options);
    expect(told.chosen).toBeUndefined();
    expect(told.pending?.message).toBe(
      'no suitable node (insufficient resources on 3 nodes; 1 node not available for new tasks)',
    );
    expect(renderExplanation(told).split('\n').slice(0, 3)).toEqual([
      `web.1.web.1 → ${told.pending?.message ?? ''}`,
      '  refused:',
      '    n1  resource: cpu needs 1000 cores, has 4 cores',
    ]);
  });

  it.each([
    ['n1', { chosen: { nodeId: 'n1', term: 'preassigned', nodes: 1 } }],
    ['n3', { pending: { message: '1 node not available for new tasks' } }],
    ['n9', { pending: { code: 'node-not-found' }, nodes: [] }],
  ])('a task preassigned to %s is explained for that node', (preassignedTo, expected) => {
    expect(explain(cluster(), task({ preassignedTo }), options)).toMatchObject(expected);
  });
});

describe('renderPlacementReason', () => {
  const words = { policy: swarmPolicy(), nodeName: (id: string) => id.toUpperCase() };

  it.each([
    [{ term: 'preassigned', nodes: 1 }, 'the node was given by the service'],
    [{ term: 'only-node', nodes: 1 }, 'the only node that passes every filter'],
    [
      { term: 'name', runnerUp: 'n2', nodes: 4 },
      'first by name among equals, before N2, of 4 nodes',
    ],
    [
      { term: 'total-tasks', runnerUp: 'n2', values: [1, 3] as const, nodes: 4 },
      'fewer active tasks in total (1, N2 3), of 4 nodes',
    ],
    [
      { term: 'warmth', runnerUp: 'n2', values: [1, 3] as const, nodes: 4 },
      'warmth (1, N2 3), of 4 nodes',
    ],
    [{ term: 'warmth', runnerUp: 'n2', nodes: 4 }, 'warmth (before N2), of 4 nodes'],
  ])('%j', (reason, text) => {
    expect(renderPlacementReason(reason, words)).toBe(text);
  });
});

describe('renderLack', () => {
  it.each([
    [{ what: 'cpuNanos', needed: 5e8, available: 0 }, 'cpu needs 0.5 cores, has 0 cores'],
    [{ what: 'memoryBytes', needed: 2 ** 31, available: -1024 }, 'memory needs 2 GiB, has -1 KiB'],
    [{ what: 'generic gpu', needed: 2, available: 1 }, 'generic gpu needs 2, has 1'],
    [
      { what: 'constraint', needed: 'node.labels.a == b', available: '' },
      "constraint needs node.labels.a == b, has ''",
    ],
    [{ what: 'plugin Volume/nfs', needed: 1, available: 0 }, 'plugin Volume/nfs is missing'],
  ])('%j', (lack, text) => {
    expect(renderLack(lack)).toBe(text);
  });
});
