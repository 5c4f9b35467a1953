/**
 * What goes on for a while: commits, and what tasks write.
 */
import { byService, parseSelector, SkepError, Task, type LogSelection } from '@skep/api';
import type { Revision, ServiceId, TaskId } from '@skep/api';
import type { CommitEvent } from '@skep/store';
import type { Context, Hono } from 'hono';
import { findAnyTask, findService } from 'skep';
import type { LogMessage } from '../contract.js';
import type { ServerEvent } from './event-stream.js';
import type { Fields } from './fields.js';
import { followLogs, type Followed } from './log-follow.js';
import { logHistory } from './log-history.js';
import { hasBegun, type LogParts } from './log-question.js';
import { kindNamed } from './meaning.js';
import type { Surroundings } from './surroundings.js';
import { wireCommit } from './wire-object.js';

/** Adds the routes. */
export function streamRoutes(app: Hono, at: Surroundings): void {
  app.get('/watch', (context) => watch(at, context));
  app.get('/logs', (context) => logs(at, context));
}

function watch(at: Surroundings, context: Context): Response {
  const { cluster } = at;
  const query = at.query(context, {
    from: 'count',
    kinds: 'texts',
    labels: 'text',
    fields: 'text',
    previous: 'flag',
  });
  const names = query.has('kinds') ? (query.list('kinds') as readonly string[]) : undefined;
  const kinds = names?.map((name) => kindNamed(cluster.kinds, name).name);
  const objects = parseSelector({
    labels: query.maybeText('labels') ?? '',
    fields: query.maybeText('fields') ?? '',
  });
  const selects = objects.labels.length + objects.fields.length > 0;
  const selector = {
    ...(kinds === undefined ? {} : { kinds }),
    ...(selects ? { objects } : {}),
  };
  const { revision } = cluster.view();
  const from = query.maybeCount('from') ?? revision;
  if (from > revision) throw fromTheFuture(from, revision);
  const withPrevious = query.maybeFlag('previous') ?? false;
  return at.stream(context, (signal) => {
    // Subscribed to now, before anything is awaited: `from` is where it begins.
    const commits = cluster.store.watchAsync(selector, from, signal)[Symbol.asyncIterator]();
    return watchEvents({ from, commits, withPrevious, at, signal });
  });
}

async function* watchEvents({
  from,
  commits,
  withPrevious,
  at,
  signal,
}: {
  readonly from: Revision;
  readonly commits: AsyncIterator<CommitEvent>;
  readonly withPrevious: boolean;
  readonly at: Surroundings;
  readonly signal: AbortSignal;
}): AsyncGenerator<ServerEvent, void, undefined> {
  try {
    yield { event: 'started', data: { revision: from } };
    for (;;) {
      const result = await commits.next();
      if (result.done === true) break;
      const commit = wireCommit(result.value, { withPrevious });
      yield { event: 'commit', data: commit, id: commit.revision };
    }
  } finally {
    await commits.return?.();
  }
  // A watch has no end of its own: somebody left, or the store was closed.
  if (!signal.aborted && !at.parts.stopping.aborted) {
    throw new SkepError('unavailable', 'the manager has closed its store');
  }
}

/** A revision that this cluster has never had: whoever asks knew another one at this place. */
function fromTheFuture(from: Revision, revision: Revision): SkepError {
  const message = `the cluster is at revision ${revision}, before ${from}: it was made anew`;
  return new SkepError('resync-required', `${message}; start from a list`, {
    details: { from, revision },
  });
}

function logs(at: Surroundings, context: Context): Response {
  const { cluster, parts } = at;
  const query = at.query(context, {
    services: 'texts',
    tasks: 'texts',
    follow: 'flag',
    tail: 'count',
    since: 'count',
    streams: 'texts',
  });
  const followed = followedBy(at, query);
  const selection = selectionOf(query);
  const log: LogParts = {
    store: cluster.store,
    clock: cluster.clock,
    ask: (...question) => cluster.manager.ask(...question),
    silenceMs: parts.silenceMs,
  };
  return at.stream(context, (signal) => {
    const options = { selection, signal };
    if (query.maybeFlag('follow') === true) return logEvents(followLogs(log, followed, options));
    return logEvents(logHistory(log, tasksOf(at, followed), options));
  });
}

function followedBy({ cluster }: Surroundings, query: Fields): Followed {
  const textsOf = (name: string): readonly string[] =>
    query.has(name) ? (query.list(name) as readonly string[]) : [];
  const view = cluster.view();
  const services = textsOf('services').map((service) => findService(view, service).meta.id);
  const tasks = textsOf('tasks').map((task) => findAnyTask(view, task).meta.id);
  if (services.length + tasks.length === 0) {
    throw query.fault('services', 'and tasks are missing', 'name a service or a task');
  }
  return {
    serviceIds: new Set<ServiceId>(services),
    taskIds: new Set<TaskId>(tasks),
  };
}

function selectionOf(query: Fields): LogSelection {
  const tail = query.maybeCount('tail');
  const since = query.maybeCount('since');
  const words = ['stdout', 'stderr'] as const;
  const streams = query.has('streams')
    ? words.filter((word) => query.list('streams').includes(word))
    : undefined;
  if (streams?.length === 0 || strangeIn(query, words)) {
    throw query.fault('streams', 'names another stream', `name some of ${words.join(', ')}`);
  }
  return {
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
    ...(streams === undefined ? {} : { streams }),
  };
}

function strangeIn(query: Fields, words: readonly string[]): boolean {
  if (!query.has('streams')) return false;
  return query.list('streams').some((stream) => !words.includes(stream as string));
}

function tasksOf({ cluster }: Surroundings, { serviceIds, taskIds }: Followed): readonly Task[] {
  const view = cluster.view();
  const tasks = new Map<TaskId, Task>();
  for (const id of serviceIds) {
    for (const task of view.list(Task, byService(id))) tasks.set(task.meta.id, task);
  }
  for (const id of taskIds) {
    const task = view.get(Task, id);
    if (task !== undefined) tasks.set(id, task);
  }
  return [...tasks.values()].filter(hasBegun);
}

async function* logEvents(
  messages: AsyncIterable<LogMessage>,
): AsyncGenerator<ServerEvent, void, undefined> {
  for await (const message of messages) yield { event: message.type, data: message };
}
