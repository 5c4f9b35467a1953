/**
 * What is told of every object, whatever its kind.
 */
import {
  byIndex,
  compareBy,
  compareText,
  Event,
  type Condition,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Problem } from 'skep';
import { renderProblems } from '../problems.js';
import { ageText, timeText } from '../words.js';
import { tableLines, type Entry, type Section } from './sheet.js';

/** What descriptions are made from. */
export interface DescribeContext {
  readonly view: View;
  readonly now: Timestamp;
  /** What keeps the cluster from being as declared. */
  readonly problems: readonly Problem[];
}

/** Events that are told, the newest. */
const EVENTS_MAX = 20;

/** Who the object is, and since when. */
export function identity(object: StoredObject, { now }: DescribeContext): readonly Entry[] {
  const { meta, kind } = object;
  const { createdAt, deletionRequestedAt } = meta;
  return [
    ['Name', meta.name === '' ? '-' : meta.name],
    ['Kind', kind],
    ['ID', meta.id],
    ['Labels', pairs(meta.labels)],
    ['Annotations', meta.annotations === undefined ? undefined : pairs(meta.annotations)],
    ['Created', `${timeText(createdAt)} (${ageText(createdAt, now)} ago)`],
    [
      'Removing',
      deletionRequestedAt === undefined
        ? undefined
        : `since ${ageText(deletionRequestedAt, now)}, waits for ${meta.finalizers.join(', ')}`,
    ],
    ['Generation', `${meta.generation} (version ${meta.version})`],
    ['Set by', managersText(meta.managers)],
  ];
}

/** `KEY=VALUE` a line, sorted. */
export function pairs(fields: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .sort(compareText);
}

function managersText(
  managers: StoredObject['meta']['managers'] = {},
): readonly string[] | undefined {
  const lines = Object.entries(managers).map(([who, fields]) => `${who}: ${fields.join(', ')}`);
  return lines.length === 0 ? undefined : lines.sort(compareText);
}

/** What is known to be so, and what is not. */
export function conditionSection(
  conditions: readonly Condition[] | undefined,
  { now }: DescribeContext,
): Section {
  const rows = (conditions ?? []).map(({ type, status, reason, message, since }) => [
    type,
    status,
    ageText(since, now),
    reason,
    message,
  ]);
  const head = ['CONDITION', 'STATUS', 'SINCE', 'REASON', 'MESSAGE'];
  return { title: 'Conditions', lines: tableLines(head, rows) };
}

/** Problems of an object; `isOurs` chooses those of others that are its own, too. */
export function problemSection(
  { kind, name }: { readonly kind: string; readonly name: string },
  { problems }: DescribeContext,
  isOurs: (problem: Problem) => boolean = () => false,
): Section {
  const own = problems.filter(
    (problem) => (problem.kind === kind && problem.name === name) || isOurs(problem),
  );
  const lines = own.length === 0 ? [] : renderProblems(own).split('\n');
  return { title: 'Problems', lines: lines.map((line) => line.replace(/^ {2}/, '')) };
}

/** What happened to objects, the newest last. */
export function eventSection(
  objects: readonly StoredObject[],
  { view, now }: DescribeContext,
): Section {
  const found = objects
    .flatMap(({ kind, meta }) =>
      view.list(Event, byIndex(Event, 'regarding', `${kind}/${meta.id}`)),
    )
    .sort(
      compareBy<Event>(
        (a, b) => a.spec.lastAt - b.spec.lastAt,
        (a, b) => compareText(a.meta.id, b.meta.id),
      ),
    )
    .slice(-EVENTS_MAX);
  const rows = found.map(({ spec }) => [
    ageText(spec.lastAt, now),
    spec.type,
    spec.reason,
    ...(objects.length === 1 ? [] : [spec.regarding.name]),
    spec.count === 1 ? spec.message : `${spec.message} (${spec.count} times)`,
  ]);
  const head = ['LAST', 'TYPE', 'REASON', ...(objects.length === 1 ? [] : ['OBJECT']), 'MESSAGE'];
  return { title: 'Events', lines: tableLines(head, rows) };
}
