import { describe, expect, it } from '@jest/globals';
import { isDeleting, newMeta, type StoredObject } from './meta.js';

describe('newMeta', () => {
  it('is that of an object which was never written', () => {
    expect(newMeta({ id: 'x1' })).toEqual({
      id: 'x1',
      name: '',
      labels: {},
      version: 0,
      generation: 1,
      createdAt: 0,
      updatedAt: 0,
      finalizers: [],
      owners: [],
    });
  });

  it('keeps everything that its writer says', () => {
    const said = {
      id: 'x1',
      name: 'web',
      labels: { a: 'b' },
      annotations: { note: 'c' },
      finalizers: ['allocator'],
      owners: [{ kind: 'Service', id: 's1', isController: true }],
      managers: { cli: ['mode'] },
    };
    expect(newMeta(said)).toMatchObject(said);
  });

  it('has no field that was not said, and shares empty ones that nobody can change', () => {
    const [one, other] = [newMeta({ id: 'x1' }), newMeta({ id: 'x2' })];
    expect(Object.keys(one)).not.toEqual(expect.arrayContaining(['annotations']));
    expect('managers' in one || 'deletionRequestedAt' in one).toBe(false);
    expect(one.finalizers).toBe(other.finalizers);
    for (const shared of [one.labels, one.finalizers, one.owners]) {
      expect(Object.isFrozen(shared)).toBe(true);
    }
  });
});

describe('isDeleting', () => {
  it.each([
    [undefined, false],
    [0, true],
    [5, true],
  ])('deletion requested at %s: %s', (deletionRequestedAt, expected) => {
    const meta = {
      ...newMeta({ id: 'x1' }),
      ...(deletionRequestedAt === undefined ? {} : { deletionRequestedAt }),
    };
    const object: StoredObject = { kind: 'Thing', meta, spec: {}, status: {} };
    expect(isDeleting(object)).toBe(expected);
  });
});
