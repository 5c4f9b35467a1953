import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, nodes, running, task, tasks } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { renderPlan } from './render-plan.js';
import { planScaleDown } from './scale-down.js';

const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 60) };
const options = { policy: swarmPolicy(), now: 0 };

const spreadBy = (...labels: readonly string[]) => ({
  template: {
    placement: { preferences: labels.map((label) => ({ spread: `node.labels.${label}` })) },
  },
});

const stopped = (
  state: ClusterState,
  count: number,
  more: Partial<Parameters<typeof planScaleDown>[2]> = {},
): readonly string[] =>
  planScaleDown(state, { serviceId: 'web', count }, { ...options, ...more }).changes.map(
    ({ taskId }) => taskId,
  );

describe('planScaleDown', () => {
  it('takes from the fullest branch, then from the node that would be chosen last', () => {
    const template = spreadBy('zone');
    const state = new ClusterState({
      nodes: [
        node({ id: 'a1', labels: { zone: 'a' } }),
        node({ id: 'a2', labels: { zone: 'a' } }),
        node({ id: 'b1', labels: { zone: 'b' } }),
      ],
      tasks: [
        ...running(1, { nodeId: 'a1', ...template }),
        ...running(2, { nodeId: 'a2', ...template }),
        ...running(2, { nodeId: 'b1', ...template }),
      ],
    });
    const plan = planScaleDown(state, { serviceId: 'web', count: 2 }, options);
    expect(renderPlan(plan)).toBe(
      [
        '2 stopped',
        '  stop  web.1001.web.a2.1  a2  node.labels.zone=a has 3 tasks of the service; ' +
          'a2 has 2 tasks of it, and it would be the last choice of 2 nodes',
        '  stop  web.1001.web.b1.1  b1  node.labels.zone=b has 2 tasks of the service; ' +
          'b1 has 2 tasks of it, and it would be the last choice of 3 nodes',
      ].join('\n'),
    );
    expect(state.tasksOn('a2')).toHaveLength(2);
  });

  it('tasks without a node go first, then those on nodes that are gone or not in service', () => {
    const state = new ClusterState({
      nodes: [
        node({ id: 'n1' }),
        node({ id: 'n2', availability: 'drain' }),
        node({ id: 'n3', state: 'down' }),
      ],
      tasks: [
        ...running(3, { nodeId: 'n1' }),
        ...running(1, { nodeId: 'n2' }),
        ...running(1, { nodeId: 'n3' }),
        ...running(1, { nodeId: 'n9' }),
        ...running(4, { nodeId: 'n1', service: 'other' }),
      ],
    });
    const waiting = [...tasks(2), task({ id: 'other.1', service: 'other' })];
    const all = stopped(state, 9, { waiting });
    expect(all).toEqual([
      'web.2',
      'web.1',
      'web.n9.0',
      'web.n3.0',
      'web.n2.0',
      'web.n1.2',
      'web.n1.1',
      'web.n1.0',
    ]);
    expect(stopped(state, 3, { waiting })).toEqual(all.slice(0, 3));
  });

  it('of alike tasks the one goes that has come least far, then the newest', () => {
    const state = new ClusterState({
      nodes: nodes(1),
      tasks: [
        task({ id: 'a', slot: 1, nodeId: 'n1', createdAt: 3 }),
        task({ id: 'b', slot: 2, nodeId: 'n1', createdAt: 5 }),
        task({ id: 'c', slot: 3, nodeId: 'n1', createdAt: 5 }),
        task({ id: 'd', slot: 4, nodeId: 'n1', state: 'starting' }),
        task({ id: 'e', slot: 5, nodeId: 'n1', desiredState: 'shutdown' }),
      ],
    });
    expect(stopped(state, 9)).toEqual(['d', 'c', 'b', 'a']);
  });

  it('follows ranks and scores of another policy in reverse', () => {
    const fuller: Policy = {
      name: 'fuller',
      filters: [],
      rank: [],
      scores: [
        {
          name: 'fuller',
          label: 'more memory used',
          prepare: () => ({
            score: ({ usedMemoryBytes }) => usedMemoryBytes,
            normalise: (values) => {
              const most = Math.max(...values);
              for (const at of values.keys()) values[at] = (values[at] ?? 0) / most;
            },
          }),
        },
      ],
      tieBreak: { scope: 'node', name: 'turned', label: 'later', value: ({ ordinal }) => -ordinal },
    };
    const memory = (memoryBytes: number) => ({ reservations: { memoryBytes } });
    const state = new ClusterState({
      nodes: nodes(3),
      tasks: [
        ...['n1', 'n2', 'n3'].flatMap((nodeId) => running(2, { nodeId, ...memory(1) })),
        ...running(1, { nodeId: 'n2', service: 'db', ...memory(9) }),
      ],
    });
    // The emptiest node goes first; of n1 and n3 the tie-break likes n3 better.
    expect(stopped(state, 5, { policy: fuller })).toEqual([
      'web.n1.1',
      'web.n1.0',
      'web.n3.1',
      'web.n3.0',
      'web.n2.1',
    ]);
  });

  it('is asked sensibly', () => {
    const state = new ClusterState();
    expect(stopped(state, 0)).toEqual([]);
    expect(() => stopped(state, -1)).toThrow('count -1: must be a whole number from 0');
    expect(() => stopped(state, 0.5)).toThrow('count 0.5: must be a whole number from 0');
  });
});

