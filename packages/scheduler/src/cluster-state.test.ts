import { describe, expect, it } from '@jest/globals';
import type { Task } from '@skep/api';
import { MB, node, nodes, running, task, volume } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import { requirementsOf } from './requirements.js';

const reservations = {
  cpuNanos: 1e9,
  memoryBytes: 100 * MB,
  generic: [{ kind: 'apple', count: 2 }],
};
const resources = {
  cpuNanos: 4e9,
  memoryBytes: 1000 * MB,
  generic: [{ kind: 'apple', count: 6 }],
};

function stateWith(tasks: readonly Task[]): ClusterState {
  return new ClusterState({ nodes: [node({ resources })], tasks });
}

/** Everything that counts about a node. */
function figures(state: ClusterState, id = 'n1', service = 'web') {
  const info = state.node(id);
  if (info === undefined) return undefined;
  return {
    cpu: info.availableCpuNanos / 1e9,
    memory: info.availableMemoryBytes / MB,
    apples: info.generic.free('apple'),
    active: info.activeTasks,
    service: state.activeTasksOf(service).on(info),
  };
}

const FREE = { cpu: 4, memory: 1000, apples: 6, active: 0, service: 0 };
const ONE = { cpu: 3, memory: 900, apples: 4, active: 1, service: 1 };

