/**
 * Nodes whose labels the task requires.
 *
 * **Source:** kube-scheduler nodeaffinity: one of the required terms has to hold.
 */
import type { NodeSelectorTerm } from '@skep/api';
import { matchesTerm, meets, requirementText } from '../label-match.js';
import type { NodeInfo } from '../node-info.js';
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import { topologyValue } from '../topology-value.js';
import { onNodes } from './wording.js';

/** Refuses nodes for which no term of `placement.nodeAffinity.required` holds. */
export const nodeAffinityFilter: Filter = Object.freeze({
  name: 'node-affinity',
  prepare: ({ template }): PreparedFilter | undefined => {
    const terms = template.placement?.nodeAffinity?.required;
    if (terms === undefined || terms.length === 0) return undefined;
    const passes = (node: NodeInfo): boolean => terms.some((term) => matchesTerm(term, node));
    return {
      key: JSON.stringify(terms),
      ignoresUse: true,
      passes,
      check: (node) => (passes(node) ? undefined : terms.flatMap((term) => lacksOf(term, node))),
    };
  },
  describe: (nodes) => `required node affinity not satisfied on ${onNodes(nodes)}`,
} satisfies Filter);

function lacksOf(term: NodeSelectorTerm, node: NodeInfo): readonly Lack[] {
  const failed = term.match.filter((requirement) => !meets(requirement, node));
  if (failed.length === 0) {
    return [{ what: 'node affinity', needed: 'a requirement', available: 'an empty term' }];
  }
  return failed.map((requirement) => ({
    what: 'node affinity',
    needed: requirementText(requirement),
    available: topologyValue(node, requirement.key) ?? 'no such value',
  }));
}
