import { describe, expect, it } from '@jest/globals';
import { withStatus, type MetricLabels, type Metrics } from '@skep/api';
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
import { ControllerGroup } from './controller-group.js';
import type { ControllerGroupOptions } from './controller-group.js';
import type { PassResult, PlanController } from './contract.js';

function setUp(options?: ControllerGroupOptions): World & { group: ControllerGroup } {
  const made = world();
  return { ...made, group: new ControllerGroup(made.seams, options) };
}

const idle: PlanController = { name: 'idle', for: Parent, plan: () => noChanges };

/** One child for each parent. */
const makeChild: PlanController = {
  name: 'make-child',
  for: Parent,
  plan: (view, key) =>
    view.count(Child, childrenOf(key)) > 0
      ? noChanges
      : { changes: [create(child(`child of ${key}`, key))] },
};

/** Removes children whose parent is gone. */
const collect: PlanController = {
  name: 'collect',
  for: Child,
  watches: [
    {
      kind: Parent,
      predicate: ({ type }) => type === 'deleted',
      keys: ({ object }, view) =>
        view.list(Child, childrenOf(object.meta.id)).map((c) => c.meta.id),
    },
  ],
  plan: (view, key) => {
    const object = view.get(Child, key);
    if (object === undefined) return noChanges;
    const isOrphan = view.get(Parent, object.spec.parentId) === undefined;
    return isOrphan ? { changes: [remove(object)] } : noChanges;
  },
};

