import { describe, expect, it } from '@jest/globals';
import { isEqual, type FieldManagers } from '@skep/api';
import fc from 'fast-check';
import {
  managersAfterRestore,
  managersAfterUpdate,
  mergeFields,
  returnFields,
} from './field-managers.js';
import type { ManagedSpec } from './field-managers.js';
import { fieldsOf, withValueAt, type PathStep } from './field-paths.js';

const EMPTY: ManagedSpec = { spec: {}, managers: {} };

/** Merges opinions in turn; none may meet a conflict. */
function merged(...opinions: readonly [manager: string, spec: unknown][]): ManagedSpec {
  return opinions.reduce<ManagedSpec>((before, [manager, spec]) => {
    const outcome = mergeFields(before, { manager, spec });
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.conflicts));
    return { spec: outcome.spec, managers: outcome.managers };
  }, EMPTY);
}

describe('fieldsOf', () => {
  it.each([
    ['scalars', { b: 1, a: null, c: undefined }, ['b', 'a']],
    ['objects', { a: { b: { c: 1 } }, d: {} }, ['a.b.c', 'd']],
    ['plain lists', { a: [1, 2], b: [], c: [{ x: 1 }] }, ['a', 'b', 'c']],
    ['names twice', { a: [{ name: 'x' }, { name: 'x' }] }, ['a']],
    ['keyed lists', { a: [{ name: 'x', v: { w: 1 } }] }, ['a[name=x].name', 'a[name=x].v.w']],
    ['odd names', { 'a.b': { '': 1 }, c: [{ name: 'x]' }] }, ['["a.b"][""]', 'c[name="x]"].name']],
    ['a spec that is none', 7, ['']],
    ['nothing', {}, []],
  ])('finds %s', (_what, spec, paths) => {
    expect([...fieldsOf(spec).keys()]).toEqual(paths);
  });
});

describe('mergeFields', () => {
  it('remembers who set what, and leaves the rest alone', () => {
    const both = merged(
      ['stack', { replicas: 2, image: 'a', labels: { 'com.example': 'x' } }],
      ['stack', { image: 'a', labels: { 'com.example': 'x' } }],
      ['autoscaler', { replicas: 5 }],
      ['stack', { image: 'b', labels: { 'com.example': 'x' } }],
    );
    expect(both).toEqual({
      spec: { replicas: 5, image: 'b', labels: { 'com.example': 'x' } },
      managers: { autoscaler: ['replicas'], stack: ['image', 'labels["com.example"]'] },
    });
  });

  it('names the other manager, the field and its value', () => {
    const before = merged(['autoscaler', { mode: { replicas: 5 } }]);
    expect(
      mergeFields(before, { manager: 'stack', spec: { mode: { replicas: 2 }, x: 1 } }),
    ).toEqual({
      ok: false,
      conflicts: [{ manager: 'autoscaler', field: 'mode.replicas', value: 5 }],
    });
  });

  it('takes over by force; the other hears of it when it comes back', () => {
    const before = merged(['a', { n: 1, m: 1 }]);
    const forced = mergeFields(before, { manager: 'b', spec: { n: 2 }, force: true });
    expect(forced).toEqual({
      ok: true,
      spec: { n: 2, m: 1 },
      managers: { a: ['m'], b: ['n'] },
    });
    expect(forced.ok && mergeFields(forced, { manager: 'a', spec: { n: 1, m: 1 } }).ok).toBe(false);
  });

  it.each<[string, [string, unknown][], unknown, FieldManagers]>([
    [
      'a field that two own stays until the second lets go',
      [
        ['a', { n: 1, m: { k: 1 } }],
        ['b', { m: { k: 1 } }],
        ['a', { n: 1 }],
      ],
      { n: 1, m: { k: 1 } },
      { a: ['n'], b: ['m.k'] },
    ],
    [
      'what becomes empty goes, unless someone wants it to be there',
      [
        ['b', { y: {} }],
        ['a', { x: { k: { l: 1 } }, y: { k: 1 } }],
        ['a', {}],
      ],
      { y: {} },
      { b: ['y'] },
    ],
    [
      'items of a keyed list go with their last owner',
      [
        [
          'a',
          {
            l: [
              { name: 'x', v: 1 },
              { name: 'y', v: 1 },
            ],
          },
        ],
        ['b', { l: [{ name: 'y', w: 2 }] }],
        ['a', {}],
      ],
      { l: [{ name: 'y', w: 2 }] },
      { b: ['l[name=y].name', 'l[name=y].w'] },
    ],
    [
      'a list becomes one of names and back',
      [
        ['a', { l: [] }],
        ['a', { l: [{ name: 'x' }] }],
        ['a', { l: [1] }],
      ],
      { l: [1] },
      { a: ['l'] },
    ],
    [
      'an object becomes a scalar and back',
      [
        ['a', { o: { p: { q: 1 } } }],
        ['a', { o: { p: 2 } }],
        ['a', { o: { p: { r: 3 } } }],
      ],
      { o: { p: { r: 3 } } },
      { a: ['o.p.r'] },
    ],
  ])('%s', (_what, opinions, spec, managers) => {
    expect(merged(...opinions)).toEqual({ spec, managers });
  });

  it.each<[string, unknown, unknown, string]>([
    ['a plain list', { l: [1] }, { l: [1, 2] }, 'l'],
    ['an object in place of a scalar', { a: 1 }, { a: { b: 1 } }, 'a'],
    ['a scalar in place of an object', { a: { b: 1 } }, { a: 1 }, 'a.b'],
    ['items in place of no items', { l: [] }, { l: [{ name: 'x' }] }, 'l'],
    ['no items in place of items', { l: [{ name: 'x' }] }, { l: [] }, 'l[name=x].name'],
  ])('holds %s for a conflict', (_what, one, other, field) => {
    const outcome = mergeFields(merged(['a', one]), { manager: 'b', spec: other });
    expect(outcome).toMatchObject({ ok: false, conflicts: [{ manager: 'a', field }] });
    expect(mergeFields(merged(['a', one]), { manager: 'b', spec: other, force: true })).toEqual({
      ok: true,
      spec: other,
      managers: { b: [...fieldsOf(other).keys()] },
    });
  });

  it('sets without a conflict what nobody owns', () => {
    const before = { spec: { n: 1, m: 1 }, managers: {} };
    const outcome = mergeFields(before, { manager: 'a', spec: { n: 2 } });
    expect(outcome).toEqual({ ok: true, spec: { n: 2, m: 1 }, managers: { a: ['n'] } });
  });
});

