/** Answers that no compiler has seen: each is a clear error of its key, and stops nothing else. */
import { describe, expect, it } from '@jest/globals';
import type { StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { create, noChanges, update } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import type { ControllerDefinition, ReconcileContext } from './contract.js';
import { parent, Parent, world } from './__fixtures__/world.js';

const object = (view: View): StoredObject => view.get(Parent, 'a') as StoredObject;
const touched = (view: View): unknown => update({ ...object(view), spec: { note: 'b' } });

async function errorOf(form: object): Promise<string | undefined> {
  const made = world();
  const group = new ControllerGroup(made.seams);
  group.add({ name: 'bad', for: Parent, ...form } as unknown as ControllerDefinition);
  let others = 0;
  group.add({ name: 'good', for: Parent, plan: () => ((others += 1), noChanges) });
  await group.start();
  await made.commit(create(parent('a')));
  await made.clock.advance(1_000);
  expect(others).toBeGreaterThan(0);
  const { lastError } = group.explain('bad', 'a');
  await group.stop();
  return lastError;
}

describe('an answer that is none', () => {
  it.each<[string, (view: View) => unknown, string]>([
    [
      'nothing',
      () => undefined,
      'what plan gives back: expected { changes: […] }, or noChanges, got undefined',
    ],
    ['null', () => null, 'got null'],
    [
      'a promise',
      () => Promise.resolve(noChanges),
      'plan gave back a promise; it has to be pure: use reconcile for I/O',
    ],
    ['no changes', () => ({}), 'the changes of a plan: expected a list, got undefined'],
    ['one change', (view) => ({ changes: touched(view) }), 'got an object with type, object'],
    [
      'objects',
      (view) => ({ changes: [object(view)] }),
      'one of the changes of a plan: expected what create(object), update(object) or ' +
        'remove(object) gives, got an object of kind Parent',
    ],
    ['holes', () => ({ changes: [undefined] }), 'got undefined'],
    ['another type', () => ({ changes: [{ type: 'patch', object: {} }] }), 'got an object with'],
    [
      'a time that is a text',
      () => ({ changes: [], requeueAt: '5' }),
      "requeueAt is not a time: '5'; give milliseconds, as now + 5_000",
    ],
    ['never', () => ({ changes: [], requeueAt: Infinity }), 'requeueAt is not a time: Infinity'],
    [
      "what controller-runtime's reconcilers give",
      () => ({ changes: [], requeueAfter: 5 }),
      "there is no 'requeueAfter': give 'requeueAt', a time, as now + 5_000",
    ],
    ['events that are none', () => ({ changes: [], events: 5 }), "'events' of a plan: expected a"],
    [
      'an empty event',
      () => ({ changes: [], events: [{}] }),
      'an event: expected { regarding: an object, type, reason, message }, got an empty object',
    ],
    ['expectations that are none', () => ({ changes: [], expect: 5 }), "'expect' of a plan: exp"],
  ])('of a plan: %s', async (_what, plan, error) => {
    expect(await errorOf({ plan })).toContain(error);
  });

  it.each<[string, (view: View) => unknown, string]>([
    ['nothing', () => undefined, 'what planBatch gives back: expected { groups: [{ keys, changes'],
    ['a promise', () => Promise.resolve({ groups: [] }), 'planBatch gave back a promise'],
    ['no groups', () => ({}), "'groups' of a batch plan: expected a list, got undefined"],
    ['a plan', () => noChanges, "'groups' of a batch plan: expected a list, got undefined"],
    ['no keys', (view) => ({ groups: [{ changes: [touched(view)] }] }), "'keys' of a group: exp"],
    [
      'no changes',
      () => ({ groups: [{ keys: ['a'] }] }),
      'the changes of a group: expected a list',
    ],
    [
      'times that are no map',
      () => ({ groups: [], requeueAt: { a: 5 } }),
      "'requeueAt' of a batch plan: expected a Map of times by key, got an object with a",
    ],
  ])('of a batch: %s', async (_what, planBatch, error) => {
    expect(await errorOf({ planBatch })).toContain(error);
  });

  it.each<[string, (context: ReconcileContext) => unknown, string]>([
    ['a number', () => 5, 'what reconcile gives back: expected nothing, or { requeueAt }, got 5'],
    ['no time', () => ({ requeueAt: NaN }), 'requeueAt is not a time: NaN'],
    ['a commit of a number', ({ commit }) => commit(5 as never), 'the changes of a commit: exp'],
  ])('of a reconcile: %s', async (_what, reconcile, error) => {
    expect(await errorOf({ reconcile })).toContain(error);
  });

  it.each<[string, unknown]>([
    ['one key', 'a'],
    ['nothing', undefined],
    ['numbers', [5]],
  ])('of a watch: %s', async (_what, keys) => {
    const made = world();
    const watches = [{ kind: Parent, keys: () => keys as never }];
    const group = new ControllerGroup(made.seams);
    group.add({ name: 'bad', watches, plan: () => noChanges });
    await group.start();
    await made.commit(create(parent('a')));
    await made.clock.advance(1_000);
    expect(made.logs.map(({ message, fields }) => [message, fields['error']])).toContainEqual([
      'event not mapped to keys',
      "'keys' of the watch of Parent has to give a list of texts",
    ]);
    await group.stop();
  });
});