describe('laws of scaling down', () => {
  const clusters = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y')), {
    minLength: 1,
    maxLength: 6,
  });
  const counts = fc.array(fc.nat(5), { maxLength: 8 });

  const nodesOf = (zones: readonly (readonly [string, string])[]): readonly Node[] =>
    zones.map(([zone, rack], at) => node({ id: `n${at}`, labels: { zone, rack } }));

  /** Σ of squares of the counts of branches, level by level, then of nodes, then of all tasks. */
  function unevenness(
    cluster: readonly Node[],
    left: readonly Task[],
    others: readonly Task[],
  ): readonly number[] {
    const squares = (all: readonly Task[], keyOf: (one: Node) => string): number => {
      const count = new Map<string, number>();
      for (const { status } of all) {
        const one = cluster.find(({ meta }) => meta.id === status.nodeId) as Node;
        count.set(keyOf(one), (count.get(keyOf(one)) ?? 0) + 1);
      }
      return [...count.values()].reduce((sum, value) => sum + value * value, 0);
    };
    return [
      squares(left, ({ meta }) => meta.labels['zone'] ?? ''),
      squares(left, ({ meta }) => `${meta.labels['zone']}/${meta.labels['rack']}`),
      squares(left, ({ meta }) => meta.id),
      squares([...left, ...others], ({ meta }) => meta.id),
    ];
  }

  const compareLists = (a: readonly number[], b: readonly number[]): number => {
    const at = a.findIndex((value, index) => value !== b[index]);
    return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
  };

  it('what is left is spread as evenly as it can be: brute force over every choice', () => {
    fc.assert(
      fc.property(clusters, counts, counts, fc.nat(8), (zones, mine, theirs, count) => {
        const cluster = nodesOf(zones);
        const at = (index: number): string => `n${index % cluster.length}`;
        const own = mine.map((where, index) =>
          task({ id: `t${index}`, nodeId: at(where), ...spreadBy('zone', 'rack') }),
        );
        const others = theirs.map((where, index) =>
          task({ id: `o${index}`, service: 'other', nodeId: at(where) }),
        );
        const state = new ClusterState({ nodes: cluster, tasks: [...own, ...others] });
        const gone = new Set(stopped(state, count));
        expect(gone.size).toBe(Math.min(count, own.length));
        const found = unevenness(
          cluster,
          own.filter(({ meta }) => !gone.has(meta.id)),
          others,
        );
        let best = found;
        for (let set = 0; set < 2 ** own.length; set += 1) {
          const left = own.filter((_, index) => (set & (1 << index)) !== 0);
          if (left.length !== own.length - gone.size) continue;
          const other = unevenness(cluster, left, others);
          if (compareLists(other, best) < 0) best = other;
        }
        expect(found).toEqual(best);
      }),
      RUNS,
    );
  });
});
