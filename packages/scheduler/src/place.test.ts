import { describe, expect, it } from '@jest/globals';
import type { NodeFaults } from '@skep/api';
import {
  MB,
  countsByNode,
  decision,
  faultyService,
  node,
  nodes,
  placeAll,
  placesOf,
  running,
  task,
  tasks,
} from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import { confirm, placeEach } from './place.js';
import type { Policy } from './policy.js';
import { FAULT_WINDOW_MS, swarmPolicy, totalTasksTerm } from './swarm-policy.js';
import { alikeTasks, groupOf } from './task-group.js';

const options = { policy: swarmPolicy(), now: 1_000_000 };

describe('ranking', () => {
  it('fewer tasks of the service come first, then fewer in total, then the name', () => {
    const state = new ClusterState({
      nodes: nodes(3),
      tasks: [
        ...running(1, { nodeId: 'n1' }),
        ...running(3, { nodeId: 'n2', service: 'other' }),
        ...running(2, { nodeId: 'n3', service: 'other' }),
      ],
    });
    const { placements } = placeAll(state, tasks(4));
    expect(placements.map(({ nodeId }) => nodeId)).toEqual(['n3', 'n2', 'n1', 'n3']);
    expect(placements.map((one) => decision(one))).toEqual([
      { nodeId: 'n3', term: 'total-tasks', runnerUp: 'n2', values: [2, 3], nodes: 3 },
      { nodeId: 'n2', term: 'service-tasks', runnerUp: 'n1', values: [0, 1], nodes: 3 },
      { nodeId: 'n1', term: 'total-tasks', runnerUp: 'n3', values: [1, 3], nodes: 3 },
      { nodeId: 'n3', term: 'total-tasks', runnerUp: 'n2', values: [3, 4], nodes: 3 },
    ]);
  });

  it('fills the valleys before it goes round', () => {
    const state = new ClusterState({
      nodes: nodes(3),
      tasks: [...running(1, { nodeId: 'n1' }), ...running(4, { nodeId: 'n2' })],
    });
    expect(countsByNode(placeAll(state, tasks(7)))).toEqual({ n1: 3, n3: 4 });
    expect(countsByNode(placeAll(state, tasks(3, { firstSlot: 100 })))).toEqual({
      n1: 1,
      n2: 1,
      n3: 1,
    });
  });

  it('spreads one task of each service over the nodes', () => {
    const state = new ClusterState({ nodes: nodes(4) });
    const members = Array.from({ length: 8 }, (_, n) => task({ service: `s${n}` }));
    expect(countsByNode(placeAll(state, members))).toEqual({ n1: 2, n2: 2, n3: 2, n4: 2 });
  });

  it('a tie goes by name, and the reason says so', () => {
    const state = new ClusterState({
      nodes: [node({ id: 'a', name: 'beta' }), node({ id: 'b', name: 'alpha' })],
    });
    expect(decision(placeAll(state, [task()]).placements[0])).toEqual({
      nodeId: 'b',
      term: 'name',
      runnerUp: 'a',
      nodes: 2,
    });
  });

  it('among equal names by id', () => {
    const state = new ClusterState({
      nodes: [node({ id: 'b', name: 'same' }), node({ id: 'a', name: 'same' })],
    });
    expect(decision(placeAll(state, [task()]).placements[0])).toEqual({
      nodeId: 'a',
      term: 'id',
      runnerUp: 'b',
      nodes: 2,
    });
  });

  it('the only node that fits is called so', () => {
    const state = new ClusterState({ nodes: [node(), node({ id: 'n2', state: 'down' })] });
    expect(decision(placeAll(state, [task()]).placements[0])).toEqual({
      nodeId: 'n1',
      term: 'only-node',
      nodes: 1,
    });
  });

  it('takes the oldest tasks first, then by service and slot', () => {
    const state = new ClusterState({ nodes: [node({ resources: { memoryBytes: 300 } })] });
    const reservations = { memoryBytes: 100 };
    const result = placeAll(state, [
      task({ service: 'b', slot: 1, reservations, createdAt: 5 }),
      task({ service: 'a', slot: 2, reservations, createdAt: 5 }),
      task({ service: 'a', slot: 1, reservations, createdAt: 5 }),
      task({ service: 'c', slot: 1, reservations, createdAt: 4 }),
    ]);
    expect(Object.keys(placesOf(result))).toEqual(['c.1', 'a.1', 'a.2']);
    expect(result.unplaced.map(({ taskId }) => taskId)).toEqual(['b.1']);
  });
});

