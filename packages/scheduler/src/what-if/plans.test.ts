import { describe, expect, it } from '@jest/globals';
import type { Task } from '@skep/api';
import { node, nodes, running, task, tasks, type TaskInput } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { ClusterObjects } from '../cluster-view.js';
import { swarmPolicy } from '../swarm-policy.js';
import { headroom } from './headroom.js';
import { applyPlan, type WhatIfPlan } from './plan.js';
import { planPlacement } from './plan-placement.js';
import { planDrain, planNodeLoss } from './relocation.js';
import { renderPlan, summarizePlan } from './render-plan.js';

const options = { policy: swarmPolicy(), now: 0 };

/** Who is where: task id → node id, or '-'. */
function places(objects: ClusterObjects): Record<string, string> {
  return Object.fromEntries(
    [...(objects.tasks ?? [])].map(({ meta, status }) => [meta.id, status.nodeId ?? '-']),
  );
}

/** Everything that the state would show of its tasks. */
function snapshot(state: ClusterState): unknown {
  return state.nodes.map((info) => ({
    node: info.node,
    tasks: state.tasksOn(info.id),
    memory: info.availableMemoryBytes,
    active: info.activeTasks,
  }));
}

/** Plans on a state, and checks that the state is as it was. */
function planned<Plan extends WhatIfPlan>(
  objects: ClusterObjects,
  plan: (state: ClusterState) => Plan,
): Plan {
  const state = new ClusterState(objects);
  const before = snapshot(state);
  const result = plan(state);
  expect(snapshot(state)).toEqual(before);
  return result;
}

const ranked = (id: string, priority: number, input: TaskInput = {}): Task =>
  task({
    id,
    service: id.split('.')[0] ?? id,
    reservations: { memoryBytes: 10 },
    template: { placement: { priority } },
    ...input,
  });

describe('planPlacement', () => {
  it('places what fits, and says of the rest why it does not', () => {
    const objects = { nodes: nodes(2, { resources: { memoryBytes: 20 } }) };
    const waiting = tasks(5, { reservations: { memoryBytes: 10 } });
    const plan = planned(objects, (state) => planPlacement(state, waiting, options));
    expect(renderPlan(plan)).toBe(
      [
        '4 placed, 1 pending',
        '  place    web.1.web.1  → n1  first by name among equals, before n2, of 2 nodes',
        '  place    web.2.web.2  → n2  fewer active tasks of the service (0, n1 1), of 2 nodes',
        '  place    web.3.web.3  → n1  first by name among equals, before n2, of 2 nodes',
        '  place    web.4.web.4  → n2  the only node that passes every filter',
        '  pending  web.5.web.5        no suitable node (insufficient resources on 2 nodes)',
      ].join('\n'),
    );
    expect(places(applyPlan({ ...objects, tasks: waiting }, plan))).toEqual({
      'web.1': 'n1',
      'web.2': 'n2',
      'web.3': 'n1',
      'web.4': 'n2',
      'web.5': '-',
    });
  });

  it('confirms preassigned tasks first', () => {
    const waiting = [
      ranked('web.1', 0),
      ranked('agent.1', 0, { preassignedTo: 'n1', createdAt: 9 }),
      ranked('agent.2', 0, { preassignedTo: 'n9', createdAt: 9 }),
    ];
    const plan = planned({ nodes: nodes(1, { resources: { memoryBytes: 10 } }) }, (state) =>
      planPlacement(state, waiting, options),
    );
    expect(plan.changes.map(({ taskId, reason }) => [taskId, reason])).toEqual([
      ['agent.1', 'the node was given by the service'],
    ]);
    expect(plan.pending.map(({ taskId, explanation }) => [taskId, explanation.code])).toEqual([
      ['web.1', 'no-suitable-node'],
      ['agent.2', 'node-not-found'],
    ]);
  });

  it('places a task anew that has a node', () => {
    const objects = {
      nodes: nodes(2),
      tasks: [...running(2, { nodeId: 'n1' }), ranked('db.1', 0, { nodeId: 'n1' })],
    };
    const plan = planned(objects, (state) => planPlacement(state, objects.tasks.slice(2), options));
    expect(plan.changes).toMatchObject([{ type: 'move', taskId: 'db.1', from: 'n1', to: 'n2' }]);
    const still = planned({ nodes: nodes(1), tasks: objects.tasks.slice(2) }, (state) =>
      planPlacement(state, objects.tasks.slice(2), options),
    );
    expect(summarizePlan(still)).toBe('no change');
  });

  it('preempts only when asked to, important ones first; victims look for another place', () => {
    const objects = {
      nodes: [
        node({ id: 'n1', resources: { memoryBytes: 10 }, labels: { fast: 'yes' } }),
        node({ id: 'n2', resources: { memoryBytes: 10 } }),
      ],
      tasks: [ranked('web.1', 1, { nodeId: 'n1' }), ranked('log.1', 0, { nodeId: 'n2' })],
    };
    const database = ranked('db.1', 5, {
      template: { placement: { priority: 5, constraints: ['node.labels.fast == yes'] } },
    });
    const waiting = [ranked('cron.1', 0), database];
    const calm = planned(objects, (state) => planPlacement(state, waiting, options));
    expect(summarizePlan(calm)).toBe('2 pending');
    const plan = planned(objects, (state) =>
      planPlacement(state, waiting, { ...options, isPreempting: true }),
    );
    expect(plan.changes.map(({ type, taskId }) => [type, taskId])).toEqual([
      ['place', 'db.1'],
      ['move', 'web.1'],
      ['stop', 'log.1'],
    ]);
    expect(plan.changes[1]?.reason).toBe(
      'preempted by db: priority 1 is below 5; frees 10 bytes of memory; ' +
        'the only node that passes every filter',
    );
    expect(plan.pending.map(({ taskId }) => taskId)).toEqual(['cron.1', 'log.1']);
    expect(places(applyPlan({ ...objects, tasks: [...objects.tasks, ...waiting] }, plan))).toEqual({
      'web.1': 'n2',
      'log.1': '-',
      'cron.1': '-',
      'db.1': 'n1',
    });
  });
});

