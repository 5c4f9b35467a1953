import { describe, expect, it } from '@jest/globals';
import { newObject, Secret, withMeta, type StoredObject } from '@skep/api';
import { parent } from '../__fixtures__/world.js';
import { fieldChanges, isFieldChanged } from './field-changes.js';

/** A parent with any spec and status. */
function object(spec: unknown, status: unknown = {}, labels = {}): StoredObject {
  const made = { ...parent('a'), spec, status } as StoredObject;
  return withMeta(made, { labels });
}

describe('fieldChanges', () => {
  const before = object({ a: 1, b: { c: [1, { d: 2 }], e: 'x' }, gone: null }, { seen: 1 });

  it('names each field that differs, with both values', () => {
    const after = object(
      { a: 2, b: { c: [1, { d: 3 }], e: 'x' } },
      { seen: 1, ok: true },
      { l: 'm' },
    );
    expect(fieldChanges(before, after)).toEqual([
      { path: 'spec.a', from: 1, to: 2 },
      { path: 'spec.b.c[1].d', from: 2, to: 3 },
      { path: 'spec.gone', from: null },
      { path: 'status.ok', to: true },
      { path: 'meta.labels.l', to: 'm' },
    ]);
  });

  it('takes lists of another length as a whole, and quotes names that are no words', () => {
    const after = object(
      { ...(before.spec as object), b: { c: [1], e: 'x' } },
      { seen: 1 },
      { 'a.b': '' },
    );
    expect(fieldChanges(before, after).map(({ path }) => path)).toEqual([
      'spec.b.c',
      'meta.labels["a.b"]',
    ]);
  });

  it('says nothing of what is stamped with every write', () => {
    const after = withMeta(before, { version: 9, updatedAt: 9, generation: 9 });
    expect(fieldChanges(before, after)).toEqual([]);
  });

  it('does not tell secrets', () => {
    const secret = newObject(Secret, { id: 's', name: 's', spec: { data: 'aGk=' } });
    const next = { ...secret, spec: { ...secret.spec, data: 'aG8=' } };
    expect(fieldChanges(secret, next)).toEqual([{ path: 'spec.data' }]);
    expect(JSON.stringify(fieldChanges(secret, next))).not.toContain('aG');
  });
});

describe('isFieldChanged', () => {
  const before = object({ a: { b: 1, bc: 1 }, list: [1, 2] });
  const cases: readonly (readonly [string, unknown, boolean])[] = [
    ['spec', { a: { b: 2, bc: 1 }, list: [1, 2] }, true],
    ['spec.a', { a: { b: 2, bc: 1 }, list: [1, 2] }, true],
    ['spec.a.b', { a: { b: 2, bc: 1 }, list: [1, 2] }, true],
    ['spec.a.b', { a: { b: 1, bc: 2 }, list: [1, 2] }, false],
    ['spec.list', { a: { b: 1, bc: 1 }, list: [1, 3] }, true],
    ['spec.list[1]', { a: { b: 1, bc: 1 }, list: [1] }, true],
    ['status', { a: { b: 2, bc: 1 }, list: [1, 2] }, false],
  ];

  it.each(cases)('%s of %j: %s', (path, spec, expected) => {
    expect(isFieldChanged(before, object(spec), path)).toBe(expected);
  });
});
