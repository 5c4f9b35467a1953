import { describe, expect, it } from '@jest/globals';
import type { Node, Task } from '@skep/api';
import {
  decision,
  faultyService,
  node,
  nodes,
  running,
  task,
  type TaskInput,
} from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { ClusterObjects } from '../cluster-view.js';
import { swarmPolicy } from '../swarm-policy.js';
import { scatteredLoad, unevenLoad } from './imbalance.js';
import { applyPlan } from './plan.js';
import { planRebalance, type RebalanceOptions } from './rebalance.js';
import { renderPlan } from './render-plan.js';

const policy = swarmPolicy();
const options: RebalanceOptions = { policy, now: 0 };

const ways = (objects: ClusterObjects, more: Partial<RebalanceOptions> = {}): readonly string[] =>
  planRebalance(new ClusterState(objects), { ...options, ...more }).changes.map(
    ({ taskId, from, to }) => `${taskId} ${from}→${to}`,
  );

describe('planRebalance', () => {
  it('moves tasks to where there are fewer, says what it gains, and ends when nothing does', () => {
    const state = new ClusterState({
      nodes: nodes(3),
      tasks: [
        ...running(2, { nodeId: 'n1' }),
        ...running(3, { nodeId: 'n1', service: 'db' }),
        ...running(1, { nodeId: 'n2' }),
      ],
    });
    const plan = planRebalance(state, options);
    expect(renderPlan(plan)).toBe(
      [
        '3 moved',
        '  move  db.1002.db.n1.2    n1 → n3  uneven-tasks falls from 40 to 28',
        '  move  db.1001.db.n1.1    n1 → n2  uneven-tasks falls from 28 to 22',
        '  move  web.1001.web.n1.1  n1 → n3  uneven-tasks falls from 22 to 18',
      ].join('\n'),
    );
    expect(plan).toMatchObject({ measure: 'uneven-tasks', isBalanced: true });
    expect(plan.values).toEqual([40, 28, 22, 18]);
    expect(decision(plan.changes[0]?.placement)).toEqual({
      nodeId: 'n3',
      term: 'uneven-tasks',
      runnerUp: 'n1',
      values: [28, 40],
      nodes: 2,
    });
    expect(state.tasksOn('n1')).toHaveLength(5);
  });

  it('keeps to its budget, and to the least gain', () => {
    const objects = { nodes: nodes(2), tasks: running(6, { nodeId: 'n1' }) };
    expect(ways(objects)).toHaveLength(3);
    expect(ways(objects, { movesMax: 2 })).toHaveLength(2);
    expect(ways(objects, { movesMax: 0 })).toEqual([]);
    // The gains are 20, 12 and 4.
    expect(ways(objects, { gainMin: 12 })).toHaveLength(2);
    const plan = planRebalance(new ClusterState(objects), { ...options, movesMax: 1 });
    expect(plan.isBalanced).toBe(false);
    expect(planRebalance(new ClusterState(objects), { ...options, movesMax: 3 }).isBalanced).toBe(
      true,
    );
  });

  it.each<[string, readonly Node[], TaskInput, Partial<RebalanceOptions>]>([
    [
      'a node refuses them',
      [node({ id: 'n1' }), node({ id: 'n2', availability: 'pause' })],
      {},
      {},
    ],
    [
      'a constraint keeps them',
      [node({ id: 'n1', role: 'manager' }), node({ id: 'n2' })],
      { template: { placement: { constraints: ['node.role == manager'] } } },
      {},
    ],
    ['they are bound to their node', nodes(2), { preassignedTo: 'n1' }, {}],
    ['they may not be moved', nodes(2), {}, { isMovable: () => false }],
    ['they are to end already', nodes(2), { desiredState: 'shutdown' }, {}],
    [
      'their node is drained',
      [node({ id: 'n1', availability: 'drain' }), node({ id: 'n2' })],
      {},
      {},
    ],
    [
      'there is no room',
      [node({ id: 'n1' }), node({ id: 'n2', resources: { memoryBytes: 1 } })],
      { reservations: { memoryBytes: 2 } },
      {},
    ],
  ])('moves nothing when %s', (_, cluster, input, more) => {
    const objects = { nodes: cluster, tasks: running(4, { nodeId: 'n1', ...input }) };
    expect(ways(objects, more)).toEqual([]);
  });

  it('does not make a spread worse, nor goes where the service failed of late', () => {
    const template = { placement: { preferences: [{ spread: 'node.labels.zone' }] } };
    const objects = {
      nodes: [
        node({ id: 'a1', labels: { zone: 'a' } }),
        node({ id: 'a2', labels: { zone: 'a' } }),
        node({ id: 'b1', labels: { zone: 'b' } }),
      ],
      tasks: [...running(2, { nodeId: 'a1', template }), ...running(2, { nodeId: 'b1', template })],
    };
    // b1 would have the same gain, but zone a would then have three.
    expect(ways(objects)).toEqual(['web.a1.1 a1→a2']);
    const times = [1, 2, 3, 4, 5];
    const services = [faultyService('web', [{ nodeId: 'a2', specVersion: 1, times }])];
    expect(ways({ ...objects, services }, { now: 9 })).toEqual([]);
  });

  it('other measures: even load, and packing', () => {
    const load = (id: string, nodeId: string, memoryBytes: number): Task =>
      task({ id, service: id, nodeId, reservations: { memoryBytes } });
    const objects = {
      nodes: nodes(3, { resources: { memoryBytes: 8 } }),
      tasks: [load('a', 'n1', 4), load('b', 'n1', 2), load('c', 'n2', 2), load('d', 'n3', 1)],
    };
    expect(ways(objects, { measure: unevenLoad })).toEqual(['b n1→n3']);
    expect(ways(objects, { measure: scatteredLoad })).toEqual(['c n2→n1']);
  });

  it('gives what the policy’s reserves choose', () => {
    const gpus = { generic: [{ kind: 'gpu', ids: ['a', 'b'] }], memoryBytes: 9 };
    const objects = {
      nodes: nodes(2, { resources: gpus }),
      tasks: ['a', 'b'].map((id) =>
        task({
          id,
          service: id,
          nodeId: 'n1',
          reservations: { generic: [{ kind: 'gpu', count: 1 }] },
          generic: [{ kind: 'gpu', ids: [id] }],
        }),
      ),
    };
    const plan = planRebalance(new ClusterState(objects), options);
    expect(plan.changes).toMatchObject([
      { taskId: 'a', placement: { genericResources: [{ kind: 'gpu', ids: ['a'] }] } },
    ]);
    const after = applyPlan(objects, plan);
    expect(after.tasks[0]?.status).toMatchObject({
      nodeId: 'n2',
      genericResources: [{ kind: 'gpu', ids: ['a'] }],
    });
    expect(after.tasks[0]?.spec.nodeId).toBeUndefined();
  });

  it('is asked sensibly', () => {
    const ask = (more: Partial<RebalanceOptions>) => ways({}, more);
    expect(ask({})).toEqual([]);
    expect(() => ask({ movesMax: -1 })).toThrow('movesMax -1: must be a whole number from 0');
    expect(() => ask({ gainMin: -1 })).toThrow('gainMin -1: must be a number from 0');
    expect(() => ask({ gainMin: NaN })).toThrow('gainMin NaN');
  });
});
