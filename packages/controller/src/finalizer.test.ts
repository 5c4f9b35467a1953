import { describe, expect, it } from '@jest/globals';
import { isDeleting, withMeta, withStatus } from '@skep/api';
import fc from 'fast-check';
import { Child, child, childrenOf, Parent, parent, world } from './__fixtures__/world.js';
import { create, remove, removeAnyVersion, update } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import type { ControllerDefinition } from './contract.js';
import { withFinalizer, type FinalizerInput } from './finalizer.js';
import type { ParentSpec } from './__fixtures__/world.js';

type Input = FinalizerInput<ParentSpec, { readonly seen?: number }>;

const made = ({ object, view }: Input) => view.list(Child, childrenOf(object.meta.id));

/** Keeps one child for each parent, and takes it down again, one step a pass. */
function keeper(calls: string[], max = 1): ControllerDefinition {
  return {
    name: 'keeper',
    for: Parent,
    owns: [Child],
    plan: withFinalizer('keeper', {
      for: Parent,
      apply: (input) => {
        const { id } = input.object.meta;
        calls.push(`apply ${id}`);
        expect(input.object.meta.finalizers).toContain('keeper');
        if (made(input).length >= max) return { changes: [] };
        const ids = Array.from({ length: max }, (_, n) => `${id} ${n}`);
        return { changes: ids.map((one) => create(child(one, id))) };
      },
      cleanup: (input) => {
        calls.push(`cleanup ${input.object.meta.id}`);
        const children = made(input);
        return { changes: children.slice(0, max).map(remove), isDone: children.length <= max };
      },
    }),
  };
}

describe('withFinalizer', () => {
  it('puts the finalizer on before the first apply, and cleans up before the end', async () => {
    const { clock, store, seams, commit } = world();
    const calls: string[] = [];
    const group = new ControllerGroup(seams).add(keeper(calls));
    await group.start();
    await commit(create(parent('p')));
    await clock.flush();
    expect(store.view().get(Parent, 'p')?.meta.finalizers).toEqual(['keeper']);
    expect(store.view().count(Child)).toBe(1);
    expect(calls[0]).toBe('apply p');
    await commit(removeAnyVersion(parent('p')));
    await clock.flush();
    expect(calls.at(-1)).toBe('cleanup p');
    expect(store.view().get(Parent, 'p')).toBeUndefined();
    expect(store.view().count(Child)).toBe(0);
    await group.stop();
  });

  it('does not apply to what is being deleted already, and leaves its finalizers alone', async () => {
    const { clock, store, seams, commit } = world();
    await commit(create(withMeta(parent('p'), { finalizers: ['other'] })));
    await commit(removeAnyVersion(parent('p')));
    const calls: string[] = [];
    const group = new ControllerGroup(seams).add(keeper(calls));
    await group.start();
    await clock.flush();
    expect(calls).toEqual([]);
    expect(store.view().get(Parent, 'p')?.meta.finalizers).toEqual(['other']);
    await group.stop();
  });

  it('takes the finalizer off in the same write as a last change of the object', () => {
    const { store } = world();
    const object = withMeta(parent('p'), { finalizers: ['a', 'mine'], deletionRequestedAt: 1 });
    const view = { ...store.view(), get: () => object } as unknown as Input['view'];
    const plan = withFinalizer('mine', {
      for: Parent,
      apply: () => ({ changes: [] }),
      cleanup: ({ now }) => ({
        changes: [update(withStatus(object, { seen: now })), remove(parent('q')), remove(object)],
        isDone: true,
      }),
    });
    const { changes } = plan(view, 'p', 7);
    expect(changes).toMatchObject([
      { type: 'delete', id: 'q' },
      { type: 'update', object: { status: { seen: 7 }, meta: { finalizers: ['a'] } } },
    ]);
    expect(plan(view, 'p', 7)).not.toHaveProperty('isDone');
  });

  it('keeps the object until the last of many pieces is committed', async () => {
    const { clock, store, seams, commit } = world();
    const group = new ControllerGroup(seams).add(keeper([], 450));
    await group.start();
    await commit(create(parent('p')));
    await clock.flush();
    expect(store.view().count(Child)).toBe(450);
    let wasLast = false;
    const seen = store.watch().subscribe(({ events }) => {
      for (const { type, object } of events) {
        if (type === 'deleted' && object.kind === 'Parent')
          wasLast = store.view().count(Child) === 0;
      }
    });
    await commit(removeAnyVersion(parent('p')));
    await clock.flush();
    seen.unsubscribe();
    expect(wasLast).toBe(true);
    await group.stop();
  });

  it('never lets an object go that was applied and not cleaned up, wherever it stops', async () => {
    const law = fc.asyncProperty(
      fc.array(fc.constantFrom('create', 'delete', 'run', 'restart'), { maxLength: 14 }),
      async (script) => {
        const { clock, store, seams, commit } = world();
        const calls: string[] = [];
        let group = new ControllerGroup(seams).add(keeper(calls));
        const leftBehind = (): boolean =>
          store.view().get(Parent, 'p') === undefined && store.view().count(Child) > 0;
        await group.start();
        for (const step of script) {
          if (step === 'create') await commit(create(parent('p')));
          if (step === 'delete') await commit(removeAnyVersion(parent('p')));
          if (step === 'run') await clock.flush();
          if (step === 'restart') {
            await group.stop();
            group = new ControllerGroup(seams).add(keeper(calls));
            await group.start();
          }
          expect(leftBehind()).toBe(false);
        }
        await clock.flush();
        const object = store.view().get(Parent, 'p');
        expect(object === undefined || !isDeleting(object)).toBe(true);
        expect(store.view().count(Child)).toBe(object === undefined ? 0 : 1);
        await group.stop();
      },
    );
    await fc.assert(law, { numRuns: 50 });
  });
});
