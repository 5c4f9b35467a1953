/**
 * Schemas of the other kinds, field for field the types of api.
 */
import type {
  ClusterSpec,
  ConfigSpec,
  NetworkSpec,
  NodeSpec,
  SecretSpec,
  VolumeSpec,
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
import { nodeImageSchema, platformSchema, taintSchema } from './placement.js';
import { nodeResourcesSchema } from './service.js';

/** Schema of `NetworkSpec`. */
export const networkSchema: z.ZodType<NetworkSpec> = z.strictObject({
  driver: maybe(driver),
  isInternal: maybe(z.boolean()),
  isAttachable: maybe(z.boolean()),
  isIngress: maybe(z.boolean()),
  enablesIpv4: maybe(z.boolean()),
  enablesIpv6: maybe(z.boolean()),
  ipam: maybe(
    z.strictObject({
      driver: maybe(text),
      options: maybe(labels),
      configs: maybe(
        z.array(
          z.strictObject({
            subnet: maybe(text),
            ipRange: maybe(text),
            gateway: maybe(text),
            auxiliaryAddresses: maybe(labels),
          }),
        ),
      ),
    }),
  ),
  scope: maybe(text),
  isConfigOnly: maybe(z.boolean()),
  configFrom: maybe(filledText),
});

/** Schema of `VolumeSpec`. */
export const volumeSchema: z.ZodType<VolumeSpec> = z.strictObject({
  group: maybe(text),
  driver,
  access: z.strictObject({
    scope: z.enum(['single', 'multi']),
    sharing: z.enum(['none', 'read-only', 'one-writer', 'all']),
    type: z.enum(['mount', 'block']),
    fsType: maybe(text),
    mountFlags: maybe(texts),
  }),
  availability: maybe(z.enum(['active', 'pause', 'drain'])),
  secrets: maybe(labels),
  capacity: maybe(z.strictObject({ requiredBytes: maybe(count), limitBytes: maybe(count) })),
  accessibility: maybe(
    z.strictObject({ requisite: maybe(z.array(labels)), preferred: maybe(z.array(labels)) }),
  ),
});

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64');

/** Schema of `SecretSpec`. */
export const secretSchema: z.ZodType<SecretSpec> = z.strictObject({
  data: maybe(base64),
  driver: maybe(driver),
  templating: maybe(driver),
});

/** Schema of `ConfigSpec`. */
export const configSchema: z.ZodType<ConfigSpec> = z.strictObject({
  data: maybe(base64),
  templating: maybe(driver),
});

/** Schema of `NodeSpec`. Role and availability may be left out: a worker that takes work. */
export const nodeSchema: z.ZodType<NodeSpec> = z.strictObject({
  role: z.enum(['worker', 'manager']).default('worker'),
  availability: z.enum(['active', 'pause', 'drain']).default('active'),
  description: maybe(
    z.strictObject({
      hostname: maybe(filledText),
      platform: maybe(platformSchema),
      resources: maybe(nodeResourcesSchema),
      engine: maybe(
        z.strictObject({
          version: text,
          labels,
          plugins: maybe(z.array(z.strictObject({ type: filledText, name: filledText }))),
        }),
      ),
      topology: maybe(labels),
      images: maybe(z.array(nodeImageSchema)),
    }),
  ),
  taints: maybe(z.array(taintSchema)),
});

/** Schema of `ClusterSpec`. */
export const clusterSchema: z.ZodType<ClusterSpec> = z.strictObject({
  taskHistoryLimit: maybe(z.int()),
  heartbeatPeriodMs: maybe(milliseconds.min(1)),
  heartbeatGrace: maybe(z.number().min(1)),
  orphanAfterMs: maybe(milliseconds),
  addressPools: maybe(texts.min(1)),
  subnetPrefix: maybe(z.int().min(8).max(29)),
  dataPathPort: maybe(z.int().min(1024).max(49_151)),
  dataplane: maybe(z.enum(['ipvs', 'nftables'])),
  dynamicPorts: maybe(z.strictObject({ first: port.min(1), last: port.min(1) })),
  dnsTtlMs: maybe(milliseconds),
  drainTimeoutMs: maybe(milliseconds),
  logDriver: maybe(driver),
});
