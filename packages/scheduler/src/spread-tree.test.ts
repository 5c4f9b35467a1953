import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, TaskTemplate } from '@skep/api';
import {
  MB,
  countsByNode,
  decision,
  node,
  placeAll,
  running,
  tasks,
} from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';

function spreadOver(...labels: readonly string[]): TaskTemplate {
  return { placement: { preferences: labels.map((spread) => ({ spread })) } };
}

const BY_AZ = spreadOver('node.labels.az');

describe('spread preferences (semantics 12.2)', () => {
  it('one level: 8 tasks over az1 = {id1}, az2 = {id2 … id5}', () => {
    const state = new ClusterState({
      nodes: [1, 2, 3, 4, 5].map((n) =>
        node({ id: `id${n}`, labels: { az: n === 1 ? 'az1' : 'az2' } }),
      ),
    });
    expect(countsByNode(placeAll(state, tasks(8, { template: BY_AZ })))).toEqual({
      id1: 4,
      id2: 1,
      id3: 1,
      id4: 1,
      id5: 1,
    });
  });

  describe('two levels: 12 tasks of 200 MB and 2 apples', () => {
    const place = (
      id: string,
      [az, rack]: readonly [string, string],
      [megabytes, apples]: readonly [number, number],
    ): Node =>
      node({
        id,
        labels: { az, rack },
        resources: {
          cpuNanos: 1e9,
          memoryBytes: megabytes * MB,
          generic: [{ kind: 'apple', count: apples }],
        },
      });
    const cluster = [
      place('id0', ['az1', 'rack1'], [100, 1]),
      place('id1', ['az1', 'rack1'], [1000, 10]),
      place('id2', ['az2', 'rack1'], [1000, 6]),
      place('id3', ['az2', 'rack1'], [1000, 6]),
      place('id4', ['az2', 'rack1'], [1000, 6]),
      place('id5', ['az2', 'rack2'], [1000, 6]),
      place('id6', ['az2', 'rack2'], [1000, 6]),
    ];

    it.each([
      ['as a group', 1],
      ['one by one', null],
    ])('%s', (_, specVersion) => {
      const state = new ClusterState({ nodes: cluster });
      const result = placeAll(
        state,
        tasks(12, {
          specVersion,
          template: spreadOver('node.labels.az', 'node.labels.rack'),
          reservations: { memoryBytes: 200 * MB, generic: [{ kind: 'apple', count: 2 }] },
        }),
      );
      const at = countsByNode(result);
      const sorted = (...ids: readonly string[]) => ids.map((id) => at[id] ?? 0).sort();
      const rack1 = sorted('id2', 'id3', 'id4');
      const rack2 = sorted('id5', 'id6');
      expect([at['id0'] ?? 0, at['id1']]).toEqual([0, 5]);
      expect([
        [
          [1, 1, 2],
          [1, 2],
        ],
        [
          [1, 1, 1],
          [2, 2],
        ],
      ]).toContainEqual([rack1, rack2]);
    });
  });

  it('scale up: dc1 = {r1: id11 has 3, r2: id12 has 1}, dc2 = {r1: id21 has 3}, 2 more', () => {
    const template = spreadOver('node.labels.dc', 'node.labels.rack');
    const state = new ClusterState({
      nodes: [
        node({ id: 'id11', labels: { dc: 'dc1', rack: 'r1' } }),
        node({ id: 'id12', labels: { dc: 'dc1', rack: 'r2' } }),
        node({ id: 'id21', labels: { dc: 'dc2', rack: 'r1' } }),
      ],
      tasks: [
        ...running(3, { nodeId: 'id11', template }),
        ...running(1, { nodeId: 'id12', template }),
        ...running(3, { nodeId: 'id21', template }),
      ],
    });
    const at = countsByNode(placeAll(state, tasks(2, { template })));
    expect(at['id11']).toBeUndefined();
    expect((at['id12'] ?? 0) + (at['id21'] ?? 0)).toBe(2);
  });

  it('defect 16: 0/5/0 with room for 1/∞/∞ and 9 more gives 1/1/7', () => {
    const template: TaskTemplate = {
      placement: { preferences: [{ spread: 'node.labels.az' }] },
      resources: { reservations: { memoryBytes: 100 } },
    };
    const state = new ClusterState({
      nodes: [
        node({ id: 'a', labels: { az: 'a' }, resources: { memoryBytes: 100 } }),
        node({ id: 'b', labels: { az: 'b' }, resources: { memoryBytes: 100_000 } }),
        node({ id: 'c', labels: { az: 'c' }, resources: { memoryBytes: 100_000 } }),
      ],
      tasks: running(5, { nodeId: 'b', template }),
    });
    expect(countsByNode(placeAll(state, tasks(9, { template })))).toEqual({ a: 1, b: 1, c: 7 });
  });

  it('tasks on nodes that fail the filters count for their branch', () => {
    const state = new ClusterState({
      nodes: [
        node({ id: 'a1', labels: { az: 'a' }, availability: 'drain' }),
        node({ id: 'a2', labels: { az: 'a' } }),
        node({ id: 'b1', labels: { az: 'b' } }),
      ],
      tasks: running(3, { nodeId: 'a1' }),
    });
    expect(countsByNode(placeAll(state, tasks(5, { template: BY_AZ })))).toEqual({ b1: 4, a2: 1 });
  });

  it.each([
    ['engine.labels.az', 'engine labels', { n1: 3, n2: 2, n3: 1 }],
    ['node.labels.none', 'a label that no node has: one branch', { n1: 2, n2: 2, n3: 2 }],
    ['node.hostname', 'a descriptor that is skipped', { n1: 2, n2: 2, n3: 2 }],
  ])('%s: %s', (spread, _, expected) => {
    const state = new ClusterState({
      nodes: [
        node({ id: 'n1', engineLabels: { az: 'x' } }),
        node({ id: 'n2', engineLabels: { az: 'y' } }),
        node({ id: 'n3', engineLabels: { az: 'y' } }),
      ],
    });
    expect(countsByNode(placeAll(state, tasks(6, { template: spreadOver(spread) })))).toEqual(
      expected,
    );
  });

  it('says that the spread decided, with the counts, and how the node was reached', () => {
    const template = spreadOver('node.labels.az');
    const state = new ClusterState({
      nodes: [node({ id: 'a', labels: { az: 'a' } }), node({ id: 'b', labels: { az: 'b' } })],
      tasks: running(2, { nodeId: 'a', template }),
    });
    expect(decision(placeAll(state, tasks(1, { template })).placements[0])).toEqual({
      nodeId: 'b',
      term: 'spread',
      runnerUp: 'a',
      values: [0, 2],
      nodes: 2,
      path: ['b'],
    });
  });
});