describe('fault memory (semantics 12.3)', () => {
  const fault = (times: number, input: Partial<NodeFaults> = {}): NodeFaults => ({
    nodeId: 'a',
    specVersion: 1,
    times: Array.from({ length: times }, (_, n) => options.now - 1000 * (n + 1)),
    ...input,
  });

  it.each([
    ['5 failures within 5 minutes', [fault(5)], 'b'],
    ['4 failures', [fault(4)], 'a'],
    ['5 of an earlier version', [fault(5, { specVersion: 0 })], 'a'],
    [
      '5 of which one is too old',
      [fault(5, { times: [0, 1, 2, 3].map((n) => options.now - n) })],
      'a',
    ],
    ['6 here, 5 there', [fault(6), fault(5, { nodeId: 'b' })], 'b'],
    ['5 here, 6 there', [fault(5), fault(6, { nodeId: 'b' })], 'a'],
    ['5 each', [fault(5), fault(5, { nodeId: 'b' })], 'a'],
    ['5 on a node that is gone', [fault(5, { nodeId: 'z' })], 'a'],
  ])('%s: the next goes to %j', (_, faults, expected) => {
    const state = new ClusterState({
      nodes: [node({ id: 'a' }), node({ id: 'b' })],
      tasks: running(2, { nodeId: 'b', service: 'other' }),
      services: [faultyService('web', faults)],
    });
    const { placements } = placeAll(state, [task()], { now: options.now });
    expect(placements[0]?.nodeId).toBe(expected);
  });

  it('forgets after the window, and is the reason before', () => {
    const state = new ClusterState({
      nodes: [node({ id: 'a' }), node({ id: 'b' })],
      services: [faultyService('web', [fault(5)])],
    });
    const later = options.now + FAULT_WINDOW_MS;
    expect(placeAll(state, [task()], { now: options.now }).placements[0]?.reason).toMatchObject({
      term: 'faults',
      runnerUp: 'a',
      values: [0, 5],
    });
    state.dropAssumed();
    expect(placeAll(state, [task()], { now: later }).placements[0]?.nodeId).toBe('a');
  });

  it('a service whose faults were cleared starts clean', () => {
    const state = new ClusterState({
      nodes: [node({ id: 'a' }), node({ id: 'b' })],
      services: [faultyService('web', [fault(5)])],
    });
    state.upsertService(faultyService('web', []));
    expect(placeAll(state, [task()], { now: options.now }).placements[0]?.nodeId).toBe('a');
  });
});

describe('capacity', () => {
  it('stops when nothing fits, and explains once for all that are left', () => {
    const state = new ClusterState({
      nodes: nodes(2, { resources: { cpuNanos: 2e9, memoryBytes: 8000 * MB } }),
    });
    const result = placeAll(state, tasks(6, { reservations: { cpuNanos: 1e9 } }));
    expect(countsByNode(result)).toEqual({ n1: 2, n2: 2 });
    expect(result.unplaced.map(({ taskId }) => taskId)).toEqual(['web.5', 'web.6']);
    expect(result.unplaced[0]?.explanation).toBe(result.unplaced[1]?.explanation);
  });

  it('gives each task its own items, and records which', () => {
    const gpus = { generic: [{ kind: 'gpu', ids: ['a', 'b', 'c'] }] };
    const state = new ClusterState({ nodes: [node({ resources: gpus })] });
    const wish = { generic: [{ kind: 'gpu', count: 1 }] };
    const { placements } = placeAll(state, tasks(3, { reservations: wish }));
    expect(placements.map(({ genericResources }) => genericResources)).toEqual([
      [{ kind: 'gpu', ids: ['a'] }],
      [{ kind: 'gpu', ids: ['b'] }],
      [{ kind: 'gpu', ids: ['c'] }],
    ]);
  });

  it('never gives a host port twice', () => {
    const ports = [{ targetPort: 80, publishedPort: 80, publishMode: 'host' as const }];
    const state = new ClusterState({ nodes: nodes(2) });
    const result = placeAll(state, tasks(3, { ports }));
    expect(countsByNode(result)).toEqual({ n1: 1, n2: 1 });
    expect(result.unplaced[0]?.explanation.message).toBe(
      'no suitable node (host-mode port already in use on 2 nodes)',
    );
  });

  it('keeps to the maximum of replicas per node', () => {
    const state = new ClusterState({ nodes: nodes(2) });
    const template = { placement: { maxReplicasPerNode: 2 } };
    const result = placeAll(state, tasks(5, { template }));
    expect(countsByNode(result)).toEqual({ n1: 2, n2: 2 });
    expect(result.unplaced[0]?.explanation.message).toBe(
      'no suitable node (max replicas per node limit exceed)',
    );
  });
});

