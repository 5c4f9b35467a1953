import { describe, expect, it } from '@jest/globals';
import { withMeta, withStatus, type StoredObject } from '@skep/api';
import type { ObjectEvent } from '@skep/store';
import { parent, Parent, world } from './__fixtures__/world.js';
import { create, noChanges } from './changes.js';
import { startController } from './controller-group.js';
import {
  allOf,
  anyOf,
  conditionChanged,
  generationChanged,
  labelsChanged,
  not,
  statusChanged,
  type EventPredicate,
} from './predicates.js';

const base = parent('a');
const ready = (status: string): StoredObject => {
  const conditions = [{ type: 'Ready', status, reason: '', message: '', since: 0 }];
  return { ...base, status: { conditions } };
};

const events: Readonly<Record<string, ObjectEvent>> = {
  created: { type: 'created', object: base },
  deleted: { type: 'deleted', object: base, previous: base },
  same: { type: 'updated', object: { ...base }, previous: base },
  spec: { type: 'updated', object: withMeta(base, { generation: 2 }), previous: base },
  leaving: { type: 'updated', object: withMeta(base, { deletionRequestedAt: 1 }), previous: base },
  labels: { type: 'updated', object: withMeta(base, { labels: { a: 'b' } }), previous: base },
  status: { type: 'updated', object: withStatus(base, { seen: 1 }), previous: base },
  ready: { type: 'updated', object: ready('true'), previous: ready('false') },
  newReady: { type: 'updated', object: ready('true'), previous: base },
};

const cases: readonly (readonly [string, EventPredicate, readonly string[]])[] = [
  ['generationChanged', generationChanged, ['spec', 'leaving']],
  ['labelsChanged', labelsChanged, ['labels']],
  ['statusChanged', statusChanged, ['status', 'ready', 'newReady']],
  ['conditionChanged', conditionChanged('Ready'), ['ready', 'newReady']],
  ['conditionChanged of another type', conditionChanged('Other'), []],
  ['anyOf', anyOf(generationChanged, labelsChanged), ['spec', 'leaving', 'labels']],
  ['allOf', allOf(statusChanged, conditionChanged('Ready')), ['ready', 'newReady']],
];

describe('predicates', () => {
  it.each(cases)(
    '%s holds for all that comes and goes, and for its updates',
    (_name, holds, of) => {
      const found = Object.entries(events).filter(([, event]) => holds(event));
      expect(found.map(([name]) => name)).toEqual(['created', 'deleted', ...of]);
    },
  );

  it('not turns one around', () => {
    const found = Object.entries(events).filter(([, event]) => not(generationChanged)(event));
    expect(found.map(([name]) => name)).toEqual(['same', 'labels', 'status', 'ready', 'newReady']);
  });

  it('let a controller sleep through what it does not go by', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    let passes = 0;
    const controller = await startController(
      {
        name: 'specs',
        for: Parent,
        predicate: generationChanged,
        plan: () => {
          passes += 1;
          return noChanges;
        },
      },
      made.seams,
    );
    await made.clock.flush();
    const object = made.store.view().get(Parent, 'a') ?? base;
    await made.commit({ type: 'update', object: withStatus(object, { seen: 1 }) });
    await made.clock.flush();
    expect(passes).toBe(1);
    await made.edit('a', { note: 'news' });
    await made.clock.flush();
    expect(passes).toBe(2);
    await controller.stop();
  });
});
