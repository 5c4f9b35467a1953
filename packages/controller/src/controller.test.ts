import { describe, expect, it } from '@jest/globals';
import { Event, withMeta, withSpec, withStatus } from '@skep/api';
import type { ObjectEvent, Store } from '@skep/store';
import {
  Child,
  child,
  childrenOf,
  Parent,
  parent,
  world,
  type World,
} from './__fixtures__/world.js';
import { create, noChanges, remove, update } from './changes.js';
import { startController } from './controller-group.js';
import { controllerParts, type ControllerOptions } from './controller-parts.js';
import { Controller } from './controller.js';
import type { ControllerDefinition, Plan, PlanController } from './contract.js';

/** A controller that notes its passes and does nothing. */
function noting(passes: string[], more: Partial<PlanController> = {}): ControllerDefinition {
  return {
    name: 'noting',
    for: Parent,
    plan: (_view, key) => {
      passes.push(key);
      return noChanges;
    },
    ...more,
  };
}

async function run(
  made: World,
  definition: ControllerDefinition,
  options?: ControllerOptions,
): Promise<Controller> {
  const controller = await startController(definition, made.seams, options);
  await made.clock.flush();
  return controller;
}

/** Makes as many children as the parent wants, with ids that follow from their number. */
const keepChildren: PlanController = {
  name: 'keep-children',
  for: Parent,
  owns: [Child],
  plan: (view, key): Plan => {
    const object = view.get(Parent, key);
    const children = view.list(Child, childrenOf(key));
    const wanted = object?.spec.wanted ?? 0;
    if (children.length > wanted) return { changes: children.slice(wanted).map(remove) };
    const missing = Array.from({ length: wanted }, (_, i) => `${key}/${i}`).filter(
      (id) => view.get(Child, id) === undefined,
    );
    return { changes: missing.map((id) => create(child(id, key))) };
  },
};

