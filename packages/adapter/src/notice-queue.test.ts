import { describe, expect, it } from '@jest/globals';
import { NOTICE_MESSAGE_MAX, NOTICES_MAX, type NodeNotice } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { NoticeQueue } from './notice-queue.js';
import { tablesRepaired, tasksAdopted } from './observations.js';

const notice = (message: string): NodeNotice => ({ type: 'warning', reason: 'Drift', message });

function setUp() {
  const clock = new VirtualClock({ start: 0 });
  const calls: { readonly at: number; readonly messages: readonly string[] }[] = [];
  const link = { isThere: true };
  const queue = new NoticeQueue({
    clock,
    send: async (notices) => {
      if (!link.isThere) throw new Error('nobody answers');
      calls.push({ at: clock.now(), messages: notices.map(({ message }) => message) });
      return true;
    },
  });
  return { clock, calls, link, queue };
}

describe('NoticeQueue', () => {
  it('gathers for a second, then pauses, so that a node never tells too much', async () => {
    const { clock, calls, queue } = setUp();
    queue.add(notice('a'));
    await clock.advance(500);
    queue.add(notice('b'));
    await clock.advance(1_000);
    queue.add(notice('c'));
    await clock.advance(60_000);
    expect(calls).toEqual([
      { at: 1_000, messages: ['a', 'b'] },
      { at: 31_000, messages: ['c'] },
    ]);
  });

  it('tells equal ones once, and cuts what is too long', async () => {
    const { clock, calls, queue } = setUp();
    const long = 'x'.repeat(NOTICE_MESSAGE_MAX + 1);
    for (const message of ['a', 'b', 'a', long, long]) queue.add(notice(message));
    await clock.advance(1_000);
    expect(calls[0]?.messages).toEqual(['b', 'a', `${'x'.repeat(NOTICE_MESSAGE_MAX - 1)}…`]);
  });

  it('keeps the newest while nobody takes them, and says how many are missing', async () => {
    const { clock, calls, link, queue } = setUp();
    link.isThere = false;
    for (let n = 0; n < NOTICES_MAX + 10; n += 1) queue.add(notice(`${n}`));
    await clock.advance(60_000);
    expect(calls).toEqual([]);
    link.isThere = true;
    queue.resend();
    await clock.advance(1_000);
    const messages = calls[0]?.messages ?? [];
    expect([messages.length, messages[0], messages.at(-2)]).toEqual([NOTICES_MAX, '11', '41']);
    expect(messages.at(-1)).toBe('11 more notices of this node were dropped; its log has them all');
    await clock.advance(60_000);
    expect(calls).toHaveLength(1);
  });

  it('keeps what is added while a call is under way', async () => {
    const clock = new VirtualClock({ start: 0 });
    const calls: (readonly string[])[] = [];
    const queue = new NoticeQueue({
      clock,
      send: async (notices) => {
        calls.push(notices.map(({ message }) => message));
        if (calls.length === 1) for (const again of ['a', 'b']) queue.add(notice(again));
        return true;
      },
    });
    queue.add(notice('a'));
    await clock.advance(60_000);
    expect(calls).toEqual([['a'], ['a', 'b']]);
  });

  it('is nothing that a settled cluster waits for, and ends', async () => {
    const { clock, calls, queue } = setUp();
    queue.add(notice('a'));
    expect(clock.nextTimer()).toBeUndefined();
    queue.stop();
    queue.add(notice('b'));
    await clock.advance(60_000);
    expect(calls).toEqual([]);
  });
});

describe('notices', () => {
  it('show the first findings and count the others', () => {
    const faults = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(tablesRepaired(faults).message).toBe(
      '7 differences put right: a; b; c; d; e; and 2 more',
    );
    expect(tasksAdopted(['vote.1.x']).message).toBe(
      'the agent started and goes on with 1 task: vote.1.x',
    );
  });
});
