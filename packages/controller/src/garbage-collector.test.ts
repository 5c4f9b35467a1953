import { describe, expect, it } from '@jest/globals';
import { defineKind, isDeleting, newObject, seededRandom, withMeta } from '@skep/api';
import type { OwnerReference, StoredObject } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Change, type Store } from '@skep/store';
import fc from 'fast-check';
import { create, remove, removeAnyVersion, update } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import { deletionPolicy, policyOf, type DeletionPolicy } from './deletion-policy.js';
import { garbageCollector } from './garbage-collector.js';

const Thing = defineKind<{ n: number }, object>({ name: 'Thing', initialStatus: {} });
const Part = defineKind<{ n: number }, object>({ name: 'Part', initialStatus: {} });
const Other = defineKind<{ n: number }, object>({ name: 'Other', initialStatus: {} });

interface Node {
  readonly id: string;
  readonly owners?: readonly string[];
  readonly policy?: DeletionPolicy;
  readonly blocks?: boolean;
  readonly finalizers?: readonly string[];
}

/** Ids that start with `p` are parts, with `o` others, the rest things. */
function kindOf(id: string): typeof Thing {
  return id.startsWith('p') ? Part : id.startsWith('o') ? Other : Thing;
}

function object({ id, owners = [], policy, blocks = true, finalizers = [] }: Node): StoredObject {
  const references = owners.map((owner): OwnerReference => ({
    kind: kindOf(owner).name,
    id: owner,
    ...(blocks ? { blocksOwnerDeletion: true } : {}),
  }));
  const input = { id, name: id, spec: { n: 0 }, owners: references, finalizers };
  return deletionPolicy(newObject(kindOf(id), input), policy ?? 'background');
}

interface Heap {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly group: ControllerGroup;
  /** Ids in the order in which they disappeared. */
  readonly gone: string[];
  commit(...changes: Change[]): Promise<void>;
  remove(...ids: string[]): Promise<void>;
  get(id: string): StoredObject | undefined;
  left(): readonly string[];
}

async function heap(...nodes: readonly Node[]): Promise<Heap> {
  const clock = new VirtualClock({ start: 0 });
  const store = memoryStore({ clock, kinds: [Thing, Part, Other], listOrder: seededRandom(1) });
  const gone: string[] = [];
  const commit: Parameters<Store['subscribe']>[0]['commit'] = ({ events }) => {
    for (const { type, object: one } of events) if (type === 'deleted') gone.push(one.meta.id);
  };
  store.subscribe({ commit, ended: () => undefined });
  const group = new ControllerGroup({ store, clock, random: seededRandom(1) });
  group.add(garbageCollector([Thing, Part]));
  await store.commit({ actor: 'user', changes: nodes.map((node) => create(object(node))) });
  await group.start();
  await clock.flush();
  const get = (id: string): StoredObject | undefined => store.view().get(kindOf(id), id);
  const made: Heap = {
    clock,
    store,
    group,
    gone,
    get,
    commit: async (...changes) => {
      const result = await store.commit({ actor: 'user', changes });
      expect(result.ok).toBe(true);
      await clock.flush();
    },
    remove: (...ids) =>
      made.commit(...ids.map((id) => ({ ...removeAnyVersion(get(id) ?? object({ id })) }))),
    left: () =>
      [Thing, Part, Other]
        .flatMap((kind) => store.view().list(kind))
        .map(({ meta }) => meta.id)
        .sort(),
  };
  return made;
}

