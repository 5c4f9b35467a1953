/**
 * The answer to "why did this object change?" as text for people.
 */
import type { FieldChange } from './field-changes.js';
import type { TracedObject, WhyStep, WokenBy } from './why.js';

const VALUE_MAX = 40;
const WOKEN_MAX = 3;
/** Times that are written with everything else: left out of the text, not of the steps. */
const STAMPS = new Set(['status.timestamp', 'status.appliedAt']);

const ENDS: Readonly<Record<NonNullable<WhyStep['end']>, string | undefined>> = {
  origin: undefined,
  unknown: 'what woke this pass is not known',
  forgotten: 'what came before is older than the trace remembers',
  cut: 'there is more before this',
};

/**
 * One paragraph for each commit, the cause first: revision, actor, rule, object, then the fields
 * that changed and what woke the pass. Long values are cut. Ends with a newline.
 */
export function renderWhy(steps: readonly WhyStep[]): string {
  if (steps.length === 0) return 'The trace knows of no such change.\n';
  const width = Math.max(...steps.map(({ actor }) => actor.length));
  const digits = Math.max(...steps.map(({ revision }) => `${revision}`.length));
  const names = namesOf(steps);
  return steps.map((step) => paragraph(step, { width, digits, names })).join('');
}

interface Frame {
  readonly width: number;
  readonly digits: number;
  /** Names of the objects of all steps, by id. */
  readonly names: ReadonlyMap<string, string>;
}

function namesOf(steps: readonly WhyStep[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { object, wokenBy } of steps) {
    for (const one of [object, ...wokenBy.flatMap((woken) => woken.object ?? [])]) {
      if (one.name !== '') names.set(one.id, nameOf(one));
    }
  }
  return names;
}

function paragraph(step: WhyStep, { width, digits, names }: Frame): string {
  const { revision, actor, change, object, rule, end } = step;
  const head = `r${`${revision}`.padEnd(digits)}  ${actor.padEnd(width)}  `;
  const indent = ' '.repeat(head.length);
  const what = `${rule === undefined ? '' : `${rule}: `}${change} ${nameOf(object)}`;
  const note = end === undefined ? undefined : ENDS[end];
  const lines = [
    ...(note === undefined ? [] : [`(${note})`]),
    head + what,
    ...step.fields
      .filter(({ path }) => !STAMPS.has(path))
      .map((field) => indent + fieldText(field)),
    ...(step.fieldsLeftOut === 0 ? [] : [`${indent}… ${step.fieldsLeftOut} fields more`]),
    ...(step.controller === undefined ? [] : [indent + passText(step, names)]),
  ];
  return `${lines.join('\n')}\n`;
}

function passText({ key, viewRevision, wokenBy }: WhyStep, names: Frame['names']): string {
  const newest = wokenBy.slice(-WOKEN_MAX).reverse();
  const more = wokenBy.length > newest.length ? ', …' : '';
  const woken = newest.length === 0 ? '' : `; woken by ${newest.map(wokenText).join(', ')}${more}`;
  const id = key?.slice(key.indexOf('/') + 1) ?? '';
  const about = key === undefined ? '' : ` for ${names.get(id) ?? `key ${key}`}`;
  return `decided on view r${viewRevision ?? 0}${about}${woken}`;
}

function wokenText({ type, revision, object }: WokenBy): string {
  const at = revision > 0 ? ` (r${revision})` : '';
  if (type === 'by hand') return 'hand';
  return object === undefined ? `${type}${at}` : `${nameOf(object)} ${type}${at}`;
}

function fieldText({ path, from, to }: FieldChange): string {
  if (from === undefined && to === undefined) return path;
  if (from === undefined) return `${path} = ${valueText(to)}`;
  if (to === undefined) return `${path} removed, was ${valueText(from)}`;
  return `${path} ${valueText(from)} → ${valueText(to)}`;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= VALUE_MAX ? text : `${text.slice(0, VALUE_MAX - 1)}…`;
}

function nameOf({ kind, id, name }: TracedObject): string {
  return `${kind} ${name === '' ? id : name}`;
}
