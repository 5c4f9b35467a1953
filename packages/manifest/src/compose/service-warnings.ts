/**
 * Complaints about fields that are forbidden, left aside or of no use, one for each use.
 * **Source:** docker/cli `cli/compose/types`: forbidden, unsupported and deprecated properties.
 */
import type { ComplaintCode, ComplaintCollector } from '../complaint.js';
import { childOf, type MappingNode, type YamlDocument } from '../yaml/tree.js';
import {
  DEPRECATED_FIELDS,
  DROPPED_FIELDS,
  FORBIDDEN_FIELDS,
  UNSUPPORTED_FIELDS,
} from './field-hints.js';

/** Complains about fields for which the client refuses a file. */
export function complainForbidden(document: YamlDocument, complaints: ComplaintCollector): void {
  forEachServiceField(document, (service, field, keyAt) => {
    const hint = FORBIDDEN_FIELDS.get(field);
    if (hint === undefined) return;
    const place = document.placeAt(keyAt, ['services', service, field]);
    complaints.error('forbidden-option', place, `${field} is not supported`, hint);
  });
}

/** Warns about fields that are read and left aside. */
export function warnIgnored(document: YamlDocument, complaints: ComplaintCollector): void {
  const tables: readonly (readonly [ReadonlyMap<string, string>, ComplaintCode, string])[] = [
    [UNSUPPORTED_FIELDS, 'unsupported-option', 'is ignored'],
    [DEPRECATED_FIELDS, 'deprecated-option', 'is ignored'],
    [DROPPED_FIELDS, 'ignored-option', 'is not acted on'],
  ];
  forEachServiceField(document, (service, field, keyAt) => {
    for (const [table, code, what] of tables) {
      const hint = table.get(field);
      if (hint === undefined) continue;
      const place = document.placeAt(keyAt, ['services', service, field]);
      complaints.warn(code, place, `${field} ${what}`, hint);
    }
  });
}

function forEachServiceField(
  document: YamlDocument,
  visit: (service: string, field: string, keyAt: number) => void,
): void {
  const services = childOf(document.root, 'services');
  if (services?.type !== 'mapping') return;
  for (const [name, entry] of services.entries) {
    if (entry.value.type !== 'mapping') continue;
    for (const [field, { keyAt }] of (entry.value satisfies MappingNode).entries) {
      visit(name, field, keyAt);
    }
  }
}
