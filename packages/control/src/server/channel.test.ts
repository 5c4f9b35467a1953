import { describe, expect, it } from '@jest/globals';
import { Channel } from './channel.js';

describe('Channel', () => {
  it('hands over values in the order of the puts, each when it is taken', async () => {
    const channel = new Channel<number>();
    const taken: number[] = [];
    const puts = [1, 2, 3].map((value) => channel.put(value).then(() => taken.push(value)));
    await Promise.resolve();
    expect(taken).toEqual([]);
    expect(await channel.next()).toEqual({ done: false, value: 1 });
    await puts[0];
    expect(taken).toEqual([1]);
    expect([await channel.next(), await channel.next()]).toMatchObject([
      { value: 2 },
      { value: 3 },
    ]);
    await Promise.all(puts);
  });

  it('gives a value to a reader that waits', async () => {
    const channel = new Channel<string>();
    const next = channel.next();
    expect(await channel.put('a')).toBe(true);
    expect(await next).toEqual({ done: false, value: 'a' });
  });

  it('tells writers and the reader that it is over', async () => {
    const channel = new Channel<string>();
    const put = channel.put('a');
    channel.end();
    channel.end();
    expect(await put).toBe(false);
    expect(await channel.put('b')).toBe(false);
    expect(await channel.next()).toEqual({ done: true, value: undefined });
    const other = new Channel<string>();
    const next = other.next();
    await other.return();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('is over for writers when the reader leaves the loop', async () => {
    const channel = new Channel<number>();
    const puts = [channel.put(1), channel.put(2)];
    for await (const value of channel) {
      expect(value).toBe(1);
      break;
    }
    expect(await Promise.all(puts)).toEqual([true, false]);
  });
});
