/**
 * Waits until a cluster that was started runs.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isSkepError, messageOf, Node, SkepError } from '@skep/api';
import { controlClient } from '@skep/control';
import { readJson } from './files.js';
import { logFile, type ClusterPaths } from './place.js';
import { processesIn } from './process/process-search.js';
import type { ClusterSettings } from './settings.js';
import type { SupervisorReport } from './supervisor-process.js';

/** What is waited for. */
export interface ReadinessRequest {
  readonly paths: ClusterPaths;
  readonly settings: ClusterSettings;
  readonly timeoutMs: number;
}

/** How far it is. */
export interface ReadinessProgress {
  readonly type: 'manager' | 'node';
  readonly text: string;
  /** Nodes that are ready. */
  readonly ready: number;
}

const LOOK_MS = 200;
/** A process that has ended so often while it was waited for does not come up. */
const ENDS_MAX = 3;
const LOG_BYTES = 4_096;
const LOG_LINES = 5;

/**
 * Resolves when the manager answers and all nodes are ready.
 * @throws unavailable when a process ends again and again; deadline-exceeded; aborted.
 */
export async function untilReady(
  { paths, settings, timeoutMs }: ReadinessRequest,
  onProgress: (progress: ReadinessProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const names = new Set(settings.nodes.map(({ name }) => name));
  const start = performance.now();
  const endsBefore = endsOf(paths);
  let last: ReadinessProgress | undefined;
  let said = 'the manager does not answer';
  const client = controlClient({ path: paths.controlSocket });
  try {
    for (;;) {
      if (signal?.aborted === true) throw new SkepError('aborted', 'nobody waits any more');
      try {
        const { objects } = await client.list(Node);
        const ready = objects.filter(
          ({ meta, status }) => names.has(meta.name) && status.state === 'ready',
        );
        const progress = progressOf(
          ready.map(({ meta }) => meta.name),
          names.size,
        );
        if (progress.text !== last?.text) onProgress(progress);
        last = progress;
        if (ready.length === names.size) return;
        const waiting = [...names].filter((name) => !ready.some(({ meta }) => meta.name === name));
        said = `not ready: ${waiting.slice(0, 10).join(', ')}`;
      } catch (thrown) {
        if (!isSkepError(thrown, 'unavailable')) throw thrown;
        said = messageOf(thrown);
      }
      refuseHopeless(paths, endsBefore);
      if (performance.now() - start > timeoutMs) throw lateError(paths, timeoutMs, said);
      await pause(LOOK_MS);
    }
  } finally {
    await client.close();
  }
}

function progressOf(ready: readonly string[], total: number): ReadinessProgress {
  if (ready.length === 0) return { type: 'manager', text: 'the manager answers', ready: 0 };
  const text = `${ready.length} of ${total} nodes ready`;
  return { type: 'node', text, ready: ready.length };
}

/** Ends of each process so far. */
function endsOf({ supervisorFile }: ClusterPaths): ReadonlyMap<string, number> {
  const report = readJson<SupervisorReport>(supervisorFile);
  return new Map((report?.processes ?? []).map(({ key, restarts }) => [key, restarts]));
}

function refuseHopeless(paths: ClusterPaths, before: ReadonlyMap<string, number>): void {
  for (const [key, ends] of endsOf(paths)) {
    if (ends - Math.min(before.get(key) ?? 0, ends) < ENDS_MAX) continue;
    throw endedError(paths, key, `the ${key} ends again and again`);
  }
  const isThere = processesIn(paths.folder).some(({ role }) => role === 'supervisor');
  if (!isThere) throw endedError(paths, 'supervisor', 'the supervisor has ended');
}

function endedError(paths: ClusterPaths, key: string, what: string): SkepError {
  const file = logFile(paths, key);
  const lines = lastLines(file);
  const text = `${what}; the end of ${file}:\n${lines.join('\n')}`;
  return new SkepError('unavailable', text, { details: { process: key, log: lines } });
}

function lateError(paths: ClusterPaths, timeoutMs: number, said: string): SkepError {
  const text =
    `the cluster ${paths.cluster} is not up after ${timeoutMs} ms: ${said}; it goes on coming ` +
    `up, and what it does is in ${paths.logFolder}`;
  return new SkepError('deadline-exceeded', text, { details: { said } });
}

function lastLines(file: string): readonly string[] {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const bytes = Buffer.alloc(Math.min(size, LOG_BYTES));
      readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8').trimEnd().split('\n').slice(-LOG_LINES);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return [];
  }
}
