/**
 * Nodes that satisfy the constraints of the placement.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, ConstraintFilter. Deviation: where a constraint
 * does not parse, Swarm ignores all of them; here no node satisfies it. Admission refuses such a
 * spec, so it only shows when something wrote the task behind its back.
 */
import {
  isSkepError,
  labelOf,
  matchesConstraint,
  parseConstraint,
  type Constraint,
} from '@skep/api';
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import { onNodes } from './wording.js';

type Wish = { readonly text: string; readonly parsed: Constraint | undefined };

/** Refuses nodes for which a constraint does not hold. Active when there are constraints. */
export const constraintFilter: Filter = Object.freeze({
  name: 'constraint',
  prepare: ({ template }): PreparedFilter | undefined => {
    const texts = template.placement?.constraints;
    if (texts === undefined || texts.length === 0) return undefined;
    const wishes = texts.map((text): Wish => ({ text, parsed: parse(text) }));
    return { key: JSON.stringify(texts), ignoresUse: true, check: (node) => check(node, wishes) };
  },
  describe: (nodes) => `scheduling constraints not satisfied on ${onNodes(nodes)}`,
} satisfies Filter);

function parse(text: string): Constraint | undefined {
  try {
    return parseConstraint(text);
  } catch (thrown) {
    if (isSkepError(thrown, 'invalid-argument')) return undefined;
    throw thrown;
  }
}

function check(node: NodeInfo, wishes: readonly Wish[]): readonly Lack[] | undefined {
  let lacks: Lack[] | undefined;
  for (const { text, parsed } of wishes) {
    if (parsed !== undefined && matchesConstraint(parsed, node.facts)) continue;
    lacks ??= [];
    const available = parsed === undefined ? 'not a valid constraint' : actualValue(parsed, node);
    lacks.push({ what: 'constraint', needed: text, available });
  }
  return lacks;
}

/** What the node has where the constraint looks. */
function actualValue({ key }: Constraint, { facts }: NodeInfo): string {
  const lower = key.toLowerCase();
  const known: Readonly<Record<string, string>> = {
    'node.id': facts.id,
    'node.hostname': facts.hostname,
    'node.ip': facts.address,
    'node.role': facts.role,
    'node.platform.os': facts.os,
    'node.platform.arch': facts.architecture,
  };
  const value = known[lower];
  if (value !== undefined) return value;
  if (lower.startsWith('node.labels.')) return labelOf(facts.labels, key.slice(12));
  if (lower.startsWith('engine.labels.')) return labelOf(facts.engineLabels, key.slice(14));
  return 'no such key';
}
