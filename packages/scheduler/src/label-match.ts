/**
 * Whether a node satisfies requirements on its values.
 */
import type { NodeRequirement, NodeSelectorTerm } from '@skep/api';
import type { NodeInfo } from './node-info.js';
import { topologyValue } from './topology-value.js';

/**
 * Whether all requirements of the term hold; a term without any holds nowhere.
 * **Source:** Kubernetes `NodeSelectorTerm`: terms are ORed, requirements ANDed, an empty term
 * matches no object.
 */
export function matchesTerm({ match }: NodeSelectorTerm, node: NodeInfo): boolean {
  return match.length > 0 && match.every((requirement) => meets(requirement, node));
}

/**
 * Whether one requirement holds. `Gt` and `Lt` hold only between whole numbers; the others compare
 * texts, and case matters.
 */
export function meets({ key, operator, values = [] }: NodeRequirement, node: NodeInfo): boolean {
  const actual = topologyValue(node, key);
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return compares(actual, values, (a, b) => a > b);
    case 'Lt':
      return compares(actual, values, (a, b) => a < b);
    default:
      // What nobody knows holds nowhere, as constraints with unknown keys.
      return false;
  }
}

const WHOLE = /^[+-]?\d+$/;

function compares(
  actual: string | undefined,
  [bound, ...more]: readonly string[],
  holds: (a: bigint, b: bigint) => boolean,
): boolean {
  if (actual === undefined || bound === undefined || more.length > 0) return false;
  if (!WHOLE.test(actual) || !WHOLE.test(bound)) return false;
  return holds(BigInt(actual.replace('+', '')), BigInt(bound.replace('+', '')));
}

/** The requirement as text: `zone In (a, b)`. */
export function requirementText({ key, operator, values = [] }: NodeRequirement): string {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return `${key} ${operator} (${values.join(', ')})`;
    case 'Gt':
    case 'Lt':
      return `${key} ${operator} ${values.join(', ')}`;
    default:
      return `${key} ${operator}`;
  }
}
