/**
 * Laws of a node as a whole: agent, runtime, tables and names, whatever comes when.
 */
import { describe, expect, it } from '@jest/globals';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import fc from 'fast-check';
import { FakeManager } from './__fixtures__/fake-manager.js';
import {
  anyCluster,
  assignmentBetween,
  completeAssignment,
  serviceName,
  type SmallCluster,
  type SmallService,
} from './__fixtures__/small-cluster.js';
import { Simulator } from './simulator.js';

const NODES = ['node1', 'node2'];
const PROBE: SmallService = { number: 9, tasks: [{ id: 't9', node: 'node1' }] };

/** What happens: a new assignment, in full or as a difference, and some time. */
const step = fc.record({
  cluster: anyCluster.map(({ services }): SmallCluster => ({ services: [...services, PROBE] })),
  event: fc.constantFrom('difference', 'difference', 'whole', 'session lost', 'agent restarts'),
  waitMs: fc.constantFrom(0, 1, 2, 3, 5, 50, 200, 1_000),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function play(steps: readonly Step[], seed: number) {
  const clock = new VirtualClock();
  const manager = new FakeManager();
  const simulator = new Simulator({
    clock,
    random: seededRandom(seed),
    link: manager,
    latencyMs: { from: 0, to: 3 },
  });
  for (const name of NODES) await simulator.addHost({ id: name, name });
  await simulator.start();
  await clock.advance(100);
  let now = { cluster: { services: [PROBE] } as SmallCluster, revision: 1 };
  /** The revision that each node was sent on its present session. */
  const sent = new Map<string, typeof now>();
  const serve = (node: string, isWhole: boolean): void => {
    const before = sent.get(node);
    const assignment =
      isWhole || before === undefined
        ? completeAssignment(now.cluster, node, now.revision)
        : assignmentBetween(node, before, now);
    if (manager.has(node)) {
      manager.send(node, assignment);
      sent.set(node, now);
    } else sent.delete(node);
  };
  for (const node of NODES) serve(node, true);
  for (const { cluster, event, waitMs } of steps) {
    now = { cluster, revision: now.revision + 1 };
    if (event === 'session lost') {
      manager.end('node1', 'the manager restarts');
      sent.delete('node1');
    }
    if (event === 'agent restarts') {
      const host = simulator.host('node1');
      const stopped = host.stopAgent();
      // Removals under way go on without the agent; no manager assigns such a task again.
      await clock.advance(200);
      await stopped;
      await host.start();
      sent.delete('node1');
    }
    for (const node of NODES) serve(node, event === 'whole');
    await clock.advance(waitMs);
  }
  // Whoever lost its session comes back, and is told everything.
  await clock.advance(1_000);
  for (const node of NODES) serve(node, !sent.has(node));
  await clock.advance(30_000);
  return { clock, manager, simulator, cluster: now.cluster };
}

/** Tasks that take connections to a service, as it was declared. */
function serving({ tasks }: SmallService): readonly string[] {
  return tasks
    .filter(({ state, weight }) => state === 'serving' && weight !== 0)
    .map(({ id }) => id)
    .sort();
}

describe('laws', () => {
  it('every node comes to run, route and name what it was assigned last', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.integer(),
        async (steps, seed) => {
          const { clock, manager, simulator, cluster } = await play(steps, seed);
          for (const node of NODES) {
            const containers = simulator.host(node).runtime.containers();
            const assigned = cluster.services.flatMap(({ tasks }) =>
              tasks.filter((task) => task.node === node).map(({ id }) => id),
            );
            expect(containers.map(({ task }) => task.id).sort()).toEqual(assigned.sort());
            expect(containers.every(({ state }) => state === 'running')).toBe(true);
            for (const id of assigned) {
              const states = manager.states.filter((line) => line.startsWith(`${id} `));
              expect(states.at(-1)).toBe(`${id} running`);
            }
          }
          for (const service of cluster.services) {
            if (service.isDnsrr === true || service.number === PROBE.number) continue;
            const target = `http://${serviceName(service)}/`;
            const results = Array.from({ length: 14 }, () =>
              simulator.request(target, { from: 't9' }),
            );
            const reached = new Set(results.map(({ taskId }) => taskId ?? 'nobody'));
            const expected = serving(service);
            expect([...reached].sort()).toEqual(expected.length === 0 ? ['nobody'] : expected);
          }
          const stopped = simulator.stop();
          await clock.advance(10_000);
          await stopped;
          expect(clock.pending()).toEqual([]);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('the same seed gives the same reports at the same times', async () => {
    const [steps] = fc.sample(fc.array(step, { minLength: 6, maxLength: 6 }), {
      seed: 7,
      numRuns: 1,
    });
    const tell = async (seed: number): Promise<readonly unknown[]> => {
      const { manager, simulator, clock } = await play(steps ?? [], seed);
      const stopped = simulator.stop();
      await clock.advance(10_000);
      await stopped;
      return [manager.reports, manager.acks, manager.hellos];
    };
    expect(await tell(3)).toEqual(await tell(3));
    expect(await tell(3)).not.toEqual(await tell(4));
  });
});
