/**
 * The extension points: a policy is a value, made of plain objects with pure functions.
 *
 * A plugin reads the group once (`prepare`) and is then asked about nodes, one at a time or all of
 * them as columns. What it declares about its answers is what lets the engine work in batches:
 *
 * | declared | the answer about a node follows from | the engine may |
 * |---|---|---|
 * | a `key` | the key, the node and its use | share answers between groups with equal keys; after
 * a placement ask again about the node just used |
 * | a `key`, `ignoresUse` (filters) | the key and the node | ask once for each version of a node |
 * | no key, `dependsOn: 'group'` (default) | also the group and its tasks | keep answers while the
 * group is placed; the node just used is asked again |
 * | `dependsOn: 'cluster'` | anything | ask about every node again after each placement |
 *
 * **Source:** the shape is kube-scheduler's framework (filter, score with normalisation, reserve);
 * what makes batching safe is what each plugin declares, as in KEP-5598's signatures.
 */
import type { Timestamp } from '@skep/api';
import type { ClusterView } from './cluster-view.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { Reservation } from './task-claim.js';
import type { TaskGroup } from './task-group.js';

/** One thing that a node lacks, or that stands in the way. */
export interface Lack {
  /** What: `cpuNanos`, `memoryBytes`, `generic gpu`, `tcp/8080`, a constraint, a plugin, … */
  readonly what: string;
  readonly needed: number | string;
  readonly available: number | string;
}

/**
 * A change that would make a filter accept a node, for counterfactuals. What is to be different is
 * said as merge patches (RFC 7396): objects are merged, null removes, everything else replaces.
 */
export interface Suggestion {
  /** For people, after "would fit": `if node n4 were in a rack with power`. */
  readonly text: string;
  /** How much is asked of the operator, to compare with `REMEDY_COSTS`. Default: 3. */
  readonly cost?: number;
  /** Of the node: `{ meta: { labels: { power: 'yes' } } }`. */
  readonly node?: Readonly<Record<string, unknown>>;
  /** Of the spec of the task: `{ template: { placement: { constraints: [] } } }`. */
  readonly taskSpec?: Readonly<Record<string, unknown>>;
}

/** Decides whether a node can take a task at all. */
export interface Filter {
  /** Short and unique within a policy: `resource`. */
  readonly name: string;
  /**
   * Reads the group once, before any node is looked at.
   * Undefined: the filter has nothing to say about the group, and every node passes.
   */
  prepare(group: TaskGroup, state: ClusterView): PreparedFilter | undefined;
  /** How many nodes were refused, for people: `insufficient resources on 3 nodes`. */
  describe(nodes: number): string;
}

/** A filter for one group. */
export interface PreparedFilter {
  /**
   * Promises that the verdict about a node follows from this key, the node and its use alone:
   * groups with equal keys may share verdicts until the node changes. A filter that looks at
   * anything else (counts of the service, volumes, other nodes) has no key.
   */
  readonly key?: string;
  /**
   * With a key: promises that the node's use does not matter either, so that the verdict stays
   * until there is a new version of the node. Default: false.
   */
  readonly ignoresUse?: boolean;
  /**
   * Without a key: `group` (default) promises that a node that was refused stays refused while the
   * group is placed; `cluster` promises nothing.
   */
  readonly dependsOn?: 'group' | 'cluster';
  /**
   * What the node lacks; undefined when it passes. Empty is not allowed.
   * Called often: cheap, and without allocation when the node passes.
   */
  check(node: NodeInfo): readonly Lack[] | undefined;
  /**
   * Whether the node passes, if that is had for less than what it lacks: asked wherever nobody
   * wants to know why. Has to agree with `check`.
   */
  passes?(node: NodeInfo): boolean;
  /**
   * The same for all nodes at once, if that is faster: sets `out[i]` to 0 for every node that is
   * refused, by ordinal, and leaves the others. Has to agree with `check`.
   */
  checkAll?(columns: NodeColumns, out: Uint8Array): void;
  /**
   * Whether it is sure that no node at all is refused, if that is had for less than `checkAll`,
   * which is then not asked. False says nothing.
   */
  passesAll?(columns: NodeColumns): boolean;
  /**
   * What would help a node that is refused: alternatives, each enough for this filter. Absent:
   * known for the filters of this package, otherwise only "without the filter".
   */
  suggest?(node: NodeInfo, lacks: readonly Lack[]): readonly Suggestion[];
}

/** What rank terms, scores and reserves are given. */
export interface RankContext {
  readonly group: TaskGroup;
  readonly state: ClusterView;
  readonly now: Timestamp;
}

/** One number per node; the least is best. Terms are compared in the order of the policy. */
export type RankTerm = NodeTerm | GroupTerm;

/** A term that follows from the node and its use, the same for every group. */
export interface NodeTerm {
  readonly scope: 'node';
  readonly name: string;
  /** For people: `fewer active tasks`. */
  readonly label: string;
  value(node: NodeInfo): number;
}

