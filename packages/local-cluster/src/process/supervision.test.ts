import { describe, expect, it } from '@jest/globals';
import {
  afterExit,
  afterStart,
  afterStop,
  NO_HISTORY,
  pauseMs,
  planSupervision,
  STOP_GRACE_MS,
  type ProcessHistory,
} from './supervision.js';

const WANTED = [{ key: 'manager', file: 'm.1' }];

function plan(
  history: ProcessHistory | undefined,
  now: number,
  wanted = WANTED,
): ReturnType<typeof planSupervision> {
  return planSupervision(wanted, new Map(history ? [['manager', history]] : []), now);
}

describe('what a supervisor does', () => {
  it('starts what is wanted and does not run', () => {
    const steps = [{ type: 'start', key: 'manager', file: 'm.1' }];
    expect(plan(undefined, 0)).toEqual({ steps, wakeAt: undefined });
  });

  it('leaves alone what runs as it should', () => {
    expect(plan(afterStart(NO_HISTORY, 'm.1', 5), 9)).toEqual({ steps: [], wakeAt: undefined });
  });

  it('stops what runs with other settings, kills it after the grace, then starts it at once', () => {
    const running = afterStart(NO_HISTORY, 'm.0', 0);
    expect(plan(running, 9).steps).toEqual([{ type: 'stop', key: 'manager' }]);
    const stopping = afterStop(running, 9);
    expect(plan(stopping, 10)).toEqual({ steps: [], wakeAt: 9 + STOP_GRACE_MS });
    expect(plan(stopping, 9 + STOP_GRACE_MS).steps).toEqual([{ type: 'kill', key: 'manager' }]);
    const ended = afterExit(stopping, 'ended with 0', 20);
    expect(plan(ended, 20).steps).toEqual([{ type: 'start', key: 'manager', file: 'm.1' }]);
    expect([ended.restarts, ended.lastExit]).toEqual([0, undefined]);
  });

  it('stops what is not wanted any more, and then forgets it', () => {
    const running = afterStart(NO_HISTORY, 'm.1', 0);
    expect(plan(running, 9, []).steps).toEqual([{ type: 'stop', key: 'manager' }]);
    const ended = afterExit(afterStop(running, 9), 'ended with 0', 10);
    expect(plan(ended, 10, [])).toEqual({ steps: [], wakeAt: undefined });
  });

  it('waits longer each time that it ends soon, up to ten seconds', () => {
    let history = NO_HISTORY;
    let now = 0;
    const waits: number[] = [];
    for (let times = 0; times < 9; times += 1) {
      history = afterExit(afterStart(history, 'm.1', now), 'was killed by SIGKILL', now + 100);
      waits.push(history.notBefore - now - 100);
      const { steps, wakeAt } = plan(history, now + 100);
      if (waits.at(-1) === 0) expect(steps).toHaveLength(1);
      else expect({ steps, wakeAt }).toEqual({ steps: [], wakeAt: history.notBefore });
      now = history.notBefore;
    }
    expect(waits).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(history).toMatchObject({ restarts: 9, lastExit: 'was killed by SIGKILL' });
    expect(pauseMs(1_000)).toBe(10_000);
  });

  it('begins anew with one that ran for long', () => {
    const failing = { ...NO_HISTORY, failures: 7 };
    const ended = afterExit(afterStart(failing, 'm.1', 0), 'ended with 1', 30_000);
    expect([ended.failures, ended.notBefore]).toEqual([1, 30_000]);
  });

  it('goes in the order in which processes are wanted; others come last, by key', () => {
    const wanted = ['manager', 'agent'].map((key) => ({ key, file: key }));
    const others = ['z', 'y'].map((key) => [key, afterStart(NO_HISTORY, key, 0)] as const);
    const { steps } = planSupervision(wanted, new Map(others), 0);
    expect(steps.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'start manager',
      'start agent',
      'stop y',
      'stop z',
    ]);
  });
});
