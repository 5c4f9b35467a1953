/**
 * Mode, resources, restart policy, updates and health check of a compose service.
 * **Source:** docker/cli `cli/compose/convert/service.go`.
 */
import type { PathStep } from '../complaint.js';
import type {
  ComposeHealthCheck,
  ComposeResources,
  ComposeService,
  ComposeUpdate,
} from '../compose/model.js';
import { compact, defined } from '../docker-api/fields.js';
import type {
  DockerHealthCheck,
  DockerServiceBody,
  DockerTaskSpec,
  DockerUpdateConfig,
} from '../docker-api/types.js';
import { parseCpu } from '../text/amount.js';
import { placeInService, type ConversionContext } from './context.js';

/** How many tasks, and where. */
export function convertMode(
  service: ComposeService,
  context: ConversionContext,
): DockerServiceBody['Mode'] {
  const { mode, replicas } = service.deploy;
  if (mode === 'global' || mode === 'global-job') {
    if (replicas !== undefined) {
      const place = placeInService(context, service.name, 'deploy', 'replicas');
      const message = `replicas do not go with the mode ${mode}`;
      const hint = 'remove replicas, or use replicated';
      context.complaints.error('replicas-with-global', place, message, hint);
    }
    return mode === 'global' ? { Global: {} } : { GlobalJob: {} };
  }
  if (mode === 'replicated-job') {
    return { ReplicatedJob: defined({ MaxConcurrent: replicas, TotalCompletions: replicas }) };
  }
  if (mode !== '' && mode !== 'replicated') {
    const place = placeInService(context, service.name, 'deploy', 'mode');
    const hint = 'use replicated, global, replicated-job or global-job';
    context.complaints.error('unknown-mode', place, `'${mode}' is not a mode`, hint);
  }
  return { Replicated: defined({ Replicas: replicas }) };
}

/** Limits and reservations. */
export function convertResources(
  service: ComposeService,
  context: ConversionContext,
): NonNullable<DockerTaskSpec['Resources']> {
  const { limits, reservations } = service.deploy;
  const cpus = (side: ComposeResources, name: string): number =>
    convertCpus(side.cpus, service, ['deploy', 'resources', name, 'cpus'], context);
  return defined<NonNullable<DockerTaskSpec['Resources']>>({
    Limits:
      limits &&
      compact({
        NanoCPUs: cpus(limits, 'limits'),
        MemoryBytes: limits.memory,
        Pids: limits.pids,
      }),
    Reservations:
      reservations &&
      compact({
        NanoCPUs: cpus(reservations, 'reservations'),
        MemoryBytes: reservations.memory,
        GenericResources: reservations.generic.map(({ kind, value }) => ({
          DiscreteResourceSpec: compact({ Kind: kind, Value: value }),
        })),
      }),
  });
}

function convertCpus(
  text: string,
  service: ComposeService,
  steps: readonly PathStep[],
  context: ConversionContext,
): number {
  if (text === '') return 0;
  const nanos = parseCpu(text);
  if (typeof nanos === 'number') return nanos;
  const place = placeInService(context, service.name, ...steps);
  const hint = "write a share of processors, such as '0.5'";
  context.complaints.error('invalid-cpu', place, `'${text}' is ${nanos}`, hint);
  return 0;
}

/** The restart policy: that of `deploy`, else what the old `restart` says. */
export function convertRestartPolicy(
  service: ComposeService,
  context: ConversionContext,
): DockerTaskSpec['RestartPolicy'] {
  const policy = service.deploy.restartPolicy;
  if (policy) {
    return defined<NonNullable<DockerTaskSpec['RestartPolicy']>>({
      Condition: policy.condition === '' ? undefined : policy.condition,
      Delay: policy.delay,
      MaxAttempts: policy.maxAttempts,
      Window: policy.window,
    });
  }
  const colon = service.restart.indexOf(':');
  const name = colon < 0 ? service.restart : service.restart.slice(0, colon);
  const attempts = colon < 0 ? '' : service.restart.slice(colon + 1);
  const isNumber = attempts === '' || /^[-+]?\d+$/.test(attempts);
  const isKnown = ['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(name);
  if (!isKnown || !isNumber || (name === '' && colon >= 0)) {
    const place = placeInService(context, service.name, 'restart');
    const hint = 'use no, always, unless-stopped, on-failure or on-failure:N';
    const message = `'${service.restart}' is not a restart policy`;
    context.complaints.error('invalid-restart-policy', place, message, hint);
    return undefined;
  }
  if (name === '' || name === 'no') return undefined;
  if (name === 'on-failure') {
    return { Condition: 'on-failure', MaxAttempts: Math.max(Number(attempts), 0) };
  }
  return { Condition: 'any' };
}

/** An update or rollback configuration. */
export function convertUpdate(update: ComposeUpdate | undefined): DockerUpdateConfig | undefined {
  if (update === undefined) return undefined;
  const { Parallelism, MaxFailureRatio, Order, ...rest } = {
    Parallelism: update.parallelism ?? 1,
    Delay: update.delay,
    FailureAction: update.failureAction,
    Monitor: update.monitor,
    MaxFailureRatio: update.maxFailureRatio,
    Order: update.order,
  };
  return { Parallelism, ...compact(rest), MaxFailureRatio, Order };
}

/** The health check. */
export function convertHealthCheck(
  service: ComposeService,
  context: ConversionContext,
): DockerHealthCheck | undefined {
  const check: ComposeHealthCheck | undefined = service.healthCheck;
  if (check === undefined) return undefined;
  if (check.isDisabled) {
    if (check.test.length > 0) {
      const place = placeInService(context, service.name, 'healthcheck');
      const message = 'test and disable cannot be set at the same time';
      context.complaints.error('invalid-healthcheck', place, message, 'remove one of the two');
    }
    return { Test: ['NONE'] };
  }
  return compact<DockerHealthCheck>({
    Test: check.test,
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.startPeriod,
    StartInterval: check.startInterval,
    Retries: check.retries,
  });
}
