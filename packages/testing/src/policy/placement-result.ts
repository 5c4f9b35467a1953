/**
 * What became of the tasks of a test: where they went, which wait, and why.
 */
import { SkepError, type Task } from '@skep/api';
import {
  counterfactuals,
  explain,
  renderExplanation,
  type ClusterState,
  type Counterfactual,
  type Explanation,
  type Placement,
  type Policy,
  type Unplaced,
} from '@skep/scheduler';
import { nameOf } from './build/service.js';
import { renderCluster } from './cluster-table.js';
import { stateOf, type Decision, type PlacedCluster, type PlacedParts } from './placed-cluster.js';

/** Some of the tasks of a result: what matchers speak about. */
export interface TaskSelection {
  readonly result: PlacementResult;
  /** `web.1`, `service web`, `all tasks`. */
  readonly label: string;
  readonly decisions: readonly Decision[];
}

/** The outcome of `place`. As a selection, it is all tasks that waited. */
export class PlacementResult implements TaskSelection {
  readonly policy: Policy;
  readonly cluster: PlacedCluster;
  /** The cluster with the placed tasks on their nodes. */
  readonly state: ClusterState;
  /** One for each task that waited, in the order in which they were made. */
  readonly decisions: readonly Decision[];
  readonly label = 'all tasks';
  #explanations: ReadonlyMap<string, Explanation> | undefined;

  constructor({ policy, cluster, state, decisions }: PlacedParts) {
    this.policy = policy;
    this.cluster = cluster;
    this.state = state;
    this.decisions = decisions;
  }

  get result(): this {
    return this;
  }

  get placements(): readonly Placement[] {
    return this.decisions.flatMap(({ placement }) => placement ?? []);
  }

  /** The tasks that no node takes, each with its reason. */
  get pending(): readonly Unplaced[] {
    return this.decisions.flatMap(({ unplaced }) => unplaced ?? []);
  }

  /** Name of the task → name of its node, null for a task that waits; in the order of decisions. */
  get places(): Readonly<Record<string, string | null>> {
    return Object.fromEntries(
      this.decisions.map(({ task, placement }) => [
        nameOf(task),
        placement === undefined ? null : this.nodeName(placement.nodeId),
      ]),
    );
  }

  /** Name of the node that the task went to; undefined while it waits. */
  nodeOf(taskName: string): string | undefined {
    const { placement } = this.#decision(taskName);
    return placement === undefined ? undefined : this.nodeName(placement.nodeId);
  }

  /** Names of the placed tasks on the node, in the order in which they came. */
  tasksOn(nodeName: string): readonly string[] {
    return this.placements
      .filter(({ nodeId }) => this.nodeName(nodeId) === nodeName)
      .map(({ task }) => nameOf(task));
  }

  /** The task of this name. @throws not-found. */
  task(name: string): TaskSelection {
    return { result: this, label: name, decisions: [this.#decision(name)] };
  }

  /** The tasks of a service. @throws not-found when none of them was to be placed. */
  service(name: string): TaskSelection {
    const decisions = this.decisions.filter(({ task }) => task.spec.serviceName === name);
    if (decisions.length > 0) return { result: this, label: `service ${name}`, decisions };
    const names = new Set(this.decisions.map(({ task }) => task.spec.serviceName));
    throw new SkepError(
      'not-found',
      `no task of a service ${name} was placed; there are ${[...names].join(', ') || 'none'}`,
    );
  }

  /**
   * Why the task went where it went, with every node as it was at that moment.
   * Cost: the first call explains all tasks, O(tasks × nodes × filters).
   * @throws not-found for a name that no task has.
   */
  explain(taskName: string): Explanation {
    this.#decision(taskName);
    return this.explanations.get(taskName) as Explanation;
  }

  /** The same for all tasks, by name. */
  get explanations(): ReadonlyMap<string, Explanation> {
    this.#explanations ??= explainAll(this);
    return this.#explanations;
  }

  /**
   * What would have to be different so that the task had a node, the cheapest first, as of the
   * moment of its decision; none for a task that has one. Cost: a few placements for each.
   * @throws not-found.
   */
  remedies(taskName: string): readonly Counterfactual[] {
    const wanted = this.#decision(taskName);
    const { policy, cluster } = this;
    for (const { state, decision } of moments(this)) {
      if (decision !== wanted) continue;
      return counterfactuals(state, decision.task, { policy, now: cluster.now });
    }
    return [];
  }

  /** The explanation as text, and for a task that waits what would help. @throws not-found. */
  why(taskName: string): string {
    const remedies = this.nodeOf(taskName) === undefined ? this.remedies(taskName) : [];
    return [
      this.renderExplanation(this.explain(taskName)),
      ...remedies.map(({ text }) => `  ${text}`),
    ].join('\n');
  }

  /** @internal The explanation with the names of nodes and the words of the policy. */
  renderExplanation(explanation: Explanation): string {
    const words = { policy: this.policy, nodeName: (id: string) => this.nodeName(id) };
    return renderExplanation(explanation, words);
  }

  /** Name of a node for people; its id for a node that is not there. */
  nodeName(id: string): string {
    return this.cluster.nodes.find(({ meta }) => meta.id === id)?.meta.name ?? id;
  }

  /** The cluster as a small table, and the tasks that wait. */
  toString(): string {
    return renderCluster(this);
  }

  #decision(taskName: string): Decision {
    const found = this.decisions.find(({ task }) => nameOf(task) === taskName);
    if (found !== undefined) return found;
    const names = this.decisions.slice(0, 20).map(({ task }) => nameOf(task));
    throw new SkepError(
      'not-found',
      `no task ${taskName} was to be placed; there are ${names.join(', ') || 'none'}` +
        (this.decisions.length > names.length ? ', …' : ''),
    );
  }
}

/** The state before each decision. It goes on to the next one: look, and do not keep it. */
function* moments({
  cluster,
  decisions,
}: PlacementResult): Generator<{ readonly state: ClusterState; readonly decision: Decision }> {
  const state = stateOf(cluster);
  for (const decision of decisions) {
    yield { state, decision };
    if (decision.placement !== undefined) state.upsertTask(assigned(decision.placement));
  }
}

function explainAll(result: PlacementResult): ReadonlyMap<string, Explanation> {
  const { policy, cluster } = result;
  const explanations = new Map<string, Explanation>();
  for (const { state, decision } of moments(result)) {
    const taskName = nameOf(decision.task);
    const explanation = explain(state, decision.task, { policy, now: cluster.now });
    explanations.set(taskName, { ...explanation, taskName });
  }
  return explanations;
}

/** The task as it is once its placement is written: on its node, with what it was given. */
export function assigned({ task, nodeId, reason, ...given }: Placement): Task {
  const { genericResources, devices, volumes, ports } = given;
  return {
    ...task,
    status: {
      ...task.status,
      state: 'assigned',
      nodeId,
      placement: reason,
      ...(genericResources === undefined ? {} : { genericResources }),
      ...(devices === undefined ? {} : { devices }),
      ...(ports === undefined ? {} : { reservedPorts: ports }),
      ...(volumes === undefined
        ? {}
        : { volumes: volumes.map(({ volumeId, target }) => ({ volumeId, target })) }),
    },
  };
}
