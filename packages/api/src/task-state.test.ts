import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compareTaskStates,
  isAtLeast,
  isRunnable,
  isTerminal,
  laterState,
  TASK_STATE_RANK,
  TASK_STATES,
} from './task-state.js';

const anyState = fc.constantFrom(...TASK_STATES);

describe('task states', () => {
  it('have the numbers that Swarm gives them, so that reports can be compared with its own', () => {
    expect(TASK_STATE_RANK).toEqual({
      new: 0,
      pending: 64,
      assigned: 192,
      accepted: 256,
      preparing: 320,
      ready: 384,
      starting: 448,
      running: 512,
      complete: 576,
      shutdown: 640,
      failed: 704,
      rejected: 768,
      remove: 800,
      orphaned: 832,
    });
  });

  it('are listed from the lowest to the highest', () => {
    const ranks = TASK_STATES.map((state) => TASK_STATE_RANK[state]);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(new Set(ranks).size).toBe(TASK_STATES.length);
    expect([TASK_STATES[0], TASK_STATES.at(-1)]).toEqual(['new', 'orphaned']);
  });

  it('are either runnable or terminal; running is the last that may run', () => {
    const runnable = TASK_STATES.filter(isRunnable);
    expect(runnable).toEqual([
      'new',
      'pending',
      'assigned',
      'accepted',
      'preparing',
      'ready',
      'starting',
      'running',
    ]);
    expect(TASK_STATES.filter(isTerminal)).toEqual(TASK_STATES.slice(runnable.length));
  });

  it('have a total order that all functions agree on', () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        const order = compareTaskStates(a, b);
        expect(Math.sign(order)).toBe(-Math.sign(compareTaskStates(b, a)) + 0);
        expect(order === 0).toBe(a === b);
        expect(isAtLeast(a, b)).toBe(order >= 0);
        expect(laterState(a, b)).toBe(order >= 0 ? a : b);
        expect(laterState(a, b)).toBe(laterState(b, a));
      }),
    );
  });
});
