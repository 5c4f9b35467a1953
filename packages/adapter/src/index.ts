/** What a node does: the agent, and the seams it stands on. */
export type {
  Dataplane,
  Resolver,
  TaskContext,
  TaskExit,
  TaskFault,
  TaskHandle,
  TaskRuntime,
  TaskStarted,
} from './contract.js';