describe('why no node is suitable', () => {
  it('the message counts first failures, the data all of them', () => {
    const constrained = { placement: { constraints: ['node.role == manager'] } };
    const state = new ClusterState({
      nodes: [
        node({ id: 'n1', availability: 'drain', resources: {} }),
        node({ id: 'n2', resources: {} }),
        node({ id: 'n3', resources: {}, role: 'manager' }),
        node({ id: 'n4' }),
      ],
    });
    const reservations = { memoryBytes: 1 };
    const result = placeAll(state, [task({ reservations, template: constrained })]);
    expect(result.unplaced[0]?.explanation).toEqual({
      code: 'no-suitable-node',
      message:
        'no suitable node (insufficient resources on 2 nodes; 1 node not available for new tasks; ' +
        'scheduling constraints not satisfied on 1 node)',
      filters: [
        { filter: 'constraint', nodes: 3 },
        { filter: 'resource', nodes: 3 },
        { filter: 'ready', nodes: 1 },
      ],
      nodes: [
        { nodeId: 'n1', nodeName: 'n1', filters: ['ready', 'resource', 'constraint'] },
        { nodeId: 'n2', nodeName: 'n2', filters: ['resource', 'constraint'] },
        { nodeId: 'n3', nodeName: 'n3', filters: ['resource'] },
        { nodeId: 'n4', nodeName: 'n4', filters: ['constraint'] },
      ],
    });
  });

  it('names ten nodes at most', () => {
    const state = new ClusterState({ nodes: nodes(25, { state: 'down' }) });
    const [unplaced] = placeAll(state, [task()]).unplaced;
    expect(unplaced?.explanation.nodes).toHaveLength(10);
    expect(unplaced?.explanation.filters).toEqual([{ filter: 'ready', nodes: 25 }]);
  });

  it('without nodes there is nothing to count', () => {
    const [unplaced] = placeAll(new ClusterState(), [task()]).unplaced;
    expect(unplaced?.explanation).toEqual({
      code: 'no-suitable-node',
      message: 'no suitable node',
      filters: [],
      nodes: [],
    });
  });

  it('groups that ask the same share the answer until something changes', () => {
    const state = new ClusterState({ nodes: nodes(1, { state: 'down' }) });
    const [a, b] = placeAll(state, [task({ service: 'a' }), task({ service: 'b' })]).unplaced;
    expect(a?.explanation).toBe(b?.explanation);
    state.upsertNode(node({ id: 'n2', state: 'unknown' }));
    const [again] = placeAll(state, [task({ service: 'a' })]).unplaced;
    expect(again?.explanation.filters).toEqual([{ filter: 'ready', nodes: 2 }]);
  });

  it('a node that becomes fit is used at once', () => {
    const state = new ClusterState({ nodes: nodes(1, { state: 'down' }) });
    expect(placeAll(state, [task()]).placements).toEqual([]);
    state.upsertNode(node());
    expect(placesOf(placeAll(state, [task()]))).toEqual({ 'web.1': 'n1' });
  });
});

describe('placeEach', () => {
  it('tells of each task of a group in its order, and why the others wait', () => {
    const wanted = { resources: { reservations: { memoryBytes: 100 } } };
    const some = tasks(3, { template: wanted });
    const state = new ClusterState({ nodes: [node({ resources: { memoryBytes: 200 } })] });
    const told: string[] = [];
    for (const alike of alikeTasks(some)) {
      placeEach(state, groupOf(alike), options, {
        placed: ({ taskId, nodeId }) => told.push(`${taskId} on ${nodeId}`),
        unplaced: ({ meta }, { message }) => told.push(`${meta.id}: ${message}`),
      });
    }
    const [first, second, third] = some.map(({ meta }) => meta.id);
    expect(told).toEqual([
      `${first} on n1`,
      `${second} on n1`,
      `${third}: no suitable node (insufficient resources on 1 node)`,
    ]);
  });
});