describe('ControllerGroup', () => {
  it('runs controllers that work on each other', async () => {
    const { group, commit, clock, store } = setUp();
    group.add(makeChild, { sliceKeys: 10 }).add(collect);
    await group.start();
    await commit(create(parent('a')), create(parent('b')));
    expect(group.isIdle()).toBe(false);
    await clock.flush();
    expect(store.view().count(Child)).toBe(2);
    expect(group.isIdle()).toBe(true);
    await commit({ type: 'delete', kind: 'Parent', id: 'a' });
    await clock.flush();
    // `make-child` has no parent left to look at: it makes one again, and `collect` removes it.
    expect(
      store
        .view()
        .list(Child)
        .map(({ meta }) => meta.id),
    ).toEqual(['child of b']);
    expect(group.status().map(({ name, depth }) => [name, depth])).toEqual([
      ['make-child', 0],
      ['collect', 0],
    ]);
    await group.stop();
    expect(clock.pending()).toEqual([]);
  });

  it('fills its caches before the first pass; views are in step with them', async () => {
    const { group, commit, clock } = setUp();
    await commit(create(parent('a')), create(child('x', 'a')));
    const parents = group.informer(Child, {
      select: ({ spec }) => spec.parentId,
      indexes: { parent: (parentId) => parentId },
    });
    const counts: number[] = [];
    const counting = (name: string): PlanController => ({
      name,
      for: Parent,
      owns: [Child],
      caches: [parents],
      plan: (view, key) => {
        expect(parents.count('parent', key)).toBe(view.count(Child, childrenOf(key)));
        counts.push(parents.count('parent', key));
        return noChanges;
      },
    });
    await group.add(counting('one')).add(counting('two')).start();
    await clock.flush();
    await commit(create(child('y', 'a')));
    await commit(create(child('z', 'a')));
    await clock.flush();
    expect(counts).toEqual([1, 1, 3, 3]);
    await group.stop();
  });

  it('tells the results of all, as an observable and as an iterable', async () => {
    const { group, commit, clock } = setUp();
    const seen: PassResult[] = [];
    const abort = new AbortController();
    group.add(makeChild).add(idle);
    group.result$.subscribe((result) => seen.push(result));
    const iterated: PassResult[] = [];
    const reading = (async () => {
      for await (const result of group.results(abort.signal)) iterated.push(result);
    })();
    await group.start();
    await commit(create(parent('a')));
    await clock.flush();
    await group.stop();
    abort.abort();
    await reading;
    // The pass that writes ends after the one that does not.
    expect(seen.map(({ controller, key, outcome }) => [controller, key, outcome])).toEqual([
      ['idle', 'a', 'unchanged'],
      ['make-child', 'a', 'committed'],
    ]);
    expect(iterated).toEqual(seen);
  });

  it('says when something happens next by itself', async () => {
    const { group, commit, clock } = setUp({ eventFlushMs: 50 });
    const start = clock.now();
    const late: PlanController = {
      name: 'late',
      for: Parent,
      plan: (_view, key) => {
        if (key === 'bad') throw new Error('bad');
        return { changes: [], requeueAt: start + 700 };
      },
    };
    await group.add(late).start();
    expect(group.nextAt()).toBeUndefined();
    await commit(create(parent('a')));
    await clock.flush();
    expect([group.isIdle(), group.nextAt()]).toEqual([true, start + 700]);
    await commit(create(parent('bad')));
    await clock.flush();
    expect([group.isIdle(), group.nextAt()]).toEqual([false, start + 5]);
    await clock.advance(40);
    expect(group.nextAt()).toBe(start + 50);
    expect(group.pending().map(({ controller, key, state }) => [controller, key, state])).toEqual([
      ['late', 'bad', 'backoff'],
    ]);
    expect(group.explain('late', 'a')).toMatchObject({ state: 'scheduled', at: start + 700 });
    await group.stop();
  });

  it('wakes a key by hand', async () => {
    const { group, clock } = setUp();
    const passes: string[] = [];
    const plan: PlanController['plan'] = (_view, key) => {
      passes.push(key);
      return noChanges;
    };
    await group.add({ ...idle, plan }).start();
    group.trigger('idle', 'anything');
    await clock.flush();
    expect(passes).toEqual(['anything']);
    expect(() => group.trigger('other', 'x')).toThrow(/no controller 'other' is running/);
    await group.stop();
    expect(() => group.explain('idle', 'x')).toThrow(/there are: idle/);
  });

  it('can be started again, and reads everything anew', async () => {
    const { group, commit, clock, store } = setUp();
    const cache = group.informer(Parent);
    group.add(makeChild);
    await group.start();
    await group.stop();
    await group.stop();
    await commit(create(parent('a')));
    await clock.flush();
    expect([store.view().count(Child), cache.size]).toEqual([0, 0]);
    await group.start();
    await clock.flush();
    expect([store.view().count(Child), cache.size]).toEqual([1, 1]);
    await group.stop();
  });

  it('stops with its signal, in reverse', async () => {
    const { group, clock, commit, store } = setUp();
    const abort = new AbortController();
    const story: string[] = [];
    const ending = (name: string) => ({
      name,
      for: Parent,
      reconcile: async ({ signal }: { signal: AbortSignal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        story.push(name);
        return undefined;
      },
    });
    await commit(create(parent('a')));
    await group.add(ending('first')).add(ending('second')).start(abort.signal);
    await clock.flush();
    abort.abort();
    await clock.flush();
    expect(story).toEqual(['second', 'first']);
    expect(group.status()).toEqual([]);
    await group.start(abort.signal);
    await clock.flush();
    expect([group.status(), store.view().revision]).toEqual([[], 1]);
  });

  it('refuses a name twice, a bad definition, and changes while it runs', async () => {
    const { group } = setUp();
    group.add(idle);
    expect(group.names).toEqual(['idle']);
    expect(() => group.add(idle)).toThrow(/there is a controller 'idle' already/);
    expect(() => group.add({ name: 'x' } as never)).toThrow(/exactly one of/);
    await group.start();
    expect(() => group.add({ ...idle, name: 'more' })).toThrow(/the group is running/);
    expect(() => group.informer(Parent)).toThrow(/the group is running/);
    await expect(group.start()).rejects.toThrow(/the group is running/);
    await group.stop();
  });

  it('tells metrics under the known names', async () => {
    const made = world();
    const values = new Map<string, number>();
    const key = (name: string, labels: MetricLabels = {}): string =>
      `${name}{${Object.values(labels).join(',')}}`;
    const metrics: Metrics = {
      counter: ({ name }) => ({
        add: (value, labels) =>
          values.set(key(name, labels), value + (values.get(key(name, labels)) ?? 0)),
      }),
      gauge: ({ name }) => ({ set: (value, labels) => values.set(key(name, labels), value) }),
      histogram: ({ name }) => ({
        observe: (_value, labels) =>
          values.set(key(name, labels), 1 + (values.get(key(name, labels)) ?? 0)),
      }),
    };
    const group = new ControllerGroup({ ...made.seams, metrics });
    group.add(makeChild).add({
      name: 'bad',
      for: Parent,
      plan: (view, id) => {
        const object = view.get(Parent, id);
        if (object === undefined) throw new Error('gone');
        const stale = { ...object, meta: { ...object.meta, version: 9999 } };
        return { changes: [update(withStatus(stale, { seen: 1 }))], requeueAt: 1 };
      },
    });
    await made.commit(create(parent('a')));
    await group.start();
    await made.clock.flush();
    expect(values.get('controller_runtime_reconcile_total{make-child,success}')).toBe(1);
    expect(values.get('controller_runtime_reconcile_total{bad,requeue}')).toBe(5);
    expect(values.get('controller_runtime_reconcile_total{bad,error}')).toBe(1);
    expect(values.get('controller_runtime_reconcile_errors_total{bad}')).toBe(1);
    expect(values.get('skep_controller_conflicts_total{bad}')).toBe(6);
    expect(values.get('controller_runtime_reconcile_time_seconds{make-child}')).toBe(1);
    expect(values.get('controller_runtime_max_concurrent_reconciles{make-child}')).toBe(1);
    expect(values.get('workqueue_adds_total{make-child,make-child}')).toBe(1);
    await made.clock.advance(5000);
    expect(values.get('controller_runtime_active_workers{make-child}')).toBe(0);
    await group.stop();
    expect(made.clock.pending()).toEqual([]);
  });
});
