/**
 * What both forms of a trace file say: nodes, arrivals and departures, by the options of the
 * builders; and the trace that they make.
 */
import { SkepError, type Task } from '@skep/api';
import { node } from '../build/node.js';
import type { NodeOptions, TaskOptions } from '../build/options.js';
import { task } from '../build/service.js';
import { wholeAmount } from '../build/amount.js';
import type { Trace, TraceEvent } from '../replay/trace.js';
import { atPlace, type TextPlace } from './place-in-text.js';

/** One line of a trace. `count`: so many, named by the name and a number: `web.1`, `n1`. */
export type TraceEntry = TextPlace & {
  readonly name: string;
  readonly count?: number;
} & (
    | { readonly type: 'node'; readonly options: NodeOptions }
    | { readonly type: 'arrive'; readonly options: TaskOptions }
    | { readonly type: 'leave' }
  );

/** The most that one line may stand for. */
const COUNT_MAX = 1_000_000;

/**
 * Makes the trace that the entries of a file describe.
 * @throws invalid-argument with the place: a name that is there twice or not there, an amount that
 * is none, no node at all.
 */
export function traceOf(
  file: { readonly path: string; readonly name: string },
  entries: readonly TraceEntry[],
): Trace {
  const nodes = entries.flatMap((entry) => {
    if (entry.type !== 'node') return [];
    return namesOf(file.path, entry, '').map((name) =>
      atPlace(file.path, entry, () => node(name, entry.options)),
    );
  });
  if (nodes.length === 0) {
    throw new SkepError('invalid-argument', `${file.path}:1:1: there is no node in it`);
  }
  const events: TraceEvent[] = [];
  const known = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'node') continue;
    for (const [at, name] of namesOf(file.path, entry, '.').entries()) {
      events.push(atPlace(file.path, entry, () => eventOf(entry, { name, at, known })));
    }
  }
  refuseTwins(file.path, entries);
  return { name: file.name, nodes, events };
}

function eventOf(
  entry: TraceEntry & { readonly type: 'arrive' | 'leave' },
  one: { readonly name: string; readonly at: number; readonly known: Set<string> },
): TraceEvent {
  const { name, at, known } = one;
  if (entry.type === 'leave') {
    if (!known.delete(name)) {
      throw new SkepError('invalid-argument', `the task ${name} is not there to leave`);
    }
    return { type: 'departure', taskId: name };
  }
  if (known.has(name)) throw new SkepError('invalid-argument', `the task ${name} is there already`);
  known.add(name);
  return { type: 'arrival', task: arriving(name, at, entry) };
}

function arriving(
  name: string,
  at: number,
  { options, count }: TraceEntry & { readonly type: 'arrive' },
): Task {
  for (const key of ['on', 'preassignedTo'] as const) {
    if (options[key] === undefined) continue;
    throw new SkepError('invalid-argument', `${key}: the policy says where an arriving task goes`);
  }
  const isNumbered = count !== undefined && options.service !== undefined;
  return task(
    name,
    isNumbered && options.slot === undefined ? { ...options, slot: at + 1 } : options,
  );
}

function namesOf(path: string, entry: TraceEntry, separator: string): readonly string[] {
  const { name, count } = entry;
  return atPlace(path, entry, () => {
    if (name === '') throw new SkepError('invalid-argument', 'it has no name');
    if (count === undefined) return [name];
    if (wholeAmount(count, 'count', 1) > COUNT_MAX) {
      throw new SkepError('invalid-argument', `count is ${count}; write at most ${COUNT_MAX}`);
    }
    return Array.from({ length: count }, (_, at) => `${name}${separator}${at + 1}`);
  });
}

function refuseTwins(path: string, entries: readonly TraceEntry[]): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== 'node') continue;
    for (const name of namesOf(path, entry, '')) {
      atPlace(path, entry, () => {
        if (seen.has(name)) {
          throw new SkepError('invalid-argument', `the node ${name} is there already`);
        }
        seen.add(name);
      });
    }
  }
}
