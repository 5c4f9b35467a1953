/**
 * Descheduler: moves tasks from the fullest nodes to the emptiest, a few at a time.
 */
import { defineKind } from '@skep/api';
import type { StoredObject } from '@skep/api';
import { z } from 'zod';

const spec = z.strictObject({
  /** Names of replicated services. Default: all. */
  services: z.exactOptional(z.array(z.string().min(1))),
  /** Default: 60 s. */
  intervalMs: z.exactOptional(z.int().min(1_000)),
  /** The budget: most moves in an interval, over all services. Default: 1. */
  movesMax: z.exactOptional(z.int().min(1).max(100)),
  /** Tasks of a service that a node may have more than another. Default: 1, at least 1. */
  skewMax: z.exactOptional(z.int().min(1)),
});

/** What a user declares. */
export type DeschedulerSpec = z.infer<typeof spec>;

/** What the controller knows. */
export interface DeschedulerStatus {
  /** Number of the interval of the last move, counted from the epoch, and the moves in it. */
  readonly interval: number;
  readonly moves: number;
  /** Moves so far. */
  readonly total: number;
  /**
   * How a service lay on the nodes before its last move, by service id. When it lies like that
   * again, the move was in vain, and there is no other one until something else changes.
   */
  readonly before: Readonly<Record<string, string>>;
}

/** A descheduler. */
export type Descheduler = StoredObject<DeschedulerSpec, DeschedulerStatus>;

/** Token of {@link Descheduler}. */
export const Descheduler = defineKind<DeschedulerSpec, DeschedulerStatus>({
  name: 'Descheduler',
  schema: spec,
  initialStatus: Object.freeze({ interval: 0, moves: 0, total: 0, before: Object.freeze({}) }),
});
