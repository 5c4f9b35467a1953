/**
 * A cluster with the tasks that wait and those that run, and what was decided about them.
 */
import type { Network, Node, Service, Task, Timestamp, Volume } from '@skep/api';
import { ClusterState, type Placement, type Policy, type Unplaced } from '@skep/scheduler';

/** What is placed, all of it as objects. */
export interface PlacedCluster {
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  /** Waiting; the times of creation give the order. */
  readonly tasks: readonly Task[];
  readonly running: readonly Task[];
  readonly volumes: readonly Volume[];
  readonly networks: readonly Network[];
  readonly now: Timestamp;
}

/** What became of one task. */
export type Decision =
  | { readonly task: Task; readonly placement: Placement; readonly unplaced?: undefined }
  | { readonly task: Task; readonly unplaced: Unplaced; readonly placement?: undefined };

/** Everything that is known once all decisions are made. */
export interface PlacedParts {
  readonly policy: Policy;
  readonly cluster: PlacedCluster;
  /** The cluster with the placed tasks on their nodes. */
  readonly state: ClusterState;
  readonly decisions: readonly Decision[];
}

/** The state of the cluster before anything is placed. */
export function stateOf(of: PlacedCluster): ClusterState {
  return new ClusterState({ ...of, tasks: of.running });
}
