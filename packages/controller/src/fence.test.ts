import { describe, expect, it } from '@jest/globals';
import { Event, Lease, seededRandom, withSpec } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Expectation, type Store } from '@skep/store';
import { listeningLogger, type LogLine, Parent, parent } from './__fixtures__/world.js';
import { foreignLease } from './__fixtures__/managers.js';
import { create, update } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import type { ControllerDefinition } from './contract.js';
import { LeaderElector } from './leader-election.js';
import { leaseId } from './lease-claim.js';
import { runWhenLeader } from './run-when-leader.js';

const FENCE: Expectation = { type: 'lease', id: 'lease', holder: 'me', term: 1 };

interface Fenced {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly group: ControllerGroup;
  readonly lost: string[];
  readonly logs: LogLine[];
  /** Gives the lease to another, then has a user write to the parents. */
  depose(): Promise<void>;
}

async function fenced(definition: ControllerDefinition): Promise<Fenced> {
  const clock = new VirtualClock({ start: 0 });
  const store = memoryStore({ clock, kinds: [Parent, Lease, Event] });
  const lost: string[] = [];
  const logs: LogLine[] = [];
  const group = new ControllerGroup({
    store,
    clock,
    random: seededRandom(1),
    logger: listeningLogger(logs),
    fence: () => [FENCE],
    onFenceLost: (conflict, fence) => {
      expect(fence).toEqual([FENCE]);
      lost.push(conflict.message);
    },
  }).add(definition);
  const lease = foreignLease('lease', { holder: 'me' });
  const objects = [lease, parent('p'), parent('q')];
  await store.commit({ actor: 'user', changes: objects.map(create) });
  await group.start();
  await clock.flush();
  const depose = async (): Promise<void> => {
    const held = store.view().get(Lease, 'lease') ?? lease;
    const changes = [update(withSpec(held, { ...held.spec, holder: 'them', term: 2 }))];
    for (const one of store.view().list(Parent)) {
      changes.push(update(withSpec(one, { wanted: one.spec.wanted + 1 })));
    }
    await store.commit({ actor: 'user', changes });
  };
  return { clock, store, group, lost, logs, depose };
}

/** Notes on each parent how many are wanted. */
function forms(passes: string[]): Record<string, ControllerDefinition> {
  const base = { name: 'noter', for: Parent } as const;
  const noted = (wanted: number): string => `${wanted} are wanted`;
  return {
    plan: {
      ...base,
      plan: (view, key) => {
        passes.push(key);
        const one = view.get(Parent, key);
        if (one === undefined || one.spec.note === noted(one.spec.wanted)) return { changes: [] };
        const changes = [update(withSpec(one, { ...one.spec, note: noted(one.spec.wanted) }))];
        return { changes, requeueAt: 1_000 };
      },
    },
    planBatch: {
      ...base,
      planBatch: (view, keys) => {
        passes.push(...keys);
        const groups = keys.flatMap((key) => {
          const one = view.get(Parent, key);
          if (one === undefined || one.spec.note === noted(one.spec.wanted)) return [];
          const next = withSpec(one, { ...one.spec, note: noted(one.spec.wanted) });
          return [{ keys: [key], changes: [update(next)] }];
        });
        return { groups };
      },
    },
    reconcile: {
      ...base,
      reconcile: async ({ view, commit }, key) => {
        passes.push(key);
        const one = view.get(Parent, key);
        if (one === undefined || one.spec.note === noted(one.spec.wanted)) return undefined;
        const next = withSpec(one, { ...one.spec, note: noted(one.spec.wanted) });
        // What a reconcile catches does not hide a lost fence.
        await commit([update(next)]).catch(() => undefined);
        return undefined;
      },
    },
  };
}

