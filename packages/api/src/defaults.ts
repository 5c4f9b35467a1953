/**
 * Defaults, applied where a value is used. A spec keeps saying only what its writer said.
 *
 * **Source:** SwarmKit api/defaults/service.go and the constants of its components; where ours
 * differs, docs/semantics.md says why.
 */
import type { ClusterSpec } from './cluster.js';
import type {
  EndpointSpec,
  NetworkAttachmentSpec,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from './service.js';

/** Every setting of the cluster, none absent (but the log driver). */
export type ClusterSettings = Required<Omit<ClusterSpec, 'logDriver'>> &
  Pick<ClusterSpec, 'logDriver'>;

/** Settings of a cluster that sets nothing. */
export const CLUSTER_DEFAULTS: ClusterSettings = Object.freeze({
  taskHistoryLimit: 5,
  heartbeatPeriodMs: 5_000,
  heartbeatGrace: 3,
  orphanAfterMs: 24 * 60 * 60 * 1000,
  addressPools: Object.freeze(['10.0.0.0/8']),
  subnetPrefix: 24,
  dataPathPort: 4789,
  dataplane: 'ipvs',
  dynamicPorts: Object.freeze({ first: 30_000, last: 32_767 }),
  dnsTtlMs: 5_000,
  drainTimeoutMs: 10_000,
});

/** The cluster's settings with the defaults filled in. */
export function clusterSettings(spec: ClusterSpec | undefined): ClusterSettings {
  return { ...CLUSTER_DEFAULTS, ...withoutAbsent(spec ?? {}) };
}

function withoutAbsent<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Partial<T>;
}

/** Time between the stop signal and the kill. */
export const STOP_GRACE_PERIOD_MS = 10_000;
/** Longest wait for an old task to end before its replacement runs all the same. */
export const OLD_TASK_TIMEOUT_MS = 60_000;

/** The restart policy with the defaults filled in: any, 5 s, without limit, whole life. */
export function restartPolicy(template: TaskTemplate): Required<RestartPolicy> {
  return {
    condition: 'any',
    delayMs: 5_000,
    maxAttempts: 0,
    windowMs: 0,
    ...withoutAbsent(template.restartPolicy ?? {}),
  };
}

/** An update configuration with the defaults filled in. */
export type UpdateSettings = Required<Omit<UpdateConfig, 'progressDeadlineMs'>> &
  Pick<UpdateConfig, 'progressDeadlineMs'>;

/** Fills in: one slot at a time, no delay, 5 s monitor, pause at the first failure, stop-first. */
export function updateSettings(config: UpdateConfig | undefined): UpdateSettings {
  return {
    // Absent as a whole means one at a time; the API's 0 means all at once.
    parallelism: 1,
    delayMs: 0,
    failureAction: 'pause',
    monitorMs: 5_000,
    maxFailureRatio: 0,
    order: 'stop-first',
    isHeld: false,
    ...withoutAbsent(config ?? {}),
  };
}

/** The mode, replicated when absent. */
export function serviceMode(spec: ServiceSpec): ServiceMode {
  return spec.mode ?? { type: 'replicated' };
}

/** How many tasks a replicated service should have; undefined for the other modes. */
export function wantedReplicas(spec: ServiceSpec): number | undefined {
  const mode = serviceMode(spec);
  return mode.type === 'replicated' ? (mode.replicas ?? 1) : undefined;
}

/** Concurrency and total of a replicated job: 1, and as many as run at a time. */
export function jobSize(mode: ServiceMode & { type: 'replicated-job' }): {
  maxConcurrent: number;
  totalCompletions: number;
} {
  const maxConcurrent = mode.maxConcurrent ?? 1;
  return { maxConcurrent, totalCompletions: mode.totalCompletions ?? maxConcurrent };
}

/** Whether tasks of this mode run once and then are complete. */
export function isJob(mode: ServiceMode): boolean {
  return mode.type === 'replicated-job' || mode.type === 'global-job';
}

/** Whether the orchestrator fixes the node of each task. */
export function isGlobal(mode: ServiceMode): boolean {
  return mode.type === 'global' || mode.type === 'global-job';
}

/** VIP unless the service says otherwise. */
export function endpointMode(endpoint: EndpointSpec | undefined): 'vip' | 'dnsrr' {
  return endpoint?.mode ?? 'vip';
}

/** Networks of the template, or the service's own, as Docker did before they moved. */
export function serviceNetworks(spec: ServiceSpec): readonly NetworkAttachmentSpec[] {
  return spec.task.networks ?? spec.networks ?? [];
}

/** Grace between stop signal and kill. */
export function stopGracePeriodMs(template: TaskTemplate): number {
  return template.container?.stopGracePeriodMs ?? STOP_GRACE_PERIOD_MS;
}