describe('Controller: what wakes a key', () => {
  it('every object that is there, oldest first, then every event of the kind', async () => {
    const made = world();
    await made.commit(create(parent('b')));
    await made.clock.advance(5);
    await made.commit(create(parent('c')), create(parent('a')));
    const passes: string[] = [];
    await run(made, noting(passes));
    expect(passes.splice(0)).toEqual(['b', 'a', 'c']);
    await made.edit('c', { wanted: 2 });
    await made.commit(create(parent('d')));
    await made.clock.flush();
    expect(passes.splice(0)).toEqual(['c', 'd']);
    await made.commit({ type: 'delete', kind: 'Parent', id: 'a' });
    await made.clock.flush();
    expect(passes).toEqual(['a']);
  });

  it('only events for which the predicate holds', async () => {
    const made = world();
    await made.commit(create(parent('a')), create(parent('b', { wanted: 0 })));
    const passes: string[] = [];
    const wants = ({ object }: ObjectEvent): boolean => (object as Parent).spec.wanted > 0;
    await run(made, noting(passes, { predicate: wants }));
    await made.edit('b', { wanted: 1 });
    await made.edit('b', { wanted: 0 });
    await made.clock.flush();
    expect(passes).toEqual(['a', 'b']);
  });

  it('owned objects wake their controlling owner, old and new', async () => {
    const made = world();
    const guest = child('guest', 'a', { owners: [{ kind: 'Parent', id: 'a' }] });
    await made.commit(create(child('x', 'a')), create(guest));
    const passes: string[] = [];
    await run(made, noting(passes, { owns: [Child] }));
    expect(passes.splice(0)).toEqual(['a']);
    const object = made.store.view().get(Child, 'x') ?? child('x', 'a');
    const owners = [{ kind: 'Parent', id: 'b', isController: true }];
    await made.commit(update(withMeta(object, { owners })));
    await made.clock.flush();
    expect(passes.splice(0).sort()).toEqual(['a', 'b']);
    await made.commit({ type: 'delete', kind: 'Child', id: 'x' });
    await made.clock.flush();
    expect(passes).toEqual(['b']);
  });

  it('watched kinds wake the keys that they are mapped to', async () => {
    const made = world();
    await made.commit(create(child('x', 'a')));
    const passes: string[] = [];
    const watches = [
      {
        kind: Child,
        keys: ({ object }: ObjectEvent) => [(object as Child).spec.parentId, 'all'],
        predicate: ({ type }: ObjectEvent) => type !== 'deleted',
      },
    ];
    const plan = (_view: unknown, key: string): Plan => {
      passes.push(key);
      return noChanges;
    };
    await run(made, { name: 'mapped', watches, plan });
    expect(passes.splice(0)).toEqual(['a', 'all']);
    await made.commit({ type: 'delete', kind: 'Child', id: 'x' });
    await made.clock.flush();
    expect(passes).toEqual([]);
  });

  it('says why', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const controller = await run(made, noting([]));
    await made.edit('a', { wanted: 5 });
    await made.clock.flush();
    expect(controller.explain('a').reasons).toEqual(['Parent updated']);
    controller.trigger('a', 'operator');
    expect(controller.explain('a')).toMatchObject({ state: 'queued', reasons: ['operator'] });
  });

  it('a mapping that throws is told, and loses no other key', async () => {
    const made = world();
    await made.commit(create(parent('a')), create(child('x', 'a')), create(parent('b')));
    const passes: string[] = [];
    const keys = ({ object }: ObjectEvent): string[] => {
      throw new Error(`cannot map ${object.meta.id}`);
    };
    await run(made, noting(passes, { watches: [{ kind: Child, keys }] }));
    await made.clock.advance(200);
    expect(passes).toEqual(['a', 'b']);
    expect(made.logs.map(({ message }) => message)).toEqual(['event not mapped to keys']);
    const [event] = made.store.view().list(Event);
    expect(event?.spec).toMatchObject({ reason: 'MappingFailed', message: 'cannot map x' });
  });

  it('higher priorities go first, and a priority that throws counts as none', async () => {
    const made = world();
    await made.commit(create(parent('a')), create(parent('b')), create(parent('c')));
    const passes: string[] = [];
    const priority = (key: string): number => {
      if (key === 'a') throw new Error('no idea');
      return key === 'c' ? 5 : 0;
    };
    await run(made, noting(passes, { priority }));
    expect(passes).toEqual(['c', 'a', 'b']);
    expect(made.logs.map(({ message }) => message)).toEqual(['no priority']);
  });
});

