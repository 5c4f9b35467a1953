/** Build orchestrators: the façade of skep. */
export { Cluster } from './cluster.js';
export { ClusterBase } from './cluster-base.js';
export { createCluster, createContainer } from './create-cluster.js';
export { declarableKinds } from './declarable-kinds.js';
export { findAnyTask, findNode, findObject, findService, findTask, listObjects } from './find.js';
export { identifiers } from './identifiers.js';
export { LiveCluster } from './live-cluster.js';
export { coreModule } from './modules/core-module.js';
export { liveModule } from './modules/live-module.js';
export { orchestratorModule } from './modules/orchestrator-module.js';
export { simulatorModule } from './modules/simulator-module.js';
export { BUILT_IN_KINDS, storeModule } from './modules/store-module.js';
export { openCluster } from './open-cluster.js';
export { passTimeUntil } from './pass-time.js';
export { PassWatch } from './pass-watch.js';
export { placedError } from './placed-error.js';
export { problemsOf } from './problems.js';
export { RunnableStack } from './runnable-stack.js';
export { settle } from './settle.js';
export { explainer, shortfallsOf } from './shortfalls.js';
export { renderWhy } from './why.js';
export type {
  Applied,
  ApplyOptions,
  ClusterBaseParts,
  ClusterParts,
  ClusterRequestOptions,
  DeclareOptions,
} from './cluster-options.js';
export type { PruningOptions } from './declarations.js';
export type { LiveClusterParts } from './live-cluster.js';
export type { LiveNode, LiveOptions } from './live-options.js';
export type { ClusterOptions, NodeOptions } from './options.js';
export type { PlacedComplaint } from './placed-error.js';
export type { Problem } from './problems.js';
export type { Settlement, Settling } from './settle.js';
export type { ExplainOptions, Shortfall } from './shortfalls.js';