describe('the node that comes next', () => {
  it('is of another branch where that one would have been taken before the next of the leaf', () => {
    const template = spreadOver('node.labels.az');
    const state = new ClusterState({
      nodes: ['n1', 'n2', 'n3', 'n4'].map((id) =>
        node({ id, labels: id === 'n1' || id === 'n4' ? { az: 'a' } : {} }),
      ),
      tasks: [...running(2, { nodeId: 'n1', template }), ...running(2, { nodeId: 'n2', template })],
    });
    // Without n3 both branches have two, and n4 has none of the service where n2 has two.
    expect(decision(placeAll(state, tasks(1, { template })).placements[0])).toEqual({
      nodeId: 'n3',
      term: 'name',
      runnerUp: 'n4',
      nodes: 4,
      path: [''],
    });
  });

  it('law: is where the task goes when its node is full, over one to three levels', () => {
    const aNode = fc.record({
      labels: fc.record({
        az: fc.constantFrom('a', 'b'),
        rack: fc.constantFrom('x', 'y'),
        row: fc.constantFrom('1', '2'),
      }),
      own: fc.nat(2),
      others: fc.nat(2),
    });
    const levels = fc.constantFrom(['az'], ['az', 'rack'], ['az', 'rack', 'row']);
    fc.assert(
      fc.property(fc.array(aNode, { minLength: 2, maxLength: 6 }), levels, (inputs, labels) => {
        const template = spreadOver(...labels.map((label) => `node.labels.${label}`));
        const stateWithout = (closed: string | undefined): ClusterState =>
          new ClusterState({
            nodes: inputs.map(({ labels: own }, at) => {
              const id = `n${at}`;
              return node({ id, labels: own, availability: id === closed ? 'drain' : 'active' });
            }),
            tasks: inputs.flatMap(({ own, others }, at) => [
              ...running(own, { nodeId: `n${at}`, template }),
              ...running(others, { nodeId: `n${at}`, service: 'other' }),
            ]),
          });
        const [chosen] = placeAll(stateWithout(undefined), tasks(1, { template })).placements;
        const [next] = placeAll(stateWithout(chosen?.nodeId), tasks(1, { template })).placements;
        expect(chosen?.reason.runnerUp).toBe(next?.nodeId);
      }),
      { numRuns: 150 },
    );
  });
});