/** A term that also depends on the group. */
export interface GroupTerm {
  readonly scope: 'group';
  readonly name: string;
  readonly label: string;
  prepare(context: RankContext): PreparedTerm;
}

/** A rank term for one group. */
export interface PreparedTerm {
  /** Asked again after each placement on the node. */
  value(node: NodeInfo): number;
  /**
   * Nodes whose value is not 0 now. While a group is placed, only the value of the node just used
   * may change. Given, placing costs O(exceptions) instead of O(nodes); absent, any node may be
   * one.
   */
  exceptions?(): Iterable<NodeInfo>;
}

/**
 * How good a node is for the task; more is better. The scores of a policy are added up, each times
 * its weight, in the order of the policy.
 */
export interface Score {
  /** Short and unique within a policy: `least-allocated`. */
  readonly name: string;
  /** For people: `more cpu and memory left`. */
  readonly label: string;
  /** Default: 1. Must not be 0 or negative: a score that is to be small scores less. */
  readonly weight?: number;
  /** Reads the group once. Undefined: nothing to say, every node has 0. */
  prepare(context: RankContext): PreparedScore | undefined;
}

/** A sum of columns, each times a factor. */
export interface ScorePlane {
  readonly constant: number;
  /** Columns as for `NodeColumns.followed`: keep the functions. */
  readonly terms: readonly {
    readonly column: (node: NodeInfo) => number;
    readonly factor: number;
  }[];
}

/** A score for one group. */
export interface PreparedScore {
  /** Promises that the value follows from this key, the node and its use alone, as for filters. */
  readonly key?: string;
  /**
   * Without a key: `group` (default) promises that a placement of the group changes only the value
   * of the node used; `cluster` promises nothing.
   */
  readonly dependsOn?: 'group' | 'cluster';
  /** The value for a node that passes the filters. Finite. */
  score(node: NodeInfo): number;
  /**
   * The same for many nodes at once, if that is faster: writes `out[k]` for the node with the
   * ordinal `ordinals[k]`, also where it is refused (any number will do for those). Has to agree
   * with `score` bit for bit.
   */
  scoreAll?(columns: NodeColumns, ordinals: Int32Array, out: Float64Array): void;
  /**
   * What no node of a block has more than, for all blocks at once: writes `out[b]` for every
   * position of `columns.blocks`; of empty blocks any number will do. If all scores of a policy
   * give it, only blocks that can hold the best node are looked at. Has to be an upper bound bit
   * for bit: write it as the score is written, with ranges in the place of values, and rounding
   * keeps the order.
   */
  boundAll?(columns: NodeColumns, out: Float64Array): void;
  /**
   * For a score that is the least of several sums of columns (up to rounding), or nowhere above
   * that: those sums. Scores that pull apart are then bounded together, which is much closer than
   * each for itself: much cpu left, and as much of it as of memory. Besides `boundAll`.
   */
  planes?(): readonly ScorePlane[];
  /**
   * Makes values comparable with those of other scores: given the raw values of all candidates, in
   * the order of nodes, it replaces them in place. Each then depends on all: every candidate is
   * normalised anew for each placement.
   */
  normalise?(values: Float64Array): void;
}

/**
 * Chooses what a task gets on its node: which devices, which items of generic resources, which
 * ports. What several give is put together; of two that choose the same thing the later counts.
 * What none chooses is chosen by the engine: named items by name, shares of devices by best fit,
 * whole devices by index.
 */
export interface Reserve {
  readonly name: string;
  /** Reads the group once. Undefined: nothing to choose. */
  prepare(context: RankContext): PreparedReserve | undefined;
}

/** A reserve for one group. */
export interface PreparedReserve {
  /**
   * For a node that passes every filter; recorded in the task's status, and replayed from there.
   */
  choose(node: NodeInfo): Reservation;
}

/** One level of a spread: tasks of the service are kept even over the values. */
export interface SpreadLevel {
  /** For people and for reasons: `node.labels.zone`. */
  readonly name: string;
  /** The branch that the node belongs to. */
  value(node: NodeInfo): string;
}

/**
 * Where tasks may go, and where they go best: by spread, then rank, then scores, then tie-break.
 */
export interface Policy {
  readonly name: string;
  /** Asked in this order; the first that refuses a node is the one that people are told of. */
  readonly filters: readonly Filter[];
  /** Compared in this order, before the scores. */
  readonly rank: readonly RankTerm[];
  /** Added up, each times its weight. Absent: none. */
  readonly scores?: readonly Score[];
  /**
   * Decides between nodes that are still equal; the least is taken. What is equal even then goes
   * by name of the node, then id. Absent: at once by name and id.
   */
  readonly tieBreak?: NodeTerm;
  /** Asked when a node is chosen. Absent: the engine chooses. */
  readonly reserves?: readonly Reserve[];
  /** Levels over which the tasks of a group are spread before nodes are ranked. */
  spread?(group: TaskGroup): readonly SpreadLevel[];
}
