/** Controllers against a store in memory on virtual time: step by step, and under all faults. */
export { comparableObjects } from './controllers/comparable-objects.js';
export { controllerLaws, replay } from './controllers/controller-laws.js';
export { ControllerHarness, controllerHarness } from './controllers/harness.js';
export { CONTROLLER_LAWS } from './controllers/law-faults.js';
export { renderControllerScript, userSteps } from './controllers/script.js';
export type { LoggedCommit, ObjectCounts } from './controllers/commit-log.js';
export type { ControllerLawsOptions, LawReport } from './controllers/controller-laws.js';
export type { ControllerSource } from './controllers/controller-process.js';
export type { ControllerHarnessOptions, ControllerSettlement } from './controllers/harness.js';
export type { ControllerLaw } from './controllers/law-faults.js';
export type { LawSetup } from './controllers/run-controllers.js';
export type { ControllerScript, Fault, ScenarioStep, UserObject } from './controllers/script.js';