describe('garbageCollector', () => {
  it('deletes dependants after their owner, down the line', async () => {
    const {
      remove: drop,
      gone,
      left,
    } = await heap(
      { id: 'a' },
      { id: 'b', owners: ['a'] },
      { id: 'p', owners: ['b'] },
      { id: 'z' },
    );
    await drop('a');
    expect(gone).toEqual(['a', 'b', 'p']);
    expect(left()).toEqual(['z']);
  });

  it('deletes dependants before an owner in the foreground', async () => {
    const { remove: drop, gone } = await heap(
      { id: 'a', policy: 'foreground' },
      { id: 'b', owners: ['a'] },
      { id: 'p', owners: ['b'] },
    );
    await drop('a');
    expect(gone).toEqual(['p', 'b', 'a']);
  });

  it('waits in the foreground for what holds a dependant, and only if it blocks', async () => {
    const held = { owners: ['a'], finalizers: ['backup'] };
    const {
      remove: drop,
      commit,
      get,
      gone,
    } = await heap(
      { id: 'a', policy: 'foreground' },
      { id: 'b', ...held },
      { id: 'c', ...held, blocks: false },
    );
    await drop('a');
    expect(['a', 'b', 'c'].map((id) => get(id) && isDeleting(get(id) as StoredObject))).toEqual([
      true,
      true,
      true,
    ]);
    const b = get('b');
    if (b === undefined) throw new Error('no b');
    await commit(update(withMeta(b, { finalizers: [] })));
    expect(gone).toEqual(['b', 'a']);
  });

  it('lets go of the dependants of an orphaning owner', async () => {
    const {
      remove: drop,
      gone,
      get,
      left,
    } = await heap(
      { id: 'a', policy: 'orphan' },
      { id: 'b', owners: ['a'] },
      { id: 'c', owners: ['a', 'z'] },
      { id: 'z' },
    );
    await drop('a');
    expect(gone).toEqual(['a']);
    expect(left()).toEqual(['b', 'c', 'z']);
    expect(get('b')?.meta.owners).toEqual([]);
    expect(get('c')?.meta.owners).toMatchObject([{ id: 'z' }]);
  });

  it('orphans more dependants than a commit takes', async () => {
    const children = Array.from({ length: 450 }, (_, n) => ({ id: `c${n}`, owners: ['a'] }));
    const world = await heap({ id: 'a', policy: 'orphan' });
    for (let at = 0; at < children.length; at += 150) {
      await world.commit(...children.slice(at, at + 150).map((one) => create(object(one))));
    }
    await world.remove('a');
    expect(world.gone).toEqual(['a']);
    expect(
      world.store
        .view()
        .list(Thing)
        .every(({ meta }) => meta.owners.length === 0),
    ).toBe(true);
  });

  it('keeps an object while one of its owners is there, without the others', async () => {
    const { remove: drop, get } = await heap(
      { id: 'a' },
      { id: 'b' },
      { id: 'c', policy: 'foreground' },
      { id: 'd', owners: ['a', 'b', 'c'] },
    );
    await drop('a', 'c');
    expect(get('d')?.meta.owners).toMatchObject([{ id: 'b' }]);
    expect(get('c')).toBeUndefined();
    await drop('b');
    expect(get('d')).toBeUndefined();
  });

  it.each(['background', 'foreground'] as const)('gets out of cycles, %s', async (policy) => {
    const { remove: drop, left } = await heap(
      { id: 'a', owners: ['c'], policy },
      { id: 'b', owners: ['a'] },
      { id: 'c', owners: ['b'] },
      { id: 'self', owners: ['self'], policy },
    );
    expect(left()).toHaveLength(4);
    await drop('a', 'self');
    expect(left()).toEqual([]);
  });

  it('takes owners of kinds that it does not cover for present', async () => {
    const { left } = await heap({ id: 'a', owners: ['other'] });
    expect(left()).toEqual(['a']);
  });

  it('collects what it finds on its start, such as an object whose owner never was', async () => {
    const { left } = await heap({ id: 'a', owners: ['nobody'] }, { id: 'b', owners: ['a'] });
    expect(left()).toEqual([]);
  });

  it('deletes nothing on a view in which the owner is not there yet', async () => {
    const { clock, store, group } = await heap();
    const plan = garbageCollector([Thing, Part]);
    await store.commit({ actor: 'user', changes: [create(object({ id: 'b', owners: ['a'] }))] });
    const stale = store.view();
    const { changes, expect: conditions } = plan.plan(stale, 'Thing/b', 0);
    expect(changes).toHaveLength(1);
    await store.commit({ actor: 'user', changes: [create(object({ id: 'a' }))] });
    const late = { actor: 'x', changes, expect: conditions ?? [] };
    expect(await store.commit(late)).toMatchObject({ ok: false });
    await group.stop();
    await clock.flush();
  });
});

describe('deletionPolicy', () => {
  it.each(['background', 'foreground', 'orphan'] as const)('sets and replaces %s', (policy) => {
    const plain = object({ id: 'a', finalizers: ['mine'] });
    for (const before of ['background', 'foreground', 'orphan'] as const) {
      const next = deletionPolicy(deletionPolicy(plain, before), policy);
      expect(policyOf(next)).toBe(policy);
      expect(next.meta.finalizers).toContain('mine');
      expect(deletionPolicy(next, policy)).toBe(next);
    }
    expect(remove(plain)).toMatchObject({ type: 'delete' });
  });
});

/** Nodes 0…n-1, owners among the earlier ones. */
function graph(
  ownersMax: number,
  policies: readonly DeletionPolicy[],
): fc.Arbitrary<readonly Node[]> {
  return fc
    .array(
      fc.record({
        picks: fc.array(fc.nat(1000), { maxLength: ownersMax }),
        policy: fc.constantFrom(...policies),
        blocks: fc.boolean(),
        isPart: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    .map((rows) => {
      const ids = rows.map(({ isPart }, n) => `${isPart ? 'p' : 't'}${n}`);
      return rows.map(({ picks, policy, blocks }, n): Node => {
        const owners = n === 0 ? [] : picks.map((pick) => ids[pick % n] ?? '');
        return { id: ids[n] ?? '', owners: [...new Set(owners)], policy, blocks };
      });
    });
}

describe('laws of collection', () => {
  it.each([
    ['any graph', 3, ['background', 'foreground']],
    ['trees with orphans', 1, ['background', 'foreground', 'orphan']],
  ] as const)(
    'leaves exactly what is owned by something left (%s)',
    async (_name, max, policies) => {
      const law = fc.asyncProperty(
        graph(max, policies),
        fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (nodes, picks, isAtOnce) => {
          const ids = nodes.map(({ id }) => id);
          const doomed = [...new Set(picks.map((pick) => ids[pick % ids.length] ?? ''))];
          const survivors = new Set<string>();
          const policy = new Map(nodes.map((node) => [node.id, node.policy]));
          for (const { id, owners = [] } of nodes) {
            const isOwned = owners.some(
              (one) => survivors.has(one) || policy.get(one) === 'orphan',
            );
            if (!doomed.includes(id) && (owners.length === 0 || isOwned)) survivors.add(id);
          }
          const world = await heap(...nodes);
          if (isAtOnce) await world.remove(...doomed);
          else for (const id of doomed) if (world.get(id) !== undefined) await world.remove(id);
          expect(world.left()).toEqual([...survivors].sort());
          expect(world.group.isIdle()).toBe(true);
          await world.group.stop();
        },
      );
      await fc.assert(law, { numRuns: 60 });
    },
  );
});
