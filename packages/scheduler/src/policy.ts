/**
 * The extension points: a policy is a value, made of plain objects with pure functions.
 *
 * **Source:** the shape is kube-scheduler's framework (filter, score, spread); what makes batching
 * safe is that each filter says, by its key, what its verdict depends on.
 */
import type { Timestamp } from '@skep/api';
import type { ClusterView } from './cluster-view.js';
import type { NodeInfo } from './node-info.js';
import type { TaskGroup } from './task-group.js';

/** One thing that a node lacks, or that stands in the way. */
export interface Lack {
  /** What: `cpuNanos`, `memoryBytes`, `generic gpu`, `tcp/8080`, a constraint, a plugin, … */
  readonly what: string;
  readonly needed: number | string;
  readonly available: number | string;
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
   * anything else (counts of the service, volumes, other nodes) has no key and is asked every time.
   */
  readonly key?: string;
  /**
   * What the node lacks; undefined when it passes. Empty is not allowed.
   * Called often: cheap, and without allocation when the node passes.
   */
  check(node: NodeInfo): readonly Lack[] | undefined;
}

/** What rank terms are given. */
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

/** One level of a spread: tasks of the service are kept even over the values. */
export interface SpreadLevel {
  /** For people and for reasons: `node.labels.zone`. */
  readonly name: string;
  /** The branch that the node belongs to. */
  value(node: NodeInfo): string;
}

/** Where tasks may go, and where they go best. */
export interface Policy {
  readonly name: string;
  /** Asked in this order; the first that refuses a node is the one that people are told of. */
  readonly filters: readonly Filter[];
  /** Compared in this order. What is still equal goes by name of the node, then id. */
  readonly rank: readonly RankTerm[];
  /** Levels over which the tasks of a group are spread before nodes are ranked. */
  spread?(group: TaskGroup): readonly SpreadLevel[];
}
