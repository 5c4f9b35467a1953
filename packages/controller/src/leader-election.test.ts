import { describe, expect, it } from '@jest/globals';
import { Lease, silentLogger, silentMetrics, withSpec } from '@skep/api';
import { VirtualClock, seededRandom } from '@skep/api/virtual';
import { memoryStore, type Store, type Transaction } from '@skep/store';
import { foreignLease, managers } from './__fixtures__/managers.js';
import { create, update } from './changes.js';
import type { LeaderElectorOptions } from './elector-options.js';
import { LeaderElector } from './leader-election.js';
import { leaseId } from './lease-claim.js';

const ID = leaseId('leader');

interface Alone {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly elector: LeaderElector;
  readonly said: string[];
  lease(): Lease | undefined;
  /** What commits of the elector meet instead of the store, while it is set. */
  answer: ((transaction: Transaction) => ReturnType<Store['commit']>) | undefined;
}

function alone(options: LeaderElectorOptions = {}): Alone {
  const clock = new VirtualClock({ start: 0 });
  const inner = memoryStore({ clock, kinds: [Lease] });
  const said: string[] = [];
  const store: Store = new Proxy(inner, {
    get: (target, name) => {
      if (name === 'commit') {
        return (t: Transaction) => (made.answer === undefined ? inner.commit(t) : made.answer(t));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const elector = new LeaderElector(
    { store, clock, random: seededRandom(1), identity: 'me', logger: silentLogger },
    {
      onStarted: () => void said.push(`started ${clock.now()}`),
      onStopped: () => void said.push(`stopped ${clock.now()}`),
      ...options,
    },
  );
  const lease = (): Lease | undefined => inner.view().get(Lease, ID);
  const made: Alone = { clock, store: inner, elector, said, lease, answer: undefined };
  return made;
}

describe('LeaderElector', () => {
  it('takes a lease that nobody has, and renews it every two seconds', async () => {
    const { clock, elector, lease, said } = alone();
    await elector.start();
    await clock.flush();
    expect(lease()?.spec).toEqual({
      holder: 'me',
      term: 1,
      durationMs: 15_000,
      acquiredAt: 0,
      renewedAt: 0,
    });
    expect(elector.isLeader).toBe(true);
    expect(elector.leader).toBe('me');
    await clock.advance(4_100);
    expect(lease()?.spec).toMatchObject({ acquiredAt: 0, renewedAt: 4_000, term: 1 });
    expect(said).toEqual(['started 0']);
    await elector.stop();
  });

  it('stops its followers before it releases the lease for others', async () => {
    const { clock, elector, lease, said } = alone({
      onStopped: () => void said.push(`stopped while ${lease()?.spec.holder} holds it`),
    });
    await elector.start();
    await clock.flush();
    await elector.stop();
    expect(said).toEqual(['started 0', 'stopped while me holds it']);
    expect(lease()?.spec).toMatchObject({ holder: '', term: 1 });
    expect(elector.leader).toBeUndefined();
    await elector.start();
    await clock.flush();
    expect(lease()?.spec).toMatchObject({ holder: 'me', term: 2 });
    await elector.stop();
  });

  it('keeps the lease on stop if asked to', async () => {
    const { clock, elector, lease } = alone({ isReleasedOnStop: false });
    await elector.start();
    await clock.flush();
    await elector.stop();
    expect(lease()?.spec.holder).toBe('me');
  });

  it("waits for another's lease from when it saw it, whatever its times say", async () => {
    const { clock, elector, store, lease } = alone();
    const object = foreignLease(ID, { term: 7, durationMs: 6_000, renewedAt: 9e12 });
    await store.commit({ actor: 'elector', changes: [create(object)] });
    await elector.start();
    await clock.advance(3_000);
    const renewed = withSpec(lease() ?? object, { ...object.spec, renewedAt: -9e12 });
    await store.commit({ actor: 'elector', changes: [update(renewed)] });
    await clock.advance(5_999);
    expect(elector.isLeader).toBe(false);
    await clock.advance(1);
    expect(elector.isLeader).toBe(true);
    expect(lease()?.spec).toMatchObject({ holder: 'me', term: 8 });
    await elector.stop();
  });

  it.each([
    ['fails', () => Promise.reject(new Error('no store'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('steps down at its renew deadline when the store %s', async (_how, answer) => {
    const made = alone();
    const { clock, elector, said } = made;
    await elector.start();
    await clock.advance(5_000);
    made.answer = answer;
    await clock.advance(8_999);
    expect(elector.isLeader).toBe(true);
    await clock.advance(1);
    expect(elector.isLeader).toBe(false);
    expect(said).toEqual(['started 0', 'stopped 14000']);
    made.answer = undefined;
    const stopped = elector.stop();
    await clock.advance(10_000);
    await stopped;
  });

  it('comes back in a new term when the store does', async () => {
    const made = alone();
    const { clock, elector, said } = made;
    await elector.start();
    await clock.flush();
    made.answer = () => Promise.reject(new Error('no store'));
    await clock.advance(20_000);
    made.answer = undefined;
    await clock.advance(5_000);
    expect(elector.term).toBe(2);
    expect(said).toHaveLength(3);
    await elector.stop();
  });

  it('steps down at once when another has taken the lease', async () => {
    const { clock, elector, store, lease, said } = alone();
    await elector.start();
    await clock.advance(500);
    const mine = lease();
    if (mine === undefined) throw new Error('no lease');
    const theirs = update(withSpec(mine, { ...mine.spec, holder: 'them', term: 2 }));
    await store.commit({ actor: 'elector', changes: [theirs] });
    await clock.flush();
    expect(said).toEqual(['started 0', 'stopped 500']);
    expect(elector.leader).toBe('them');
    await elector.stop();
    expect(lease()?.spec.holder).toBe('them');
  });

  it('does not let a fence of an earlier term end the present one', async () => {
    const { clock, elector } = alone();
    const before = elector.fence();
    expect(before).toEqual([{ type: 'lease', id: ID, holder: 'me', term: 0 }]);
    await elector.start();
    await clock.flush();
    const conflict = { reason: 'lease', kind: 'Lease', id: ID, message: '', version: 1 } as const;
    elector.onFenceLost(conflict, before);
    expect(elector.isLeader).toBe(true);
    elector.onFenceLost(conflict, elector.fence());
    expect(elector.isLeader).toBe(false);
    await elector.stop();
  });

  it('lets another try when what it leads cannot start', async () => {
    const { clock, elector, lease, said } = alone({
      onStarted: () => Promise.reject(new Error('no')),
    });
    await elector.start();
    await clock.flush();
    expect(said).toEqual(['stopped 0']);
    expect(lease()?.spec.holder).toBe('');
    await clock.advance(1_999);
    expect(said).toHaveLength(1);
    await clock.advance(2_500);
    expect(said).toHaveLength(2);
    await elector.stop();
  });

  it('stops with its signal', async () => {
    const { clock, elector, lease } = alone();
    const abort = new AbortController();
    await elector.start(abort.signal);
    await clock.flush();
    abort.abort();
    await clock.flush();
    expect(lease()?.spec.holder).toBe('');
  });

  it('starts nobody before the view holds the commit of the lease', async () => {
    const clock = new VirtualClock({ start: 0 });
    const inner = memoryStore({ clock, kinds: [Lease] });
    let arrive = (): void => undefined;
    const waits: number[] = [];
    const store: Store = Object.assign(Object.create(inner) as Store, {
      kinds: inner.kinds,
      view: () => inner.view(),
      commit: (transaction: Transaction) => inner.commit(transaction),
      subscribe: (...input: Parameters<Store['subscribe']>) => inner.subscribe(...input),
      waitFor: (revision: number) => {
        waits.push(revision);
        return new Promise<void>((resolve) => (arrive = resolve));
      },
    });
    const said: string[] = [];
    const elector = new LeaderElector(
      { store, clock, random: seededRandom(1), identity: 'me' },
      {
        onStarted: () => void said.push(`started ${clock.now()}`),
        onStopped: ({ isLeaseHeld }) => void said.push(`stopped, held: ${isLeaseHeld}`),
      },
    );
    await elector.start();
    await clock.advance(500);
    expect([elector.isLeader, said, waits]).toEqual([true, [], [1]]);
    arrive();
    await clock.flush();
    expect(said).toEqual(['started 500']);
    await elector.stop();
    expect(said).toEqual(['started 500', 'stopped, held: true']);
    // A view that never comes does not hold up the end.
    await elector.start();
    await clock.advance(500);
    await elector.stop();
    expect(said).toHaveLength(2);
  });

  it('tells the metrics whether it leads', async () => {
    const { clock, store } = alone();
    const values: unknown[] = [];
    const gauge = { set: (...input: unknown[]) => void values.push(input) };
    const metrics = { ...silentMetrics, gauge: () => gauge };
    const seams = { store, clock, random: seededRandom(1), metrics };
    const elector = new LeaderElector({ ...seams, identity: 'me' });
    await elector.start();
    await clock.flush();
    await elector.stop();
    expect(values).toEqual([0, 1, 0].map((value) => [value, { name: 'leader' }]));
  });

  it('may be stopped twice and started while it stops', async () => {
    const { clock, elector, lease, said } = alone();
    await elector.start();
    await clock.flush();
    const stops = [elector.stop(), elector.stop()];
    await elector.start();
    await Promise.all(stops);
    await clock.flush();
    expect(lease()?.spec).toMatchObject({ holder: 'me', term: 2 });
    expect(said).toEqual(['started 0', 'stopped 0', 'started 0']);
    await elector.stop();
    expect(lease()?.spec).toMatchObject({ holder: '', term: 2 });
  });

  it('needs a store that keeps leases', () => {
    const clock = new VirtualClock();
    const parts = { clock, random: seededRandom(1), identity: 'me' };
    const store = memoryStore({ clock, kinds: [] });
    const code = expect.objectContaining({ code: 'invalid-argument' });
    expect(() => new LeaderElector({ ...parts, store })).toThrow(code);
  });

  it.each([
    [{ retryMs: 0 }],
    [{ retryMs: 10_000 }],
    [{ renewDeadlineMs: 15_000 }],
    [{ durationMs: Number.NaN }],
  ])('refuses %o', (options) => {
    expect(() => alone(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('two managers on one log', () => {
  it.each([true, false])('lets the old leader write nothing late (%s)', async (isReversed) => {
    const { clock, managers: both, audit, leaders } = await managers(['a', 'b']);
    for (const { runnable } of both) await runnable.start();
    await clock.advance(3_000);
    const [old] = leaders();
    const other = both.find((manager) => manager !== old);
    if (old === undefined || other === undefined) throw new Error('nobody leads');
    old.gate.isPausedOnWrite = true;
    while (!old.gate.isPaused) await clock.advance(50);
    const pausedAt = clock.now();
    // What it had written before arrives.
    await clock.advance(100);
    const writes = audit.writes.get(old.name) ?? 0;
    expect(writes).toBeGreaterThan(3);

    let failoverMs = 0;
    while (!other.elector.isLeader) {
      await clock.advance(100);
      failoverMs = clock.now() - pausedAt;
      if (failoverMs > 20_000) throw new Error('no failover');
      expect(leaders().length).toBeLessThanOrEqual(1);
    }
    expect(failoverMs).toBeLessThanOrEqual(15_000 + 100);
    await clock.advance(5_000);
    expect(audit.writes.get(other.name)).toBeGreaterThan(5);

    old.gate.resume(isReversed);
    await clock.advance(5_000);
    expect(audit.writes.get(old.name)).toBe(writes);
    expect(audit.intruders).toEqual([]);
    expect(old.elector.isLeader).toBe(false);
    expect(old.group.status()).toEqual([]);

    await other.runnable.stop();
    await clock.advance(1_000);
    expect(old.elector.isLeader).toBe(true);
    expect(audit.terms).toEqual([1, 2, 3]);
    await clock.advance(2_000);
    expect(audit.writes.get(old.name)).toBeGreaterThan(writes);
    await old.runnable.stop();
  });
});
