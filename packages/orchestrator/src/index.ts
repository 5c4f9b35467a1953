/** The loops that turn service specs into tasks placed on nodes. */
export {
  planAvailability,
  planForceUpdate,
  planHold,
  planRollback,
  planScale,
  planUpdate,
} from './admission/actions.js';
export { admit, admitAll } from './admission/admit.js';
export { planApply } from './admission/apply.js';
export { admissionError, describeComplaint } from './admission/complaint.js';
export { STACK_LABEL } from './admission/declared-objects.js';
export { planEdit } from './admission/edit.js';
export {
  managedSpec,
  planFields,
  planManaged,
  planReleaseFields,
  planReturnFields,
} from './admission/fields.js';
export { planMove } from './admission/move.js';
export { planOwned } from './admission/owned.js';
export { planRemove, planRemoveNode } from './admission/removal.js';
export { allocatorController } from './allocator/index.js';
export { assignmentItems, connectInProcess, Dispatcher } from './dispatcher/index.js';
export { endpointsController, planEndpoints } from './endpoints/index.js';
export { constraintEnforcer } from './enforcers/constraint-enforcer.js';
export { volumeEnforcer } from './enforcers/volume-enforcer.js';
export { isInForce } from './in-force.js';
export { CLUSTER_ID, INGRESS_ID } from './manager-bootstrap.js';
export { builtInControllers, createManager } from './manager.js';
export { taskReaper } from './reaper/reaper-controller.js';
export { schedulerController } from './scheduling/index.js';
export { orchestratorController } from './service/orchestrator-controller.js';
export type { AdmitOptions } from './admission/admit.js';
export type { ApplyOptions } from './admission/apply.js';
export type { AdmissionComplaint } from './admission/complaint.js';
export type {
  AdmissionPlan,
  AdmissionResult,
  DeclaredObject,
} from './admission/declared-objects.js';
export type { ObjectEdit } from './admission/edit.js';
export type { OwnedObject, OwnedOptions } from './admission/owned.js';
export type { FieldsRequest } from './admission/fields.js';
export type { RemovalTarget } from './admission/removal.js';
export type { DispatcherParts, SessionStatus } from './dispatcher/index.js';
export type { Manager, ManagerParts } from './manager.js';
export type { ManagerElection } from './manager-election.js';
export type { ManagerSharding, SharedControllers } from './manager-sharing.js';
export type { SchedulerOptions } from './scheduling/index.js';
