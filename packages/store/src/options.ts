/**
 * What a store is made with.
 */
import { SkepError, type AnyKind, type Clock, type OwnershipTable, type Random } from '@skep/api';

/** Commits kept in memory for watches from an earlier revision, unless said otherwise. */
export const LOG_COMMITS_MAX = 10_000;

/** Events in those commits, unless said otherwise. */
export const LOG_EVENTS_MAX = 100_000;

/** Commits that a watcher may be behind, unless said otherwise. */
export const WATCHER_BUFFER_MAX = 10_000;

/** Options of every store, whatever its backend. */
export interface StoreOptions {
  /** Stamps `createdAt`, `updatedAt` and `deletionRequestedAt`. */
  readonly clock: Clock;
  /** Kinds that the store keeps: the same in every process that shares it. Names are unique. */
  readonly kinds: readonly AnyKind[];
  /** Checks for tests and development; each costs time, so each is off by default. */
  readonly checks?: {
    /** Refuses (permission-denied) an update of a field that the actor does not own. */
    readonly ownership?: boolean;
    /** Freezes what is written, so that changing what was read throws. */
    readonly freeze?: boolean;
    /** Who owns which field of custom kinds; added to api's `OWNERSHIP`, per kind instead of it. */
    readonly tables?: Readonly<Record<string, OwnershipTable>>;
  };
  readonly log?: {
    /**
     * Commits kept for watches from a revision. More: watchers may be away for longer. Memory: what
     * these commits replaced. Default: {@link LOG_COMMITS_MAX}; at least 1.
     */
    readonly commitsMax?: number;
    /**
     * Events kept with them: fewer commits are kept when they are large. Default:
     * {@link LOG_EVENTS_MAX}; at least 1, and the newest commit is always kept.
     */
    readonly eventsMax?: number;
  };
  readonly watcher?: {
    /**
     * Commits that may wait for a watcher before it ends with `resync-required`: for all of them
     * together those of one turn of the event loop, for each async iterable those not yet taken.
     * Default: {@link WATCHER_BUFFER_MAX}; at least 1.
     */
    readonly bufferMax?: number;
  };
  /** Order of lists. A random one finds code that relies on an order. Default: natural. */
  readonly listOrder?: 'natural' | Random;
}

/** A limit from the options: `given`, or its default. @throws invalid-argument below 1. */
export function limitOf(given: number | undefined, standard: number, name: string): number {
  const limit = given ?? standard;
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new SkepError('invalid-argument', `${name} has to be an integer of at least 1`, {
    details: { [name]: limit },
  });
}

/** The limits of the log from the options. @throws invalid-argument below 1. */
export function logLimits(log: StoreOptions['log']): { commitsMax: number; eventsMax: number } {
  return {
    commitsMax: limitOf(log?.commitsMax, LOG_COMMITS_MAX, 'commitsMax'),
    eventsMax: limitOf(log?.eventsMax, LOG_EVENTS_MAX, 'eventsMax'),
  };
}
