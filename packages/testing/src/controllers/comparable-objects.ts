/**
 * What of a view must not depend on when things happened.
 */
import { Event, type AnyKind, type Kind, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';

/** Fields that say when, or in which version, and not what. */
const TIME_FIELD = /(^|[a-z])(At|since|Since|Until|version|Version|revision|Revision)$/;
const TIME_FIELDS = new Set([
  'at',
  'notBefore',
  'revision',
  'since',
  'stopBy',
  'term',
  'timestamp',
  'until',
  'version',
]);
/** Fields that list times; one that is called so and is no list is something else. */
const TIME_LISTS = new Set(['times', 'timestamps']);
const GENERATION_FIELD = /[gG]eneration$/;

/**
 * All objects but events: names, labels, specs, statuses, owners and field managers, in an order of
 * their own. Left out are times (`createdAt`, `at`, `since`, `stopBy`), versions and revisions, and
 * generations; ids of objects become `Kind name`, or `Kind` for those without a name.
 * Cost: O(bytes).
 */
export function comparableObjects(view: View, kinds: readonly AnyKind[]): readonly string[] {
  const objects = kinds
    .filter(({ name }) => name !== Event.name)
    .flatMap((kind) => view.list(kind as Kind));
  const aliases = new Map(objects.map((object) => [object.meta.id, alias(object)]));
  const normal = (value: unknown): unknown => normalized(value, aliases);
  return objects
    .map(({ kind, meta, spec, status }) => {
      const isDeleting = meta.deletionRequestedAt !== undefined;
      const of = { ...meta.labels, ...(isDeleting ? { isDeleting } : {}) };
      const parts = [normal(of), normal(spec), normal(status), normal(meta.owners)];
      if (meta.managers !== undefined) parts.push(normal(meta.managers));
      const name = String(normal(meta.name));
      return `${kind} ${name}: ${parts.map((part) => JSON.stringify(part)).join(' ')}`;
    })
    .sort();
}

function alias({ kind, meta }: StoredObject): string {
  return meta.name === '' || meta.name.includes(meta.id) ? kind : `${kind} ${meta.name}`;
}

function normalized(value: unknown, aliases: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return withoutIds(value, aliases);
  if (Array.isArray(value)) return value.map((item) => normalized(item, aliases));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name, item]) => !isVolatile(name) && !(TIME_LISTS.has(name) && Array.isArray(item)))
    .map(([name, item]): [string, unknown] => [
      withoutIds(name, aliases),
      normalized(item, aliases),
    ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isVolatile(name: string): boolean {
  return TIME_FIELD.test(name) || TIME_FIELDS.has(name) || GENERATION_FIELD.test(name);
}

/** Ids are whole strings, or parts of names between other characters than letters and digits. */
function withoutIds(text: string, aliases: ReadonlyMap<string, string>): string {
  const whole = aliases.get(text);
  if (whole !== undefined) return whole;
  return text.replace(/[A-Za-z0-9_]+/g, (word) =>
    word.length < 8 ? word : (aliases.get(word) ?? word),
  );
}
