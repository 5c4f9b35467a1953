import { describe, expect, it } from '@jest/globals';
import { sleepUntil, withStatus } from '@skep/api';
import {
  Child,
  child,
  childrenOf,
  Parent,
  parent,
  world,
  type World,
} from '../__fixtures__/world.js';
import { because, create, noChanges, remove, update } from '../changes.js';
import { ControllerGroup, startController } from '../controller-group.js';
import type { ControllerDefinition, PlanController } from '../contract.js';
import { ReconcileTrace, type ReconcileTraceOptions } from './reconcile-trace.js';
import type { WhyOptions, WhyStep } from './why.js';

interface Setting extends World {
  readonly trace: ReconcileTrace;
  readonly group: ControllerGroup;
  /** `rN actor rule change Kind/id`, the cause first; what ends the chain in brackets. */
  why(kind: string, id: string, options?: WhyOptions): readonly string[];
}

async function running(
  definitions: readonly ControllerDefinition[],
  options: ReconcileTraceOptions & { readonly bufferMax?: number } = {},
): Promise<Setting> {
  const made = world(options.bufferMax === undefined ? {} : { bufferMax: options.bufferMax });
  const trace = new ReconcileTrace(options);
  const group = new ControllerGroup({ ...made.seams, trace });
  for (const definition of definitions) group.add(definition);
  await group.start();
  return {
    ...made,
    trace,
    group,
    why: (kind, id, asked) => trace.why({ kind, id }, asked).map(line),
  };
}

function line({ revision, actor, rule, change, object, end }: WhyStep): string {
  const words = [end === undefined ? '' : `[${end}]`, `r${revision}`, actor, rule ?? '', change];
  return [...words, `${object.kind}/${object.id}`].filter((word) => word !== '').join(' ');
}

/** One child for each parent that wants one. */
const makeChild: PlanController = {
  name: 'make-child',
  for: Parent,
  rule: 'keep-one',
  plan: (view, key) => {
    const object = view.get(Parent, key);
    const children = view.list(Child, childrenOf(key));
    if ((object?.spec.wanted ?? 0) === 0) return { changes: children.map((c) => remove(c)) };
    if (children.length > 0) return noChanges;
    return { changes: [create(child(`of ${key}`, key))] };
  },
};

