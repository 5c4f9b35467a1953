/** What a node does: the agent, and the seams it stands on. */
export { Agent } from './agent.js';
export { AssignmentState, mergeNetworkChanges, networkChangeOf } from './assignment-state.js';
export { leftoverTask, removeLeftover } from './leftover-task.js';
export { ManagerLinks } from './manager-links.js';
export { NetworkApplier } from './network-applier.js';
export { nextBackoffMs, SessionKeeper } from './node-session.js';
export { ReportQueue } from './report-queue.js';
export { TaskManager } from './task-manager.js';
export { isSameStep, nextTaskStep } from './task-step.js';
export type { AgentOptions } from './agent.js';
export type { TouchedItems } from './assignment-state.js';
export type {
  Dataplane,
  LogQuery,
  Resolver,
  TaskContext,
  TaskExit,
  TaskHandle,
  TaskLogs,
  TaskRuntime,
  TaskStarted,
} from './contract.js';
export type { NetworkApplierOptions } from './network-applier.js';
export type { SessionKeeperOptions } from './node-session.js';
export type { ReportQueueOptions } from './report-queue.js';
export type { TaskManagerOptions } from './task-manager.js';
export type { TaskStep, TaskStepInput } from './task-step.js';
