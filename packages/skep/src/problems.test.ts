import { describe, expect, it } from '@jest/globals';
import {
  Service,
  type Condition,
  type ServiceSpec,
  type StoredObject,
  type TaskSpec,
  type UpdateStatus,
} from '@skep/api';
import { network, node, service, storeOf, task, viewOf } from './__fixtures__/objects.js';
import { problemsOf } from './problems.js';

async function problems(...objects: readonly StoredObject[]): Promise<readonly string[]> {
  const view = await viewOf(...objects);
  return problemsOf(view).map(
    ({ kind, name, code, message }) => `${kind} ${name} ${code}: ${message}`,
  );
}

function condition(status: Condition['status'], reason = 'addresses-exhausted'): Condition {
  return { type: 'Allocated', status, reason, message: 'no address is free', since: 0 };
}

function update(change: Partial<UpdateStatus>): UpdateStatus {
  return {
    state: 'updating',
    startedAt: 0,
    message: 'update in progress',
    specVersion: 2,
    dirtySlots: 2,
    failedTasks: [],
    ...change,
  };
}

const JOB: Partial<ServiceSpec> = { mode: { type: 'replicated-job' } };
const ofJob = (slot: number, jobIteration = 0): Partial<TaskSpec> => ({ slot, jobIteration });

