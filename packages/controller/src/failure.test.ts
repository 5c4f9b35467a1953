import { describe, expect, it } from '@jest/globals';
import { Event, SkepError, sleepUntil } from '@skep/api';
import { RecordedMetrics } from './__fixtures__/recorded-metrics.js';
import { Parent, parent, world, type World } from './__fixtures__/world.js';
import { create, noChanges } from './changes.js';
import { startController } from './controller-group.js';
import type { Controller } from './controller.js';
import type { ControllerDefinition } from './contract.js';
import { isPanic, isTerminalError, terminalError } from './failure.js';

describe('terminalError', () => {
  it('is told by its mark, with details and cause of its own', () => {
    const cause = new Error('why');
    const error = terminalError('never', { details: { field: 'spec.image' }, cause });
    expect(error).toMatchObject({
      code: 'failed-precondition',
      message: 'never',
      details: { field: 'spec.image', isTerminal: true },
      cause,
    });
    expect(isTerminalError(error)).toBe(true);
    expect(isTerminalError(new SkepError('failed-precondition', 'later'))).toBe(false);
    expect(isTerminalError(new Error('never'))).toBe(false);
  });
});

describe('isPanic', () => {
  const cases: readonly (readonly [string, unknown, boolean])[] = [
    ['what the language throws', new TypeError('x is not a function'), true],
    ['a stack that is too deep', new RangeError('too much recursion'), true],
    ['a broken invariant', new SkepError('internal', 'assertion failed'), true],
    ['a text', 'oops', true],
    ['nothing at all', undefined, true],
    ['a refusal', new SkepError('invalid-argument', 'no'), false],
    ['an error of somebody', new Error('cannot connect'), false],
  ];

  it.each(cases)('%s', (_what, thrown, expected) => {
    expect(isPanic(thrown)).toBe(expected);
  });
});

interface Setting extends World {
  readonly controller: Controller;
  readonly metrics: RecordedMetrics;
  value(name: string): number | undefined;
}

async function running(define: (clock: World['clock']) => object): Promise<Setting> {
  const made = world();
  const metrics = new RecordedMetrics();
  const full = { name: 'c', for: Parent, ...define(made.clock) } as unknown as ControllerDefinition;
  await made.commit(create(parent('a')));
  const controller = await startController(full, { ...made.seams, metrics });
  await made.clock.flush();
  const value = (name: string): number | undefined =>
    metrics.values.get(`controller_runtime_${name}{controller=c}`);
  return { ...made, controller, metrics, value };
}

describe('a pass that fails for good', () => {
  it('is told like any failure and not tried again before something wakes it', async () => {
    let passes = 0;
    const made = await running(() => ({
      plan: () => {
        passes += 1;
        throw terminalError('this image does not exist');
      },
    }));
    await made.clock.advance(1_000_000);
    expect(passes).toBe(1);
    expect(made.controller.isIdle()).toBe(true);
    expect(made.controller.explain('a')).toMatchObject({
      state: 'idle',
      lastError: 'this image does not exist',
      reasons: ['Parent created', 'error'],
    });
    expect(made.logs).toEqual([
      {
        level: 'error',
        message: 'reconcile failed for good',
        fields: { controller: 'c', key: 'a', error: 'this image does not exist' },
      },
    ]);
    expect(made.store.view().list(Event)).toMatchObject([{ spec: { reason: 'ReconcileFailed' } }]);
    expect(made.value('terminal_reconcile_errors_total')).toBe(1);
    expect(made.value('reconcile_errors_total')).toBe(1);
    expect(made.value('reconcile_panics_total')).toBe(0);
    await made.edit('a', { note: 'again' });
    await made.clock.advance(10);
    expect(passes).toBe(2);
    await made.controller.stop();
  });
});

describe('a pass that panics', () => {
  it('is counted apart, and tried again', async () => {
    let passes = 0;
    const made = await running(() => ({
      plan: () => {
        passes += 1;
        if (passes < 3) throw new TypeError('cannot read properties of undefined');
        return noChanges;
      },
    }));
    await made.clock.advance(1000);
    expect(passes).toBe(3);
    expect(made.value('reconcile_panics_total')).toBe(2);
    expect(made.value('reconcile_errors_total')).toBe(2);
    expect(made.value('terminal_reconcile_errors_total')).toBe(0);
    await made.controller.stop();
  });
});

describe('a pass that takes too long', () => {
  it('is told by its signal, counted, and keeps its key until it ends', async () => {
    const ends: unknown[] = [];
    let passes = 0;
    const made = await running((clock) => ({
      reconcileTimeoutMs: 1000,
      reconcile: async ({ signal, now }: { signal: AbortSignal; now: number }) => {
        passes += 1;
        if (passes > 1) return undefined;
        signal.addEventListener('abort', () => ends.push(signal.reason));
        await sleepUntil(clock, now + 3000);
        signal.throwIfAborted();
        return undefined;
      },
    }));
    await made.clock.advance(999);
    expect([ends, made.value('reconcile_timeouts_total')]).toEqual([[], 0]);
    expect(made.value('active_workers')).toBe(1);
    await made.clock.advance(1);
    expect(ends).toMatchObject([{ code: 'deadline-exceeded' }]);
    expect(made.value('reconcile_timeouts_total')).toBe(1);
    expect(made.controller.explain('a').state).toBe('running');
    await made.clock.advance(2100);
    expect(made.controller.isIdle()).toBe(true);
    expect([passes, made.value('reconcile_errors_total')]).toEqual([2, 1]);
    expect(made.value('active_workers')).toBe(0);
    expect(made.logs[0]?.fields['error']).toBe('the pass took longer than 1000 ms');
    await made.controller.stop();
    expect(made.clock.pending()).toEqual([]);
  });

  it('leaves no timer behind when it was in time, and ends with the controller', async () => {
    const signals: AbortSignal[] = [];
    const made = await running((clock) => ({
      reconcileTimeoutMs: 60_000,
      reconcile: async ({ signal, now }: { signal: AbortSignal; now: number }) => {
        signals.push(signal);
        await sleepUntil(clock, now + 10);
        return undefined;
      },
    }));
    await made.clock.advance(5);
    const stopping = made.controller.stop();
    expect(signals[0]?.aborted).toBe(true);
    await made.clock.advance(10);
    await stopping;
    expect(made.clock.pending()).toEqual([]);
    expect(made.value('reconcile_timeouts_total')).toBe(0);
  });
});
