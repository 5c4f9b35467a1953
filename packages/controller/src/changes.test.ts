import { describe, expect, it } from '@jest/globals';
import { withMeta, type Condition } from '@skep/api';
import { parent } from './__fixtures__/world.js';
import {
  conditionOf,
  conditionSet,
  create,
  noChanges,
  remove,
  removeAnyVersion,
  update,
} from './changes.js';

describe('changes', () => {
  it('makes changes of objects', () => {
    const object = withMeta(parent('a'), { version: 7 });
    expect(create(object)).toEqual({ type: 'create', object });
    expect(update(object)).toEqual({ type: 'update', object });
    expect(remove(object)).toEqual({ type: 'delete', kind: 'Parent', id: 'a', version: 7 });
    expect(removeAnyVersion(object)).toEqual({ type: 'delete', kind: 'Parent', id: 'a' });
    expect(noChanges).toEqual({ changes: [] });
  });
});

describe('conditionSet', () => {
  const ready: Condition = {
    type: 'Ready',
    status: 'true',
    reason: 'AllUp',
    message: 'all tasks run',
    since: 100,
  };
  const other: Condition = { ...ready, type: 'Other' };
  const { since: _since, ...next } = ready;

  it('adds a condition that was not there', () => {
    expect(conditionSet(undefined, next, 100)).toEqual([ready]);
    expect(conditionSet([other], next, 100)).toEqual([other, ready]);
  });

  it('gives the same list back when nothing changes', () => {
    const before = [ready, other];
    expect(conditionSet(before, next, 500)).toBe(before);
  });

  it('keeps since while the status stays, and the place of the condition', () => {
    const before = [ready, other];
    const changed = conditionSet(before, { ...next, message: 'still', observedGeneration: 2 }, 500);
    expect(changed).toEqual([{ ...ready, message: 'still', observedGeneration: 2 }, other]);
  });

  it('moves since when the status changes', () => {
    const changed = conditionSet([other, ready], { ...next, status: 'false' }, 500);
    expect(changed).toEqual([other, { ...ready, status: 'false', since: 500 }]);
    expect(conditionOf(changed, 'Ready')?.since).toBe(500);
    expect(conditionOf(undefined, 'Ready')).toBeUndefined();
  });
});