describe('Controller: plans', () => {
  it('makes it so, and is idle afterwards', async () => {
    const made = world();
    await made.commit(create(parent('a', { wanted: 3 })));
    const controller = await run(made, keepChildren);
    expect(made.store.view().count(Child, childrenOf('a'))).toBe(3);
    await made.edit('a', { wanted: 1 });
    await made.clock.flush();
    expect(made.store.view().count(Child, childrenOf('a'))).toBe(1);
    expect(controller.isIdle()).toBe(true);
    expect(controller.status()).toEqual({
      name: 'keep-children',
      depth: 0,
      active: 0,
      failing: 0,
      parked: 0,
      scheduled: 0,
    });
    const { revision } = made.store.view();
    await made.clock.advance(3_600_000);
    expect(made.store.view().revision).toBe(revision);
  });

  it('commits a plan above 200 changes in pieces', async () => {
    const made = world();
    await made.commit(create(parent('a', { wanted: 501 })));
    await run(made, keepChildren);
    expect(made.store.view().count(Child)).toBe(501);
    expect(made.store.view().revision).toBe(1 + 3);
  });

  it('looks again at requeueAt, and not after a plan that does not ask for it', async () => {
    const made = world();
    const passes: number[] = [];
    const start = made.clock.now();
    await made.commit(create(parent('a')));
    const controller = await run(made, {
      name: 'ticking',
      for: Parent,
      plan: (view, key, now) => {
        passes.push(now - start);
        const wanted = view.get(Parent, key)?.spec.wanted ?? 0;
        return wanted > 0 ? { changes: [], requeueAt: now + 1000 } : noChanges;
      },
    });
    expect([controller.isIdle(), controller.nextAt()]).toEqual([true, start + 1000]);
    expect(controller.explain('a')).toMatchObject({ state: 'scheduled', at: start + 1000 });
    await made.clock.advance(2500);
    expect(passes).toEqual([0, 1000, 2000]);
    await made.edit('a', { wanted: 0 });
    await made.clock.advance(10_000);
    expect(passes).toEqual([0, 1000, 2000, 2500]);
    expect(controller.nextAt()).toBeUndefined();
  });

  it('fails a plan whose requeueAt is no time', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const plan = (): Plan => ({ changes: [], requeueAt: NaN });
    const controller = await run(made, { name: 'wrong', for: Parent, plan });
    expect(controller.explain('a').lastError).toMatch(/^requeueAt is not a time: NaN; give mill/);
  });

  it('runs a key again that an event woke during its pass', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const seen: number[] = [];
    const { store } = made.seams;
    const slow = Object.assign(Object.create(store) as Store, {
      kinds: store.kinds,
      view: () => store.view(),
      subscribe: store.subscribe.bind(store),
      // Somebody edits while the commit of the pass is under way.
      commit: async (transaction: Parameters<Store['commit']>[0]) => {
        const result = await store.commit(transaction);
        if (seen.length === 1) await made.edit('a', { wanted: 9 });
        return result;
      },
    });
    await run(
      { ...made, seams: { ...made.seams, store: slow } },
      {
        name: 'slow',
        for: Parent,
        plan: (view, key) => {
          const object = view.get(Parent, key);
          if (object === undefined || object.status.seen === object.spec.wanted) return noChanges;
          seen.push(object.spec.wanted);
          return { changes: [update(withStatus(object, { seen: object.spec.wanted }))] };
        },
      },
    );
    expect(seen).toEqual([1, 9]);
    expect(store.view().get(Parent, 'a')?.status.seen).toBe(9);
  });

  it('lets others have their turn between slices', async () => {
    const made = world();
    for (let i = 0; i < 10; i += 1) await made.commit(create(parent(`${i}`)));
    const passes: string[] = [];
    await startController(noting(passes), made.seams, { sliceKeys: 4 });
    made.clock.defer(() => {
      passes.push('|');
      made.clock.defer(() => passes.push('|'));
    });
    await made.clock.flush();
    expect(passes.join('')).toBe('0123|4567|89');
  });

  it('commits as its actor', async () => {
    const made = world();
    const actors: string[] = [];
    made.store.subscribe({ commit: ({ actor }) => actors.push(actor), ended: () => undefined });
    await made.commit(create(parent('a')));
    await run(made, { ...keepChildren, actor: 'orchestrator' });
    expect(actors).toEqual(['user', 'orchestrator']);
  });

  it('commits behind the fence, and never lets go of the key', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    await made.commit(create(child('gate', 'nobody', { owners: [] })));
    const fence = () => [{ type: 'version', kind: 'Child', id: 'gate', version: 0 } as const];
    const seams = { ...made.seams, fence };
    const controller = await run({ ...made, seams }, keepChildren);
    expect(made.store.view().count(Child, childrenOf('a'))).toBe(0);
    expect(controller.status().failing).toBe(1);
    await made.commit({ type: 'delete', kind: 'Child', id: 'gate' });
    await made.clock.advance(5);
    expect(made.store.view().count(Child, childrenOf('a'))).toBe(1);
    expect(controller.isIdle()).toBe(true);
  });
});