describe('managersAfterUpdate', () => {
  it('gives what was changed to who changed it, and drops what is gone', () => {
    const before = merged(['stack', { n: 1, m: 1, k: 1, o: {} }], ['b', { m: 1 }]);
    expect(managersAfterUpdate(before, { n: 2, m: 1, o: { p: 1 } }, 'cli')).toEqual({
      b: ['m'],
      cli: ['n', 'o.p'],
      stack: ['m', 'o'],
    });
  });

  it('changes nothing when nothing changed', () => {
    const before = merged(['stack', { n: 1, o: {} }], ['b', { o: { p: 1 } }]);
    expect(managersAfterUpdate(before, before.spec, 'cli')).toEqual(before.managers);
  });
});

const field = (name: string): PathStep => ({ type: 'field', name });
const item = (name: string): PathStep => ({ type: 'item', name });

/** Places that a spec may set; those of a keyed list bring the names of their items along. */
const PLACES: readonly (readonly PathStep[])[] = [
  [field('a')],
  [field('b'), field('x')],
  [field('b'), field('y')],
  [field('c'), field('d'), field('e.f')],
  [field('list'), item('p'), field('v')],
  [field('list'), item('p'), field('w')],
  [field('list'), item('q'), field('v')],
  [field('b'), field('inner'), item('r'), field('v')],
];

type Values = readonly (number | readonly number[] | undefined)[];

function specOf(values: Values): unknown {
  return values.reduce<unknown>(
    (spec, value, at) => (value === undefined ? spec : withValueAt(spec, PLACES[at] ?? [], value)),
    {},
  );
}

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.nat(1),
  fc.array(fc.nat(1), { maxLength: 1 }),
);
const values: fc.Arbitrary<Values> = fc.tuple(...PLACES.map(() => value));
const step = fc.record({
  manager: fc.constantFrom('a', 'b', 'c'),
  values,
  force: fc.boolean(),
});

