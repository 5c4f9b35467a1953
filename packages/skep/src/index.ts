/** Build orchestrators: the façade of skep. */
export { Cluster } from './cluster.js';
export { createCluster, createContainer } from './create-cluster.js';
export { findNode, findService, findTask } from './find.js';
export { identifiers } from './identifiers.js';
export { coreModule } from './modules/core-module.js';
export { orchestratorModule } from './modules/orchestrator-module.js';
export { simulatorModule } from './modules/simulator-module.js';
export { BUILT_IN_KINDS, storeModule } from './modules/store-module.js';
export { problemsOf } from './problems.js';
export { RunnableStack } from './runnable-stack.js';
export { settle } from './settle.js';
export type { ApplyOptions, ClusterParts, ClusterRequestOptions } from './cluster.js';
export type { ClusterOptions, NodeOptions } from './options.js';
export type { Problem } from './problems.js';
export type { Settlement, Settling } from './settle.js';
