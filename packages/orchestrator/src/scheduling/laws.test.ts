import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Node, Task, type TaskTemplate } from '@skep/api';
import { ClusterState, isCounted } from '@skep/scheduler';
import { SchedulerRig } from './__fixtures__/rig.js';

const NODES = ['n1', 'n2', 'n3'] as const;

const steps = fc.array(
  fc.record({
    act: fc.constantFrom('node', 'pause', 'gone', 'task', 'global', 'end', 'stop', 'lose', 'pass'),
    at: fc.nat(5),
    memory: fc.nat(6),
  }),
  { maxLength: 25 },
);

type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never;

/** Does the step, if it makes sense now. */
function take(rig: SchedulerRig, { act, at, memory }: Step, number: number): void {
  const view = rig.store.view();
  const nodeId = NODES[at % NODES.length] ?? 'n1';
  const node = view.get(Node, nodeId);
  const tasks = view.list(Task).map(({ meta }) => meta.id);
  const taskId = tasks.sort()[at % Math.max(tasks.length, 1)];
  const template: TaskTemplate = {
    resources: { reservations: { memoryBytes: 100 * memory } },
    placement: { maxReplicasPerNode: at % 3 },
  };
  const one = taskId === undefined ? undefined : view.get(Task, taskId);
  rig.now += 1;
  switch (act) {
    case 'node':
      if (node === undefined) rig.node(nodeId, { resources: { memoryBytes: 600 } });
      else rig.nodeSpec(nodeId, { availability: 'active' });
      break;
    case 'pause':
      if (node !== undefined) rig.nodeSpec(nodeId, { availability: 'pause' });
      break;
    case 'gone':
      if (node !== undefined) rig.remove(Node, nodeId);
      break;
    case 'task':
      rig.task(
        `t${number}`,
        { template, slot: number, specVersion: 10 * memory + at },
        `s${at % 2}`,
      );
      break;
    case 'global':
      rig.task(`g${number}`, { template, nodeId, slot: 0 }, 'global');
      break;
    case 'end':
      if (one !== undefined && isCounted(one)) rig.reports(one.meta.id, 'failed');
      break;
    case 'stop':
      if (one?.spec.desiredState === 'running') rig.wants(one.meta.id, 'shutdown');
      break;
    case 'lose':
      rig.loses = () => {
        rig.loses = () => false;
        return true;
      };
      break;
    case 'pass':
      rig.pass();
      break;
  }
}

describe('laws of the scheduler loop', () => {
  it('whatever happens and is lost, in the end nobody waits who fits, and no node is too full', () => {
    fc.assert(
      fc.property(steps, (list) => {
        // Each pass is compared with that of a scheduler built anew from the view.
        const rig = new SchedulerRig();
        for (const [number, step] of list.entries()) take(rig, step, number);
        rig.settle();
        const view = rig.store.view();
        const state = new ClusterState({ nodes: view.list(Node), tasks: view.list(Task) });
        for (const info of state.nodes) {
          expect(info.availableMemoryBytes).toBeGreaterThanOrEqual(0);
        }
        for (const { status, spec } of view.list(Task)) {
          if (status.state !== 'pending') continue;
          expect(spec.desiredState).toBe('running');
          expect(status.error).toBe(status.pending?.message);
          for (const { filters } of status.pending?.nodes ?? []) expect(filters).not.toEqual([]);
        }
        // Reasons may be told anew (they are as of the last try), but nobody fits after all.
        const places = rig.places();
        expect(rig.restart().settle().places()).toEqual(places);
      }),
      { numRuns: Number(process.env['LAW_RUNS'] ?? 15) },
    );
  });
});