describe('Controller: conflicts and failures', () => {
  /** Another writer that edits the parent just before each of the first `times` commits. */
  function racing(made: World, times: number): World {
    const { store } = made;
    let left = times;
    const commit: Store['commit'] = async (transaction) => {
      left -= 1;
      if (left >= 0) await made.edit('a', { note: `race ${left}` });
      return store.commit(transaction);
    };
    const racy = Object.assign(Object.create(store) as Store, {
      kinds: store.kinds,
      view: () => store.view(),
      subscribe: store.subscribe.bind(store),
      commit,
    });
    return { ...made, seams: { ...made.seams, store: racy } };
  }

  const noteSeen: PlanController = {
    name: 'note-seen',
    for: Parent,
    plan: (view, key) => {
      const object = view.get(Parent, key);
      if (object === undefined || object.status.seen === object.spec.wanted) return noChanges;
      return { changes: [update(withStatus(object, { seen: object.spec.wanted }))] };
    },
  };

  it('plans again at once from a view that shows the winner', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const start = made.clock.now();
    const controller = await run(racing(made, 3), noteSeen);
    const object = made.store.view().get(Parent, 'a');
    expect([object?.status.seen, object?.spec.note]).toEqual([1, 'race 0']);
    expect(made.clock.now()).toBe(start);
    expect(controller.isIdle()).toBe(true);
  });

  it('backs off after five conflicts in a row, and gets there', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const outcomes: string[] = [];
    const racy = racing(made, 7);
    const controller = await startController(noteSeen, racy.seams);
    controller.result$.subscribe(({ outcome }) => outcomes.push(outcome));
    await made.clock.advance(100);
    expect(made.store.view().get(Parent, 'a')?.status.seen).toBe(1);
    // The racing writer's own events cut the backoffs short; what counts is that none was lost.
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(2);
    expect(outcomes.at(-1)).toBe('unchanged');
    expect(made.logs.map(({ message }) => message)).toEqual([
      'too many conflicts',
      'too many conflicts',
    ]);
  });

  it('lets a poisoned key wait without blocking the others', async () => {
    const made = world();
    await made.commit(create(parent('good')), create(parent('poison')), create(parent('too')));
    const passes: string[] = [];
    const controller = await run(
      made,
      noting(passes, {
        plan: (view, key) => {
          passes.push(key);
          const object = view.get(Parent, key);
          if (key === 'poison' && object?.spec.wanted === 1) throw new Error('cannot');
          return noChanges;
        },
      }),
    );
    expect(passes.splice(0)).toEqual(['good', 'poison', 'too']);
    await made.clock.advance(5 + 10 + 20 + 40);
    expect(passes.splice(0)).toEqual(['poison', 'poison', 'poison', 'poison']);
    expect(controller.explain('poison')).toMatchObject({
      state: 'backoff',
      attempts: 5,
      lastError: 'cannot',
    });
    await made.clock.advance(200);
    const [event] = made.store.view().list(Event);
    expect(event?.spec).toMatchObject({
      reason: 'ReconcileFailed',
      type: 'warning',
      message: 'cannot',
      regarding: { kind: 'Parent', id: 'poison' },
      actor: 'noting',
    });
    expect(event?.spec.count).toBeGreaterThan(1);
    await made.edit('poison', { wanted: 2 });
    await made.clock.flush();
    expect(controller.explain('poison').attempts).toBe(0);
    expect(controller.isIdle()).toBe(true);
  });

  it('treats a commit that the store refuses as a failure', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const plan = (): Plan => ({ changes: [create({ ...parent('x'), kind: 'Unknown' })] });
    const controller = await run(made, { name: 'lost', for: Parent, plan });
    expect(controller.explain('a')).toMatchObject({ state: 'backoff', attempts: 1 });
    expect(made.logs[0]).toMatchObject({ level: 'error', message: 'reconcile failed' });
  });
});

