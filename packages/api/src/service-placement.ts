/**
 * What a placement may say beyond Swarm: affinities, tolerations, bounds of a spread.
 *
 * All of it is optional, and read by the plugins of `@skep/scheduler` of the same names. Swarm's
 * policy looks at none of it. A key names where to look on a node, in the words of constraints:
 * `node.labels.zone`, `engine.labels.disk`, `node.hostname`, `node.id`, `node.role`,
 * `node.platform.os`, `node.platform.arch`; a key without such a prefix is the name of a label of
 * the node.
 *
 * **Source:** the vocabulary is Kubernetes' (`core/v1` Affinity, Toleration,
 * TopologySpreadConstraint), with services in the place of pod selectors.
 */

/** How a value of a node is compared. `Gt` and `Lt` compare whole numbers. */
export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

/** One comparison. `NotIn` and `DoesNotExist` hold where there is no such value. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Any number for `In` and `NotIn`; one for `Gt` and `Lt`; none for the others. */
  readonly values?: readonly string[];
}

/** Requirements that all must hold. */
export interface NodeSelectorTerm {
  readonly match: readonly NodeRequirement[];
}

/** A wish and how much it matters. */
export interface Weighted<Term> {
  /** From 1 to 100. */
  readonly weight: number;
  readonly term: Term;
}

/** Nodes that a task must have, and those that it would rather have. */
export interface NodeAffinity {
  /** At least one of them must hold; absent or empty: nothing is required. */
  readonly required?: readonly NodeSelectorTerm[];
  readonly preferred?: readonly Weighted<NodeSelectorTerm>[];
}

/** Tasks of a service in the same place. */
export interface ServiceAffinityTerm {
  /** Name or id of the service. */
  readonly service: string;
  /** What a place is: nodes with one value of this key are one place. */
  readonly topologyKey: string;
}

/** Services that a task must be near to (or away from), and those where it had better be. */
export interface ServiceAffinity {
  /** All must hold. */
  readonly required?: readonly ServiceAffinityTerm[];
  readonly preferred?: readonly Weighted<ServiceAffinityTerm>[];
}

/**
 * What a taint does to tasks that do not tolerate it: keeps them away, keeps them away if there is
 * another place, or also drives out those that run (which is not the scheduler's part).
 */
export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

/** A mark of a node that keeps tasks away. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: TaintEffect;
}

/** Taints that do not matter to a task. */
export interface Toleration {
  /** Absent: every key, with the operator `Exists`. */
  readonly key?: string;
  /** Default: Equal. */
  readonly operator?: 'Equal' | 'Exists';
  readonly value?: string;
  /** Absent: every effect. */
  readonly effect?: TaintEffect;
}

/** Tasks of the service are kept even over the values of a key. */
export interface TopologySpread {
  readonly topologyKey: string;
  /** How many more tasks than the emptiest place may a place have; from 1. */
  readonly maxSkew: number;
  /** Whether a place with more is refused, or only the worse. Default: refuse. */
  readonly otherwise?: 'refuse' | 'prefer';
}
