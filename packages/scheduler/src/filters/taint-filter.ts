/**
 * Nodes whose taints the task tolerates.
 *
 * **Source:** kube-scheduler tainttoleration, filter side.
 */
import type { TaintEffect, Toleration } from '@skep/api';
import type { NodeInfo } from '../node-info.js';
import type { Filter, PreparedFilter } from '../policy.js';
import { taintText, untolerated } from '../taints.js';
import { onNodes } from './wording.js';

const EFFECTS: readonly TaintEffect[] = Object.freeze(['NoSchedule', 'NoExecute']);

/** Refuses nodes with a taint `NoSchedule` or `NoExecute` that the task does not tolerate. */
export const taintFilter: Filter = Object.freeze({
  name: 'taint',
  prepare: ({ template }): PreparedFilter => {
    const tolerations = template.placement?.tolerations ?? [];
    return tolerations.length === 0 ? INTOLERANT : toleranceCheck(tolerations);
  },
  describe: (nodes) => `untolerated taint on ${onNodes(nodes)}`,
} satisfies Filter);

function toleranceCheck(tolerations: readonly Toleration[]): PreparedFilter {
  const passes = ({ node }: NodeInfo): boolean =>
    node.spec.taints === undefined ||
    untolerated(node.spec.taints, tolerations, EFFECTS).length === 0;
  return {
    key: tolerations.length === 0 ? '' : JSON.stringify(tolerations),
    ignoresUse: true,
    passes,
    check: (info) => {
      if (passes(info)) return undefined;
      const taints = untolerated(info.node.spec.taints, tolerations, EFFECTS);
      return taints.map((taint) => ({
        what: 'toleration',
        needed: taintText(taint),
        available: 'none',
      }));
    },
  };
}

/** For the many tasks that tolerate nothing. */
const INTOLERANT = toleranceCheck([]);