describe('ClusterState', () => {
  it.each([
    ['new', FREE],
    ['pending', FREE],
    ['assigned', ONE],
    ['preparing', ONE],
    ['running', ONE],
    ['complete', FREE],
    ['shutdown', FREE],
    ['failed', FREE],
    ['orphaned', FREE],
  ] as const)('a task that is %s counts accordingly', (state, expected) => {
    expect(figures(stateWith([task({ nodeId: 'n1', state, reservations })]))).toEqual(expected);
  });

  it.each([
    ['ready', 1],
    ['running', 1],
    ['complete', 1],
    ['shutdown', 0],
    ['remove', 0],
  ] as const)('desired %s: %i active, resources held either way', (desiredState, active) => {
    const state = stateWith([task({ nodeId: 'n1', desiredState, reservations })]);
    expect(figures(state)).toEqual({ ...ONE, active, service: active });
  });

  it('follows a task through its life', () => {
    const state = stateWith([]);
    const steps: readonly Task[] = [
      task({ reservations }),
      task({ nodeId: 'n1', state: 'assigned', reservations }),
      task({ nodeId: 'n1', reservations }),
      task({ nodeId: 'n1', desiredState: 'shutdown', reservations }),
      task({ nodeId: 'n1', desiredState: 'shutdown', state: 'shutdown', reservations }),
    ];
    const seen = steps.map((step) => {
      state.upsertTask(step);
      return figures(state);
    });
    expect(seen).toEqual([FREE, ONE, ONE, { ...ONE, active: 0, service: 0 }, FREE]);
  });

  it('a deleted task frees what it held', () => {
    const state = stateWith([task({ nodeId: 'n1', reservations })]);
    state.removeTask('web.1');
    state.removeTask('web.1');
    expect(figures(state)).toEqual(FREE);
  });

  it('stand-alone tasks count in total, not for a service', () => {
    const state = stateWith([task({ service: null, nodeId: 'n1' })]);
    expect(figures(state)).toEqual({ ...FREE, active: 1 });
    expect([...state.activeTasksOf(undefined).nodes()]).toEqual([]);
  });

  it('a node that changes keeps its tasks', () => {
    const state = stateWith([task({ nodeId: 'n1', reservations })]);
    state.upsertNode(node({ resources: { cpuNanos: 2e9, memoryBytes: 50 * MB } }));
    expect(figures(state)).toEqual({ cpu: 1, memory: -50, apples: -2, active: 1, service: 1 });
  });

  it('a node that goes and comes back finds its tasks again', () => {
    const state = stateWith([task({ nodeId: 'n1', reservations })]);
    state.removeNode('n1');
    expect(state.nodes).toEqual([]);
    expect(figures(state)).toBeUndefined();
    state.upsertNode(node({ resources }));
    expect(figures(state)).toEqual(ONE);
    state.removeNode('n1');
    state.removeTask('web.1');
    state.upsertNode(node({ resources }));
    expect(figures(state)).toEqual(FREE);
  });

  it('orders nodes by name, then id', () => {
    const state = new ClusterState({
      nodes: [
        node({ id: 'z', name: 'alpha' }),
        node({ id: 'b', name: 'beta' }),
        node({ id: 'a', name: 'beta' }),
      ],
    });
    expect(state.nodes.map(({ id }) => id)).toEqual(['z', 'a', 'b']);
    state.upsertNode(node({ id: 'z', name: 'omega' }));
    expect(state.nodes.map(({ id }) => id)).toEqual(['a', 'b', 'z']);
    expect(state.nodes.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  });

  it('counts the tasks of a service on many nodes', () => {
    const state = new ClusterState({
      nodes: nodes(3),
      tasks: [
        ...running(2, { nodeId: 'n2' }),
        ...running(1, { nodeId: 'n1' }),
        ...running(3, { nodeId: 'n3' }),
      ],
    });
    state.removeTask('web.n2.0');
    state.removeTask('web.n2.1');
    state.removeTask('web.n1.0');
    const counts = state.activeTasksOf('web');
    expect([...counts.nodes()].map(({ id }) => id)).toEqual(['n3']);
    state.upsertTask(task({ nodeId: 'n1' }));
    expect([...counts.nodes()].map(({ id }) => id).sort()).toEqual(['n1', 'n3']);
  });

  it('defect 17: a host port held twice is free only when both let go', () => {
    const ports = [{ targetPort: 80, publishedPort: 80, publishMode: 'host' as const }];
    const state = stateWith(running(2, { nodeId: 'n1', ports }));
    expect(state.node('n1')?.hostPortUses('tcp/80')).toBe(2);
    state.removeTask('web.n1.0');
    expect(state.node('n1')?.hostPortUses('tcp/80')).toBe(1);
    state.removeTask('web.n1.1');
    expect(state.node('n1')?.hostPortUses('tcp/80')).toBe(0);
  });

  it('defect 18: recorded generic resources are restored, not claimed anew', () => {
    const gpus = { generic: [{ kind: 'gpu', ids: ['a', 'b', 'c'] }] };
    const holder = task({
      nodeId: 'n1',
      reservations: { generic: [{ kind: 'gpu', count: 1 }] },
      generic: [{ kind: 'gpu', ids: ['b'] }],
    });
    const state = new ClusterState({ nodes: [node({ resources: gpus })], tasks: [holder] });
    const wish = [{ kind: 'gpu', count: 2 }];
    expect(state.node('n1')?.generic.choose(wish)).toEqual([{ kind: 'gpu', ids: ['a', 'c'] }]);
    expect(state.node('n1')?.generic.free('gpu')).toBe(2);
  });

  it('a task without a record holds as many as it asked for', () => {
    const state = stateWith([task({ nodeId: 'n1', reservations })]);
    expect(state.node('n1')?.generic.free('apple')).toBe(4);
  });

  it('volumes of a task are held while it counts', () => {
    const mounts = [{ type: 'cluster' as const, source: 'v', target: '/v' }];
    const template = { container: { image: 'a', mounts } };
    const volumes = [{ volumeId: 'v', target: '/v' }];
    const state = new ClusterState({
      nodes: nodes(1),
      tasks: [task({ nodeId: 'n1', template, volumes })],
      volumes: [volume('v', { access: { scope: 'multi', sharing: 'none', type: 'mount' } })],
    });
    const isFree = (): boolean => state.nodes.every((n) => state.volumes.choose(mounts, n).ok);
    expect(isFree()).toBe(false);
    state.upsertTask(task({ nodeId: 'n1', template, volumes, state: 'failed' }));
    expect(isFree()).toBe(true);
  });
});

describe('assumptions', () => {
  const pending = task({ reservations });

  function assumed(): ClusterState {
    const state = stateWith([]);
    const info = state.nodes[0];
    if (info !== undefined)
      state.assume(pending, info, { requirements: requirementsOf(pending.spec) });
    return state;
  }

  it('count at once', () => {
    expect(figures(assumed())).toEqual(ONE);
  });

  it('are taken back when nobody confirmed them', () => {
    const state = assumed();
    state.dropAssumed();
    expect(figures(state)).toEqual(FREE);
  });

  it('stay when the store has the same', () => {
    const state = assumed();
    const generic = [{ kind: 'apple', count: 2 }];
    state.upsertTask(task({ nodeId: 'n1', state: 'assigned', reservations, generic }));
    state.dropAssumed();
    expect(figures(state)).toEqual(ONE);
  });

  it('give way when the store has something else', () => {
    const state = assumed();
    state.upsertNode(node({ id: 'n2', resources }));
    state.upsertTask(task({ nodeId: 'n2', state: 'assigned', reservations }));
    state.dropAssumed();
    expect([figures(state, 'n1'), figures(state, 'n2')]).toEqual([FREE, ONE]);
  });

  it('end when the task is still pending in the store, or gone', () => {
    const state = assumed();
    state.upsertTask(pending);
    expect(figures(state)).toEqual(FREE);
    const other = assumed();
    other.removeTask(pending.meta.id);
    other.dropAssumed();
    expect(figures(other)).toEqual(FREE);
  });
});
