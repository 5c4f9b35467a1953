/**
 * Autoscaler: keeps a metric of a service's tasks near a target by changing their number.
 */
import { defineKind } from '@skep/api';
import type { StoredObject, Timestamp } from '@skep/api';
import { z } from 'zod';

const spec = z
  .strictObject({
    /** Name of a replicated service. */
    service: z.string().min(1),
    min: z.int().min(1),
    max: z.int().min(1),
    metric: z.string().min(1),
    /** Wanted average of the metric over the running tasks. */
    target: z.number().positive(),
    /** Deviation from the target, as a ratio, that changes nothing. Default: 0.1. */
    tolerance: z.exactOptional(z.number().min(0).max(1)),
    /** How often the metric is read. Default: 15 s. */
    periodMs: z.exactOptional(z.int().min(100)),
    /** It grows to the least that was recommended within this time. Default: 0. */
    upWindowMs: z.exactOptional(z.number().min(0)),
    /** It shrinks to the most that was recommended within this time. Default: 5 min. */
    downWindowMs: z.exactOptional(z.number().min(0)),
    /** Most replicas that come or go at a time, at least one period apart. Default: no limit. */
    stepMax: z.exactOptional(z.int().min(1)),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], error: 'max has to be at least min' });

/** What a user declares. */
export type AutoscalerSpec = z.infer<typeof spec>;

/** What the metric asked for from a time on, until the time of the next recommendation. */
export interface Recommendation {
  readonly since: Timestamp;
  readonly replicas: number;
}

/** What the controller knows. It does not change while nothing else does. */
export interface AutoscalerStatus {
  /** Oldest first; those that no window reaches are dropped when another one is added. */
  readonly recommendations: readonly Recommendation[];
  readonly lastScale?: {
    readonly scaledAt: Timestamp;
    readonly from: number;
    readonly to: number;
    /** Average of the metric that led to it. */
    readonly average: number;
  };
}

/** An autoscaler. */
export type Autoscaler = StoredObject<AutoscalerSpec, AutoscalerStatus>;

/** Token of {@link Autoscaler}. */
export const Autoscaler = defineKind<AutoscalerSpec, AutoscalerStatus>({
  name: 'Autoscaler',
  schema: spec,
  initialStatus: Object.freeze({ recommendations: Object.freeze([]) }),
});
