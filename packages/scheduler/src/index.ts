/** Placing tasks on nodes: filters, ranking, spread, explanations. Pure. */
export { ClusterState } from './cluster-state.js';
export type { ClusterObjects } from './cluster-state.js';
export type { ClusterView } from './cluster-view.js';
export { explain } from './explain.js';
export type {
  BranchExplanation,
  Explanation,
  FilterVerdict,
  NodeExplanation,
  RankValue,
} from './explain.js';
export { constraintFilter } from './filters/constraint-filter.js';
export { hostPortFilter } from './filters/host-port-filter.js';
export { maxReplicasFilter } from './filters/max-replicas-filter.js';
export { platformFilter } from './filters/platform-filter.js';
export { pluginFilter } from './filters/plugin-filter.js';
export { readyFilter } from './filters/ready-filter.js';
export { resourceFilter } from './filters/resource-filter.js';
export { volumeFilter } from './filters/volume-filter.js';
export { GenericLedger, genericRequests } from './generic-ledger.js';
export type { GenericRequest } from './generic-ledger.js';
export type { NodeInfo } from './node-info.js';
export { confirm, placeGroup } from './place.js';
export type {
  Confirmation,
  GroupPlacement,
  Placement,
  PlacementOptions,
  PlacementReason,
  Unplaced,
} from './place.js';
export type {
  Filter,
  GroupTerm,
  Lack,
  NodeTerm,
  Policy,
  PreparedFilter,
  PreparedTerm,
  RankContext,
  RankTerm,
  SpreadLevel,
} from './policy.js';
export { NO_SUITABLE_NODE, REFUSED_NODES_MAX } from './refusal.js';
export { renderExplanation, renderLack, renderPlacementReason } from './render-explanation.js';
export type { ReasonWords } from './render-explanation.js';
export { requirementsOf } from './requirements.js';
export type { Requirements } from './requirements.js';
export type { ServiceCounts } from './service-counts.js';
export {
  FAULTS_MAX,
  FAULT_WINDOW_MS,
  faultTerm,
  serviceTasksTerm,
  spreadByPreferences,
  swarmPolicy,
  totalTasksTerm,
} from './swarm-policy.js';
export { isActiveTask, isCounted } from './task-claim.js';
export type { Reservation } from './task-claim.js';
export { compareTasks, groupOf, groupTasks } from './task-group.js';
export type { TaskGroup } from './task-group.js';
export type { VolumeChoice, VolumeUse } from './volume-ledger.js';