describe.each(['plan', 'planBatch', 'reconcile'])('a lost fence, by %s', (form) => {
  it('stops the loop: no retry, no later pass, no event', async () => {
    const passes: string[] = [];
    const definition = forms(passes)[form];
    if (definition === undefined) throw new Error(form);
    const { clock, store, group, lost, logs, depose } = await fenced(definition);
    expect(store.view().get(Parent, 'p')?.spec.note).toBe('1 are wanted');
    await depose();
    const { revision } = store.view();
    passes.length = 0;
    await clock.flush();
    expect(passes.length).toBeGreaterThan(0);
    expect(passes.length).toBeLessThanOrEqual(2);
    expect(lost).toHaveLength(1);
    expect(logs.filter(({ message }) => message === 'fence lost')).toHaveLength(1);
    passes.length = 0;
    await clock.advance(2_000_000);
    expect(passes).toEqual([]);
    expect(store.view().revision).toBe(revision);
    expect(group.isIdle()).toBe(true);
    expect(group.nextAt()).toBeUndefined();
    await group.stop();
  });
});

it('writes nothing in a later term that was decided in an earlier one', async () => {
  const clock = new VirtualClock({ start: 0 });
  const store = memoryStore({ clock, kinds: [Parent, Lease] });
  await store.commit({ actor: 'user', changes: [create(parent('p'))] });
  const seams = { store, clock, random: seededRandom(1) };
  const elector = new LeaderElector({ ...seams, identity: 'me' });
  const { fence, onFenceLost } = elector;
  const passes: (() => void)[] = [];
  const outcomes: string[] = [];
  const group = new ControllerGroup({ ...seams, fence, onFenceLost }).add({
    name: 'slow',
    for: Parent,
    reconcile: async ({ view, commit }, key) => {
      const one = view.get(Parent, key);
      if (one === undefined || passes.length > 0) return undefined;
      await new Promise<void>((resolve) => passes.push(resolve));
      const written = commit([update(withSpec(one, { ...one.spec, note: 'late' }))]);
      outcomes.push(await written.then(() => 'written', String));
      return undefined;
    },
  });
  const manager = runWhenLeader(elector, group);
  await manager.start();
  await clock.advance(100);
  const lease = store.view().get(Lease, leaseId('leader'));
  if (lease === undefined) throw new Error('no lease');
  const theirs = withSpec(lease, { ...lease.spec, holder: '', term: 2 });
  await store.commit({ actor: 'elector', changes: [update(theirs)] });
  // The group waits half a minute for the pass, and then no longer.
  await clock.advance(40_000);
  expect(elector.term).toBe(3);
  passes[0]?.();
  await clock.advance(1_000);
  expect(outcomes).toEqual([expect.stringContaining('does not hold lease')]);
  expect(store.view().get(Parent, 'p')?.spec.note).not.toBe('late');
  await manager.stop();
});

it('takes a lease that a plan itself expects for an ordinary conflict', async () => {
  let passes = 0;
  const { clock, group, lost } = await fenced({
    name: 'shard',
    for: Parent,
    predicate: ({ object }) => object.meta.id === 'p',
    plan: (view, key) => {
      passes += 1;
      const one = view.get(Parent, key);
      if (one === undefined || passes > 3) return { changes: [] };
      const expectation: Expectation = { type: 'lease', id: 'other', holder: 'me', term: 1 };
      return { changes: [update(one)], expect: [expectation] };
    },
  });
  await clock.advance(1);
  expect(passes).toBe(4);
  expect(lost).toEqual([]);
  await group.stop();
});

it('drops events for people that the fence stops', async () => {
  const { clock, group, lost, depose } = await fenced({
    name: 'talker',
    for: Parent,
    plan: (view, key) => {
      const regarding = view.get(Parent, key);
      if (regarding === undefined || regarding.spec.wanted < 2) return { changes: [] };
      const event = { regarding, type: 'normal', reason: 'Seen', message: 'seen' } as const;
      return { changes: [], events: [event] };
    },
  });
  await depose();
  await clock.advance(10_000);
  expect(lost).toHaveLength(1);
  expect(group.isIdle()).toBe(true);
  await group.stop();
});
