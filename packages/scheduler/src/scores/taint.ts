/**
 * Nodes without marks that are to keep tasks away if there is another place.
 *
 * **Source:** kube-scheduler tainttoleration, score side. Deviation: points follow from the node's
 * own taints and not from the worst candidate's.
 */
import type { TaintEffect } from '@skep/api';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { untolerated } from '../taints.js';

const EFFECTS: readonly TaintEffect[] = Object.freeze(['PreferNoSchedule']);

/** 100 / (1 + n) for n taints `PreferNoSchedule` that the task does not tolerate. */
export const taintScore: Score = Object.freeze({
  name: 'taint',
  label: 'fewer taints that keep tasks away',
  prepare: ({ group: { template } }): PreparedScore => {
    const tolerations = template.placement?.tolerations ?? [];
    return {
      key: tolerations.length === 0 ? '' : JSON.stringify(tolerations),
      score: ({ node }: NodeInfo) =>
        100 / (1 + untolerated(node.spec.taints, tolerations, EFFECTS).length),
    };
  },
} satisfies Score);
