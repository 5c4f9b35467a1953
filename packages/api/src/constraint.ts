/**
 * The constraint language of placement: `node.role == worker`.
 *
 * **Source:** SwarmKit manager/constraint/constraint.go. Kept as it is, oddities included: values
 * compare without case, label names with it; an unknown key and a malformed `node.ip` never match,
 * with `!=` either; architectures are not normalised here.
 */
import { SkepError } from './errors.js';
import { parseCidr, isInCidr } from './address.js';
import type { Labels } from './meta.js';
import { hostnameOf, type Node } from './node.js';

/** A parsed expression. `text` is what the user wrote. */
export interface Constraint {
  readonly text: string;
  readonly key: string;
  readonly operator: '==' | '!=';
  readonly value: string;
}

const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/**
 * Parses one expression.
 * `==` is looked for before `!=`, and the text is split at its first occurrence.
 * @throws invalid-argument with what would be right.
 */
export function parseConstraint(text: string): Constraint {
  for (const operator of ['==', '!='] as const) {
    const at = text.indexOf(operator);
    if (at < 0) continue;
    const key = text.slice(0, at).trim();
    const value = text.slice(at + operator.length).trim();
    if (!KEY.test(key)) {
      throw invalid(
        text,
        `the key '${key}' is not a letter or _ followed by letters, digits, - _ .`,
      );
    }
    if (!VALUE.test(value)) {
      throw invalid(text, `the value '${value}' is empty or holds a character that is not allowed`);
    }
    return { text, key, operator, value };
  }
  throw invalid(text, 'expected one operator, == or !=');
}

function invalid(text: string, why: string): SkepError {
  return new SkepError(
    'invalid-argument',
    `constraint '${text}': ${why}; write for example node.role == worker`,
    { details: { constraint: text } },
  );
}

/** Parses all expressions; they are ANDed. @throws invalid-argument at the first that is wrong. */
export function parseConstraints(texts: readonly string[]): readonly Constraint[] {
  return texts.map(parseConstraint);
}

/** What constraints ask about a node. */
export interface ConstraintFacts {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  readonly role: string;
  readonly os: string;
  readonly architecture: string;
  readonly labels: Labels;
  readonly engineLabels: Labels;
}

/** The facts about a stored node. */
export function constraintFacts(node: Node): ConstraintFacts {
  const { description } = node.status;
  return {
    id: node.meta.id,
    hostname: hostnameOf(node),
    address: node.status.address,
    role: node.spec.role,
    os: description?.platform.os ?? '',
    architecture: description?.platform.architecture ?? '',
    labels: node.meta.labels,
    engineLabels: description?.engine.labels ?? {},
  };
}

const NODE_LABEL = 'node.labels.';
const ENGINE_LABEL = 'engine.labels.';

/** Whether the node satisfies the constraint. */
export function matchesConstraint(constraint: Constraint, facts: ConstraintFacts): boolean {
  const key = constraint.key.toLowerCase();
  if (key === 'node.ip') return matchesAddress(constraint, facts.address);
  const actual = factFor(key, constraint.key, facts);
  if (actual === undefined) return false;
  const isSame = actual.toLowerCase() === constraint.value.toLowerCase();
  return constraint.operator === '==' ? isSame : !isSame;
}

function factFor(key: string, writtenKey: string, facts: ConstraintFacts): string | undefined {
  switch (key) {
    case 'node.id':
      return facts.id;
    case 'node.hostname':
      return facts.hostname;
    case 'node.role':
      return facts.role;
    case 'node.platform.os':
      return facts.os;
    case 'node.platform.arch':
      return facts.architecture;
    default:
      break;
  }
  if (key.startsWith(NODE_LABEL) && key.length > NODE_LABEL.length) {
    return labelOf(facts.labels, writtenKey.slice(NODE_LABEL.length));
  }
  if (key.startsWith(ENGINE_LABEL) && key.length > ENGINE_LABEL.length) {
    return labelOf(facts.engineLabels, writtenKey.slice(ENGINE_LABEL.length));
  }
  return undefined;
}

/** The value of a label, '' when it is missing. */
export function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

function matchesAddress(constraint: Constraint, address: string): boolean {
  const range = parseCidr(constraint.value);
  if (range === undefined) return false;
  const isInside = isInCidr(address, range);
  return constraint.operator === '==' ? isInside : !isInside;
}

/** Whether the node satisfies all of them. */
export function matchesConstraints(
  constraints: readonly Constraint[],
  facts: ConstraintFacts,
): boolean {
  for (const constraint of constraints) if (!matchesConstraint(constraint, facts)) return false;
  return true;
}
