/** A whole cluster on virtual time for tests, random histories for it, and the laws it keeps. */
export { commitLog } from './cluster/commit-log.js';
export { comparable } from './cluster/comparable.js';
export { declaredObjects } from './cluster/declaration.js';
export { leaks } from './cluster/leaks.js';
export { leaderlessWrite, randomManagerFaults } from './cluster/manager-faults.js';
export { ManagerProcess } from './cluster/manager-process.js';
export { ManagerReplica } from './cluster/manager-replica.js';
export { ProcessGate } from './cluster/process-gate.js';
export { buildFrom, runScript } from './cluster/run-script.js';
export { clusterScripts } from './cluster/scripts.js';
export { strayPackets, unansweredPackets } from './cluster/packets.js';
export { renderScript } from './cluster/step.js';
export { shortestScript } from './cluster/shortest-script.js';
export { StoreGate } from './cluster/store-gate.js';
export { startTestCluster, TestCluster } from './cluster/test-cluster.js';
export { brokenInvariants } from './invariants.js';
export type {
  ComparableCluster,
  ComparableNetwork,
  ComparableService,
} from './cluster/comparable.js';
export type { Declaration } from './cluster/declaration.js';
export type { ManagerFault } from './cluster/manager-faults.js';
export type { ManagerProcessParts } from './cluster/manager-process.js';
export type { ManagerReplicaParts } from './cluster/manager-replica.js';
export type { ResumeOptions } from './cluster/process-gate.js';
export type { RunOptions, ScriptRun, Violation } from './cluster/run-script.js';
export type { ScriptOptions } from './cluster/scripts.js';
export type { Settlement } from './cluster/settle.js';
export type { ClusterScript, Step } from './cluster/step.js';
export type { CommitListener, WrittenCommit } from './cluster/store-gate.js';
export type { TestClusterOptions, TestNode } from './cluster/test-cluster.js';
