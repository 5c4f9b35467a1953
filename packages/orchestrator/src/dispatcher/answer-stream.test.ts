import { describe, expect, it } from '@jest/globals';
import { SkepError, type NodeAnswer } from '@skep/api';
import { AnswerStream } from './answer-stream.js';

const line = (text: string): NodeAnswer => ({
  type: 'line',
  taskId: 't1',
  time: 1,
  stream: 'stdout',
  text,
});

/** A node that says these lines and then nothing more, and never lets go by itself. */
function node(...texts: readonly string[]) {
  const seen = { opened: 0, asked: 0, returned: 0 };
  let signal: AbortSignal | undefined;
  const answers: AsyncIterator<NodeAnswer> = {
    next: () => {
      const text = texts[seen.asked];
      seen.asked += 1;
      if (text === undefined) return new Promise(() => undefined);
      return Promise.resolve({ done: false, value: line(text) });
    },
    return: () => {
      seen.returned += 1;
      return new Promise(() => undefined);
    },
  };
  const open = (stream: AnswerStream): AsyncIterable<NodeAnswer> => {
    seen.opened += 1;
    ({ signal } = stream);
    return { [Symbol.asyncIterator]: () => answers };
  };
  return { seen, open, isAborted: () => signal?.aborted };
}

describe('AnswerStream', () => {
  it('asks nothing before it is read, and once', async () => {
    const { seen, open } = node('a', 'b');
    const stream = new AnswerStream({ open });
    expect(seen).toEqual({ opened: 0, asked: 0, returned: 0 });
    expect((await stream.next()).value).toEqual(line('a'));
    expect((await stream.next()).value).toEqual(line('b'));
    expect(seen).toEqual({ opened: 1, asked: 2, returned: 0 });
  });

  it('ends at once when the reader leaves, though the node does not', async () => {
    const { seen, open, isAborted } = node('a');
    const stream = new AnswerStream({ open });
    const over: string[] = [];
    stream.onOver(() => over.push('over'));
    for await (const _ of stream) break;
    expect([seen.returned, isAborted(), over]).toEqual([1, true, ['over']]);
    expect((await stream.next()).done).toBe(true);
    await stream.return();
    expect(over).toEqual(['over']);
  });

  it('ends reads that wait when the asker gives up', async () => {
    const { open, isAborted } = node();
    const abort = new AbortController();
    const stream = new AnswerStream({ open, signal: abort.signal });
    const reads = [stream.next(), stream.next()];
    abort.abort();
    await expect(reads[0]).rejects.toMatchObject({ code: 'aborted' });
    expect((await reads[1])?.done).toBe(true);
    expect(isAborted()).toBe(true);
  });

  it('asks nothing for an asker that has given up', async () => {
    const { seen, open } = node('a');
    const stream = new AnswerStream({ open, signal: AbortSignal.abort() });
    await expect(stream.next()).rejects.toMatchObject({ code: 'aborted' });
    expect([(await stream.next()).done, seen.opened]).toEqual([true, 0]);
  });

  it('shows an error that came between two reads to the next, once', async () => {
    const { open } = node('a');
    const stream = new AnswerStream({ open });
    await stream.next();
    stream.fail(new SkepError('unavailable', 'gone'));
    stream.fail(new SkepError('internal', 'late'));
    await expect(stream.next()).rejects.toMatchObject({ code: 'unavailable' });
    expect((await stream.next()).done).toBe(true);
  });

  it('passes on what the node throws, at once or later', async () => {
    const refuse = (): never => {
      throw new SkepError('unimplemented', 'no');
    };
    const first = new AnswerStream({ open: refuse }).next();
    await expect(first).rejects.toMatchObject({ code: 'unimplemented' });
    const later = new AnswerStream({
      open: async function* () {
        yield line('a');
        throw new SkepError('not-found', 'no');
      },
    });
    await later.next();
    await expect(later.next()).rejects.toMatchObject({ code: 'not-found' });
    expect((await later.next()).done).toBe(true);
  });

  it('drops an answer that comes after the end', async () => {
    let answer = (_: IteratorResult<NodeAnswer>): void => undefined;
    const stream = new AnswerStream({
      open: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<IteratorResult<NodeAnswer>>((resolve) => (answer = resolve)),
        }),
      }),
    });
    const read = stream.next();
    await stream.return();
    answer({ done: false, value: line('late') });
    expect((await read).done).toBe(true);
  });
});
