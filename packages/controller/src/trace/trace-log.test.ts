import { describe, expect, it } from '@jest/globals';
import type { CommitEvent } from '@skep/store';
import { parent } from '../__fixtures__/world.js';
import { TraceLog } from './trace-log.js';

function commit(revision: number, events = 1): CommitEvent {
  return {
    revision,
    actor: 'user',
    events: Array.from({ length: events }, (_, at) => ({
      type: 'created' as const,
      object: parent(`${revision}/${at}`),
    })),
  };
}

function ref(id: string): { kind: string; id: string } {
  return { kind: 'Parent', id };
}

const all = (): boolean => true;

describe('TraceLog', () => {
  it('keeps the newest commits, as many as it may', () => {
    const log = new TraceLog({ commitsMax: 3, eventsMax: 100 });
    for (let revision = 5; revision <= 9; revision += 1) log.addCommit(commit(revision));
    expect([log.oldest, log.newest, log.events]).toEqual([7, 9, 3]);
    expect(log.commitAt(6)).toBeUndefined();
    expect(log.commitAt(7)?.revision).toBe(7);
    expect(log.commitAt(10)).toBeUndefined();
    expect(log.newestChange(ref('8/0'), Infinity, all)).toBe(8);
    expect(log.newestChange(ref('8/0'), 7, all)).toBeUndefined();
    expect(log.newestChange(ref('6/0'), Infinity, all)).toBeUndefined();
  });

  it('keeps fewer when they are large, and always the newest', () => {
    const log = new TraceLog({ commitsMax: 100, eventsMax: 10 });
    for (let revision = 1; revision <= 4; revision += 1) log.addCommit(commit(revision, 4));
    expect([log.oldest, log.newest, log.events]).toEqual([3, 4, 8]);
    log.addCommit(commit(5, 50));
    expect([log.oldest, log.newest, log.events]).toEqual([5, 5, 50]);
    log.addCommit(commit(6, 1));
    expect([log.oldest, log.newest, log.events]).toEqual([6, 6, 1]);
    expect(log.commitAt(4)).toBeUndefined();
  });

  it('takes a commit once, and knows of gaps', () => {
    const log = new TraceLog({ commitsMax: 4, eventsMax: 100 });
    log.addCommit(commit(3));
    log.addCommit(commit(3, 7));
    log.addCommit(commit(6));
    expect(log.events).toBe(2);
    expect(log.commitAt(3)?.events).toHaveLength(1);
    expect(log.commitAt(4)).toBeUndefined();
    expect(log.newestChange(ref('3/0'), Infinity, all)).toBe(3);
  });

  it('counts only what it keeps, however wide a gap is', () => {
    const log = new TraceLog({ commitsMax: 5, eventsMax: 20 });
    for (let revision = 1; revision <= 5; revision += 1) log.addCommit(commit(revision, 4));
    expect(log.events).toBe(20);
    log.addCommit(commit(8, 4));
    expect([log.oldest, log.newest, log.events]).toEqual([4, 8, 12]);
    log.addCommit(commit(1000, 4));
    expect([log.oldest, log.newest, log.events]).toEqual([996, 1000, 4]);
    for (let revision = 1001; revision <= 1004; revision += 1) log.addCommit(commit(revision, 4));
    expect([log.oldest, log.newest, log.events]).toEqual([1000, 1004, 20]);
  });

  it('takes the pass of a commit before or after it, and forgets both together', () => {
    const log = new TraceLog({ commitsMax: 10, eventsMax: 2 });
    const pass = (revision: number): Parameters<TraceLog['addPass']>[0] => ({
      revision,
      controller: 'c',
      viewRevision: revision - 1,
      keys: [],
      rule: undefined,
      reasons: undefined,
    });
    log.addPass(pass(1));
    log.addCommit(commit(1));
    log.addCommit(commit(2));
    log.addPass(pass(2));
    expect([log.passAt(1)?.revision, log.passAt(2)?.revision]).toEqual([1, 2]);
    log.addCommit(commit(3));
    expect([log.passAt(1), log.passAt(2)?.revision, log.passAt(3)]).toEqual([
      undefined,
      2,
      undefined,
    ]);
  });
});
