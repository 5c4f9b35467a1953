/**
 * Names of signals.
 */
import { constants } from 'node:os';
import { SkepError } from '@skep/api';

/** What a task is sent to end it when nothing else is said. */
const DEFAULT_SIGNAL = 'SIGTERM';
const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;

/**
 * The number of a signal by its name or number: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
 * @throws invalid-argument
 */
export function signalNumber(text: string = DEFAULT_SIGNAL): number {
  const number = Number(text);
  if (text !== '' && Number.isInteger(number) && number > 0 && number <= REAL_TIME_LAST) {
    return number;
  }
  const name = text.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const known = (constants.signals as Readonly<Record<string, number>>)[name];
  if (known !== undefined) return known;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const from = realTime[1] === 'MIN' ? REAL_TIME_FIRST : REAL_TIME_LAST;
    const found = from + (realTime[2] === '-' ? -1 : 1) * Number(realTime[3] ?? 0);
    if (found >= REAL_TIME_FIRST && found <= REAL_TIME_LAST) return found;
  }
  throw new SkepError('invalid-argument', `'${text}' is no signal: say SIGTERM, INT or 15`);
}
