import { describe, expect, it } from '@jest/globals';
import { taskOf } from '../__fixtures__/objects.js';
import {
  ageText,
  bytesText,
  cpusText,
  durationText,
  labelsText,
  portsText,
  resourcesText,
  shortened,
  shortName,
  shortTaskLabel,
  timeText,
} from './words.js';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

describe('durationText', () => {
  it.each([
    [-5, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 20 * SECOND, '3m20s'],
    [10 * MINUTE + 59 * SECOND, '10m'],
    [179 * MINUTE, '179m'],
    [4 * HOUR + 5 * MINUTE, '4h5m'],
    [47 * HOUR, '47h'],
    [3 * DAY + 2 * HOUR, '3d2h'],
    [40 * DAY, '40d'],
  ])('%i ms: %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('other words', () => {
  it('times that have not come are a dash', () => {
    expect([ageText(undefined, 5), ageText(0, 5), timeText(0)]).toEqual(['-', '-', '-']);
    expect(timeText(1)).toBe('1970-01-01T00:00:00.001Z');
  });

  it('sizes, cores and reservations', () => {
    expect([0, 1_023, 1_536, 8 * 2 ** 30].map(bytesText)).toEqual([
      '0 B',
      '1023 B',
      '1.5 KiB',
      '8 GiB',
    ]);
    expect(cpusText(1_500_000_000)).toBe('1.5');
    expect(resourcesText(undefined)).toBe('-');
    const generic = [{ kind: 'gpu', count: 2 }];
    expect(resourcesText({ cpuNanos: 5e8, memoryBytes: 2 ** 26, generic })).toBe(
      '0.5 CPUs, 64 MiB, 2 gpu',
    );
  });

  it('labels by key, ports with their mode', () => {
    expect([labelsText({}), labelsText({ b: '2', a: '1' })]).toEqual(['-', 'a=1,b=2']);
    const port = { name: '', protocol: 'tcp', targetPort: 80, publishMode: 'host' } as const;
    expect(portsText([{ ...port, publishedPort: 0 }])).toBe('*->80/tcp (host)');
    expect(portsText(undefined)).toBe('-');
  });

  it('names of tasks', () => {
    const task = taskOf('web', 1);
    const onNode = taskOf('agent', 0, { nodeId: 'id-node1' });
    expect([shortName(task), shortName(onNode)]).toEqual(['web.1.web1a', 'agent.agent']);
    expect(shortTaskLabel('web.1.0123456789')).toBe('web.1.01234');
  });

  it('long texts are cut visibly, and are one line', () => {
    expect(shortened('ab\n  cd', 80)).toBe('ab cd');
    expect(shortened('abcdef', 4)).toBe('abc…');
  });
});
