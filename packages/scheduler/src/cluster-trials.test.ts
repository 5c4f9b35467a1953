/** What-if on a cluster state: place, release, restore, attempt, clone. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSkepError, type DeviceShare } from '@skep/api';
import {
  MB,
  faultyService,
  network,
  node,
  placeAll,
  placesOf,
  running,
  task,
  tasks,
  volume,
} from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';

const DEVICES = {
  cpuNanos: 4e9,
  memoryBytes: 8000 * MB,
  devices: [{ kind: 'gpu' }, { kind: 'gpu' }],
};

/** Everything about a state that a decision can follow from. */
function pictureOf(state: ClusterState): unknown {
  return {
    nodes: state.nodes.map((info) => ({
      id: info.id,
      ordinal: info.ordinal,
      version: info.node,
      amounts: [info.availableCpuNanos, info.availableMemoryBytes, info.activeTasks],
      devices: info.devices.of('gpu'),
      fruit: info.generic.free('fruit'),
      port: info.hostPortUses('tcp/80'),
      tasks: state.tasksOn(info.id).map(({ id, isActive, isAssumed, claim }) => ({
        id,
        isActive,
        isAssumed,
        claim,
      })),
      web: state.activeTasksOf('web').on(info),
    })),
    columns: [...state.columns.availableMemoryBytes],
    faults: state.faultsOf('web'),
    driver: state.networkDriver('net'),
    volume: state.volumes.choose(
      [{ type: 'cluster', source: 'v1', target: '/v' }],
      state.nodes[0] as never,
    ),
  };
}

function scene(): ClusterState {
  return new ClusterState({
    nodes: ['n1', 'n2', 'n3'].map((id) => node({ id, resources: DEVICES })),
    tasks: running(2, { nodeId: 'n1', reservations: { memoryBytes: 100 * MB } }),
    services: [faultyService('web', [{ nodeId: 'n1', specVersion: 1, times: [1] }])],
    networks: [network('net', 'overlay')],
    volumes: [volume('v1')],
  });
}

const ports = [{ targetPort: 80, publishedPort: 80, publishMode: 'host' as const }];

/** Changes of every kind; each does something whenever it is done. */
const CHANGES: readonly ((state: ClusterState, at: number) => void)[] = [
  (state, at) => state.place(task({ id: `p${at}`, ports }), 'n2'),
  (state, at) =>
    state.place(
      task({
        id: `d${at}`,
        reservations: { devices: [{ kind: 'gpu', count: 1, milli: 3 }] } as never,
      }),
      'n3',
    ),
  (state) => state.release('web.n1.0'),
  (state) => {
    const released = state.release('web.n1.1');
    if (released !== undefined) state.restore(released);
  },
  (state) => state.upsertNode(node({ id: 'n2', resources: { memoryBytes: 5 } })),
  (state) => state.upsertNode(node({ id: 'n0' })),
  (state) => state.upsertNode(node({ id: 'n3', name: 'a', resources: DEVICES })),
  (state) => state.removeNode('n1'),
  (state) => state.upsertTask(task({ id: 'web.n1.0', nodeId: 'n1', desiredState: 'shutdown' })),
  (state) => state.upsertTask(task({ id: 'web.n1.1', nodeId: 'n9' })),
  (state) => state.removeTask('web.n1.1'),
  (state) => state.upsertService(faultyService('web', [])),
  (state) => state.removeService('web'),
  (state) => state.upsertVolume(volume('v1', { availability: 'drain' })),
  (state) => state.removeVolume('v1'),
  (state) => state.upsertNetwork(network('net', 'other')),
  (state) => state.removeNetwork('net'),
  (state) => state.dropAssumed(),
  (state) => {
    placeAll(state, tasks(2, { service: 'more', reservations: { memoryBytes: MB } }));
  },
];

