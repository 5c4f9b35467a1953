/**
 * Expectations: versions of other objects, and the fence of a leader.
 */
import { Lease, newObject, withSpec, type LeaseSpec } from '@skep/api';
import type { Expectation } from '../contract.js';
import {
  Box,
  conflictOf,
  createBox,
  update,
  withStore,
  type Fixture,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';

/** Registers the tests of expectations. */
export function expectationSuite(kit: ConformanceKit, makeStore: MakeStore): void {
  kit.describe('expected versions', () => versionTests(kit, makeStore));
  kit.describe('fences', () => fenceTests(kit, makeStore));
}

function versionTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('let a commit through when they are there', () =>
    withStore(makeStore, async (fixture) => {
      await fixture.commit(createBox({ id: 'a' }));
      expect(await reasonOf(fixture, [version('a', 1), version('b', 0)])).toBe('ok');
      expect(fixture.store.view().revision).toBe(2);
    }));

  it('stop it when they are not', () =>
    withStore(makeStore, async (fixture) => {
      await fixture.commit(createBox({ id: 'a' }));
      expect(await reasonOf(fixture, [version('a', 2)])).toBe('version');
      expect(await reasonOf(fixture, [version('a', 0)])).toBe('already-exists');
      expect(await reasonOf(fixture, [version('b', 1)])).toBe('not-found');
      expect(fixture.store.view().count(Box)).toBe(1);
    }));

  it('hold before the changes, and are named first', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      const result = await store.commit({
        actor: 'tester',
        expect: [version('a', 7), version('b', 7)],
        changes: [createBox({ id: 'a' })],
      });
      const conflict = conflictOf(result);
      expect([conflict?.reason, conflict?.id, conflict?.version]).toEqual(['version', 'a', 1]);
      const same = await store.commit({
        actor: 'tester',
        expect: [version('n', 0)],
        changes: [createBox({ id: 'n' })],
      });
      expect(same.ok).toBe(true);
    }));

  it('are checked when there is nothing to write', () =>
    withStore(makeStore, async ({ store }) => {
      const check = (expected: Expectation) =>
        store.commit({ actor: 'tester', expect: [expected], changes: [] });
      expect(await check(version('a', 0))).toEqual({ ok: true, revision: 0 });
      expect(conflictOf(await check(version('a', 1)))?.reason).toBe('not-found');
    }));
}

function fenceTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  const lease = (holder: string, term: number): LeaseSpec => ({
    holder,
    term,
    durationMs: 15_000,
    acquiredAt: 0,
    renewedAt: 0,
  });
  const held = (holder: string, term: number): Expectation => ({
    type: 'lease',
    id: 'leader',
    holder,
    term,
  });

  it('let the holder of the term write, and nobody else', () =>
    withStore(makeStore, async (fixture) => {
      expect(await reasonOf(fixture, [held('m1', 1)])).toBe('lease');
      const spec = lease('m1', 1);
      await fixture.commit({ type: 'create', object: newObject(Lease, { id: 'leader', spec }) });
      expect(await reasonOf(fixture, [held('m1', 1)])).toBe('ok');
      expect(await reasonOf(fixture, [held('m2', 1)])).toBe('lease');
      expect(await reasonOf(fixture, [held('m1', 2)])).toBe('lease');
    }));

  it('stop the old leader with the very commit that makes the new one', () =>
    withStore(makeStore, async (fixture) => {
      const { commit, store } = fixture;
      const created = newObject(Lease, { id: 'leader', spec: lease('m1', 1) });
      await commit({ type: 'create', object: created });
      const old = store.view().get(Lease, 'leader');
      if (old === undefined) throw new Error('the lease is not there');
      const [taken, late] = await Promise.all([
        commit(update(withSpec(old, lease('m2', 2)))),
        reasonOf(fixture, [held('m1', 1)]),
      ]);
      expect([taken.ok, late]).toEqual([true, 'lease']);
      expect(await reasonOf(fixture, [held('m2', 2)])).toBe('ok');
      await commit({ type: 'delete', kind: 'Lease', id: 'leader' });
      expect(await reasonOf(fixture, [held('m2', 2)])).toBe('lease');
    }));
}

function version(id: string, expected: number): Expectation {
  return { type: 'version', kind: 'Box', id, version: expected };
}

/** Reason of the conflict of a commit under these expectations, or `ok`. */
async function reasonOf({ store }: Fixture, expect: readonly Expectation[]): Promise<string> {
  const id = `probe-${store.view().revision}`;
  const changes = [createBox({ id })];
  return conflictOf(await store.commit({ actor: 'tester', expect, changes }))?.reason ?? 'ok';
}
