/** The runtime for declarative controllers of any kind of object. */
export { applySpec } from './apply-spec.js';
export type { ApplyRequest, ApplyResult, PartialSpec } from './apply-spec.js';
export {
  because,
  conditionOf,
  conditionSet,
  create,
  noChanges,
  remove,
  removeAnyVersion,
  update,
} from './changes.js';
export type {
  AsyncController,
  BatchController,
  BatchPlan,
  ControllerDefinition,
  ControllerSeams,
  ControllerState,
  ControllerStatus,
  DefineController,
  EventDraft,
  FenceLost,
  KeyExplanation,
  PassResult,
  Plan,
  PlanController,
  PlanGroup,
  ReadyCache,
  ReconcileContext,
  ReconcileResult,
  Watch,
} from './contract.js';
export { ControllerGroup, startController } from './controller-group.js';
export type { ControllerGroupOptions, PendingKey } from './controller-group.js';
export { controllerParts } from './controller-parts.js';
export type { ControllerOptions, ControllerParts } from './controller-parts.js';
export { Controller } from './controller.js';
export {
  CONCURRENCY_MAX,
  defineController,
  isAsyncController,
  isBatchController,
  isPlanController,
} from './definition.js';
export {
  deletionPolicy,
  FOREGROUND_DELETION,
  ORPHAN_DEPENDENTS,
  policyOf,
} from './deletion-policy.js';
export type { DeletionPolicy } from './deletion-policy.js';
export type {
  LeaderElectorOptions,
  LeaderElectorParts,
  LeaderFollower,
  LeadershipEnd,
} from './elector-options.js';
export { EVENTS_MAX, EVENTS_PER_OBJECT_MAX } from './event-plan.js';
export { EventRecorder } from './event-recorder.js';
export type { EventRecorderParts } from './event-recorder.js';
export {
  managersAfterRestore,
  managersAfterUpdate,
  mergeFields,
  returnFields,
} from './field-managers.js';
export { fieldsOf } from './field-paths.js';
export type { PathStep, SpecField } from './field-paths.js';
export type { FieldConflict, FieldOpinion, ManagedSpec, MergeOutcome } from './field-managers.js';
export { isPanic, isTerminalError, terminalError } from './failure.js';
export { withFinalizer } from './finalizer.js';
export type { CleanupPlan, Finalized, FinalizerInput } from './finalizer.js';
export { GARBAGE_COLLECTOR, garbageCollector } from './garbage-collector.js';
export { informer, Informer } from './informer.js';
export type { InformerEvent, InformerOptions } from './informer.js';
export { LeaderElector } from './leader-election.js';
export { leaseId } from './lease-claim.js';
export { REASONS_MAX } from './queue-entry.js';
export type { AddOptions, WorkQueueOptions } from './queue-options.js';
export type { ChangeCause, ChangeReason, ObjectKey, PlannedChange } from './planned-change.js';
export {
  allOf,
  anyOf,
  conditionChanged,
  generationChanged,
  labelsChanged,
  not,
  statusChanged,
  updated,
} from './predicates.js';
export type { EventPredicate } from './predicates.js';
export { Reflector } from './reflector.js';
export type { ReflectorListener, ReflectorSeams } from './reflector.js';
export { RESULTS_MAX } from './result-stream.js';
export { runWhenLeader } from './run-when-leader.js';
export type { FieldChange } from './trace/field-changes.js';
export { TRIGGERS_MAX } from './trace/pass-trace.js';
export { ReconcileTrace, TRACE_COMMITS_MAX, TRACE_EVENTS_MAX } from './trace/reconcile-trace.js';
export type { ReconcileTraceOptions } from './trace/reconcile-trace.js';
export { renderWhy } from './trace/why-text.js';
export { WHY_FIELDS_MAX, WHY_STEPS_MAX } from './trace/why.js';
export type { TracedObject, WhyOptions, WhyStep, WokenBy } from './trace/why.js';
export { shardOf, ShardMap, SHARDS_DEFAULT, SHARDS_MAX } from './shard-map.js';
export type { ShardMove } from './shard-map.js';
export { runSharded, ShardMember } from './shard-member.js';
export type { ShardFollower, Sharding, ShardMemberOptions } from './shard-options.js';
export { WorkQueue } from './work-queue.js';