describe('Controller: state and life', () => {
  it('rebuilds, then observes every commit, before the plans that see it', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const story: string[] = [];
    let count = 0;
    const controller = await run(made, {
      name: 'counting',
      for: Parent,
      state: {
        rebuild: (view) => {
          count = view.count(Child);
          story.push(`rebuild ${view.revision}`);
        },
        observe: (events) => {
          for (const { type, object } of events) {
            if (object.kind === 'Child') count += type === 'created' ? 1 : 0;
          }
        },
      },
      plan: (view, key) => {
        expect(count).toBe(view.count(Child));
        story.push(`plan ${key} ${count}`);
        return noChanges;
      },
    });
    await made.commit(create(child('x', 'a')));
    await made.commit(create(parent('b')), create(child('y', 'b')));
    await made.clock.flush();
    expect(story).toEqual(['rebuild 1', 'plan a 0', 'plan b 2']);
    expect(controller.isIdle()).toBe(true);
  });

  it('rebuilds a state that threw before it plans with it again', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const story: string[] = [];
    let failures = 2;
    const controller = await run(made, {
      name: 'shaky',
      for: Parent,
      state: {
        rebuild: () => {
          story.push('rebuild');
          if (story.length > 3 && (failures -= 1) >= 0) throw new Error('not now');
        },
        observe: () => {
          story.push('observe');
          throw new Error('lost track');
        },
      },
      plan: () => {
        story.push('plan');
        return noChanges;
      },
    });
    expect(story.splice(0)).toEqual(['rebuild', 'plan']);
    story.push('-', '-');
    await made.edit('a', { wanted: 2 });
    await made.clock.flush();
    expect(controller.isIdle()).toBe(false);
    await made.clock.advance(100);
    expect(story.slice(2)).toEqual(['observe', 'rebuild', 'rebuild', 'rebuild', 'plan']);
    expect(controller.isIdle()).toBe(true);
  });

  it('lists again when its watch was too slow', async () => {
    const made = world({ bufferMax: 2 });
    const passes: string[] = [];
    const controller = await run(made, noting(passes));
    for (let i = 0; i < 6; i += 1) void made.commit(create(parent(`${i}`)));
    await made.clock.flush();
    expect(passes).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(controller.isIdle()).toBe(true);
  });

  it('reaches every key through a queue that is much too small', async () => {
    const made = world();
    const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
    for (const id of ids) await made.commit(create(parent(id)));
    const passes: string[] = [];
    const controller = await run(made, noting(passes), { queue: { keysMax: 4 } });
    expect(new Set(passes)).toEqual(new Set(ids));
    passes.length = 0;
    for (const id of ids) void made.edit(id, { wanted: 2 });
    await made.clock.flush();
    expect(new Set(passes)).toEqual(new Set(ids));
    expect(controller.isIdle()).toBe(true);
  });

  it('begins no pass after stop, and leaves no timer', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const passes: string[] = [];
    const controller = await run(
      made,
      noting(passes, {
        plan: (_view, key, now) => {
          passes.push(key);
          return { changes: [], requeueAt: now + 10 };
        },
      }),
    );
    await controller.stop();
    await made.edit('a', { wanted: 2 });
    await made.clock.advance(1000);
    expect(passes).toEqual(['a']);
    expect(made.clock.pending()).toEqual([]);
  });

  it('stops with its signal', async () => {
    const made = world();
    const passes: string[] = [];
    const abort = new AbortController();
    const parts = controllerParts(made.seams);
    parts.reflector.start();
    await new Controller(noting(passes), parts).start(abort.signal);
    abort.abort();
    await made.commit(create(parent('a')));
    await made.clock.flush();
    expect(passes).toEqual([]);
  });

  it('tells what came of each pass', async () => {
    const made = world();
    await made.commit(create(parent('a', { wanted: 2 })));
    const results: unknown[] = [];
    const controller = await startController(keepChildren, made.seams);
    controller.result$.subscribe((result) => results.push(result));
    await made.clock.flush();
    const base = { controller: 'keep-children', key: 'a', durationMs: 0 };
    expect(results).toEqual([
      { ...base, outcome: 'committed', changes: 2, revision: 2 },
      { ...base, outcome: 'unchanged', changes: 0 },
    ]);
  });

  it('does not run itself in a loop by its own writes while it fails', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    let passes = 0;
    await run(made, {
      name: 'writes-then-throws',
      for: Parent,
      reconcile: async ({ view, commit }, key) => {
        passes += 1;
        const object = view.get(Parent, key);
        if (object === undefined) return undefined;
        const seen = (object.status.seen ?? 0) + 1;
        await commit([update(withStatus(withSpec(object, object.spec), { seen }))]);
        throw new Error('after the write');
      },
    });
    await made.clock.advance(5 + 10 + 20);
    expect(passes).toBe(4);
  });
});