/** The best split of `count` by trying all: the smallest counts, sorted, as even as can be. */
function evenest(starts: readonly number[], rooms: readonly number[], count: number): number[] {
  let best: number[] | undefined;
  const worse = (a: readonly number[], b: readonly number[]): boolean => {
    const [left, right] = [[...a].sort((x, y) => y - x), [...b].sort((x, y) => y - x)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
  };
  const walk = (at: number, left: number, finals: readonly number[]): void => {
    if (at === starts.length) {
      if (left === 0 && (best === undefined || worse(best, finals))) best = [...finals];
      return;
    }
    for (let give = 0; give <= Math.min(left, rooms[at] ?? 0); give += 1) {
      walk(at + 1, left - give, [...finals, (starts[at] ?? 0) + give]);
    }
  };
  const room = rooms.reduce((sum, value) => sum + value, 0);
  walk(0, Math.min(count, room), []);
  return (best ?? []).sort((a, b) => a - b);
}

describe('law: the spread is exact water-filling', () => {
  const branch = fc.record({ start: fc.nat(4), room: fc.nat(5) });
  const each = (branches: readonly { start: number; room: number }[], prefix: string) =>
    branches.map(({ start, room }, at) => {
      const id = `${prefix}${at}`;
      const memoryBytes = 10 * (start + room);
      const labels = { az: prefix, rack: id };
      return { id, node: node({ id, labels, resources: { memoryBytes } }), start };
    });
  const template: TaskTemplate = { resources: { reservations: { memoryBytes: 10 } } };

  it('over one level, compared with all other splits', () => {
    fc.assert(
      fc.property(
        fc.array(branch, { minLength: 1, maxLength: 4 }),
        fc.nat(8),
        (branches, count) => {
          const made = each(branches, 'a');
          const own = { ...template, ...spreadOver('node.labels.rack') };
          const state = new ClusterState({
            nodes: made.map((one) => one.node),
            tasks: made.flatMap(({ id, start }) => running(start, { nodeId: id, template: own })),
          });
          if (count > 0) placeAll(state, tasks(count, { template: own }));
          const finals = state.nodes.map((info) => state.activeTasksOf('web').on(info));
          expect(finals.sort((a, b) => a - b)).toEqual(
            evenest(
              branches.map(({ start }) => start),
              branches.map(({ room }) => room),
              count,
            ),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('over two levels, at each of them', () => {
    const two = fc.array(branch, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(two, two, fc.nat(8), (left, right, count) => {
        const made = [...each(left, 'a'), ...each(right, 'b')];
        const own = { ...template, ...spreadOver('node.labels.az', 'node.labels.rack') };
        const state = new ClusterState({
          nodes: made.map((one) => one.node),
          tasks: made.flatMap(({ id, start }) => running(start, { nodeId: id, template: own })),
        });
        if (count > 0) placeAll(state, tasks(count, { template: own }));
        const counts = (prefix: string): number[] =>
          state.nodes
            .filter(({ id }) => id.startsWith(prefix))
            .map((info) => state.activeTasksOf('web').on(info));
        const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
        const zones = [left, right].map((branches) => ({
          starts: branches.map(({ start }) => start),
          rooms: branches.map(({ room }) => room),
        }));
        const finals = [counts('a'), counts('b')];
        expect(finals.map(sum).sort((a, b) => a - b)).toEqual(
          evenest(
            zones.map(({ starts }) => sum(starts)),
            zones.map(({ rooms }) => sum(rooms)),
            count,
          ),
        );
        for (const [at, { starts, rooms }] of zones.entries()) {
          const own2 = finals[at] ?? [];
          expect([...own2].sort((a, b) => a - b)).toEqual(
            evenest(starts, rooms, sum(own2) - sum(starts)),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});
