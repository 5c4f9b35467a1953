import { describe, expect, it } from '@jest/globals';
import { newObject, EndpointSlice, type StoredObject } from '@skep/api';
import { nodeOf, PENDING, serviceOf, smallView, stored, taskOf } from '../__fixtures__/objects.js';
import { renderRollouts, rolloutOf } from './rollout.js';

const UPDATE = {
  startedAt: 1,
  message: 'update paused',
  specVersion: 1,
  dirtySlots: 2,
  failedTasks: [],
} as const;

async function rollout(...objects: readonly StoredObject[]) {
  return rolloutOf(await smallView([nodeOf('node1'), ...objects]), 'web');
}

function sliceAt(version: number): EndpointSlice {
  const spec = { serviceId: 'id-web', networkId: 'net-front', index: 0, backends: [] };
  return stored(newObject(EndpointSlice, { id: 's', spec }), version);
}

describe('rolloutOf', () => {
  const [one, two] = [taskOf('web', 1), taskOf('web', 2)];

  it('done: all run, nothing is under way, every node routes to them', async () => {
    expect(await rollout(serviceOf('web'), one, two, sliceAt(9))).toEqual({
      name: 'web',
      done: 2,
      wanted: 2,
      text: '',
      state: 'done',
    });
  });

  it('gone: a service that is not there', async () => {
    expect(await rollout()).toMatchObject({ state: 'gone' });
  });

  it.each([
    ['not all tables have it', [serviceOf('web'), one, two, sliceAt(10)], 'not in all tables yet'],
    [
      'nobody has looked at it',
      [serviceOf('web', {}, { observedGeneration: 0 }), one, two],
      'declared',
    ],
    [
      'tasks on their way',
      [serviceOf('web'), one, taskOf('web', 2, {}, { state: 'starting' })],
      '1 starting',
    ],
    [
      'tasks that are to end',
      [serviceOf('web'), one, two, taskOf('web', 3, { desiredState: 'shutdown' })],
      '1 stopping',
    ],
    ['nothing begun', [serviceOf('web')], 'waiting'],
    [
      'no node',
      [serviceOf('web'), one, taskOf('web', 2, {}, PENDING)],
      '1 pending, no suitable node (1 of 2)',
    ],
    [
      'a task that failed',
      [
        serviceOf('web'),
        one,
        taskOf('web', 2, { desiredState: 'shutdown' }, { state: 'failed', error: 'exit 1' }),
      ],
      'last error: exit 1',
    ],
    [
      'an update',
      [serviceOf('web', {}, { update: { ...UPDATE, state: 'updating' } }), one, two],
      'updating',
    ],
    [
      'an update that is blocked',
      [
        serviceOf('web', {}, { update: { ...UPDATE, state: 'updating', blocked: 'a port' } }),
        one,
        two,
      ],
      'blocked: a port',
    ],
  ])('going on: %s', async (_what, objects, text) => {
    expect(await rollout(...objects)).toMatchObject({ state: 'going-on', text });
  });

  it.each(['paused', 'rollback-paused'] as const)('failed: an update that is %s', async (state) => {
    const service = serviceOf('web', {}, { update: { ...UPDATE, state } });
    expect(await rollout(service, one, two)).toMatchObject({
      state: 'failed',
      text: 'update paused',
    });
  });

  it('failed: an update that was rolled back since it was asked for', async () => {
    const update = { ...UPDATE, state: 'rollback-completed', startedAt: 50 } as const;
    const view = await smallView([nodeOf('node1'), serviceOf('web', {}, { update }), one, two]);
    const states = [{ at: 50 }, { at: 51 }, {}].map((asked) => rolloutOf(view, 'web', asked).state);
    expect(states).toEqual(['failed', 'done', 'done']);
  });

  it('a service that is being removed does not fail', async () => {
    const update = { ...UPDATE, state: 'paused' } as const;
    const service = serviceOf('web', {}, { update });
    const removing = { ...service, meta: { ...service.meta, deletionRequestedAt: 1 } };
    expect(await rollout(removing, one, two)).toMatchObject({
      state: 'going-on',
      text: 'removing',
    });
  });

  it('an earlier update that was paused says nothing about a newer declaration', async () => {
    const update = { ...UPDATE, state: 'paused', specVersion: 0 } as const;
    expect(await rollout(serviceOf('web', {}, { update }), one, two)).toMatchObject({
      state: 'done',
    });
  });

  it('a held update is no hindrance', async () => {
    const update = { ...UPDATE, state: 'updating' } as const;
    const service = serviceOf('web', { update: { isHeld: true } }, { update });
    expect(await rollout(service, one, two)).toMatchObject({ state: 'done' });
  });

  it('jobs: so many tasks of this iteration are complete', async () => {
    const mode = { type: 'replicated-job', maxConcurrent: 1, totalCompletions: 2 } as const;
    const service = serviceOf('web', { mode }, { job: { iteration: 1, startedAt: 1 } });
    const ended = (slot: number, jobIteration: number) =>
      taskOf('web', slot, { jobIteration, desiredState: 'complete' }, { state: 'complete' });
    expect(await rollout(service, ended(0, 1), ended(1, 0))).toMatchObject({ done: 1, wanted: 2 });
    expect(await rollout(service, ended(0, 1), ended(1, 1))).toMatchObject({ state: 'done' });
  });

  it('global services want what there is', async () => {
    const service = serviceOf('web', { mode: { type: 'global' } });
    const task = taskOf('web', 0, { nodeId: 'id-node1' });
    expect(await rollout(service, task)).toMatchObject({ done: 1, wanted: 1, state: 'done' });
  });
});

describe('renderRollouts', () => {
  it('draws a bar, numbers and words', () => {
    const lines = renderRollouts([
      { name: 'web', done: 2, wanted: 4, text: '2 starting', state: 'going-on' },
      { name: 'database', done: 10, wanted: 10, text: '', state: 'done' },
      { name: 'old', done: 0, wanted: 0, text: 'gone', state: 'gone' },
    ]);
    expect(lines).toEqual([
      'web       ██████████░░░░░░░░░░    2/4  2 starting',
      'database  ████████████████████  10/10  as declared',
      'old       ████████████████████    0/0  gone',
    ]);
  });
});
