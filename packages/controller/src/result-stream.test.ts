import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import type { PassResult } from './contract.js';
import { iterate, ResultStream } from './result-stream.js';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('ResultStream', () => {
  it('knows whether anybody listens', () => {
    const stream = new ResultStream();
    const seen: PassResult[] = [];
    expect(stream.isObserved).toBe(false);
    const subscription = stream.result$.subscribe((result) => seen.push(result));
    expect(stream.isObserved).toBe(true);
    const result = { controller: 'c', key: 'k', changes: 0, durationMs: 0 } as const;
    stream.emit({ ...result, outcome: 'unchanged' });
    subscription.unsubscribe();
    expect(stream.isObserved).toBe(false);
    expect(seen).toHaveLength(1);
    stream.complete();
  });
});

describe('iterate', () => {
  it('holds values from the call on, until the source completes', async () => {
    const source = new Subject<number>();
    const values = iterate(source);
    source.next(1);
    const all = collect(values);
    source.next(2);
    await Promise.resolve();
    source.next(3);
    source.complete();
    expect(await all).toEqual([1, 2, 3]);
  });

  it('ends with the signal, dropping what was not read', async () => {
    const source = new Subject<number>();
    const abort = new AbortController();
    const values = iterate(source, { signal: abort.signal });
    source.next(1);
    abort.abort();
    expect(await collect(values)).toEqual([]);
    expect(source.observed).toBe(false);
    expect(await collect(iterate(source, { signal: abort.signal }))).toEqual([]);
  });

  it('lets go of the source when the reader leaves', async () => {
    const source = new Subject<number>();
    const values = iterate(source);
    source.next(1);
    for await (const value of values) {
      expect(value).toBe(1);
      break;
    }
    expect(source.observed).toBe(false);
  });

  it('ends with an error when the reader is too slow', async () => {
    const source = new Subject<number>();
    const values = iterate(source, { max: 2 });
    for (let i = 0; i < 4; i += 1) source.next(i);
    expect(source.observed).toBe(false);
    await expect(collect(values)).rejects.toMatchObject({ code: 'resource-exhausted' });
  });

  it('passes the error of the source on', async () => {
    const source = new Subject<number>();
    const values = iterate(source);
    source.error(new Error('broken'));
    await expect(collect(values)).rejects.toThrow('broken');
  });
});
