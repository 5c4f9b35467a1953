import { describe, expect, it } from '@jest/globals';
import type { LogQuery } from '@skep/adapter';
import { ContainerLog, LOG_LINES_MAX } from './container-log.js';

function logOf(count: number): ContainerLog {
  const log = new ContainerLog();
  for (let n = 0; n < count; n += 1) {
    log.add({ time: n, stream: n % 2 === 0 ? 'stdout' : 'stderr', text: `${n}` });
  }
  return log;
}

async function textsOf(log: ContainerLog, query: LogQuery = {}): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { text } of log.read(query)) texts.push(text);
  return texts;
}

describe('ContainerLog', () => {
  it.each<[LogQuery, readonly string[]]>([
    [{}, ['0', '1', '2', '3', '4']],
    [{ tail: 2 }, ['3', '4']],
    [{ tail: 0 }, []],
    [{ tail: 9 }, ['0', '1', '2', '3', '4']],
    [{ since: 3 }, ['3', '4']],
    [{ streams: ['stderr'] }, ['1', '3']],
    [{ streams: ['stdout'], tail: 1 }, ['4']],
    [{ streams: [] }, []],
  ])('reads %j', async (query, texts) => {
    expect(await textsOf(logOf(5), query)).toEqual(texts);
  });

  it('keeps the newest lines', async () => {
    const texts = await textsOf(logOf(LOG_LINES_MAX + 3));
    expect([texts.length, texts[0], texts.at(-1)]).toEqual([
      LOG_LINES_MAX,
      '3',
      `${LOG_LINES_MAX + 2}`,
    ]);
  });

  it('follows until the end, from what is wanted of the past', async () => {
    const log = logOf(3);
    const reading = textsOf(log, { follow: true, tail: 1 });
    await Promise.resolve();
    log.add({ time: 9, stream: 'stdout', text: 'more' });
    log.end();
    expect(await reading).toEqual(['2', 'more']);
    expect(await textsOf(log, { follow: true })).toEqual(['0', '1', '2', 'more']);
  });

  it('lets a reader go that waits', async () => {
    const abort = new AbortController();
    const reading = textsOf(logOf(1), { follow: true, signal: abort.signal });
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
    abort.abort();
    expect(await reading).toEqual(['0']);
  });

  it('lets a slow reader miss what had to give way', async () => {
    const log = logOf(1);
    const reader = log.read({ follow: true });
    expect((await reader.next()).value?.text).toBe('0');
    for (let n = 1; n <= LOG_LINES_MAX + 5; n += 1) {
      log.add({ time: n, stream: 'stdout', text: `${n}` });
    }
    expect((await reader.next()).value?.text).toBe('6');
    await reader.return(undefined);
  });
});
