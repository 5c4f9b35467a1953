import { describe, expect, it } from '@jest/globals';
import { defineKind, newObject, type Metrics } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { CommitEvent, Store } from './contract.js';
import { meteredStore } from './metered-store.js';
import { memoryStore } from './open.js';

const Thing = defineKind<Record<string, never>, Record<string, never>>({
  name: 'Thing',
  initialStatus: {},
});

function create(id: string): { type: 'create'; object: ReturnType<typeof newObject> } {
  return { type: 'create', object: newObject(Thing, { id, name: id, spec: {} }) };
}

interface Setting {
  readonly inner: Store;
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly values: Map<string, number>;
}

function setUp(slow?: (inner: Store, clock: VirtualClock) => Partial<Store>): Setting {
  const clock = new VirtualClock();
  const memory = memoryStore({ clock, kinds: [Thing] });
  const inner =
    slow === undefined ? memory : Object.assign(Object.create(memory), slow(memory, clock));
  const values = new Map<string, number>();
  const add =
    ({ name }: { name: string }) =>
    (value: number, labels: Readonly<Record<string, string>> = {}): void => {
      const key = [name, ...Object.values(labels)].join(' ');
      values.set(key, (values.get(key) ?? 0) + value);
    };
  const metrics: Metrics = {
    counter: (definition) => ({ add: add(definition) }),
    gauge: (definition) => ({ set: add(definition) }),
    histogram: (definition) => ({ observe: add(definition) }),
  };
  return { inner, store: meteredStore(inner, { clock, metrics }), clock, values };
}

describe('meteredStore', () => {
  it('counts commits by how they end, and the changes in them', async () => {
    const { store, values } = setUp();
    await store.commit({ actor: 'user', changes: [create('a'), create('b')] });
    await store.commit({ actor: 'user', changes: [create('a')] });
    await store.batch({ actor: 'user', changes: [create('c')] });
    await store.batch({ actor: 'user', changes: [create('d'), create('c')] });
    const unknown = { kind: 'Nothing', id: 'x', type: 'delete' } as const;
    await expect(store.commit({ actor: 'user', changes: [unknown] })).rejects.toThrow(/Nothing/);
    expect(values.get('skep_store_commits_total ok')).toBe(2);
    expect(values.get('skep_store_commits_total conflict')).toBe(2);
    expect(values.get('skep_store_commits_total error')).toBe(1);
    expect(values.get('skep_store_changes_total')).toBe(3);
  });

  it('tells how long they took', async () => {
    const { store, clock, values } = setUp((inner, time) => ({
      commit: async (transaction) => {
        await time.advance(250);
        return inner.commit(transaction);
      },
    }));
    await store.commit({ actor: 'user', changes: [create('a')] });
    expect(clock.now()).toBeGreaterThan(0);
    expect(values.get('swarm_store_write_tx_latency_seconds')).toBe(0.25);
  });

  it('is the same store in everything else', async () => {
    const { store, inner } = setUp();
    const seen: CommitEvent[] = [];
    const watch = store.subscribe({ commit: (event) => seen.push(event), ended: () => undefined });
    const result = await store.commit({ actor: 'user', changes: [create('a')] });
    expect(result).toEqual({ ok: true, revision: 1 });
    expect(store.view()).toBe(inner.view());
    expect(store.kinds).toBe(inner.kinds);
    await store.waitFor(1);
    expect(seen.map(({ revision }) => revision)).toEqual([1]);
    watch.unsubscribe();
    await store.compact(1);
    await store.close();
    await expect(inner.commit({ actor: 'user', changes: [] })).rejects.toThrow();
  });
});
