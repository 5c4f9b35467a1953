/**
 * Swarm's policy: its filters, its ranking and its spread, in a total order.
 *
 * **Source:** SwarmKit manager/scheduler/{filter,nodeinfo,scheduler,decision_tree}.go.
 */
import { labelOf, type ServiceId } from '@skep/api';
import type { ClusterView } from './cluster-view.js';
import { constraintFilter } from './filters/constraint-filter.js';
import { hostPortFilter } from './filters/host-port-filter.js';
import { maxReplicasFilter } from './filters/max-replicas-filter.js';
import { platformFilter } from './filters/platform-filter.js';
import { pluginFilter } from './filters/plugin-filter.js';
import { readyFilter } from './filters/ready-filter.js';
import { resourceFilter } from './filters/resource-filter.js';
import { volumeFilter } from './filters/volume-filter.js';
import type { NodeInfo } from './node-info.js';
import type {
  GroupTerm,
  NodeTerm,
  Policy,
  PreparedTerm,
  RankContext,
  SpreadLevel,
} from './policy.js';
import { NO_COUNTS, type ServiceCounts } from './service-counts.js';
import type { TaskGroup } from './task-group.js';

/** How long a failure is held against a node. */
export const FAULT_WINDOW_MS = 5 * 60 * 1000;
/** Failures within the window from which a node is avoided. */
export const FAULTS_MAX = 5;

/**
 * Fewer failures of this service and spec version on the node, once there are many: below
 * {@link FAULTS_MAX} within {@link FAULT_WINDOW_MS} the value is 0.
 */
export const faultTerm: GroupTerm = Object.freeze({
  scope: 'group',
  name: 'faults',
  label: 'fewer recent failures of the service',
  prepare: (context: RankContext): PreparedTerm => {
    const faults = faultCounts(context);
    return faults === undefined ? NO_FAULTS : new FaultValues(faults);
  },
});

class FaultValues implements PreparedTerm {
  readonly #faults: ReadonlyMap<NodeInfo, number>;

  constructor(faults: ReadonlyMap<NodeInfo, number>) {
    this.#faults = faults;
  }

  value(node: NodeInfo): number {
    return this.#faults.get(node) ?? 0;
  }

  exceptions(): Iterable<NodeInfo> {
    return this.#faults.keys();
  }
}

/** 0 for every node. */
const zero = (): PreparedTerm => Object.freeze({ value: () => 0, exceptions: () => NO_NODES });
const NO_NODES: readonly NodeInfo[] = Object.freeze([]);
const NO_FAULTS = zero();
const NO_TASKS = zero();

function faultCounts(context: RankContext): ReadonlyMap<NodeInfo, number> | undefined {
  const { group, state, now } = context;
  const known = state.faultsOf(group.serviceId);
  if (known.length === 0) return undefined;
  const counts = new Map<NodeInfo, number>();
  for (const { nodeId, specVersion, times } of known) {
    const node = state.node(nodeId);
    if (node === undefined || specVersion !== (group.specVersion ?? 0)) continue;
    const recent = times.filter((time) => time > now - FAULT_WINDOW_MS).length;
    if (recent >= FAULTS_MAX) counts.set(node, recent);
  }
  return counts;
}

/** Fewer active tasks of the same service. */
export const serviceTasksTerm: GroupTerm = Object.freeze({
  scope: 'group',
  name: 'service-tasks',
  label: 'fewer active tasks of the service',
  prepare: ({ state, group }: RankContext): PreparedTerm => {
    const counts = state.activeTasksOf(group.serviceId);
    // Nobody is asked again after the only task of a group was placed.
    if (counts === NO_COUNTS && group.tasks.length === 1) return NO_TASKS;
    return new ServiceTaskValues({ state, group }, counts);
  },
});

class ServiceTaskValues implements PreparedTerm {
  readonly #state: ClusterView;
  readonly #serviceId: ServiceId | undefined;
  #counts: ServiceCounts;
  #revision: number;

  constructor({ state, group }: Pick<RankContext, 'state' | 'group'>, counts: ServiceCounts) {
    this.#state = state;
    this.#serviceId = group.serviceId;
    this.#counts = counts;
    this.#revision = state.revision;
  }

  value(node: NodeInfo): number {
    return this.#current().on(node);
  }

  exceptions(): Iterable<NodeInfo> {
    return this.#current().nodes();
  }

  /** Asked for again after a change only: there may be as many services as tasks. */
  #current(): ServiceCounts {
    const { revision } = this.#state;
    if (this.#revision !== revision) {
      this.#counts = this.#state.activeTasksOf(this.#serviceId);
      this.#revision = revision;
    }
    return this.#counts;
  }
}

/** Fewer active tasks in total. */
export const totalTasksTerm: NodeTerm = Object.freeze({
  scope: 'node',
  name: 'total-tasks',
  label: 'fewer active tasks in total',
  value: (node: NodeInfo) => node.activeTasks,
});

const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';
const NO_LEVELS: readonly SpreadLevel[] = Object.freeze([]);

/**
 * A level for each `spread` preference over `node.labels.x` or `engine.labels.x`; other
 * descriptors are skipped, as in Swarm. A node without the label is in the branch ''.
 */
export function spreadByPreferences({ template }: TaskGroup): readonly SpreadLevel[] {
  const preferences = template.placement?.preferences;
  if (preferences === undefined || preferences.length === 0) return NO_LEVELS;
  return preferences.flatMap(({ spread }): readonly SpreadLevel[] => {
    const lower = spread.toLowerCase();
    if (lower.startsWith(NODE_LABELS) && spread.length > NODE_LABELS.length) {
      const label = spread.slice(NODE_LABELS.length);
      return [{ name: spread, value: (node) => labelOf(node.facts.labels, label) }];
    }
    if (lower.startsWith(ENGINE_LABELS) && spread.length > ENGINE_LABELS.length) {
      const label = spread.slice(ENGINE_LABELS.length);
      return [{ name: spread, value: (node) => labelOf(node.facts.engineLabels, label) }];
    }
    return NO_LEVELS;
  });
}

const SWARM_POLICY: Policy = Object.freeze({
  name: 'swarm',
  filters: Object.freeze([
    readyFilter,
    resourceFilter,
    pluginFilter,
    constraintFilter,
    platformFilter,
    hostPortFilter,
    maxReplicasFilter,
    volumeFilter,
  ]),
  rank: Object.freeze([faultTerm, serviceTasksTerm, totalTasksTerm]),
  spread: spreadByPreferences,
});

/** Swarm's policy. Always the same value, so that what is cached for it is shared. */
export function swarmPolicy(): Policy {
  return SWARM_POLICY;
}
