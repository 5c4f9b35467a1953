import { describe, expect, it } from '@jest/globals';
import type { Runnable } from '@skep/api';
import { RunnableStack } from './runnable-stack.js';

function setUp() {
  const calls: string[] = [];
  const runnable = (name: string, faults: { start?: Error; stop?: Error } = {}): Runnable => ({
    start: async () => {
      calls.push(`start ${name}`);
      if (faults.start !== undefined) throw faults.start;
    },
    stop: async () => {
      // Each is stopped when the one above it has stopped.
      await Promise.resolve();
      calls.push(`stop ${name}`);
      if (faults.stop !== undefined) throw faults.stop;
    },
  });
  return { calls, runnable, stack: new RunnableStack() };
}

describe('RunnableStack', () => {
  it('stops in the reverse order of the starts, one after the other', async () => {
    const { calls, runnable, stack } = setUp();
    for (const name of ['store', 'manager', 'simulator']) await stack.start(runnable(name));
    await stack.stop();
    expect(calls).toEqual([
      'start store',
      'start manager',
      'start simulator',
      'stop simulator',
      'stop manager',
      'stop store',
    ]);
  });

  it('does not keep what cannot start, and stops the rest', async () => {
    const { calls, runnable, stack } = setUp();
    await stack.start(runnable('store'));
    const failed = stack.start(runnable('manager', { start: new Error('no port') }));
    await expect(failed).rejects.toThrow('no port');
    await stack.stop();
    expect(calls).toEqual(['start store', 'start manager', 'stop store']);
  });

  it('stops all of them though some cannot be, and says why the first could not', async () => {
    const { calls, runnable, stack } = setUp();
    await stack.start(runnable('store'));
    await stack.start(runnable('manager', { stop: new Error('second') }));
    await stack.start(runnable('simulator', { stop: new Error('first') }));
    await expect(stack.stop()).rejects.toThrow('first');
    expect(calls.slice(3)).toEqual(['stop simulator', 'stop manager', 'stop store']);
  });

  it('passes on even a failure that is nothing', async () => {
    const { stack } = setUp();
    const stop = (): Promise<void> => Promise.reject(undefined);
    await stack.start({ start: () => Promise.resolve(), stop });
    const outcome = await stack.stop().then(
      () => 'stopped',
      () => 'failed',
    );
    expect(outcome).toBe('failed');
  });

  it('stops once, and may be used again', async () => {
    const { calls, runnable, stack } = setUp();
    await stack.start(runnable('store'));
    await Promise.all([stack.stop(), stack.stop()]);
    await stack.stop();
    expect(calls).toEqual(['start store', 'stop store']);
    await stack.start(runnable('store'));
    await stack.stop();
    expect(calls.slice(2)).toEqual(['start store', 'stop store']);
  });
});
