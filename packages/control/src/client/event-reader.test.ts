import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSkepError } from '@skep/api';
import { readEvents, type ReceivedEvent } from './event-reader.js';

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue;
    yield await Promise.resolve(bytes.slice(from, cut));
    from = cut;
  }
  yield bytes.slice(from);
}

async function read(
  text: string,
  cuts: readonly number[] = [],
  lengthMax?: number,
): Promise<readonly ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  const bytes = new TextEncoder().encode(text);
  for await (const event of readEvents(chunked(bytes, cuts), lengthMax)) events.push(event);
  return events;
}

describe('readEvents', () => {
  it.each<[string, readonly ReceivedEvent[]]>([
    ['', []],
    ['data: a\n\n', [{ event: 'message', data: 'a' }]],
    ['event: x\nid: 7\ndata:a\ndata: b\n\n', [{ event: 'x', data: 'a\nb' }]],
    [': a comment\n\ndata: a\r\n\r\n', [{ event: 'message', data: 'a' }]],
    ['data: a\n\ndata: cut off', [{ event: 'message', data: 'a' }]],
    ['event: nothing\n\ndata\n\n', [{ event: 'message', data: '' }]],
  ])('%j', async (text, events) => {
    expect(await read(text)).toEqual(events);
  });

  it('reads the same wherever the stream is cut, within a character, too', async () => {
    const text = 'event: a\ndata: {"x":"ü – 🐝"}\n\n: alive\n\nevent: b\ndata: 2\ndata: 3\n\n';
    const whole = await read(text);
    expect(whole).toHaveLength(2);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 70 }), { maxLength: 20 }), async (cuts) => {
        expect(await read(text, cuts)).toEqual(whole);
      }),
    );
  });

  it.each([
    ['a line without an end', `data: ${'x'.repeat(200)}`],
    ['many lines', `${'data: xxxxxxxxx\n'.repeat(20)}\n`],
  ])('refuses %s that is too long', async (_, text) => {
    const thrown = await read(text, [50, 100, 150], 100).catch((error: unknown) => error);
    expect(isSkepError(thrown, 'resource-exhausted')).toBe(true);
    expect(await read(text.slice(0, 60).trimEnd() + '\n\n', [20], 100)).toHaveLength(1);
  });
});
