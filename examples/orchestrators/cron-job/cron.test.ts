import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cronFault, nextTime, parseCron, previousTime } from './cron.js';

const at = (text: string): number => Date.parse(`${text}Z`);
const iso = (time: number | undefined): string =>
  time === undefined ? 'never' : new Date(time).toISOString().slice(0, 16);

describe('the next time', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00', '2026-01-01T00:01'],
    ['*/15 * * * *', '2026-01-01T00:15', '2026-01-01T00:30'],
    ['5/20 * * * *', '2026-01-01T00:26', '2026-01-01T00:45'],
    ['0 6 * * *', '2026-01-01T06:00', '2026-01-02T06:00'],
    ['30 9-17/4 * * *', '2026-01-01T13:31', '2026-01-01T17:30'],
    ['0 0 31 * *', '2026-01-31T00:00', '2026-03-31T00:00'],
    ['0 0 29 2 *', '2026-01-01T00:00', '2028-02-29T00:00'],
    ['0 0 * * mon', '2026-01-01T00:00', '2026-01-05T00:00'],
    ['0 0 * * 7', '2026-01-01T00:00', '2026-01-04T00:00'],
    ['0 12 1,15 JAN,jul *', '2026-01-15T12:00', '2026-07-01T12:00'],
    // Both day fields: either counts. The 13th, and every Friday.
    ['0 0 13 * 5', '2026-01-09T00:00', '2026-01-13T00:00'],
    ['0 0 13 * 5', '2026-01-13T00:00', '2026-01-16T00:00'],
    // A star with a step restricts nothing: both have to hold.
    ['0 0 */2 * 5', '2026-01-01T00:00', '2026-01-09T00:00'],
    ['@hourly', '2026-01-01T00:59', '2026-01-01T01:00'],
    ['@yearly', '2026-01-01T00:00', '2027-01-01T00:00'],
  ])('of %s after %s is %s', (text, after, next) => {
    expect(iso(nextTime(parseCron(text), at(after)))).toBe(next);
  });
});

describe('the previous time', () => {
  it.each([
    ['*/15 * * * *', '2026-01-01T00:15', '2026-01-01T00:15'],
    ['*/15 * * * *', '2026-01-01T00:14', '2026-01-01T00:00'],
    ['0 6 * * *', '2026-01-01T05:59', '2025-12-31T06:00'],
    ['0 0 29 2 *', '2027-01-01T00:00', '2024-02-29T00:00'],
  ])('of %s until %s is %s', (text, until, previous) => {
    expect(iso(previousTime(parseCron(text), at(until)))).toBe(previous);
  });
});

describe('a fault', () => {
  it.each([
    ['* * * *', "has 4 fields; write 'minute hour day month weekday'"],
    ['60 * * * *', "minute: '60' is no value or range within 0 to 59"],
    ['* 5-3 * * *', "hour: '5-3'"],
    ['* * 0 * *', "day of month: '0'"],
    ['* * * foo *', "month: 'foo'"],
    ['*/0 * * * *', "minute: '*/0' has a step"],
    ['1-2-3 * * * *', "minute: '1-2-3'"],
    [', * * * *', "minute: ''"],
    ['0 0 30 2 *', 'never comes'],
  ])('of %s names the part', (text, words) => {
    expect(cronFault(text)).toContain(words);
  });

  it('is not found in a good one', () => {
    expect(cronFault('0 0 29 2 *')).toBeUndefined();
  });
});

it('next and previous are each other’s inverse, and nothing lies between', () => {
  const field = (min: number, max: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min, max }).map(String),
      fc.integer({ min: 1, max: 9 }).map((step) => `*/${step}`),
    );
  const expression = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7));
  const time = fc.integer({ min: 0, max: 2 ** 41 });
  fc.assert(
    fc.property(expression, time, (fields, after) => {
      const schedule = parseCron(fields.join(' '));
      const next = nextTime(schedule, after);
      if (next === undefined) return;
      expect(next).toBeGreaterThan(after);
      expect(previousTime(schedule, next)).toBe(next);
      expect(previousTime(schedule, next - 1) ?? -1).toBeLessThanOrEqual(after);
    }),
    { numRuns: 50, seed: 7 },
  );
});
