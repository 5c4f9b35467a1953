/**
 * Schema of a service, field for field the type `ServiceSpec` of api.
 */
import type {
  EndpointSpec,
  GenericResource,
  NetworkAttachmentSpec,
  NodeResources,
  PluginSpec,
  ResourceRequirements,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from '@skep/api';
import { z } from 'zod';
import {
  count,
  driver,
  filledText,
  labels,
  maybe,
  milliseconds,
  port,
  text,
  texts,
} from './common.js';
import { containerSchema } from './container.js';
import { deviceRequestSchema, nodeDeviceSchema, placementSchema } from './placement.js';

const mode: z.ZodType<ServiceMode> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('replicated'), replicas: maybe(count) }),
  z.strictObject({ type: z.literal('global') }),
  z.strictObject({
    type: z.literal('replicated-job'),
    maxConcurrent: maybe(count),
    totalCompletions: maybe(count),
  }),
  z.strictObject({ type: z.literal('global-job') }),
]);

/** A countable resource, or named items of one kind. */
const genericResource: z.ZodType<GenericResource> = z.union([
  z.strictObject({ kind: filledText, count }),
  z.strictObject({ kind: filledText, ids: texts }),
]);

const resources = { cpuNanos: maybe(count), memoryBytes: maybe(count) };

/** Schema of `NodeResources`. */
export const nodeResourcesSchema: z.ZodType<NodeResources> = z.strictObject({
  ...resources,
  generic: maybe(z.array(genericResource)),
  devices: maybe(z.array(nodeDeviceSchema)),
});

const requirements: z.ZodType<ResourceRequirements> = z.strictObject({
  limits: maybe(
    z.strictObject({ cpuNanos: maybe(count), memoryBytes: maybe(count), pids: maybe(z.int()) }),
  ),
  reservations: maybe(
    z.strictObject({
      ...resources,
      generic: maybe(z.array(genericResource)),
      devices: maybe(z.array(deviceRequestSchema)),
    }),
  ),
  swapBytes: maybe(z.int()),
  memorySwappiness: maybe(z.int()),
});

const attachment: z.ZodType<NetworkAttachmentSpec> = z.strictObject({
  target: filledText,
  aliases: maybe(texts),
  driverOptions: maybe(labels),
  addresses: maybe(texts),
});

const plugin: z.ZodType<PluginSpec> = z.strictObject({
  name: maybe(text),
  remote: maybe(text),
  isDisabled: maybe(z.boolean()),
  privileges: maybe(
    z.array(z.strictObject({ name: maybe(text), description: maybe(text), values: maybe(texts) })),
  ),
  env: maybe(texts),
});

const task: z.ZodType<TaskTemplate> = z.strictObject({
  runtime: maybe(z.enum(['container', 'plugin', 'attachment'])),
  container: maybe(containerSchema),
  plugin: maybe(plugin),
  attachment: maybe(z.strictObject({ containerId: filledText })),
  resources: maybe(requirements),
  restartPolicy: maybe(
    z.strictObject({
      condition: maybe(z.enum(['none', 'on-failure', 'any'])),
      delayMs: maybe(milliseconds),
      maxAttempts: maybe(count),
      windowMs: maybe(milliseconds),
    }),
  ),
  placement: maybe(placementSchema),
  networks: maybe(z.array(attachment)),
  logDriver: maybe(driver),
  forceUpdate: maybe(count),
});

const update: z.ZodType<UpdateConfig> = z.strictObject({
  parallelism: maybe(count),
  delayMs: maybe(milliseconds),
  failureAction: maybe(z.enum(['pause', 'continue', 'rollback'])),
  monitorMs: maybe(milliseconds),
  maxFailureRatio: maybe(z.number().min(0).max(1)),
  order: maybe(z.enum(['stop-first', 'start-first'])),
  progressDeadlineMs: maybe(milliseconds),
  isHeld: maybe(z.boolean()),
});

const endpoint: z.ZodType<EndpointSpec> = z.strictObject({
  mode: maybe(z.enum(['vip', 'dnsrr'])),
  ports: maybe(
    z.array(
      z.strictObject({
        name: maybe(text),
        protocol: maybe(z.enum(['tcp', 'udp', 'sctp'])),
        targetPort: port.min(1),
        publishedPort: maybe(port),
        publishMode: maybe(z.enum(['ingress', 'host'])),
      }),
    ),
  ),
  weights: maybe(
    z.array(
      z.strictObject({
        specVersion: maybe(count),
        label: maybe(z.strictObject({ key: filledText, value: text })),
        weight: count,
      }),
    ),
  ),
  algorithm: maybe(
    z.enum(['round-robin', 'weighted-round-robin', 'least-connections', 'source-hash', 'maglev']),
  ),
  affinity: maybe(z.strictObject({ type: z.literal('client-ip'), timeoutMs: milliseconds })),
  isLocalOnly: maybe(z.boolean()),
  slowStartMs: maybe(milliseconds),
});

/** Schema of `ServiceSpec`. */
export const serviceSchema: z.ZodType<ServiceSpec> = z.strictObject({
  mode: maybe(mode),
  task,
  update: maybe(update),
  rollback: maybe(update),
  endpoint: maybe(endpoint),
  networks: maybe(z.array(attachment)),
});
