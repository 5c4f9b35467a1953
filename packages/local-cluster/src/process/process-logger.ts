/**
 * The log of a process: a JSON object a line, for `jq` and for people.
 */
import type { Logger } from '@skep/api';
import { destination, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { DestinationStream, Level } from 'pino';

/** Names that every line has. */
const OWN: readonly string[] = ['time', 'level', 'message'];

/**
 * A logger that writes lines: `time` (ISO 8601, UTC), `level`, `message`, and the fields; an error
 * with its type, message and stack. A field that has the name of one of the line's own is called
 * `NAME_`.
 * @param to - takes one line with its end. Default: the standard output, before the call returns,
 * so that nothing is lost when the process ends.
 * @param level - the least important one that is written. Default: `info`.
 */
export function processLogger(
  to: DestinationStream = destination({ fd: 1, sync: true }),
  level: Level = 'info',
): Logger {
  const lines = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: renamed },
      serializers: { error: stdSerializers.err },
    },
    to,
  );
  return {
    debug: (message, fields) => lines.debug({ ...fields }, message),
    info: (message, fields) => lines.info({ ...fields }, message),
    warn: (message, fields) => lines.warn({ ...fields }, message),
    error: (message, fields) => lines.error({ ...fields }, message),
  };
}

function renamed(fields: Record<string, unknown>): Record<string, unknown> {
  if (!OWN.some((name) => Object.hasOwn(fields, name))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [OWN.includes(name) ? `${name}_` : name, value]),
  );
}