/** What `mergeFields` should do, said again as sets: live values, and what each manager owns. */
class Model {
  readonly live = new Map<string, unknown>();
  readonly owned = new Map<string, Set<string>>();

  apply(manager: string, spec: unknown, force: boolean): readonly string[] {
    const wanted = fieldsOf(spec);
    const isOwnedByOthers = (path: string): boolean =>
      [...this.owned].some(([name, paths]) => name !== manager && paths.has(path));
    const conflicts = [...wanted.values()]
      .filter(({ path, value: next }) => !isEqual(this.live.get(path), next))
      .filter(({ path }) => isOwnedByOthers(path))
      .map(({ path }) => path);
    if (conflicts.length > 0 && !force) return conflicts;
    for (const [name, paths] of this.owned) {
      if (name !== manager) for (const path of conflicts) paths.delete(path);
    }
    for (const path of this.owned.get(manager) ?? []) {
      if (!wanted.has(path) && !isOwnedByOthers(path)) this.live.delete(path);
    }
    for (const { path, value: next } of wanted.values()) this.live.set(path, next);
    this.owned.set(manager, new Set(wanted.keys()));
    return [];
  }
}

const asObject = (map: ReadonlyMap<string, unknown>): unknown =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

function liveOf({ spec }: ManagedSpec): unknown {
  return asObject(new Map([...fieldsOf(spec)].map(([path, found]) => [path, found.value])));
}

describe('laws of field managers', () => {
  it('does what the model does: a conflict iff another owns a field with another value', () => {
    const law = fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const model = new Model();
      let state = EMPTY;
      for (const { manager, values: wanted, force } of steps) {
        const spec = specOf(wanted);
        const expected = model.apply(manager, spec, force);
        const outcome = mergeFields(state, { manager, spec, force });
        if (outcome.ok) state = outcome;
        const found = outcome.ok ? [] : outcome.conflicts.map((one) => one.field);
        expect([...new Set(found)].sort()).toEqual([...expected].sort());
        expect(liveOf(state)).toEqual(asObject(model.live));
        const owned = [...model.owned].filter(([, paths]) => paths.size > 0);
        expect(state.managers).toEqual(
          asObject(new Map(owned.map(([name, paths]) => [name, [...paths].sort()]))),
        );
      }
    });
    fc.assert(law, { numRuns: 100 });
  });

  it('is idempotent: the same again is the very same spec and the same owners', () => {
    const law = fc.property(fc.array(step, { maxLength: 5 }), step, (steps, last) => {
      const apply = (before: ManagedSpec, one: typeof last): ManagedSpec => {
        const spec = specOf(one.values);
        const outcome = mergeFields(before, { manager: one.manager, spec, force: true });
        return outcome.ok ? outcome : before;
      };
      const once = apply(steps.reduce(apply, EMPTY), last);
      const twice = apply(once, last);
      expect(twice.spec).toBe(once.spec);
      expect(twice.managers).toEqual(once.managers);
    });
    fc.assert(law, { numRuns: 100 });
  });

  it('commutes for managers of different fields', () => {
    const law = fc.property(values, fc.array(fc.boolean(), { minLength: 8 }), (all, sides) => {
      const one = specOf(all.map((next, at) => (sides[at] === true ? next : undefined)));
      const other = specOf(all.map((next, at) => (sides[at] === true ? undefined : next)));
      const there = merged(['a', one], ['b', other]);
      const back = merged(['b', other], ['a', one]);
      expect(liveOf(there)).toEqual(liveOf(back));
      expect(there.managers).toEqual(back.managers);
    });
    fc.assert(law, { numRuns: 100 });
  });

  it('owns only what is there, also after edits', () => {
    const law = fc.property(fc.array(step, { maxLength: 5 }), values, (steps, edited) => {
      const state = steps.reduce<ManagedSpec>((before, { manager, values: wanted }) => {
        const outcome = mergeFields(before, { manager, spec: specOf(wanted), force: true });
        return outcome.ok ? outcome : before;
      }, EMPTY);
      const spec = specOf(edited);
      const managers = managersAfterUpdate(state, spec, 'cli');
      const present = fieldsOf(spec);
      for (const paths of Object.values(managers)) {
        for (const path of paths) expect(present.has(path)).toBe(true);
      }
      const old = fieldsOf(state.spec);
      for (const { path, value: next } of present.values()) {
        const isChanged = !isEqual(old.get(path)?.value, next);
        if (isChanged) expect(managers['cli']).toContain(path);
      }
    });
    fc.assert(law, { numRuns: 100 });
  });
});