describe('planDrain and planNodeLoss', () => {
  const objects = {
    nodes: nodes(3, { resources: { memoryBytes: 20 } }),
    tasks: [
      ranked('web.1', 0, { nodeId: 'n1' }),
      ranked('web.2', 0, { nodeId: 'n1' }),
      ranked('db.1', 0, { nodeId: 'n2' }),
      ranked('db.2', 0, { nodeId: 'n2' }),
      ranked('log.1', 0, { nodeId: 'n3' }),
      ranked('agent.1', 0, {
        nodeId: 'n1',
        preassignedTo: 'n1',
        reservations: { memoryBytes: 0 },
      }),
      ranked('old.1', 0, { nodeId: 'n1', desiredState: 'shutdown' }),
    ],
  };

  it('says where each task would go, which would wait and which would end', () => {
    const plan = planned(objects, (state) => planDrain(state, ['n1'], options));
    expect(renderPlan(plan)).toBe(
      [
        '1 moved, 2 stopped, 1 pending',
        '  stop     agent.n1.agent.1  n1       n1 is drained, and the task is for it alone',
        '  move     web.1.web.1       n1 → n3  n1 is drained; the only node that passes every filter',
        '  stop     web.1.web.2       n1       n1 is drained; no suitable node ' +
          '(insufficient resources on 2 nodes; 1 node not available for new tasks)',
        '  pending  web.1.web.2                no suitable node ' +
          '(insufficient resources on 2 nodes; 1 node not available for new tasks)',
      ].join('\n'),
    );
    const after = applyPlan(objects, plan);
    expect(places(after)).toMatchObject({ 'web.1': 'n3', 'web.2': '-', 'old.1': 'n1' });
    expect(places(after)['agent.1']).toBeUndefined();
  });

  it('a lost node is no candidate at all, and several may go at once', () => {
    const plan = planned(objects, (state) => planNodeLoss(state, ['n1', 'n3'], options));
    expect(plan.changes.map(({ type, reason }) => [type, reason.split(';')[0]])).toEqual([
      ['stop', 'n1 is lost, and the task is for it alone'],
      ['stop', 'n3 is lost'],
      ['stop', 'n1 is lost'],
      ['stop', 'n1 is lost'],
    ]);
    expect(plan.pending[0]?.explanation.message).toBe(
      'no suitable node (insufficient resources on 1 node)',
    );
  });

  it('knows its nodes', () => {
    const state = new ClusterState(objects);
    expect(() => planDrain(state, ['n9'], options)).toThrow('node n9: there is no such node');
    expect(() => planNodeLoss(state, ['n9'], options)).toThrow('node n9: there is no such node');
    expect(planDrain(state, [], options)).toEqual({ changes: [], pending: [] });
  });
});

describe('headroom', () => {
  it('counts how many more fit, where, and why not one more', () => {
    const state = new ClusterState({
      nodes: [
        node({ id: 'n1', resources: { memoryBytes: 35 } }),
        node({ id: 'n2', resources: { memoryBytes: 20 } }),
        node({ id: 'n3', resources: { memoryBytes: 9 } }),
      ],
      tasks: [ranked('web.1', 0, { nodeId: 'n1' })],
    });
    const room = headroom(state, ranked('web.1', 0), options);
    expect(room).toMatchObject({
      count: 4,
      isBounded: false,
      nodes: [
        { nodeId: 'n1', count: 2 },
        { nodeId: 'n2', count: 2 },
      ],
      pending: { message: 'no suitable node (insufficient resources on 3 nodes)' },
    });
    expect(state.tasksOn('n1').map(({ id }) => id)).toEqual(['web.1']);
  });

  it.each([
    [0, 0, true],
    [1, 1, true],
    [63, 63, true],
    [300, 300, true],
    [undefined, 400, false],
  ])('counts to %p: %p', (countMax, count, isBounded) => {
    const state = new ClusterState({ nodes: nodes(4, { resources: { memoryBytes: 1000 } }) });
    const bound = countMax === undefined ? {} : { countMax };
    const room = headroom(state, ranked('web.1', 0), { ...options, ...bound });
    expect([room.count, room.isBounded]).toEqual([count, isBounded]);
    expect(room.nodes.reduce((sum, one) => sum + one.count, 0)).toBe(count);
  });

  it('is asked sensibly', () => {
    const ask = (countMax: number) =>
      headroom(new ClusterState(), task(), { ...options, countMax });
    expect(() => ask(-1)).toThrow('countMax -1: must be a whole number from 0');
    expect(() => ask(1.5)).toThrow('countMax 1.5');
    expect(ask(5)).toMatchObject({ count: 0, pending: { message: 'no suitable node' } });
  });
});