describe('problemsOf', () => {
  it('finds none where all is as declared', async () => {
    expect(
      await problems(
        node('n1'),
        network('net1', { conditions: [condition('true')] }),
        service('web', { mode: { type: 'replicated', replicas: 2 } }),
        task('t1', { slot: 1 }),
        task('t2', { slot: 2 }),
        task('t0', { slot: 1, desiredState: 'shutdown' }, { state: 'failed', error: 'exit 1' }),
      ),
    ).toEqual([]);
  });

  it.each([
    ['down', 'heartbeat failure', 'node is down: heartbeat failure'],
    ['disconnected', '', 'node is disconnected'],
    ['unknown', '', 'node is unknown'],
  ] as const)('names a node that is %s', async (state, message, text) => {
    expect(await problems(node('n1', { state, message }))).toEqual([
      `Node n1 node-${state}: ${text}`,
    ]);
  });

  it('names what keeps networks and services from being allocated', async () => {
    const conditions = [condition('false'), condition('unknown'), condition('true')];
    expect(
      await problems(
        network('net1', { conditions }),
        service('web', { mode: { type: 'replicated', replicas: 0 } }, { conditions }),
      ),
    ).toEqual([
      'Network net1 addresses-exhausted: no address is free',
      'Service web addresses-exhausted: no address is free',
    ]);
  });

  it('names a node that got no address in a network, though it is ready', async () => {
    expect(await problems(node('n1', { conditions: [condition('false')] }))).toEqual([
      'Node n1 addresses-exhausted: no address is free',
    ]);
  });

  it('counts replicas that are missing, with the newest error', async () => {
    expect(
      await problems(
        service('web', { mode: { type: 'replicated', replicas: 3 } }),
        task('t1', { slot: 1 }),
        task('t2', { slot: 2 }, { state: 'starting' }),
        task('t3', { slot: 3, desiredState: 'shutdown' }),
        task('t4', { slot: 3 }, { state: 'failed', error: 'old', appliedAt: 1 }),
        task('t5', { slot: 3 }, { state: 'rejected', error: 'no such image', appliedAt: 2 }),
      ),
    ).toEqual([
      'Service web replicas-missing: 1 of 3 replicas are running; ' +
        'the last one that ended: no such image',
    ]);
  });

  it('misses no replica of a service that is being removed, or wants none', async () => {
    const none = service('web', { mode: { type: 'replicated', replicas: 0 } });
    expect(await problems(none)).toEqual([]);
    const one = service('web');
    const held = { ...one, meta: { ...one.meta, finalizers: ['orchestrator'] } };
    const store = await storeOf(held);
    expect(problemsOf(store.view())).toHaveLength(1);
    await store.commit({
      actor: 'test',
      changes: [{ type: 'delete', kind: 'Service', id: 'web' }],
    });
    expect(store.view().count(Service)).toBe(1);
    expect(problemsOf(store.view())).toEqual([]);
  });

  it.each<[string, Partial<UpdateStatus>, readonly string[]]>([
    ['is in progress', {}, []],
    ['is done', { state: 'completed' }, []],
    [
      'cannot go on',
      { blocked: 'no node takes the new task' },
      ['Service web update-blocked: no node takes the new task'],
    ],
    ['was blocked and is done', { state: 'completed', blocked: 'x' }, []],
    [
      'was paused',
      { state: 'paused', message: 'task t1 failed' },
      ['Service web update-paused: task t1 failed'],
    ],
    [
      'was paused on its way back',
      { state: 'rollback-paused', message: 'task t1 failed' },
      ['Service web update-paused: task t1 failed'],
    ],
    ['went back', { state: 'rollback-completed' }, []],
  ])('of an update that %s', async (_what, change, expected) => {
    const web = service('web', {}, { update: update(change) });
    expect(await problems(web, task('t1'))).toEqual(expected);
  });

  it.each<[string, readonly StoredObject[], readonly string[]]>([
    ['succeeded', [task('t1', ofJob(0), { state: 'complete' })], []],
    ['runs', [task('t1', ofJob(0))], []],
    [
      'failed',
      [task('t1', ofJob(0), { state: 'failed', error: 'exit 1' })],
      ['Service web job-failed: 1 task failed; the last one that ended: exit 1'],
    ],
    [
      'failed in two slots',
      [
        task('t1', ofJob(0), { state: 'failed' }),
        task('t2', ofJob(1), { state: 'rejected' }),
        task('t3', ofJob(2), { state: 'complete' }),
      ],
      ['Service web job-failed: 2 tasks failed'],
    ],
    [
      'failed, then succeeded',
      [task('t1', ofJob(0), { state: 'failed' }), task('t2', ofJob(0), { state: 'complete' })],
      [],
    ],
    ['failed in an earlier iteration', [task('t1', ofJob(0, 7), { state: 'failed' })], []],
  ])('of a job that %s', async (_what, tasks, expected) => {
    expect(await problems(service('web', JOB), ...tasks)).toEqual(expected);
  });

  it('of a global service: what failed where it should run', async () => {
    const drained = { ...node('n2'), spec: { ...node('n2').spec, availability: 'drain' as const } };
    const on = (nodeId: string): Partial<TaskSpec> => ({ slot: 0, nodeId });
    expect(
      await problems(
        node('n1'),
        drained,
        service('web', { mode: { type: 'global' } }),
        task('t1', on('n1'), { state: 'failed', error: 'exit 1' }),
        task('t2', on('n2'), { state: 'failed', error: 'exit 2' }),
        task('t3', on('n9'), { state: 'failed', error: 'exit 3' }),
      ),
    ).toEqual([expect.stringContaining('Service web tasks-failed: 1 task failed')]);
  });

  it('names tasks that wait for something, and why', async () => {
    const pending = { code: 'no-suitable-node', message: 'insufficient resources on 1 node' };
    expect(
      await problems(
        task('t1', {}, { state: 'pending', pending }),
        task('t2', {}, { state: 'new', pending: { code: 'network-not-found', message: 'net9' } }),
        task('t3', { desiredState: 'shutdown' }, { state: 'pending', pending }),
        task('t4', { desiredState: 'remove' }, { state: 'pending', pending }),
        task('t5', {}, { state: 'running', pending }),
        task('t6', {}, { state: 'pending' }),
      ),
    ).toEqual([
      'Task web.1.t1 no-suitable-node: insufficient resources on 1 node',
      'Task web.1.t2 network-not-found: net9',
    ]);
  });

  it('comes in one order, whatever was written first', async () => {
    const objects = [
      node('n2', { state: 'down' }),
      node('n1', { state: 'down' }),
      network('net1', { conditions: [condition('false', 'b'), condition('false', 'a')] }),
      service('web'),
      task('t2', {}, { state: 'pending', pending: { code: 'c', message: '' } }),
      task('t1', {}, { state: 'pending', pending: { code: 'c', message: '' } }),
    ];
    const found = await problems(...objects);
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'Network net1 a',
      'Network net1 b',
      'Node n1 node-down',
      'Node n2 node-down',
      'Service web replicas-missing',
      'Task web.1.t1 c',
      'Task web.1.t2 c',
    ]);
    expect(await problems(...[...objects].reverse())).toEqual(found);
  });
});
