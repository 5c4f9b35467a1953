import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { Child, Parent } from './__fixtures__/world.js';
import { noChanges } from './changes.js';
import type { ControllerDefinition } from './contract.js';
import {
  defineController,
  isAsyncController,
  isBatchController,
  isPlanController,
} from './definition.js';

const plan = () => noChanges;
const planBatch = () => ({ groups: [] });
const reconcile = () => Promise.resolve(undefined);

describe('defineController', () => {
  it('gives the definition back, with its form', () => {
    const definition = defineController({ name: 'good', for: Parent, owns: [Child], plan });
    expect(definition.plan()).toBe(noChanges);
    expect(isPlanController(definition)).toBe(true);
    expect(isBatchController({ name: 'b', for: Parent, planBatch })).toBe(true);
    expect(isAsyncController({ name: 'a', for: Parent, reconcile })).toBe(true);
  });

  it('takes keys that come from watches alone', () => {
    const watches = [{ kind: Child, keys: () => ['x'] }];
    expect(() => defineController({ name: 'good', watches, planBatch, batchMax: 5 })).not.toThrow();
  });

  const bad: [string, ControllerDefinition, RegExp][] = [
    ['no name', { name: ' ', for: Parent, plan }, /needs a name/],
    ['no form', { name: 'x', for: Parent } as never, /exactly one of/],
    ['two forms', { name: 'x', for: Parent, plan, reconcile }, /exactly one of/],
    ['no source', { name: 'x', plan }, /'for' or 'watches'/],
    ['an empty source', { name: 'x', plan, watches: [] }, /'for' or 'watches'/],
    [
      'owns without for',
      { name: 'x', plan, owns: [Child], watches: [{ kind: Child, keys: () => [] }] },
      /'owns' needs 'for'/,
    ],
    [
      'a predicate without for',
      {
        name: 'x',
        plan,
        predicate: () => true,
        watches: [{ kind: Child, keys: () => [] }],
      },
      /'predicate' needs 'for'/,
    ],
    ['concurrency of a plan', { name: 'x', for: Parent, plan, concurrency: 2 }, /only for reconc/],
    ['no concurrency', { name: 'x', for: Parent, reconcile, concurrency: 0 }, /from 1 to 1000/],
    ['nothing', undefined as never, /an object with name, for and plan/],
    ['a name that is none', { name: 5, for: Parent, plan } as never, /needs a name/],
    ['a plan that is none', { name: 'x', for: Parent, plan: 5 } as never, /'plan' must be a func/],
    ['a name of a kind', { name: 'x', for: 'Parent', plan } as never, /'for' must be a kind/],
    [
      'one owned kind',
      { name: 'x', for: Parent, owns: Child, plan } as never,
      /'owns' must be a l/,
    ],
    [
      'a kind that is not there',
      { name: 'x', for: Parent, owns: [undefined], plan } as never,
      /'own/,
    ],
    [
      'a watch without keys',
      { name: 'x', plan, watches: [{ kind: Child }] } as never,
      /'watches' m/,
    ],
    [
      'a kind as a watch',
      { name: 'x', plan, watches: [Child] } as never,
      /list of \{ kind, keys \}/,
    ],
    [
      'a predicate that is none',
      { name: 'x', for: Parent, plan, predicate: 1 } as never,
      /'predic/,
    ],
    ['a batch size of a plan', { name: 'x', for: Parent, plan, batchMax: 5 }, /only for plan/],
    ['sharding by a number', { name: 'x', for: Parent, plan, sharding: 3 } as never, /'by-key'/],
    [
      'an unknown field',
      { name: 'x', for: Parent, plan, predicates: [] } as never,
      /no field 'predi/,
    ],
    ['no batch', { name: 'x', for: Parent, planBatch, batchMax: 0.5 }, /'batchMax'/],
  ];
  it.each(bad)('refuses %s', (_title, definition, expected) => {
    expect(() => defineController(definition)).toThrow(expected);
  });

  it('tells all faults at once', () => {
    try {
      defineController({ name: '', plan, reconcile } as never);
    } catch (error) {
      expect(isSkepError(error, 'invalid-argument')).toBe(true);
      expect(isSkepError(error) ? error.details['faults'] : []).toHaveLength(3);
    }
    expect.assertions(2);
  });
});
