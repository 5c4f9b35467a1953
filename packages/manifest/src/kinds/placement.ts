/**
 * Schemas of what a task says about nodes, field for field the types of api.
 */
import type {
  DeviceRequest,
  NodeAffinity,
  NodeDevice,
  NodeImage,
  Placement,
  ServiceAffinity,
  Taint,
  Toleration,
  TopologySpread,
} from '@skep/api';
import { z } from 'zod';
import { count, filledText, maybe, text, texts } from './common.js';

/** Schema of `Platform`. */
export const platformSchema = z.strictObject({ os: text, architecture: text });

const positive = z.int().min(1);
const weight = z.int().min(1).max(100);
const effect = z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
/** Numbers of 32 bits, as Kubernetes' priorities. */
const priority = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);

/** Schema of `DeviceRequest`. */
export const deviceRequestSchema: z.ZodType<DeviceRequest> = z.strictObject({
  kind: filledText,
  count: positive,
  milli: maybe(positive),
  models: maybe(texts),
});

/** Schema of `NodeDevice`. */
export const nodeDeviceSchema: z.ZodType<NodeDevice> = z.strictObject({
  kind: filledText,
  model: maybe(text),
  capacityMilli: maybe(positive),
});

/** Schema of `NodeImage`. */
export const nodeImageSchema: z.ZodType<NodeImage> = z.strictObject({
  names: texts,
  sizeBytes: count,
});

/** Schema of `Taint`. */
export const taintSchema: z.ZodType<Taint> = z.strictObject({
  key: filledText,
  value: maybe(text),
  effect,
});

const selectorTerm = z.strictObject({
  match: z.array(
    z.strictObject({
      key: filledText,
      operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
      values: maybe(texts),
    }),
  ),
});

const nodeAffinity: z.ZodType<NodeAffinity> = z.strictObject({
  required: maybe(z.array(selectorTerm)),
  preferred: maybe(z.array(z.strictObject({ weight, term: selectorTerm }))),
});

const serviceTerm = z.strictObject({ service: filledText, topologyKey: filledText });

const serviceAffinity: z.ZodType<ServiceAffinity> = z.strictObject({
  required: maybe(z.array(serviceTerm)),
  preferred: maybe(z.array(z.strictObject({ weight, term: serviceTerm }))),
});

const toleration: z.ZodType<Toleration> = z.strictObject({
  key: maybe(filledText),
  operator: maybe(z.enum(['Equal', 'Exists'])),
  value: maybe(text),
  effect: maybe(effect),
});

const topologySpread: z.ZodType<TopologySpread> = z.strictObject({
  topologyKey: filledText,
  maxSkew: positive,
  otherwise: maybe(z.enum(['refuse', 'prefer'])),
});

/** Schema of `Placement`. */
export const placementSchema: z.ZodType<Placement> = z.strictObject({
  constraints: maybe(texts),
  preferences: maybe(z.array(z.strictObject({ spread: text }))),
  maxReplicasPerNode: maybe(count),
  platforms: maybe(z.array(platformSchema)),
  nodeAffinity: maybe(nodeAffinity),
  serviceAffinity: maybe(serviceAffinity),
  serviceAntiAffinity: maybe(serviceAffinity),
  tolerations: maybe(z.array(toleration)),
  topologySpread: maybe(z.array(topologySpread)),
  priority: maybe(priority),
});
