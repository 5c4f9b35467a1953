import { describe, expect, it } from '@jest/globals';
import { AssignmentState, networkChangeOf } from '@skep/adapter';
import { isSkepError, type DataplaneName } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { connect, renderNode, World, type NetworkChange } from '@skep/network';
import fc from 'fast-check';
import { kernelView } from './__fixtures__/kernel-view.js';
import {
  anyCluster,
  assignmentBetween,
  completeAssignment,
  port,
  underlayOf,
  virtualAddressOf,
  type SmallCluster,
} from './__fixtures__/small-cluster.js';
import { SimulatedDataplane } from './simulated-dataplane.js';

const WEB: SmallCluster = {
  services: [
    {
      number: 1,
      ports: [port(8_080)],
      tasks: [
        { id: 't1', node: 'node1' },
        { id: 't2', node: 'node2' },
      ],
    },
  ],
};

function setUp(renderer?: DataplaneName) {
  const clock = new VirtualClock({ start: 0 });
  const world = new World();
  for (const name of ['node1', 'node2']) {
    world.addNode({ name, address: `${underlayOf(name)}/24` });
  }
  const dataplane = new SimulatedDataplane({
    nodeName: 'node1',
    address: underlayOf('node1'),
    world,
    clock,
    random: seededRandom(1),
    ...(renderer === undefined ? {} : { renderer }),
  });
  const assignments = new AssignmentState();
  /** Begins to apply what is assigned. */
  const apply = (change?: NetworkChange): Promise<void> =>
    dataplane.apply(assignments.networkState(), change);
  const applyNow = async (change?: NetworkChange): Promise<void> => {
    const applied = apply(change);
    await clock.advance(4);
    await applied;
  };
  return { clock, world, dataplane, assignments, apply, applyNow };
}

/** A world in which the node was given these tables at once. */
function freshWorld(dataplane: SimulatedDataplane): World {
  const world = new World();
  world.addNode({ name: 'node1', address: `${underlayOf('node1')}/24` });
  if (dataplane.tables !== undefined) world.setNode('node1', renderNode(dataplane.tables));
  return world;
}

const outcomeOf = (world: World): string =>
  connect(world, {
    from: { node: 'node1', namespace: 'task_t1' },
    destination: virtualAddressOf('net1', { number: 1, tasks: [] }),
    destinationPort: 80,
  }).outcome;

/** Where virtual addresses of the overlay are balanced. */
const balancingNamespace = { ipvs: 'lb_net1', nftables: '1-net1' } as const;

