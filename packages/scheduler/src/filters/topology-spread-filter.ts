/**
 * Places that may take a task without having too many more than the emptiest.
 *
 * **Source:** kube-scheduler podtopologyspread/filtering.go. Which nodes count: those that are
 * ready
 * and active and satisfy the task's constraints and required node affinity, so that a place that
 * can take nothing holds nobody up.
 */
import {
  isSkepError,
  matchesConstraints,
  parseConstraints,
  type Constraint,
  type TopologySpread,
} from '@skep/api';
import type { ClusterView } from '../cluster-view.js';
import { matchesTerm } from '../label-match.js';
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { TaskGroup } from '../task-group.js';
import { TopologyCounts } from '../topology-counts.js';
import { onNodes } from './wording.js';

/**
 * Refuses nodes whose place would have more than `maxSkew` tasks of the service beyond the emptiest
 * place, and nodes without the key. Active with `placement.topologySpread` that does not say
 * `otherwise: 'prefer'`.
 */
export const topologySpreadFilter: Filter = Object.freeze({
  name: 'topology-spread',
  prepare: (group, state): PreparedFilter | undefined => {
    const wishes = (group.template.placement?.topologySpread ?? NONE).filter(
      ({ otherwise = 'refuse' }) => otherwise === 'refuse',
    );
    if (wishes.length === 0) return undefined;
    const rules = wishes.map((wish) => new SpreadRule(wish, group, state));
    return {
      // A place that is refused is taken again once the others have caught up.
      dependsOn: 'cluster',
      passes: (node) => rules.every((rule) => rule.excess(node) <= 0),
      check: (node) => {
        const broken = rules.filter((rule) => rule.excess(node) > 0);
        return broken.length === 0 ? undefined : broken.map((rule) => rule.lack(node));
      },
      checkAll: (_columns: NodeColumns, out: Uint8Array) => {
        for (const rule of rules) rule.checkAll(out);
      },
    };
  },
  describe: (nodes) => `topology spread exceeded on ${onNodes(nodes)}`,
} satisfies Filter);

const NONE: readonly never[] = Object.freeze([]);

/** One spread of a task. */
class SpreadRule {
  readonly #wish: TopologySpread;
  readonly #counts: TopologyCounts;
  readonly #state: ClusterView;
  readonly #isEligible: (node: NodeInfo) => boolean;
  #revision = -1;
  #least = 0;

  constructor(wish: TopologySpread, group: TaskGroup, state: ClusterView) {
    this.#wish = wish;
    this.#state = state;
    this.#counts = new TopologyCounts(state, group.serviceId, wish.topologyKey);
    this.#isEligible = eligibility(group);
  }

  /** By how many tasks the node's place would be beyond the bound; 1 without a place. */
  excess(node: NodeInfo): number {
    const place = this.#counts.placeOf(node);
    if (place === -1) return 1;
    return (this.#counts.counts[place] as number) + 1 - this.#fewest() - this.#wish.maxSkew;
  }

  lack(node: NodeInfo): Lack {
    const { topologyKey, maxSkew } = this.#wish;
    if (this.#counts.placeOf(node) === -1) {
      return { what: `topology ${topologyKey}`, needed: 'a value', available: 'none' };
    }
    const available = this.#counts.near(node) + 1 - this.#fewest();
    return { what: `skew over ${topologyKey}`, needed: `at most ${maxSkew}`, available };
  }

  checkAll(out: Uint8Array): void {
    const { counts } = this.#counts;
    const { of } = this.#counts.domains;
    const most = this.#fewest() + this.#wish.maxSkew - 1;
    for (let at = 0; at < out.length; at += 1) {
      const place = of[at] as number;
      if (place === -1 || (counts[place] as number) > most) out[at] = 0;
    }
  }

  /** Tasks in the emptiest place that has an eligible node. Cost: O(nodes) once per change. */
  #fewest(): number {
    const { counts, revision } = this.#counts;
    if (this.#revision === revision) return this.#least;
    this.#revision = revision;
    let least = Infinity;
    for (const node of this.#state.nodes) {
      const place = this.#counts.placeOf(node);
      if (place === -1 || (counts[place] as number) >= least) continue;
      if (this.#isEligible(node)) least = counts[place] as number;
    }
    this.#least = least === Infinity ? 0 : least;
    return this.#least;
  }
}

function eligibility({ template }: TaskGroup): (node: NodeInfo) => boolean {
  const { constraints = NONE, nodeAffinity } = template.placement ?? {};
  const parsed = parsedOrNone(constraints);
  const terms = nodeAffinity?.required ?? NONE;
  return (info) =>
    info.node.status.state === 'ready' &&
    info.node.spec.availability === 'active' &&
    matchesConstraints(parsed, info.facts) &&
    (terms.length === 0 || terms.some((term) => matchesTerm(term, info)));
}

/** Constraints that do not parse are the constraint filter's to refuse. */
function parsedOrNone(constraints: readonly string[]): readonly Constraint[] {
  try {
    return parseConstraints(constraints);
  } catch (thrown) {
    if (isSkepError(thrown, 'invalid-argument')) return NONE;
    throw thrown;
  }
}
