/**
 * The same seed gives the same commits, in the same order, by the same actors.
 */
import { describe, expect, it } from '@jest/globals';
import { seededRandom, withStatus } from '@skep/api';
import { laggingStore } from '../src/__fixtures__/lagging-store.js';
import { Child, child, childrenOf, Parent, parent, world } from '../src/__fixtures__/world.js';
import { create, noChanges, remove, update } from '../src/changes.js';
import { ControllerGroup } from '../src/controller-group.js';
import type { PlanController } from '../src/contract.js';

const children: PlanController = {
  name: 'children',
  for: Parent,
  owns: [Child],
  plan: (view, key, now) => {
    const wanted = view.get(Parent, key)?.spec.wanted ?? 0;
    const there = [...view.list(Child, childrenOf(key))];
    there.sort((a, b) => (a.meta.id < b.meta.id ? -1 : 1));
    if (there.length > wanted) return { changes: there.slice(wanted).map(remove) };
    const ids = Array.from({ length: wanted }, (_, i) => `${key}/${i}`);
    const missing = ids.filter((id) => view.get(Child, id) === undefined);
    if (missing.length === 0) return noChanges;
    return {
      changes: missing.slice(0, 2).map((id) => create(child(id, key))),
      requeueAt: now + 50,
    };
  },
};

const count: PlanController = {
  name: 'count',
  for: Parent,
  owns: [Child],
  plan: (view, key) => {
    const object = view.get(Parent, key);
    const seen = view.count(Child, childrenOf(key));
    if (object === undefined || object.status.seen === seen) return noChanges;
    return { changes: [update(withStatus(object, { seen }))] };
  },
};

async function history(seed: number): Promise<readonly string[]> {
  const made = world();
  const random = seededRandom(seed);
  const store = laggingStore(made.store, { clock: made.clock, random, delayMsMax: 30 });
  const lines: string[] = [];
  made.store.subscribe({
    commit: ({ revision, actor, events }) => {
      const what = events.map(({ type, object }) => `${type} ${object.kind}/${object.meta.id}`);
      lines.push(`${made.clock.now()} ${revision} ${actor}: ${what.join(', ')}`);
    },
    ended: (reason) => lines.push(reason.message),
  });
  const group = new ControllerGroup({ ...made.seams, store }).add(children).add(count);
  await group.start();
  for (let i = 0; i < 15; i += 1) {
    const object = parent(`${i}`, { wanted: random.int(6) });
    await store.commit({ actor: 'user', changes: [create(object)] });
    await made.clock.advance(random.int(40));
  }
  await made.clock.advance(10_000);
  for (const { meta, spec, status } of store.view().list(Parent)) {
    expect([meta.id, status.seen]).toEqual([meta.id, spec.wanted]);
  }
  expect(group.isIdle()).toBe(true);
  await group.stop();
  return lines;
}

describe('controllers on virtual time', () => {
  it('do exactly the same for the same seed', async () => {
    const first = await history(7);
    expect(first.length).toBeGreaterThan(40);
    expect(await history(7)).toEqual(first);
    expect(await history(8)).not.toEqual(first);
  });
});
