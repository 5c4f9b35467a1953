/**
 * Reads `deploy` and `healthcheck` of a checked service.
 */
import type { ComplaintCollector } from '../complaint.js';
import { parseSize } from '../text/amount.js';
import { parseDuration } from '../text/duration.js';
import type { Cursor } from './cursor.js';
import type {
  ComposeDeploy,
  ComposeHealthCheck,
  ComposeResources,
  ComposeRestartPolicy,
  ComposeUpdate,
} from './model.js';

/** The `deploy` part of a service; all empty when there is none. */
export function readDeploy(service: Cursor, complaints: ComplaintCollector): ComposeDeploy {
  const deploy = service.get('deploy');
  const placement = deploy?.get('placement');
  const resources = deploy?.get('resources');
  return {
    mode: deploy?.text('mode') ?? '',
    ...optional('replicas', count(deploy, 'replicas', complaints)),
    labels: deploy?.textMap('labels') ?? new Map(),
    ...optional('update', readUpdate(deploy?.get('update_config'), complaints)),
    ...optional('rollback', readUpdate(deploy?.get('rollback_config'), complaints)),
    ...optional('limits', readResources(resources?.get('limits'), complaints)),
    ...optional('reservations', readResources(resources?.get('reservations'), complaints)),
    ...optional('restartPolicy', readRestartPolicy(deploy?.get('restart_policy'), complaints)),
    constraints: placement?.texts('constraints') ?? [],
    preferences: (placement?.get('preferences')?.items() ?? []).map((item) => item.text('spread')),
    maxReplicas: count(placement, 'max_replicas_per_node', complaints) ?? 0,
    endpointMode: deploy?.text('endpoint_mode') ?? '',
  };
}

/** The health check of a service. */
export function readHealthCheck(
  service: Cursor,
  complaints: ComplaintCollector,
): ComposeHealthCheck | undefined {
  const check = service.get('healthcheck');
  if (check === undefined) return undefined;
  const test = check.get('test');
  return {
    test: test?.node.type === 'scalar' ? ['CMD-SHELL', test.scalar] : [...check.texts('test')],
    isDisabled: check.flag('disable') ?? false,
    ...optional('timeout', duration(check, 'timeout')),
    ...optional('interval', duration(check, 'interval')),
    ...optional('retries', count(check, 'retries', complaints)),
    ...optional('startPeriod', duration(check, 'start_period')),
    ...optional('startInterval', duration(check, 'start_interval')),
  };
}

function readUpdate(
  update: Cursor | undefined,
  complaints: ComplaintCollector,
): ComposeUpdate | undefined {
  if (update === undefined) return undefined;
  return {
    ...optional('parallelism', count(update, 'parallelism', complaints)),
    delay: duration(update, 'delay') ?? 0,
    failureAction: update.text('failure_action'),
    monitor: duration(update, 'monitor') ?? 0,
    maxFailureRatio: shortFloat(update.number('max_failure_ratio') ?? 0),
    order: update.text('order'),
  };
}

/** The number as a 32-bit float prints it, which is how the Docker API carries ratios. */
function shortFloat(value: number): number {
  const rounded = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const candidate = Number(rounded.toPrecision(digits));
    if (Math.fround(candidate) === rounded) return candidate;
  }
  return rounded;
}

function readRestartPolicy(
  policy: Cursor | undefined,
  complaints: ComplaintCollector,
): ComposeRestartPolicy | undefined {
  if (policy === undefined) return undefined;
  return {
    condition: policy.text('condition'),
    ...optional('delay', duration(policy, 'delay')),
    ...optional('maxAttempts', count(policy, 'max_attempts', complaints)),
    ...optional('window', duration(policy, 'window')),
  };
}

function readResources(
  side: Cursor | undefined,
  complaints: ComplaintCollector,
): ComposeResources | undefined {
  if (side === undefined) return undefined;
  return {
    cpus: side.text('cpus'),
    memory: size(side, 'memory', complaints),
    pids: side.number('pids') ?? 0,
    generic: (side.get('generic_resources')?.items() ?? []).map((item) => {
      const discrete = item.get('discrete_resource_spec');
      return {
        kind: discrete?.text('kind') ?? '',
        value: Math.trunc(discrete?.number('value') ?? 0),
      };
    }),
  };
}

/** A size under a key; 0 when absent or, with a complaint, when it is no size. */
export function size(parent: Cursor, key: string, complaints: ComplaintCollector): number {
  const field = parent.get(key);
  if (field === undefined) return 0;
  const bytes = parseSize(field.scalar);
  if (bytes !== undefined) return bytes;
  complaints.error(
    'invalid-size',
    field.place,
    `'${field.scalar}' is not a size`,
    'write a number with a unit: 64M, 1.5G',
  );
  return 0;
}

/** A duration under a key in nanoseconds. Its form was checked with the schema. */
export function duration(parent: Cursor, key: string): number | undefined {
  const field = parent.get(key);
  return field === undefined ? undefined : (parseDuration(field.scalar) ?? 0);
}

/** A whole number that may not be negative. */
export function count(
  parent: Cursor | undefined,
  key: string,
  complaints: ComplaintCollector,
): number | undefined {
  const field = parent?.get(key);
  const value = parent?.number(key);
  if (field === undefined || value === undefined) return undefined;
  if (value >= 0) return Math.trunc(value);
  complaints.error('invalid-value', field.place, `${value} is negative`, 'use 0 or more');
  return 0;
}

/** An object with the field when there is a value, else an empty one. */
export function optional<K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  // The cast is sound: the object has the one key, with a value of its type.
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
