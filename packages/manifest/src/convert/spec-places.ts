/**
 * Where the fields of a spec come from in a compose file.
 */
import type { PathStep, Place } from '../complaint.js';
import type { ComposeConfig } from '../compose/model.js';
import type { ConvertedService } from './service.js';

/** Fields of a service spec and the fields of a compose service that they come from. */
const SERVICE_FIELDS: readonly (readonly [spec: string, compose: string])[] = [
  ['mode.replicas', 'deploy.replicas'],
  ['mode.maxConcurrent', 'deploy.replicas'],
  ['mode.totalCompletions', 'deploy.replicas'],
  ['mode', 'deploy.mode'],
  ['task.container.command', 'entrypoint'],
  ['task.container.args', 'command'],
  ['task.container.env', 'environment'],
  ['task.container.workingDir', 'working_dir'],
  ['task.container.groups', 'group_add'],
  ['task.container.privileges', 'credential_spec'],
  ['task.container.hasTty', 'tty'],
  ['task.container.opensStdin', 'stdin_open'],
  ['task.container.isReadOnly', 'read_only'],
  ['task.container.hasInit', 'init'],
  ['task.container.mounts', 'volumes'],
  ['task.container.stopSignal', 'stop_signal'],
  ['task.container.stopGracePeriodMs', 'stop_grace_period'],
  ['task.container.healthCheck.intervalMs', 'healthcheck.interval'],
  ['task.container.healthCheck.timeoutMs', 'healthcheck.timeout'],
  ['task.container.healthCheck.startPeriodMs', 'healthcheck.start_period'],
  ['task.container.healthCheck.startIntervalMs', 'healthcheck.start_interval'],
  ['task.container.healthCheck', 'healthcheck'],
  ['task.container.hosts', 'extra_hosts'],
  ['task.container.capabilityAdd', 'cap_add'],
  ['task.container.capabilityDrop', 'cap_drop'],
  ['task.container.oomScoreAdj', 'oom_score_adj'],
  ['task.container', ''],
  ['task.resources.limits.cpuNanos', 'deploy.resources.limits.cpus'],
  ['task.resources.limits.memoryBytes', 'deploy.resources.limits.memory'],
  ['task.resources.reservations.cpuNanos', 'deploy.resources.reservations.cpus'],
  ['task.resources.reservations.memoryBytes', 'deploy.resources.reservations.memory'],
  ['task.resources.reservations.generic', 'deploy.resources.reservations.generic_resources'],
  ['task.resources', 'deploy.resources'],
  ['task.restartPolicy.delayMs', 'deploy.restart_policy.delay'],
  ['task.restartPolicy.maxAttempts', 'deploy.restart_policy.max_attempts'],
  ['task.restartPolicy.windowMs', 'deploy.restart_policy.window'],
  ['task.restartPolicy', 'deploy.restart_policy'],
  ['task.placement.maxReplicasPerNode', 'deploy.placement.max_replicas_per_node'],
  ['task.placement', 'deploy.placement'],
  ['task.networks', 'networks'],
  ['task.logDriver', 'logging'],
  ['update', 'deploy.update_config'],
  ['rollback', 'deploy.rollback_config'],
  ['endpoint.mode', 'deploy.endpoint_mode'],
  ['endpoint.ports', 'ports'],
];

const UPDATE_FIELDS: ReadonlyMap<PathStep, string> = new Map([
  ['delayMs', 'delay'],
  ['failureAction', 'failure_action'],
  ['monitorMs', 'monitor'],
  ['maxFailureRatio', 'max_failure_ratio'],
]);

const TABLE = SERVICE_FIELDS.map(([spec, compose]) => ({
  spec: spec.split('.'),
  compose: compose === '' ? [] : compose.split('.'),
}));

/** The place of a field of a service's spec. */
export function placeOfServiceField(
  converted: ConvertedService,
  config: ComposeConfig,
  steps: readonly PathStep[],
): Place {
  const placed = placedItem(converted, steps);
  if (placed) return placed;
  const entry = TABLE.find(({ spec }) => spec.every((step, index) => steps[index] === step));
  const rest = entry ? steps.slice(entry.spec.length) : [];
  const names = rest.map((step) => UPDATE_FIELDS.get(step) ?? step);
  return config.locate([
    'services',
    converted.service.name,
    ...(entry ? [...entry.compose, ...names] : []),
  ]);
}

/** Ports, mounts and attachments change their order on the way; they know their own places. */
function placedItem(converted: ConvertedService, steps: readonly PathStep[]): Place | undefined {
  const [first, second, third, fourth] = steps;
  const { ports, mounts, networks } = converted.places;
  if (first === 'endpoint' && second === 'ports' && typeof third === 'number') return ports[third];
  if (first === 'task' && second === 'networks' && typeof third === 'number') {
    return networks[third];
  }
  const isMount = first === 'task' && second === 'container' && third === 'mounts';
  return isMount && typeof fourth === 'number' ? mounts[fourth] : undefined;
}

const NETWORK_FIELDS: ReadonlyMap<PathStep, string> = new Map([
  ['configs', 'config'],
  ['ipRange', 'ip_range'],
  ['auxiliaryAddresses', 'aux_addresses'],
  ['isInternal', 'internal'],
  ['isAttachable', 'attachable'],
]);

/** The place of a field of a network's spec, which is written under `place.field`. */
export function placeOfNetworkField(
  key: string,
  config: ComposeConfig,
  steps: readonly PathStep[],
): Place {
  return config.locate(['networks', key, ...steps.map((step) => NETWORK_FIELDS.get(step) ?? step)]);
}
