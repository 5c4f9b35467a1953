/** The loops that turn service specs into tasks placed on nodes. */
export { planAvailability, planForceUpdate, planRollback, planScale } from './admission/actions.js';
export { admit, admitAll } from './admission/admit.js';
export { planApply } from './admission/apply.js';
export { admissionError, describeComplaint } from './admission/complaint.js';
export { STACK_LABEL } from './admission/declared-objects.js';
export { planRemove, planRemoveNode } from './admission/removal.js';
export { allocatorController } from './allocator/index.js';
export { assignmentItems, connectInProcess, Dispatcher } from './dispatcher/index.js';
export { endpointsController, planEndpoints } from './endpoints/index.js';
export { constraintEnforcer } from './enforcers/constraint-enforcer.js';
export { volumeEnforcer } from './enforcers/volume-enforcer.js';
export { isInForce } from './in-force.js';
export { builtInControllers, CLUSTER_ID, createManager, INGRESS_ID } from './manager.js';
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
export type { RemovalTarget } from './admission/removal.js';
export type { DispatcherParts, SessionStatus } from './dispatcher/index.js';
export type { Manager, ManagerParts } from './manager.js';
export type { SchedulerOptions } from './scheduling/index.js';