describe('ReconcileTrace', () => {
  it('leads from a change to the commit that somebody wanted', async () => {
    const { commit, edit, clock, why, trace, group } = await running([makeChild]);
    await commit(create(parent('a')), create(parent('b')));
    await clock.flush();
    expect(why('Child', 'of a')).toEqual([
      '[origin] r1 user created Parent/a',
      'r2 make-child keep-one created Child/of a',
    ]);
    await edit('a', { wanted: 0 });
    await clock.flush();
    expect(why('Child', 'of a')).toEqual([
      '[origin] r4 user updated Parent/a',
      'r5 make-child keep-one deleted Child/of a',
    ]);
    expect(why('Child', 'of a', { change: 'created' })).toHaveLength(2);
    expect(why('Child', 'of a', { revision: 4 }).at(-1)).toMatch(/created/);
    expect(trace.why({ kind: 'Child', id: 'of a' })[1]).toEqual({
      revision: 5,
      actor: 'make-child',
      change: 'deleted',
      object: { kind: 'Child', id: 'of a', name: '' },
      fields: [],
      fieldsLeftOut: 0,
      controller: 'make-child',
      key: 'a',
      viewRevision: 4,
      rule: 'keep-one',
      wokenBy: [{ type: 'updated', revision: 4, object: { kind: 'Parent', id: 'a', name: 'a' } }],
    });
    expect(trace.explain({ kind: 'Child', id: 'of a' })).toBe(
      'r4  user        updated Parent a\n' +
        '                spec.wanted 1 → 0\n' +
        'r5  make-child  keep-one: deleted Child of a\n' +
        '                decided on view r4 for Parent a; woken by Parent a updated (r4)\n',
    );
    expect(why('Child', 'nobody')).toEqual([]);
    expect(trace.explain({ kind: 'Child', id: 'nobody' })).toMatch(/no such change/);
    await group.stop();
  });

  it('finds what was there before the controllers started, as far as it was heard of', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const trace = new ReconcileTrace();
    const controller = await startController(makeChild, { ...made.seams, trace });
    await made.clock.flush();
    expect(trace.why({ kind: 'Child', id: 'of a' }).map(line)).toEqual([
      '[forgotten] r2 make-child keep-one created Child/of a',
    ]);
    expect(trace.explain({ kind: 'Child', id: 'of a' })).toContain(
      'older than the trace remembers',
    );
    expect(trace.why({ kind: 'Child', id: 'of a' })[0]?.wokenBy[0]?.type).toBe('listed');
    await controller.stop();
  });

  it('takes the rule and the cause that a change names before everything else', async () => {
    const { commit, clock, why, group } = await running([
      {
        ...makeChild,
        plan: (view, key) => {
          if (key !== 'b' || view.count(Child) > 0) return noChanges;
          const cause = { kind: 'Parent', id: 'a', field: 'spec' };
          return { changes: [because(create(child('x', 'a')), 'on-behalf', cause)] };
        },
      },
    ]);
    await commit(create(parent('a')));
    await commit(create(parent('b')));
    await clock.flush();
    expect(why('Child', 'x')).toEqual([
      '[origin] r1 user created Parent/a',
      'r3 make-child on-behalf created Child/x',
    ]);
    await group.stop();
  });

  it('goes through reports of a status to what they are about', async () => {
    const setting = await running([
      {
        ...makeChild,
        plan: (view, key) => {
          const isSeen = view.get(Parent, key)?.status.seen === 2;
          return isSeen && view.count(Child) === 0
            ? { changes: [create(child('x', key))] }
            : noChanges;
        },
      },
    ]);
    const { commit, clock, why, store, group } = setting;
    await commit(create(parent('a')));
    for (const seen of [1, 2]) {
      const object = store.view().get(Parent, 'a') ?? parent('a');
      await commit(update(withStatus(object, { seen })));
    }
    await clock.flush();
    expect(why('Child', 'x')).toEqual([
      '[origin] r1 user created Parent/a',
      'r2 user updated Parent/a',
      'r3 user updated Parent/a',
      'r4 make-child keep-one created Child/x',
    ]);
    expect(why('Parent', 'a', { field: 'status.seen', revision: 2 })).toHaveLength(2);
    expect(why('Parent', 'a', { field: 'spec' })).toEqual(['[origin] r1 user created Parent/a']);
    expect(why('Child', 'x', { stepsMax: 2 })).toEqual([
      '[cut] r3 user updated Parent/a',
      'r4 make-child keep-one created Child/x',
    ]);
    await group.stop();
  });

  it('remembers through a wait what the wait was for', async () => {
    const { commit, clock, why, group } = await running([
      {
        ...makeChild,
        plan: (view, key, now) => {
          const at = view.get(Parent, key)?.meta.createdAt ?? 0;
          if (view.get(Child, 'first') === undefined) {
            // Nothing is written by the pass that asks for the time.
            if (now < at + 1000) return { changes: [], requeueAt: at + 1000 };
            return { changes: [create(child('first', key))], requeueAt: at + 2000 };
          }
          if (now < at + 2000) return { changes: [], requeueAt: at + 2000 };
          return view.count(Child) === 1 ? { changes: [create(child('second', key))] } : noChanges;
        },
      },
    ]);
    await commit(create(parent('a')));
    await clock.advance(5000);
    expect(why('Child', 'second')).toEqual([
      '[origin] r1 user created Parent/a',
      'r2 make-child keep-one created Child/first',
      'r3 make-child keep-one created Child/second',
    ]);
    await group.stop();
  });

  it('keeps what woke a key through conflicts and failures', async () => {
    let failures = 2;
    const setting = await running([
      {
        ...makeChild,
        plan: (view, key) => {
          if (view.count(Child) > 0) return noChanges;
          if (failures > 0) {
            failures -= 1;
            if (failures === 0) throw new Error('broken');
            const stale = { kind: 'Parent', id: key, version: 99 } as const;
            return {
              changes: [create(child('x', key))],
              expect: [{ type: 'version', ...stale }],
            };
          }
          return { changes: [create(child('x', key))] };
        },
      },
    ]);
    const { commit, clock, why, group } = setting;
    await commit(create(parent('a')));
    await clock.advance(1000);
    // In between an event told of the failure.
    expect(why('Child', 'x')[0]).toBe('[origin] r1 user created Parent/a');
    expect(why('Child', 'x').at(-1)).toMatch(/make-child keep-one created Child\/x$/);
    await group.stop();
  });

  it('tells keys of a batch apart, and groups that answer several', async () => {
    const { commit, clock, why, trace, group } = await running([
      {
        name: 'batch',
        for: Parent,
        planBatch: (view, keys) => {
          const missing = keys.filter((key) => view.count(Child, childrenOf(key)) === 0);
          const changes = missing.map((key) => create(child(`of ${key}`, key)));
          const groups = missing.map((key, at) => ({
            keys: [key],
            changes: [changes[at] as never],
          }));
          return missing.includes('joint') ? { groups: [{ keys: missing, changes }] } : { groups };
        },
      },
    ]);
    await commit(create(parent('a')));
    await commit(create(parent('b')));
    await clock.flush();
    expect(why('Child', 'of a')[0]).toBe('[origin] r1 user created Parent/a');
    expect(why('Child', 'of b')[0]).toBe('[origin] r2 user created Parent/b');
    await commit(create(parent('c')));
    await commit(create(parent('joint')));
    await clock.flush();
    const steps = trace.why({ kind: 'Child', id: 'of c' });
    // Nobody can tell which key of a group a change answers: the newest event counts.
    expect(steps.map(line)[0]).toBe('[origin] r6 user created Parent/joint');
    expect(steps[1]?.wokenBy).toHaveLength(2);
    expect(steps[1]?.key).toBeUndefined();
    await group.stop();
  });

  it('follows several writes of an asynchronous pass, each with the events before its view', async () => {
    const made: Setting = await running([
      {
        name: 'slow',
        for: Parent,
        reconcile: async ({ view, commit: write, now }, key) => {
          if (view.count(Child) > 0) return undefined;
          await write([create(child('x', key))]);
          await sleepUntil(made.clock, now + 100);
          await write([create(child('y', key))]);
          return undefined;
        },
      },
    ]);
    const { commit, edit, clock, why, trace, group } = made;
    await commit(create(parent('a')));
    await clock.flush();
    await edit('a', { note: 'during the pass' });
    await clock.advance(1000);
    for (const id of ['x', 'y']) {
      expect(why('Child', id)[0]).toBe('[origin] r1 user created Parent/a');
      expect(trace.why({ kind: 'Child', id })[1]?.wokenBy).toHaveLength(1);
    }
    await group.stop();
  });

  it('says when a pass was begun by hand', async () => {
    let isOpen = false;
    const { commit, clock, trace, group } = await running([
      {
        ...makeChild,
        plan: (view, key) => {
          if (!isOpen || view.count(Child) > 0) return noChanges;
          return { changes: [create(child('x', key))] };
        },
      },
    ]);
    await commit(create(parent('a')));
    await clock.flush();
    isOpen = true;
    group.trigger('make-child', 'a', 'somebody');
    await clock.flush();
    const [step, ...more] = trace.why({ kind: 'Child', id: 'x' });
    expect(more).toEqual([]);
    expect(step).toMatchObject({ end: 'unknown', wokenBy: [{ type: 'by hand', revision: 0 }] });
    expect(trace.explain({ kind: 'Child', id: 'x' })).toContain('woken by hand');
    await group.stop();
  });

  it('forgets the oldest first, and says so', async () => {
    const { commit, edit, clock, why, group } = await running([makeChild], { commitsMax: 4 });
    await commit(create(parent('a')));
    await clock.flush();
    expect(why('Child', 'of a')).toHaveLength(2);
    for (let i = 0; i < 3; i += 1) await edit('a', { note: `${i}` });
    await clock.flush();
    expect(why('Child', 'of a')).toEqual(['[forgotten] r2 make-child keep-one created Child/of a']);
    await edit('a', { note: 'more' });
    await clock.flush();
    expect(why('Child', 'of a')).toEqual([]);
    await group.stop();
  });

  it('has a gap where its watch had one', async () => {
    const { commit, clock, why, group } = await running([makeChild], { bufferMax: 2 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) void commit(create(parent(id)));
    await clock.advance(5000);
    expect(why('Child', 'of e')).toEqual([
      expect.stringMatching(/^\[forgotten\] r\d+ make-child keep-one created Child\/of e$/),
    ]);
    await group.stop();
  });

  it('keeps nothing about keys that are done', async () => {
    const { commit, clock, group, trace } = await running([makeChild]);
    const passes = trace.passesOf('spare', undefined);
    passes.woke('k', { type: 'created', revision: 1 });
    passes.began('k', 1);
    for (let i = 0; i < 50; i += 1) passes.woke('k', { type: 'updated', revision: 1 });
    passes.ended('k', { again: false });
    expect(passes.size).toBe(0);
    passes.began('k', 2);
    passes.woke('k', { type: 'updated', revision: 3 });
    passes.ended('k', { again: false });
    expect(passes.size).toBe(1);
    await commit(create(parent('a')));
    await clock.flush();
    await group.stop();
  });

  it.each([
    [{ commitsMax: 0 }, /'commitsMax' is 0/],
    [{ eventsMax: 1.5 }, /'eventsMax' is 1.5/],
  ])('refuses %j', (options, expected) => {
    expect(() => new ReconcileTrace(options)).toThrow(expected);
  });
});
