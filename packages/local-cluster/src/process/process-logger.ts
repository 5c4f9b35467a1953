/**
 * The log of a process: a JSON object a line, for `jq` and for people.
 */
import type { Logger } from '@skep/api';

/** Levels, least important first. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Names that every line has. */
const OWN: readonly string[] = ['time', 'level', 'message'];

/** A level of the log. */
export type LogLevel = (typeof LEVELS)[number];

/**
 * A logger that writes lines.
 * @param write - takes one line with its end.
 */
export function lineLogger(write: (line: string) => void, level: LogLevel = 'info'): Logger {
  const least = LEVELS.indexOf(level);
  const at =
    (own: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (LEVELS.indexOf(own) < least) return;
      const time = new Date().toISOString();
      write(`${JSON.stringify({ time, level: own, message, ...renamed(fields) })}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What a field is called that has the name of one of the line's own. */
function renamed(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!OWN.some((name) => Object.hasOwn(fields, name))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [OWN.includes(name) ? `${name}_` : name, value]),
  );
}
