/**
 * The laws of watches: ordered, unique, complete, resumable, and ended rather than lying.
 */
import { seededRandom, withStatus } from '@skep/api';
import type { CommitEvent } from '../contract.js';
import {
  type Box,
  codeOf,
  codeOfCall,
  codeOfThrown,
  createBox,
  createNote,
  recorder,
  summary,
  turns,
  update,
  withStore,
  type Fixture,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';

/** Registers the tests of watches. */
export function watchSuite(kit: ConformanceKit, makeStore: MakeStore): void {
  kit.describe('subscriptions', () => {
    subscriptionTests(kit, makeStore);
    silenceTests(kit, makeStore);
  });
  kit.describe('watches from a revision', () => {
    resumeTests(kit, makeStore);
    compactedTests(kit, makeStore);
  });
  kit.describe('listeners', () => listenerTests(kit, makeStore));
  kit.describe('async iterables', () => iterableTests(kit, makeStore));
  kit.describe('observables', () => observableTests(kit, makeStore));
}

function subscriptionTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('get whole commits, in order, with what was before', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      const seen = recorder();
      store.subscribe(seen);
      await commit(createBox({ id: 'a' }), createNote('n'));
      const before = box('a');
      await commit(
        { type: 'delete', kind: 'Note', id: 'n' },
        update(withStatus(before, { place: 'shelf' })),
        createBox({ id: 'b' }),
      );
      await turns();
      expect(seen.commits.map(summary)).toEqual([
        '1 created Box a, created Note n',
        '2 deleted Note n, updated Box a, created Box b',
      ]);
      const [, updated, created] = seen.commits[1]?.events ?? [];
      expect(updated?.previous).toEqual(before);
      expect(updated?.object).toEqual(box('a'));
      expect(created !== undefined && 'previous' in created).toBe(false);
      expect(seen.commits.map((event) => event.actor)).toEqual(['tester', 'tester']);
    }));

  it('get what they select, and no commit without it', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const all = recorder();
      const notes = recorder();
      const both = recorder();
      const large = recorder();
      store.subscribe(all);
      store.subscribe(notes, { selector: { kinds: ['Note'] } });
      store.subscribe(both, { selector: { kinds: ['Note', 'Box', 'Note'] } });
      const where = (event: CommitEvent['events'][number]) =>
        (event.object as Box).spec.size > 5 && event.type === 'created';
      store.subscribe(large, { selector: { kinds: ['Box'], where } });
      await commit(createBox({ id: 'a' }, { size: 9 }), createNote('n'), createBox({ id: 'b' }));
      await commit(createBox({ id: 'c' }));
      await commit(createNote('m'));
      await turns();
      const counts = [all, notes, both, large].map((seen) =>
        seen.commits.map((event) => `${event.revision}:${event.events.length}`).join(' '),
      );
      expect(counts).toEqual(['1:3 2:1 3:1', '1:1 3:1', '1:3 2:1 3:1', '1:1']);
    }));

  it('refuse kinds that are not there', () =>
    withStore(makeStore, async ({ store }) => {
      const selector = { kinds: ['Alien'] };
      expect(codeOfCall(() => store.subscribe(recorder(), { selector }))).toBe('invalid-argument');
      await Promise.resolve();
    }));
}

function silenceTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('hear nothing of what was refused or wrote nothing', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      const seen = recorder();
      store.subscribe(seen);
      await commit(createBox({ id: 'b' }), createBox({ id: 'a' }));
      await commit();
      await turns();
      expect(seen.commits).toEqual([]);
    }));

  it('hear nothing after they left, and not of their own leaving', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const seen = recorder();
      const subscription = store.subscribe(seen);
      await commit(createBox({ id: 'a' }));
      await turns();
      subscription.unsubscribe();
      subscription.unsubscribe();
      await commit(createBox({ id: 'b' }));
      await turns();
      expect([seen.commits.length, seen.ends]).toEqual([1, []]);
    }));
}

function resumeTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('get every commit after it exactly once, wherever they start', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const random = seededRandom('resume');
      const seen = Array.from({ length: 20 }, () => recorder());
      const starts: number[] = [];
      for (let number = 0; number < 20; number += 1) {
        const fromRevision = random.int(number + 4);
        starts.push(fromRevision);
        store.subscribe(seen[number] ?? recorder(), { fromRevision });
        const done = commit(createBox({ id: `a${number}` }));
        if (random.int(2) === 0) await done;
        if (random.int(3) === 0) await turns();
      }
      await store.waitFor(20);
      await turns();
      for (const [number, { commits, ends }] of seen.entries()) {
        const start = starts[number] ?? 0;
        const wanted = Array.from({ length: Math.max(20 - start, 0) }, (_, at) => start + at + 1);
        expect({ start, got: commits.map((event) => event.revision), ends }).toEqual({
          start,
          got: wanted,
          ends: [],
        });
      }
    }));

  it('select in the past as in the present', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }), createNote('n'));
      await commit(createBox({ id: 'b' }));
      const seen = recorder();
      store.subscribe(seen, { fromRevision: 0, selector: { kinds: ['Note'] } });
      await commit(createNote('m'));
      await turns();
      expect(seen.commits.map(summary)).toEqual(['1 created Note n', '3 created Note m']);
    }));
}

function compactedTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('end with `compacted` when commits are forgotten, and only then', () =>
    withStore(makeStore, async ({ commit, store }) => {
      for (const id of ['a', 'b', 'c', 'd']) await commit(createBox({ id }));
      const early = recorder();
      store.subscribe(early, { fromRevision: 0 });
      await turns();
      await store.compact(2);
      const seen = [0, 1, 2, 3, 4].map((fromRevision) => {
        const listener = recorder();
        store.subscribe(listener, { fromRevision });
        return listener;
      });
      await turns();
      expect(seen.map(({ commits, ends }) => [commits.length, ends.join()])).toEqual([
        [0, 'compacted'],
        [0, 'compacted'],
        [2, ''],
        [1, ''],
        [0, ''],
      ]);
      expect([early.commits.length, early.ends]).toEqual([4, []]);
    }));

  it('are possible for the newest commits only, as many as the log keeps', () =>
    withStore(
      makeStore,
      async ({ commit, store }) => {
        for (let number = 0; number < 10; number += 1)
          await commit(createBox({ id: `a${number}` }));
        const [tooOld, oldest] = [recorder(), recorder()];
        store.subscribe(tooOld, { fromRevision: 6 });
        store.subscribe(oldest, { fromRevision: 7 });
        await turns();
        expect([tooOld.ends, oldest.commits.map((event) => event.revision)]).toEqual([
          ['compacted'],
          [8, 9, 10],
        ]);
      },
      { log: { commitsMax: 3 } },
    ));
}

function listenerTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('are not called from inside the commit, nor inside one another', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const log: string[] = [];
      const again: Promise<unknown>[] = [];
      const ended = () => undefined;
      store.subscribe({
        commit: ({ revision }) => {
          log.push(`first ${revision}`);
          if (revision < 3) again.push(commit(createBox({ id: `b${revision}` })));
          log.push(`first ${revision} over`);
        },
        ended,
      });
      store.subscribe({ commit: ({ revision }) => log.push(`second ${revision}`), ended });
      const done = commit(createBox({ id: 'a' }));
      log.push('committed');
      await done;
      await store.waitFor(3);
      await Promise.all(again);
      await turns();
      expect(log).toEqual([
        'committed',
        ...[1, 2, 3].flatMap((n) => [`first ${n}`, `first ${n} over`, `second ${n}`]),
      ]);
    }));

  it('that throw end alone', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const [before, after] = [recorder(), recorder()];
      const ends: string[] = [];
      store.subscribe(before);
      store.subscribe({
        commit: () => {
          throw new Error('boom');
        },
        ended: (reason) => {
          ends.push(reason.message);
          throw reason;
        },
      });
      store.subscribe(after);
      await commit(createBox({ id: 'a' }));
      await commit(createBox({ id: 'b' }));
      await turns();
      expect([before.commits.length, after.commits.length, ends]).toEqual([2, 2, ['boom']]);
    }));

  it('may come and go while commits are delivered', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const [leaving, joining] = [recorder(), recorder()];
      store.subscribe({
        commit: ({ revision }) => {
          if (revision !== 1) return;
          subscription.unsubscribe();
          store.subscribe(joining, { fromRevision: 0 });
        },
        ended: () => undefined,
      });
      const subscription = store.subscribe(leaving);
      await commit(createBox({ id: 'a' }));
      await commit(createBox({ id: 'b' }));
      await turns();
      expect(leaving.commits.length).toBe(0);
      expect(joining.commits.map((event) => event.revision)).toEqual([1, 2]);
    }));
}

function iterableTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('give the commits since the call', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      const commits = store.watchAsync({ kinds: ['Box'] });
      await commit(createBox({ id: 'b' }));
      const revisions: number[] = [];
      for await (const { revision } of commits) {
        revisions.push(revision);
        if (revision === 3) break;
        await commit(createBox({ id: 'c' }));
      }
      expect(revisions).toEqual([2, 3]);
    }));

  it('are over when the signal aborts', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const abort = new AbortController();
      const done = collect(store.watchAsync(undefined, 0, abort.signal));
      await commit(createBox({ id: 'a' }));
      await turns();
      abort.abort();
      expect((await done).map(summary)).toEqual(['1 created Box a']);
      expect(await collect(store.watchAsync(undefined, 0, abort.signal))).toEqual([]);
    }));

  it('throw `resync-required` when their consumer is too slow, and nothing is lost unsaid', () =>
    withStore(
      makeStore,
      async ({ commit, store }) => {
        const iterator = store.watchAsync()[Symbol.asyncIterator]();
        const first = iterator.next();
        await commit(createBox({ id: 'a' }));
        expect((await first).done).toBe(false);
        for (let number = 0; number < 5; number += 1) {
          await commit(createBox({ id: `b${number}` }));
          await turns();
        }
        expect(await codeOf(iterator.next())).toBe('resync-required');
        expect((await iterator.next()).done).toBe(true);
      },
      { watcher: { bufferMax: 4 } },
    ));

  it('throw `compacted` where the log does not reach', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      await store.compact(1);
      expect(await codeOf(collect(store.watchAsync(undefined, 0)))).toBe('compacted');
    }));
}

function observableTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('give the commits since the subscription, or from a revision', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const now$ = store.watch();
      const past$ = store.watch({ kinds: ['Box'] }, 0);
      await commit(createBox({ id: 'a' }));
      const seen: string[] = [];
      const subscriptions = [
        now$.subscribe((event) => seen.push(`now ${event.revision}`)),
        past$.subscribe((event) => seen.push(`past ${event.revision}`)),
      ];
      await commit(createBox({ id: 'b' }));
      await turns();
      for (const subscription of subscriptions) subscription.unsubscribe();
      await commit(createBox({ id: 'c' }));
      await turns();
      expect(seen.sort()).toEqual(['now 2', 'past 1', 'past 2']);
    }));

  it('error where the log does not reach', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      await store.compact(1);
      const ends: string[] = [];
      store.watch(undefined, 0).subscribe({
        error: (reason: unknown) => ends.push(codeOfThrown(reason)),
      });
      await turns();
      expect(ends).toEqual(['compacted']);
    }));

  it('give what an observer throws to its own `error`, and go on for the others', () =>
    withStore(makeStore, async (fixture: Fixture) => {
      const seen: string[] = [];
      fixture.store.watch().subscribe({
        next: () => {
          throw new Error('boom');
        },
        error: (reason: unknown) => seen.push((reason as Error).message),
      });
      fixture.store.watch().subscribe((event) => seen.push(`other ${event.revision}`));
      await fixture.commit(createBox({ id: 'a' }));
      await fixture.commit(createBox({ id: 'b' }));
      await turns();
      expect(seen.sort()).toEqual(['boom', 'other 1', 'other 2']);
    }));
}

async function collect(commits: AsyncIterable<CommitEvent>): Promise<readonly CommitEvent[]> {
  const all: CommitEvent[] = [];
  for await (const commit of commits) all.push(commit);
  return all;
}
