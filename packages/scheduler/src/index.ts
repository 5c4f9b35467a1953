/** Placing tasks on nodes: filters, ranking, spread, explanations. Pure. */
export { ClusterState } from './cluster-state.js';
export type { ClusterObjects, ClusterView } from './cluster-view.js';
export { applyCounterfactual } from './counterfactual/apply.js';
export type { Situation } from './counterfactual/apply.js';
export {
  COUNTERFACTUALS_MAX,
  COUNTERFACTUALS_PER_KIND_MAX,
  counterfactuals,
} from './counterfactual/counterfactual.js';
export type { Counterfactual, CounterfactualOptions } from './counterfactual/counterfactual.js';
export { REMEDY_COSTS } from './counterfactual/remedy.js';
export type {
  NodeRemedy,
  PolicyRemedy,
  Remedy,
  SuggestedRemedy,
  TaskRemedy,
} from './counterfactual/remedy.js';
export { chooseDevices, fitDevices, isDeviceFit } from './device-ledger.js';
export type { DevicesOfKind } from './device-ledger.js';
export { explain } from './explain.js';
export type {
  BranchExplanation,
  Explanation,
  FilterVerdict,
  NodeExplanation,
  RankValue,
  ScoreValue,
  TieExplanation,
} from './explain.js';
export { constraintFilter } from './filters/constraint-filter.js';
export { hostPortFilter } from './filters/host-port-filter.js';
export { maxReplicasFilter } from './filters/max-replicas-filter.js';
export { nodeAffinityFilter } from './filters/node-affinity-filter.js';
export { platformFilter } from './filters/platform-filter.js';
export { pluginFilter } from './filters/plugin-filter.js';
export { readyFilter } from './filters/ready-filter.js';
export { resourceFilter } from './filters/resource-filter.js';
export { serviceAffinityFilter } from './filters/service-affinity-filter.js';
export { taintFilter } from './filters/taint-filter.js';
export { topologySpreadFilter } from './filters/topology-spread-filter.js';
export { volumeFilter } from './filters/volume-filter.js';
export { fragmentationGradient } from './fragmentation/gradient.js';
export type { FragmentationOptions, FragmentationPlugins } from './fragmentation/gradient.js';
export { FragmentationMeasure, deviceState } from './fragmentation/measure.js';
export type { DeviceState } from './fragmentation/measure.js';
export { TYPICAL_PART, typicalTasks } from './fragmentation/workload.js';
export type { TypicalTask } from './fragmentation/workload.js';
export { GenericLedger, genericRequests } from './generic-ledger.js';
export type { GenericRequest } from './generic-ledger.js';
export type { BlockRanges, NodeBlocks } from './node-blocks.js';
export type { NodeColumns, NodeDomains } from './node-columns.js';
export type { NodeClaim, NodeInfo } from './node-info.js';
export type { PlacedTask } from './placed-tasks.js';
export { confirm, placeEach, placeGroup } from './place.js';
export type {
  Confirmation,
  GroupPlacement,
  Placement,
  PlacementListener,
  PlacementOptions,
  PlacementReason,
  Unplaced,
} from './place.js';
export { composePolicy, weighted } from './policies/compose-policy.js';
export type { PolicyParts } from './policies/compose-policy.js';
export {
  bestFitPolicy,
  dotProductPolicy,
  fgdPolicy,
  gpuClusteringPolicy,
  gpuPackingPolicy,
  randomPolicy,
} from './policies/gpu-policies.js';
export {
  STANDARD_FILTERS,
  balancedPolicy,
  kubernetesPolicy,
  leastAllocatedPolicy,
  mostAllocatedPolicy,
} from './policies/standard-policies.js';
export { tieBreakByRank } from './policies/tie-break.js';
export type { TieBreakOption } from './policies/tie-break.js';
export type {
  Filter,
  GroupTerm,
  Lack,
  NodeTerm,
  Policy,
  PreparedFilter,
  PreparedReserve,
  PreparedScore,
  PreparedTerm,
  RankContext,
  RankTerm,
  Reserve,
  Score,
  SpreadLevel,
  Suggestion,
} from './policy.js';
export { planPreemption } from './preemption/preemption.js';
export type {
  NoPreemption,
  Preemption,
  PreemptionOptions,
  Victim,
} from './preemption/preemption.js';
export type { DisruptionBudget, PreemptionCost } from './preemption/preemption-cost.js';
export { renderPreemption } from './preemption/preemption-words.js';
export { PRIORITY_MAX, PRIORITY_MIN, priorityOf } from './preemption/priority.js';
export { EXACT_VICTIMS_MAX } from './preemption/victim-search.js';
export { NO_SUITABLE_NODE, REFUSED_NODES_MAX } from './refusal.js';
export { renderExplanation, renderLack, renderPlacementReason } from './render-explanation.js';
export type { ReasonWords } from './render-explanation.js';
export { requirementsOf } from './requirements.js';
export type { Requirements } from './requirements.js';
export { matchesTerm } from './label-match.js';
export { hostPortPlugins } from './reserves/host-ports.js';
export type { HostPortOptions, HostPortPlugins } from './reserves/host-ports.js';
export { tightestDevicesReserve } from './reserves/tightest-devices.js';
export type { AmountWeights } from './scores/amounts.js';
export { balancedAllocationScore } from './scores/balanced-allocation.js';
export { bestFitScore } from './scores/best-fit.js';
export { deviceDemand, tightestDevices } from './scores/device-demand.js';
export type { DeviceDemand, DeviceScoreOptions } from './scores/device-demand.js';
export { dotProductScore } from './scores/dot-product.js';
export { gpuClusteringScore } from './scores/gpu-clustering.js';
export { gpuPackingScore } from './scores/gpu-packing.js';
export { imageLocalityScore } from './scores/image-locality.js';
export { leastAllocatedScore } from './scores/least-allocated.js';
export { mostAllocatedScore } from './scores/most-allocated.js';
export { nodeAffinityScore } from './scores/node-affinity.js';
export { randomDevicesReserve, randomScore } from './scores/random.js';
export type { RandomOptions } from './scores/random.js';
export { serviceAffinityScore } from './scores/service-affinity.js';
export { taintScore } from './scores/taint.js';
export { topologySpreadScore } from './scores/topology-spread.js';
export type { TopologySpreadOptions } from './scores/topology-spread.js';
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
export { alikeTasks, compareTasks, groupOf, groupTasks } from './task-group.js';
export { taintText, tolerates } from './taints.js';
export type { TaskGroup } from './task-group.js';
export { topologyValue } from './topology-value.js';
export type { VolumeChoice, VolumeUse } from './volume-ledger.js';
export { HEADROOM_MAX, headroom } from './what-if/headroom.js';
export type { Headroom, HeadroomOptions } from './what-if/headroom.js';
export { scatteredLoad, unevenLoad, unevenTasks } from './what-if/imbalance.js';
export type { Imbalance } from './what-if/imbalance.js';
export type { ObjectLists } from './what-if/object-lists.js';
export { planPlacement } from './what-if/plan-placement.js';
export type { PlanPlacementOptions } from './what-if/plan-placement.js';
export { applyPlan } from './what-if/plan.js';
export type {
  MoveChange,
  PlaceChange,
  PlannedChange,
  PlannedPending,
  StopChange,
  WhatIfPlan,
} from './what-if/plan.js';
export { MOVES_MAX, planRebalance } from './what-if/rebalance.js';
export type { RebalanceOptions, RebalancePlan } from './what-if/rebalance.js';
export { planDrain, planNodeLoss } from './what-if/relocation.js';
export { renderPlan, summarizePlan } from './what-if/render-plan.js';
export type { PlanWords } from './what-if/render-plan.js';
export { planScaleDown } from './what-if/scale-down.js';
export type { ScaleDownOptions } from './what-if/scale-down.js';
