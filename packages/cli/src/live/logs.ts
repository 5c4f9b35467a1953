/**
 * `skep logs`: what tasks wrote.
 */
import { Service, Task, type LogStream, type Timestamp } from '@skep/api';

import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { LogRenderer } from '../views/log-lines.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { expandedTask, isMeant, noSuchObject } from './references.js';
import { look } from './replica.js';

/** Options of `skep logs`. */
export interface LogsOptions extends ClusterChoice {
  readonly follow?: boolean;
  readonly tail?: number;
  /** `10m`, or a date. */
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly stream?: LogStream;
  /** False with `--no-prefix`. */
  readonly prefix: boolean;
  readonly output?: 'text' | 'json';
}

/**
 * Prints the lines of services and tasks: what they wrote to standard output there, and to standard
 * error here. Exit code 1 when a node did not answer.
 */
export function logs(
  references: readonly string[],
  options: LogsOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const { services, tasks } = await writersOf(references, connected);
    const signal = surroundings.interruption?.() ?? new AbortController().signal;
    const { follow = false, tail, since, stream } = options;
    const messages = connected.client.logs({
      services,
      tasks,
      follow,
      signal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since: timeOf(since, connected.now()) }),
      ...(stream === undefined ? {} : { streams: [stream] }),
    });
    const isOne = services.length === 0 && tasks.length === 1;
    const renderer = new LogRenderer({
      hasPrefix: options.prefix && !isOne,
      hasTime: options.timestamps === true,
    });
    let hasGap = false;
    for await (const message of messages) {
      if (options.output === 'json') {
        surroundings.out(`${JSON.stringify(message)}\n`);
        hasGap ||= message.type === 'gap';
      } else if (message.type === 'gap') {
        surroundings.err(renderer.gap(message));
        hasGap = true;
      } else {
        const { out, err } = surroundings;
        (message.stream === 'stderr' ? err : out)(renderer.line(message));
      }
    }
    if (follow && signal.aborted) return EXIT.interrupted;
    return hasGap ? EXIT.unsettled : EXIT.ok;
  });
}

/** Which are services and which are tasks: `svc/web`, `task/web.1`, or a name of either. */
async function writersOf(
  references: readonly string[],
  { client, kinds }: Connected,
): Promise<{ readonly services: readonly string[]; readonly tasks: readonly string[] }> {
  const view = await look(client, [Service, Task]);
  const services: string[] = [];
  const tasks: string[] = [];
  for (const reference of references) {
    const [before = '', after] = reference.split(/\/(.*)/s, 2);
    const kind = after === undefined ? undefined : kinds.kind(before).info.name;
    if (kind !== undefined && kind !== Service.name && kind !== Task.name) {
      throw new CommandFault(`${reference}: only services and tasks write logs`);
    }
    const name = after ?? before;
    const service = view.list(Service).find((one) => isMeant(one, name));
    if (service !== undefined && kind !== Task.name) {
      services.push(service.meta.id);
      continue;
    }
    if (kind === Service.name) throw noSuchObject(Service.name, name, view.list(Service));
    if (!view.list(Task).some((task) => isMeant(task, name))) {
      throw noSuchObject('service or task', name, view.list(Service));
    }
    tasks.push(expandedTask(view, name));
  }
  return { services, tasks };
}

const UNITS: Readonly<Record<string, number>> = Object.freeze({
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
});

/** Reads `90s`, `10m`, `2h`, `3d` (so long ago) or a date. @throws CommandFault */
export function timeOf(text: string, now: Timestamp): Timestamp {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const date = /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(date)) return date;
  throw new CommandFault(
    `--since ${text}: that is no time (write 10m, 2h, 3d, or 2026-01-31T12:00:00Z)`,
  );
}