describe('SimulatedDataplane', () => {
  it('takes 1 to 4 ms, and until then the world is as before', async () => {
    const { clock, world, dataplane, assignments, apply } = setUp();
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    const before = kernelView(world, 'node1');
    const applied = apply().then(() => clock.now());
    expect(kernelView(world, 'node1')).toEqual(before);
    expect(dataplane.tables).toBeUndefined();
    await clock.advance(4);
    expect(await applied).toBeGreaterThanOrEqual(1);
    expect(dataplane.tables?.revision).toBe(1);
    expect(world.node('node1').namespaces.size).toBeGreaterThan(3);
  });

  it('computes what it applies before time passes, whatever comes meanwhile', async () => {
    const { clock, world, dataplane, assignments, apply, applyNow } = setUp();
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    const applied = apply();
    const touched = assignments.apply(completeAssignment({ services: [] }, 'node1', 2));
    await clock.advance(4);
    await applied;
    expect(dataplane.tables?.revision).toBe(1);
    expect(dataplane.tables?.tasks.has('t1')).toBe(true);
    await applyNow(networkChangeOf(touched));
    expect(dataplane.tables?.tasks.has('t1')).toBe(false);
    expect(kernelView(world, 'node1')).toEqual(kernelView(freshWorld(dataplane), 'node1'));
  });

  it.each(['ipvs', 'nftables'] as const)('by %s connections find their way', async (renderer) => {
    const { world, dataplane, assignments, applyNow } = setUp(renderer);
    const local: SmallCluster = {
      services: [{ number: 1, tasks: [{ id: 't1', node: 'node1' }] }],
    };
    assignments.apply(completeAssignment(local, 'node1', 1));
    await applyNow();
    expect(outcomeOf(world)).toBe('answered');
    const { nft, balancers } = world.namespace('node1', balancingNamespace[renderer]).config;
    expect([nft.isEmpty, balancers.size]).toEqual(renderer === 'ipvs' ? [true, 1] : [false, 0]);
    // A difference, and a look whether all is there.
    const touched = assignments.apply(completeAssignment({ services: [] }, 'node1', 2));
    await applyNow(networkChangeOf(touched));
    expect(await dataplane.repair()).toEqual([]);
  });

  it('chooses host ports that nobody named, and tells them', async () => {
    const { dataplane, assignments, applyNow } = setUp();
    const chosen: SmallCluster = {
      services: [
        {
          number: 1,
          ports: [port(0, { publishMode: 'host' }), port(9_090, { publishMode: 'host' })],
          tasks: [{ id: 't1', node: 'node1' }],
        },
      ],
    };
    assignments.apply(completeAssignment(chosen, 'node1', 1));
    await applyNow();
    const ports = dataplane.hostPorts('t1').map(({ publishedPort }) => publishedPort);
    expect(ports).toEqual([expect.any(Number), 9_090]);
    expect(ports[0]).toBeGreaterThanOrEqual(32_768);
    expect(dataplane.hostPorts('t9')).toEqual([]);
  });

  it('finds nothing to repair in what nobody touched, or before it programmed anything', async () => {
    const { dataplane, assignments, applyNow } = setUp();
    expect(await dataplane.repair()).toEqual([]);
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    await applyNow();
    expect(await dataplane.repair()).toEqual([]);
  });

  it('repairs what somebody took away, and goes on with differences from there', async () => {
    const { world, dataplane, assignments, applyNow } = setUp();
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    await applyNow();
    const whole = kernelView(world, 'node1');
    world.removeNamespace('node1', 'task_t1');
    expect(kernelView(world, 'node1')).not.toEqual(whole);
    expect(await dataplane.repair()).toEqual(['namespace task_t1 was missing']);
    expect(kernelView(world, 'node1')).toEqual(whole);
    const touched = assignments.apply(completeAssignment({ services: [] }, 'node1', 2));
    await applyNow(networkChangeOf(touched));
    expect(kernelView(world, 'node1')).toEqual(kernelView(freshWorld(dataplane), 'node1'));
  });

  it('fails when the world refuses its commands, and then sets everything anew', async () => {
    const { clock, world, dataplane, assignments, apply, applyNow } = setUp();
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    await applyNow();
    // Somebody took away what the next difference is about.
    world.setNode('node1', []);
    const touched = assignments.apply(completeAssignment({ services: [] }, 'node1', 2));
    const failed = apply(networkChangeOf(touched)).catch((error: unknown) => error);
    await clock.advance(4);
    expect(isSkepError(await failed)).toBe(true);
    expect(dataplane.tables).toBeUndefined();
    await applyNow();
    expect(kernelView(world, 'node1')).toEqual(kernelView(freshWorld(dataplane), 'node1'));
  });

  it('programs nothing once it is closed', async () => {
    const { clock, world, dataplane, assignments, apply } = setUp();
    assignments.apply(completeAssignment(WEB, 'node1', 1));
    const aborted = apply().catch((error: unknown) => error);
    await dataplane.close();
    expect(isSkepError(await aborted, 'aborted')).toBe(true);
    await clock.advance(10);
    expect([...world.node('node1').namespaces.keys()]).toEqual(['host']);
    expect(await dataplane.repair()).toEqual([]);
    expect(clock.pending()).toEqual([]);
  });
});

describe('laws', () => {
  it('after any sequence of differences, the world is as if it was set at once', async () => {
    const step = fc.record({ cluster: anyCluster, isWhole: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const { world, dataplane, assignments, applyNow } = setUp();
        let before = { cluster: { services: [] } as SmallCluster, revision: 0 };
        for (const { cluster, isWhole } of [{ cluster: WEB, isWhole: true }, ...steps]) {
          const after = { cluster, revision: before.revision + 1 };
          if (isWhole) {
            assignments.apply(completeAssignment(cluster, 'node1', after.revision));
            await applyNow();
          } else {
            const touched = assignments.apply(assignmentBetween('node1', before, after));
            await applyNow(networkChangeOf(touched));
          }
          expect(dataplane.tables?.revision).toBe(after.revision);
          expect(kernelView(world, 'node1')).toEqual(kernelView(freshWorld(dataplane), 'node1'));
          before = after;
        }
      }),
      { numRuns: 10 },
    );
  });
});