describe('preassigned tasks', () => {
  it('are confirmed on their node, and count there', () => {
    const state = new ClusterState({ nodes: nodes(2) });
    const confirmed = confirm(state, task({ preassignedTo: 'n2' }), options);
    expect(confirmed).toMatchObject({
      ok: true,
      placement: { nodeId: 'n2', reason: { term: 'preassigned', nodes: 1 } },
    });
    expect(state.node('n2')?.activeTasks).toBe(1);
  });

  it.each([
    ['paused', { availability: 'pause' as const }, '1 node not available for new tasks'],
    ['full', { resources: {} }, 'insufficient resources on 1 node'],
  ])('are not confirmed on a node that is %s', (_, input, message) => {
    const state = new ClusterState({ nodes: [node(input), node({ id: 'n2' })] });
    const preassigned = task({ preassignedTo: 'n1', reservations: { cpuNanos: 1 } });
    const result = confirm(state, preassigned, options);
    expect(result).toMatchObject({ ok: false, explanation: { code: 'no-suitable-node', message } });
  });

  it('say so when their node does not exist', () => {
    const result = confirm(new ClusterState(), task({ preassignedTo: 'n9' }), options);
    expect(result).toEqual({
      ok: false,
      explanation: { code: 'node-not-found', message: 'preassigned node n9 does not exist' },
    });
  });
});

describe('a policy of one’s own', () => {
  const packed: Policy = {
    name: 'packed',
    filters: swarmPolicy().filters,
    rank: [{ scope: 'node', name: 'fuller', label: 'more tasks', value: (n) => -n.activeTasks }],
  };

  it('may rank the other way round', () => {
    const state = new ClusterState({
      nodes: nodes(3, { resources: { memoryBytes: 300 } }),
      tasks: running(1, { nodeId: 'n2', reservations: { memoryBytes: 100 } }),
    });
    const members = tasks(4, { reservations: { memoryBytes: 100 } });
    const result = placeAll(state, members, { policy: packed });
    expect(result.placements.map(({ nodeId }) => nodeId)).toEqual(['n2', 'n2', 'n1', 'n1']);
  });

  it('a group term that names no exceptions is asked about every node', () => {
    const farFromHome: Policy = {
      ...packed,
      rank: [
        {
          scope: 'group',
          name: 'home',
          label: 'closer to home',
          prepare: ({ group }) => ({ value: (n) => (n.id === group.serviceName ? 0 : 1) }),
        },
        totalTasksTerm,
      ],
    };
    const state = new ClusterState({ nodes: nodes(3) });
    const result = placeAll(state, tasks(2, { service: 'n3' }), { policy: farFromHome });
    expect(countsByNode(result)).toEqual({ n3: 2 });
    expect(result.placements[0]?.reason).toMatchObject({ term: 'home', values: [0, 1] });
  });
});

describe('plugins that answer nonsense', () => {
  const scored = (
    value: (node: { readonly name: string }) => number,
    more: { readonly key?: string; readonly normalise?: (values: Float64Array) => void } = {},
  ): Policy => ({
    name: 'odd',
    filters: swarmPolicy().filters,
    rank: [],
    scores: [{ name: 'points', label: 'more', prepare: () => ({ ...more, score: value }) }],
  });
  const onlyZero = (values: Float64Array): void => {
    for (const [at, value] of values.entries()) values[at] = value / 0;
  };
  const ranked = (value: number): Policy => ({
    name: 'odd',
    filters: [],
    rank: [{ scope: 'node', name: 'odds', label: 'odds', value: () => value }],
  });

  it.each<[string, Policy, string]>([
    ['NaN', scored(() => NaN), 'score points is NaN for node n1; a score is a finite number'],
    ['NaN, kept', scored(() => NaN, { key: '' }), 'score points is NaN for node n1'],
    ['one NaN', scored(({ name }) => (name === 'n2' ? NaN : 1)), 'score points is NaN for node n2'],
    ['Infinity', scored(() => Infinity), 'score points is Infinity for node n1'],
    [
      'normalised by 0',
      scored(() => 0, { normalise: onlyZero }),
      'score points is normalised to NaN for node n1',
    ],
    ['a rank of NaN', ranked(NaN), 'rank odds is NaN for node n1; a rank is a number'],
  ])('%s is refused, and said to be so', (_, policy, message) => {
    const state = new ClusterState({ nodes: nodes(2, { resources: { cpuNanos: 2e9 } }) });
    const waiting = tasks(5, { reservations: { cpuNanos: 1e9 } });
    expect(() => placeAll(state, waiting, { policy })).toThrow(`policy odd: ${message}`);
  });
});
