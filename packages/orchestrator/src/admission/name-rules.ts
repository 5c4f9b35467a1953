/**
 * Names of objects.
 *
 * **Source:** SwarmKit manager/controlapi/{common,secret,config}.go.
 */
import type { StoredObject } from '@skep/api';
import type { Objections } from './complaint.js';

/** Letters and digits, with - and _ inside: a component of a DNS name, Docker's reading of it. */
const DNS_NAME = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/i;
/** The same with dots. */
const FILE_NAME = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i;

interface NameRule {
  readonly pattern: RegExp;
  readonly lengthMax: number;
  readonly hint: string;
}

const DNS_RULE: NameRule = {
  pattern: DNS_NAME,
  lengthMax: 63,
  hint: 'use letters, digits, - and _, beginning and ending with a letter or digit',
};
const FILE_RULE: NameRule = {
  pattern: FILE_NAME,
  lengthMax: 64,
  hint: 'use letters, digits, dots, - and _, beginning and ending with a letter or digit',
};
const RULES: ReadonlyMap<string, NameRule> = new Map([
  ['Service', DNS_RULE],
  ['Network', DNS_RULE],
  ['Volume', DNS_RULE],
  ['Secret', FILE_RULE],
  ['Config', FILE_RULE],
]);

/** Kinds that need a name though no rule says how it looks. */
const NAMED: ReadonlySet<string> = new Set(['Cluster', 'Node', ...RULES.keys()]);

/** Whether the name is there, short enough and of the right letters. */
export function judgeName(to: Objections, object: StoredObject): void {
  const { name } = object.meta;
  if (!NAMED.has(object.kind)) return;
  if (!to.require(name !== '', 'meta.name', { message: 'there is no name', hint: 'give one' })) {
    return;
  }
  const rule = RULES.get(object.kind);
  if (rule === undefined) return;
  to.require(name.length <= rule.lengthMax, 'meta.name', {
    message: `the name has ${name.length} characters`,
    hint: `use at most ${rule.lengthMax}`,
  });
  to.require(rule.pattern.test(name), 'meta.name', {
    message: `the name '${name}' holds characters that are not allowed there`,
    hint: rule.hint,
  });
}
