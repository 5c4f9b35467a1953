import { describe, expect, it } from '@jest/globals';
import type { Task } from '@skep/api';
import { node, nodes, placeAll, task, type TaskInput } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { Filter, Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { planPreemption, type PreemptionOptions } from './preemption.js';
import { renderPreemption } from './preemption-words.js';
import { priorityOf } from './priority.js';

const options: PreemptionOptions = { policy: swarmPolicy(), now: 0 };

/** A task with a priority; ten units of memory make a node full. */
function ranked(id: string, priority: number, input: TaskInput & { memory?: number } = {}): Task {
  const { memory = 10, ...rest } = input;
  return task({
    id,
    service: id.split('.')[0] ?? id,
    reservations: { memoryBytes: memory },
    template: { placement: { priority } },
    ...rest,
  });
}

const small = (count: number) => nodes(count, { resources: { memoryBytes: 10 } });

const victimsOf = (state: ClusterState, wish: Task, more: Partial<PreemptionOptions> = {}) => {
  const plan = planPreemption(state, wish, { ...options, ...more });
  return plan.ok ? [plan.nodeId, ...plan.victims.map(({ taskId }) => taskId)] : plan.code;
};

describe('planPreemption', () => {
  const wish = ranked('db.1', 10);

  it('evicts what is in the way, says why, and leaves the state alone', () => {
    const state = new ClusterState({
      nodes: small(1),
      tasks: [
        ranked('web.1', 0, { nodeId: 'n1', memory: 6 }),
        ranked('log.1', 3, { nodeId: 'n1', memory: 3 }),
      ],
    });
    const plan = planPreemption(state, wish, options);
    expect(plan).toMatchObject({
      ok: true,
      taskId: 'db.1',
      nodeId: 'n1',
      isExact: true,
      cost: { violations: 0, highest: 3, count: 2 },
    });
    expect(renderPreemption(plan)).toBe(
      [
        'db.1 → n1, instead of 2 tasks',
        '  log.1.log.1: priority 3 is below 10; frees 3 bytes of memory',
        '  web.1.web.1: priority 0 is below 10; frees 6 bytes of memory',
      ].join('\n'),
    );
    expect(state.tasksOn('n1').map(({ id }) => id)).toEqual(['log.1', 'web.1']);
    expect(state.node('n1')?.availableMemoryBytes).toBe(1);
  });

  it('takes no more than it needs: the important ones are reprieved', () => {
    const state = new ClusterState({
      nodes: small(1),
      tasks: [1, 2, 3, 4, 5].map((at) =>
        ranked(`web.${at}`, at, { nodeId: 'n1', memory: 2, slot: at }),
      ),
    });
    expect(victimsOf(state, ranked('db.1', 10, { memory: 3 }))).toEqual(['n1', 'web.2', 'web.1']);
  });

  it.each<[string, readonly Task[], string]>([
    [
      'the lowest highest priority',
      [ranked('a.1', 5, { nodeId: 'n1' }), ranked('b.1', 4, { nodeId: 'n2' })],
      'n2',
    ],
    [
      'the smallest sum of priorities',
      [
        ranked('a.1', 4, { nodeId: 'n1', memory: 5 }),
        ranked('a.2', 4, { nodeId: 'n1', memory: 5 }),
        ranked('b.1', 4, { nodeId: 'n2', memory: 5 }),
        ranked('b.2', 1, { nodeId: 'n2', memory: 5 }),
      ],
      'n2',
    ],
    [
      'fewer victims, negative priorities too',
      [
        ranked('a.1', -4, { nodeId: 'n1', memory: 5 }),
        ranked('a.2', -9, { nodeId: 'n1', memory: 5 }),
        ranked('b.1', -4, { nodeId: 'n2' }),
      ],
      'n2',
    ],
    [
      'the latest start of the victims of the highest priority',
      [
        ranked('a.1', 4, { nodeId: 'n1', createdAt: 5 }),
        ranked('b.1', 4, { nodeId: 'n2', createdAt: 7 }),
      ],
      'n2',
    ],
    [
      'the name of the node',
      [ranked('a.1', 4, { nodeId: 'n2' }), ranked('b.1', 4, { nodeId: 'n1' })],
      'n1',
    ],
  ])('chooses the node by %s', (_, running, expected) => {
    expect(victimsOf(new ClusterState({ nodes: small(2), tasks: running }), wish)[0]).toBe(
      expected,
    );
  });

  it('would rather break no budget than spare a higher priority', () => {
    const state = new ClusterState({
      nodes: small(2),
      tasks: [ranked('a.1', 1, { nodeId: 'n1' }), ranked('b.1', 5, { nodeId: 'n2' })],
    });
    const budget = (service: string): number | undefined => (service === 'a' ? 0 : undefined);
    expect(victimsOf(state, wish)).toEqual(['n1', 'a.1']);
    expect(victimsOf(state, wish, { budget })).toEqual(['n2', 'b.1']);
    const plan = planPreemption(state, wish, { ...options, budget: () => 0 });
    expect(plan.ok && plan.victims).toMatchObject([{ taskId: 'a.1', isViolation: true }]);
  });

  it.each<[string, readonly Task[], Task, string]>([
    ['a task fits as it is', [], wish, 'fits'],
    ['those in the way are as important', [ranked('a.1', 10, { nodeId: 'n1' })], wish, 'outranked'],
    [
      'a less important one would not be enough',
      [
        ranked('a.1', 10, { nodeId: 'n1', memory: 8 }),
        ranked('b.1', 0, { nodeId: 'n1', memory: 2 }),
      ],
      wish,
      'outranked',
    ],
    [
      'eviction does not help',
      [ranked('a.1', 0, { nodeId: 'n1' })],
      ranked('db.1', 10, { memory: 11 }),
      'no-help',
    ],
    [
      'room comes by itself',
      [ranked('a.1', 0, { nodeId: 'n1', desiredState: 'shutdown' })],
      wish,
      'will-fit',
    ],
  ])('preempts nobody when %s', (_, running, one, code) => {
    const state = new ClusterState({ nodes: small(1), tasks: running });
    expect(planPreemption(state, one, options)).toMatchObject({ ok: false, code });
  });

  it('says what no eviction helps against', () => {
    const state = new ClusterState({
      nodes: [...small(1), node({ id: 'n3', state: 'down' }), node({ id: 'n4', state: 'down' })],
      tasks: [ranked('a.1', 10, { nodeId: 'n1' })],
    });
    expect(renderPreemption(planPreemption(state, wish, options))).toBe(
      'no preemption for db.1: what is in the way on 1 node has no lower priority than 10; ' +
        'eviction does not help against ready on 2 nodes',
    );
    expect(planPreemption(new ClusterState(), wish, options)).toMatchObject({
      code: 'no-help',
      why: 'there are no nodes',
    });
  });

  it('frees host ports, generic resources and places of the service', () => {
    const port = { targetPort: 80, publishedPort: 8080, publishMode: 'host' } as const;
    const cases: readonly TaskInput[] = [
      { ports: [port] },
      { reservations: { generic: [{ kind: 'gpu', count: 1 }] } },
    ];
    for (const input of cases) {
      const state = new ClusterState({
        nodes: nodes(1, {
          resources: { memoryBytes: 100, generic: [{ kind: 'gpu', ids: ['g1'] }] },
        }),
        tasks: [
          ranked('a.1', 0, {
            nodeId: 'n1',
            ...input,
            ...(input.ports ? {} : { generic: [{ kind: 'gpu', ids: ['g1'] }] }),
          }),
          ranked('b.1', 0, { nodeId: 'n1', memory: 0 }),
        ],
      });
      expect(victimsOf(state, ranked('db.1', 1, input))).toEqual(['n1', 'a.1']);
    }
    const full = new ClusterState({
      nodes: nodes(1),
      tasks: [ranked('db.1', 0, { nodeId: 'n1', memory: 0 })],
    });
    const second = ranked('db.2', 1, {
      memory: 0,
      template: { placement: { priority: 1, maxReplicasPerNode: 1 } },
    });
    expect(victimsOf(full, second)).toEqual(['n1', 'db.1']);
  });

  it('a filter that wants company is not helped by evicting the company', () => {
    const nearWeb: Filter = {
      name: 'near-web',
      prepare: (_, view) => ({
        check: ({ id }) =>
          view.tasksOn(id).some(({ serviceId }) => serviceId === 'web')
            ? undefined
            : [{ what: 'web', needed: 1, available: 0 }],
      }),
      describe: (count) => `no web on ${count} nodes`,
    };
    const policy: Policy = {
      ...swarmPolicy(),
      name: 'near',
      filters: [...swarmPolicy().filters, nearWeb],
    };
    const state = new ClusterState({
      nodes: small(1),
      tasks: [
        ranked('web.1', 0, { nodeId: 'n1', memory: 2 }),
        ranked('web.2', 1, { nodeId: 'n1', memory: 2 }),
        ranked('log.1', 5, { nodeId: 'n1', memory: 6 }),
      ],
    });
    expect(victimsOf(state, ranked('db.1', 9, { memory: 8 }), { policy })).toEqual([
      'n1',
      'log.1',
      'web.1',
    ]);
  });

  it('a preassigned task is considered for its own node', () => {
    const state = new ClusterState({
      nodes: small(2),
      tasks: [ranked('a.1', 5, { nodeId: 'n1' }), ranked('b.1', 0, { nodeId: 'n2' })],
    });
    expect(victimsOf(state, ranked('db.1', 9, { preassignedTo: 'n1' }))).toEqual(['n1', 'a.1']);
    expect(() => victimsOf(state, ranked('db.1', 9, { preassignedTo: 'n7' }))).toThrow(
      /no such node/,
    );
  });

  it('on a crowded node the plan is minimal, and says that it is not exact', () => {
    const tasks = Array.from({ length: 20 }, (_, at) =>
      ranked(`w.${at}`, at % 4, { nodeId: 'n1', memory: 1, slot: at }),
    );
    const state = new ClusterState({ nodes: nodes(1, { resources: { memoryBytes: 20 } }), tasks });
    const plan = planPreemption(state, ranked('db.1', 9, { memory: 6 }), options);
    expect(plan.ok && [plan.victims.length, plan.isExact, plan.cost.highest]).toEqual([
      6,
      false,
      1,
    ]);
  });

  it('what was placed after the eviction is the task, by the real scheduler', () => {
    const state = new ClusterState({
      nodes: small(2),
      tasks: [ranked('a.1', 4, { nodeId: 'n1' }), ranked('b.1', 3, { nodeId: 'n2' })],
    });
    const plan = planPreemption(state, wish, options);
    if (!plan.ok) throw new Error(plan.why);
    for (const { taskId } of plan.victims) state.release(taskId);
    expect(placeAll(state, [wish]).placements).toMatchObject([{ nodeId: plan.nodeId }]);
  });
});

describe('priorityOf', () => {
  it('is the placement’s, 0 without, within 32 bits', () => {
    expect(priorityOf(task())).toBe(0);
    expect(priorityOf(ranked('a.1', -3))).toBe(-3);
    expect(priorityOf(ranked('a.1', 1e12))).toBe(2 ** 31 - 1);
    expect(priorityOf(ranked('a.1', -1e12))).toBe(-(2 ** 31));
  });
});