describe('named lists that are declared in another order', () => {
  const named = (...names: string[]) => ({ steps: names.map((name) => ({ name })) });

  it.each([
    ['are in that order', named('a', 'b', 'c'), named('c', 'a', 'b'), ['c', 'a', 'b']],
    ['new items come last', named('a', 'b'), named('n', 'b', 'a'), ['n', 'b', 'a']],
  ])('%s', (_what, before, after, wanted) => {
    const { spec } = merged(['stack', before], ['stack', after]);
    expect((spec as ReturnType<typeof named>).steps.map(({ name }) => name).sort()).toEqual(
      [...wanted].sort(),
    );
    expect((spec as ReturnType<typeof named>).steps.map(({ name }) => name)).toEqual(wanted);
  });

  it('items of others keep their places', () => {
    const { spec } = merged(
      ['stack', named('a', 'b')],
      ['other', named('x')],
      ['stack', named('a', 'b', 'c')],
      ['stack', named('c', 'b', 'a')],
    );
    expect((spec as ReturnType<typeof named>).steps.map(({ name }) => name)).toEqual([
      'c',
      'b',
      'x',
      'a',
    ]);
  });
});

describe('managersAfterRestore', () => {
  it('what goes back belongs to whom it did, the rest to whom it does now', () => {
    const earlier: ManagedSpec = {
      spec: { image: 'a', env: ['x'], replicas: 2 },
      managers: { stack: ['env', 'image', 'replicas'] },
    };
    const now: ManagedSpec = {
      spec: { image: 'b', args: ['y'], replicas: 2 },
      managers: { autoscaler: ['replicas'], user: ['args', 'image'] },
    };
    expect(managersAfterRestore(now, earlier)).toEqual({
      autoscaler: ['replicas'],
      stack: ['env', 'image'],
    });
  });
});

describe('returnFields', () => {
  const before = merged(['stack', { image: 'a', mode: { replicas: 2 }, env: ['x'] }]);
  const taken = mergeFields(before, {
    manager: 'rollout',
    spec: { image: 'b', mode: { replicas: 3 }, weights: [1] },
    force: true,
  });
  if (!taken.ok) throw new Error('it was forced');

  it('gives everything back', () => {
    expect(returnFields(taken, { manager: 'rollout', earlier: before })).toEqual(before);
  });

  it('but what is kept, and what others did meanwhile', () => {
    const meanwhile = { ...(taken.spec as object), env: ['y'], weights: [2] };
    const managers = managersAfterUpdate(taken, meanwhile, 'user');
    const now: ManagedSpec = { spec: meanwhile, managers };
    expect(returnFields(now, { manager: 'rollout', earlier: before, keep: ['image'] })).toEqual({
      spec: { image: 'b', mode: { replicas: 2 }, env: ['y'], weights: [2] },
      managers: { rollout: ['image'], stack: ['mode.replicas'], user: ['env', 'weights'] },
    });
  });

  it('is the way back from every take-over of values', () => {
    const opinion = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.oneof(
        fc.integer({ min: 0, max: 2 }),
        fc.dictionary(fc.constantFrom('x', 'y'), fc.nat(2), { minKeys: 1 }),
      ),
    );
    fc.assert(
      fc.property(opinion, opinion, (first, second) => {
        const start = merged(['stack', first]);
        // Not: a scalar in the place of an object, which takes all of its fields away.
        fc.pre(
          Object.keys(second).every(
            (key) => typeof first[key] === typeof second[key] || !(key in first),
          ),
        );
        const outcome = mergeFields(start, { manager: 'b', spec: second, force: true });
        if (!outcome.ok) throw new Error('it was forced');
        const back = returnFields(outcome, { manager: 'b', earlier: start });
        expect(back.spec).toEqual(start.spec);
        expect(back.managers).toEqual(start.managers);
      }),
      { seed: 11 },
    );
  });
});