describe('a trial', () => {
  it('is undone to the last amount, whatever was done in it', () => {
    const steps = fc.array(fc.nat(CHANGES.length - 1), { maxLength: 12 });
    fc.assert(
      fc.property(steps, steps, (before, inside) => {
        const state = scene();
        for (const [at, step] of before.entries()) CHANGES[step]?.(state, at);
        const picture = pictureOf(state);
        state.attempt(() => {
          for (const [at, step] of inside.entries()) CHANGES[step]?.(state, 100 + at);
        });
        expect(pictureOf(state)).toEqual(picture);
        state.dropAssumed();
        const after = placesOf(placeAll(state, tasks(4)));
        const again = scene();
        for (const [at, step] of before.entries()) CHANGES[step]?.(again, at);
        again.dropAssumed();
        expect(after).toEqual(placesOf(placeAll(again, tasks(4))));
      }),
      { numRuns: 150 },
    );
  });

  it('gives back what the change returns, may be nested, and is undone when it throws', () => {
    const state = scene();
    const picture = pictureOf(state);
    const inner = state.attempt(() => {
      state.place(task({ id: 'x' }), 'n1');
      const deep = state.attempt(() => {
        state.removeNode('n3');
        return state.nodes.length;
      });
      return [deep, state.nodes.length, state.placedTask('x')?.node.id];
    });
    expect(inner).toEqual([2, 3, 'n1']);
    const fail = (): void => {
      state.attempt(() => {
        state.removeNode('n1');
        throw new Error('no');
      });
    };
    expect(fail).toThrow('no');
    expect(pictureOf(state)).toEqual(picture);
  });
});

describe('placing and releasing by hand', () => {
  it('gives a task devices, and puts it back with the same ones', () => {
    const state = scene();
    const asks = task({
      id: 'g',
      reservations: { devices: [{ kind: 'gpu', count: 1, milli: 300 }] } as never,
    });
    state.place(asks, 'n1');
    const chosen: DeviceShare[] = [{ kind: 'gpu', index: 1, milli: 300 }];
    const placed = state.place({ ...asks, meta: { ...asks.meta, id: 'h' } }, 'n1', {
      devices: chosen,
    });
    expect(placed.claim.devices).toBe(chosen);
    expect(state.node('n1')?.devices.of('gpu')?.freeMilli).toEqual([700, 700]);
    const released = state.release('h');
    expect(state.node('n1')?.devices.of('gpu')?.freeMilli).toEqual([700, 1000]);
    expect(released?.isActive).toBe(true);
    state.restore(released as never);
    expect(state.node('n1')?.devices.of('gpu')?.freeMilli).toEqual([700, 700]);
    expect(state.release('nobody')).toBeUndefined();
  });

  it('names the node that is not there', () => {
    const place = (): unknown => scene().place(task({ id: 'x' }), 'n9');
    expect(place).toThrow('task x cannot be placed: no node n9');
    try {
      place();
    } catch (thrown) {
      expect(isSkepError(thrown, 'not-found')).toBe(true);
    }
  });

  it('replays devices from the status, also when the node comes later or has others', () => {
    const stored = task({ id: 'g', nodeId: 'n1' });
    const devices = [{ kind: 'gpu', index: 1, milli: 250 }];
    const held = { ...stored, status: { ...stored.status, devices } };
    const late = new ClusterState({ tasks: [held] });
    late.upsertNode(node({ id: 'n1', resources: DEVICES }));
    expect(late.nodes[0]?.devices.of('gpu')).toMatchObject({
      freeMilli: [1000, 750],
      holders: new Map([[0, 1]]),
    });
    const one = {
      ...DEVICES,
      devices: [
        { kind: 'gpu', capacityMilli: 250 },
        { kind: 'gpu', capacityMilli: 250 },
      ],
    };
    late.upsertNode(node({ id: 'n1', resources: one }));
    expect(late.nodes[0]?.devices.of('gpu')).toMatchObject({
      freeMilli: [250, 0],
      holders: new Map([[1, 1]]),
    });
    late.removeTask('g');
    expect(late.nodes[0]?.devices.of('gpu')).toMatchObject({ wholeFree: 2, holders: new Map() });
  });
});

describe('a copy', () => {
  it('is the same, and goes its own way', () => {
    const state = scene();
    state.place(task({ id: 'assumed', ports }), 'n2');
    const copy = state.clone();
    const picture = pictureOf(state);
    expect(pictureOf(copy)).toEqual(picture);
    copy.dropAssumed();
    copy.removeNode('n1');
    expect(pictureOf(state)).toEqual(picture);
    expect(copy.placedTask('assumed')).toBeUndefined();
    expect(state.placedTask('assumed')?.node.id).toBe('n2');
  });

  it('knows services by name', () => {
    const service = faultyService('id-of-web', []);
    const named = { ...service, meta: { ...service.meta, name: 'web' } };
    const state = new ClusterState({ services: [named] });
    expect([state.serviceId('web'), state.serviceId('other')]).toEqual(['id-of-web', 'other']);
    state.upsertService({ ...named, meta: { ...named.meta, name: 'shop' } });
    expect([state.serviceId('web'), state.clone().serviceId('shop')]).toEqual(['web', 'id-of-web']);
    state.removeService('id-of-web');
    expect(state.serviceId('shop')).toBe('shop');
  });
});
