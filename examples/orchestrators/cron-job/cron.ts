/**
 * Cron expressions: five fields, in UTC.
 *
 * **Source:** crontab(5) of Vixie cron for the fields, names and the rule about the two day fields.
 */
import { messageOf, SkepError } from '@skep/api';
import type { Timestamp } from '@skep/api';

/** A parsed expression. */
export interface CronSchedule {
  /** Minutes of a day (0 to 1439), rising. */
  readonly minutes: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both day fields are restricted: a day that either of them names counts. */
  readonly isEitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun'].concat([
  'jul',
  'aug',
  'sep',
  'oct',
  'nov',
  'dec',
]);
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  // 7 is Sunday, too.
  { name: 'day of week', min: 0, max: 7, names: WEEKDAYS },
];

const NICKNAMES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/**
 * Parses `minute hour day-of-month month day-of-week` or a nickname such as `@daily`. A field is
 * `*` or a list of values and ranges, each with an optional step: `0-30/10,45`.
 * @throws invalid-argument, with the field and the part of it that is wrong.
 */
export function parseCron(text: string): CronSchedule {
  const expression = NICKNAMES[text.trim().toLowerCase()] ?? text;
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw fault(`'${text}' has ${parts.length} fields; write 'minute hour day month weekday'`);
  }
  const [minutes, hours, daysOfMonth, months, weekdays] = FIELDS.map((field, index) =>
    parseField(field, parts[index] ?? ''),
  );
  const [dayText = '', weekdayText = ''] = [parts[2], parts[4]];
  return {
    minutes: sorted(hours).flatMap((hour) => sorted(minutes).map((minute) => hour * 60 + minute)),
    daysOfMonth: daysOfMonth ?? new Set(),
    months: months ?? new Set(),
    daysOfWeek: new Set(sorted(weekdays).map((day) => day % 7)),
    // As in Vixie cron, `*/2` counts as a star.
    isEitherDay: !dayText.startsWith('*') && !weekdayText.startsWith('*'),
  };
}

/** Why the expression is no good, or undefined when it is. One that never comes is no good. */
export function cronFault(text: string): string | undefined {
  try {
    return nextTime(parseCron(text), 0) === undefined ? `'${text}' never comes` : undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** The first time after `after`, or undefined when there is none. Cost: O(days to it). */
export function nextTime(schedule: CronSchedule, after: Timestamp): Timestamp | undefined {
  const minute = Math.floor(after / MINUTE_MS) + 1;
  const first = Math.floor(minute / DAY_MINUTES);
  for (let day = first; day < first + DAYS_MAX; day += 1) {
    if (!isDay(schedule, day)) continue;
    const from = minute - day * DAY_MINUTES;
    const found = schedule.minutes.find((candidate) => candidate >= from);
    if (found !== undefined) return (day * DAY_MINUTES + found) * MINUTE_MS;
  }
  return undefined;
}

/** The last time up to and including `until`, or undefined. Cost: O(days to it). */
export function previousTime(schedule: CronSchedule, until: Timestamp): Timestamp | undefined {
  const minute = Math.floor(until / MINUTE_MS);
  const last = Math.floor(minute / DAY_MINUTES);
  for (let day = last; day > last - DAYS_MAX; day -= 1) {
    if (!isDay(schedule, day)) continue;
    const to = minute - day * DAY_MINUTES;
    const found = schedule.minutes.findLast((candidate) => candidate <= to);
    if (found !== undefined) return (day * DAY_MINUTES + found) * MINUTE_MS;
  }
  return undefined;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** The 29th of February may be eight years away. */
const DAYS_MAX = 8 * 366 + 1;

function isDay(schedule: CronSchedule, day: number): boolean {
  const date = new Date(day * DAY_MINUTES * MINUTE_MS);
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const isOfMonth = schedule.daysOfMonth.has(date.getUTCDate());
  const isOfWeek = schedule.daysOfWeek.has(date.getUTCDay());
  return schedule.isEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek;
}

function parseField(field: Field, text: string): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...rest] = part.split('/');
    const step = stepText === undefined ? 1 : wholeNumber(stepText);
    if (rest.length > 0 || step === undefined || step < 1) {
      throw fault(`${field.name}: '${part}' has a step that is no whole number from 1`);
    }
    const [from, to] = parseRange(field, range, stepText !== undefined);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function parseRange(field: Field, text: string, hasStep: boolean): readonly [number, number] {
  if (text === '*') return [field.min, field.name === 'day of week' ? 6 : field.max];
  const ends = text.split('-').map((end) => valueOf(field, end));
  const [from, to = hasStep ? field.max : from, ...rest] = ends;
  const isGood = from !== undefined && to !== undefined && rest.length === 0 && from <= to;
  if (isGood && !ends.includes(undefined)) return [from, to];
  throw fault(`${field.name}: '${text}' is no value or range within ${field.min} to ${field.max}`);
}

function valueOf({ min, max, names = [] }: Field, text: string): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  const value = named >= 0 ? named + min : wholeNumber(text);
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

function sorted(values: ReadonlySet<number> | undefined): readonly number[] {
  return [...(values ?? [])].sort((a, b) => a - b);
}

function fault(message: string): SkepError {
  return new SkepError('invalid-argument', `cron expression: ${message}`);
}
