/**
 * Rollout: brings a new image of a service in steps, each with a share of the traffic and a pause.
 */
import { defineKind } from '@skep/api';
import type { FieldManagers, ServiceSpec, StoredObject, Timestamp } from '@skep/api';
import { z } from 'zod';

const step = z.strictObject({
  /** New tasks beside the old ones in this step. */
  tasks: z.int().min(1).max(1_000),
  /** Share of new connections that goes to them. */
  percent: z.int().min(0).max(100),
  /** How long the step is watched once its tasks run. Default: 0. */
  pauseMs: z.exactOptional(z.number().min(0)),
});

const spec = z.strictObject({
  /** Name of a replicated service. */
  service: z.string().min(1),
  image: z.string().min(1),
  /** One small step is a canary; as many tasks as the service has, 0% and then 100%: blue/green. */
  steps: z
    .array(step)
    .min(1)
    .max(100)
    .refine((steps) => steps.every(({ tasks }, at) => tasks >= (steps[at - 1]?.tasks ?? 0)), {
      error: 'a step has at least as many tasks as the one before',
    }),
  /** More failed new tasks than this abort it. Default: 0. */
  failuresMax: z.exactOptional(z.int().min(0)),
  /** A step whose tasks do not run within this time aborts it. Default: 10 min. */
  progressDeadlineMs: z.exactOptional(z.int().min(1)),
});

/** One step. */
export type RolloutStep = z.infer<typeof step>;

/** What a user declares. Another image, once it is over, begins another one. */
export type RolloutSpec = z.infer<typeof spec>;

/**
 * Where it stands. Promoting: the old tasks are replaced, too. Aborting: the new ones go. The last
 * three are its ends; superseded: somebody took one of its fields over, and the others went back.
 */
export type RolloutPhase =
  'pending' | 'progressing' | 'promoting' | 'aborting' | 'completed' | 'aborted' | 'superseded';

/** What is remembered of the service since the beginning. */
export interface RolloutBasis {
  readonly image: string;
  /** The service as it was, and who had set what of it. */
  readonly stable: ServiceSpec;
  readonly managers: FieldManagers;
  /** Tasks of this generation and later ones are new. */
  readonly firstGeneration: number;
}

/** What the controller knows: everything that it needs after a crash. */
export interface RolloutStatus {
  readonly phase: RolloutPhase;
  readonly message: string;
  readonly basis?: RolloutBasis;
  /** Index of the step. */
  readonly step: number;
  /** When the step began, and when all its tasks were first seen running. */
  readonly stepAt?: Timestamp;
  readonly readyAt?: Timestamp;
}

/** A rollout. */
export type Rollout = StoredObject<RolloutSpec, RolloutStatus>;

/** Token of {@link Rollout}. */
export const Rollout = defineKind<RolloutSpec, RolloutStatus>({
  name: 'Rollout',
  schema: spec,
  indexes: { service: (rollout) => rollout.spec.service.toLowerCase() },
  initialStatus: Object.freeze({ phase: 'pending', message: '', step: 0 }),
});
