/** The object model of skep, its seams, and the words between manager and node. */
export { isInCidr, parseAddress, parseCidr } from './address.js';
export type { CidrRange } from './address.js';
export { Cluster, Config, Event, Lease, Secret, Volume } from './cluster.js';
export type {
  ClusterSpec,
  ClusterStatus,
  ConfigSpec,
  DataplaneName,
  EmptyStatus,
  EventSpec,
  LeaseSpec,
  SecretSpec,
  VolumeAccess,
  VolumeSpec,
  VolumeStatus,
} from './cluster.js';
export {
  constraintFacts,
  labelOf,
  matchesConstraint,
  matchesConstraints,
  parseConstraint,
  parseConstraints,
} from './constraint.js';
export type { Constraint, ConstraintFacts } from './constraint.js';
export type {
  ConfigReference,
  ContainerSpec,
  DriverConfig,
  FileTarget,
  HealthCheck,
  Mount,
  Privileges,
  SecretReference,
  Ulimit,
} from './container.js';
export {
  CLUSTER_DEFAULTS,
  OLD_TASK_TIMEOUT_MS,
  STOP_GRACE_PERIOD_MS,
  clusterSettings,
  endpointMode,
  isGlobal,
  isJob,
  jobSize,
  restartPolicy,
  serviceMode,
  serviceNetworks,
  stopGracePeriodMs,
  updateSettings,
  wantedReplicas,
} from './defaults.js';
export type { ClusterSettings, UpdateSettings } from './defaults.js';
export {
  EndpointSlice,
  SLICE_BACKENDS_MAX,
  slicesByNetwork,
  slicesByService,
} from './endpoint-slice.js';
export type { Backend, BackendState, EndpointSliceSpec } from './endpoint-slice.js';
export { canonicalJson, compareBy, compareText, deepFreeze, isEqual } from './equality.js';
export {
  SKEP_ERROR_CODES,
  SkepError,
  assert,
  assertNever,
  isSkepError,
  messageOf,
} from './errors.js';
export type { ErrorDetails, SkepErrorCode } from './errors.js';
export { deriveHex, deriveId, hash32, hash53, idSource } from './ids.js';
export type { IdSource } from './ids.js';
export {
  byIndex,
  byOwner,
  defineKind,
  newObject,
  ownerIndex,
  withMeta,
  withSpec,
  withStatus,
} from './kind.js';
export type {
  AnyKind,
  IndexFunction,
  IndexKeys,
  IndexSelector,
  Kind,
  KindDefinition,
  ObjectOf,
  StandardResult,
  StandardSchema,
} from './kind.js';
export { isDeleting, newMeta } from './meta.js';
export type {
  Condition,
  FieldManagers,
  Labels,
  Meta,
  NetworkId,
  NewMeta,
  NodeId,
  ObjectId,
  OwnerReference,
  Revision,
  ServiceId,
  StoredObject,
  TaskId,
  Timestamp,
} from './meta.js';
export { Network, isNodeLocal, networkDriver } from './network.js';
export type {
  AllocatedSubnet,
  IpamConfig,
  IpamSpec,
  NetworkSpec,
  NetworkStatus,
  QuarantinedAddress,
} from './network.js';
export { Node, hostnameOf } from './node.js';
export type {
  EnginePlugin,
  NodeAvailability,
  NodeDescription,
  NodeImage,
  NodeNetwork,
  NodeRole,
  NodeSpec,
  NodeState,
  NodeStatus,
} from './node.js';
export { ASSIGNMENT_KINDS } from './node-link.js';
export type {
  AssignedFile,
  AssignedNetwork,
  AssignedNode,
  AssignedPeer,
  AssignedService,
  AssignedSlice,
  AssignedTask,
  Assignment,
  AssignmentItem,
  AssignmentItems,
  AssignmentKind,
  AssignmentRemoval,
  HeartbeatReply,
  NodeHello,
  NodeLink,
  NodeLinkHandlers,
  NodeSession,
  TableAck,
  TaskReport,
} from './node-link.js';
export {
  LOG_TEXT_MAX,
  NOTICE_MESSAGE_MAX,
  NOTICE_REASON_MAX,
  NOTICES_MAX,
  QUESTION_TASKS_MAX,
  QUESTIONS_MAX,
} from './node-question.js';
export type {
  LogAnswer,
  LogFault,
  LogLine,
  LogQuestion,
  LogSelection,
  LogStream,
  NodeAnswer,
  NodeNotice,
  NodeQuestion,
  TableAnswer,
  TableQuestion,
} from './node-question.js';
export { ACTORS, OWNERSHIP, ownershipFault } from './ownership.js';
export type { OwnershipTable } from './ownership.js';
export { seededRandom } from './random.js';
export { DEVICE_CAPACITY_MILLI, deviceRequestFaults, normalArchitecture } from './resources.js';
export type {
  DeviceRequest,
  DeviceShare,
  GenericResource,
  NodeDevice,
  NodeResources,
  Platform,
  ReservedResources,
  ResourceRequirements,
  Resources,
} from './resources.js';
export { silentLogger, silentMetrics, sleepUntil } from './seams.js';
export type {
  Clock,
  Counter,
  Gauge,
  Histogram,
  LogFields,
  Logger,
  MetricDefinition,
  MetricLabels,
  MetricSource,
  Metrics,
  Random,
  Runnable,
  Timer,
  TimerOptions,
} from './seams.js';
export { matchesField, matchesLabel, matchesSelector } from './selector.js';
export type {
  FieldRequirement,
  LabelRequirement,
  ObjectSelector,
  SelectorTexts,
} from './selector.js';
export { parseFieldSelector, parseLabelSelector, parseSelector } from './selector-parser.js';
export type {
  LabelOperator,
  NodeAffinity,
  NodeRequirement,
  NodeSelectorTerm,
  ServiceAffinity,
  ServiceAffinityTerm,
  Taint,
  TaintEffect,
  Toleration,
  TopologySpread,
  Weighted,
} from './service-placement.js';
export { Service, servicesByNetwork } from './service.js';
export type {
  AllocatedPort,
  BalancingAlgorithm,
  EndpointSpec,
  EndpointWeight,
  JobStatus,
  NetworkAttachmentSpec,
  NodeFaults,
  Placement,
  PlacementPreference,
  PluginSpec,
  PortProtocol,
  PortSpec,
  RestartPolicy,
  ServiceEndpoint,
  ServiceMode,
  ServiceSpec,
  ServiceStatus,
  SpecRevision,
  TaskTemplate,
  UpdateConfig,
  UpdateState,
  UpdateStatus,
  VirtualAddress,
} from './service.js';
export { Task, byNode, byService, bySlot, slotKey, taskName, tasksByNetwork } from './task.js';
export type {
  ContainerStatus,
  FilterCount,
  PendingReason,
  PlacementSummary,
  ReservedPort,
  RestartHistory,
  TaskCause,
  TaskNetwork,
  TaskRelease,
  TaskSpec,
  TaskStatus,
} from './task.js';
export {
  TASK_STATES,
  TASK_STATE_RANK,
  compareTaskStates,
  isAtLeast,
  isRunnable,
  isTerminal,
  laterState,
} from './task-state.js';
export type { DesiredTaskState, TaskState } from './task-state.js';
export { TextMap } from './text-map.js';
