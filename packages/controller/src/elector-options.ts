/**
 * What an elector is built from.
 */
import { SkepError, type Clock, type Logger, type Metrics, type Random } from '@skep/api';
import type { Store } from '@skep/store';

/** How a leadership ended. */
export interface LeadershipEnd {
  /**
   * Whether the lease is still ours, to be released when the followers have stopped: last words may
   * be written. False: another may lead by now, or nobody can tell; write nothing, wait for nothing
   * that needs the store.
   */
  readonly isLeaseHeld: boolean;
}

/** What happens when leadership comes and goes. */
export interface LeaderFollower {
  /**
   * Leadership began: the view holds the commit of the lease, so everything that earlier leaders
   * wrote. `signal` aborts when it is lost, which may be before this has resolved; it has to
   * resolve
   * soon then. When it rejects, the lease is given up for another to try.
   */
  started(signal: AbortSignal): Promise<void> | void;
  /**
   * Leadership is over; called after `started` has ended. Neither the lease is released nor a new
   * term begun before this has ended.
   */
  stopped(end: LeadershipEnd): Promise<void> | void;
}

/** Seams of a {@link LeaderElector}. */
export interface LeaderElectorParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
  /** Told whether it leads: `leader_election_master_status`, by the name of the lease. */
  readonly metrics?: Metrics | undefined;
  /**
   * Name of this manager. Another process must not have it at the same time; if one has, the two
   * take the lease from each other, and the fence still lets only one write.
   */
  readonly identity: string;
}

/** Settings of a {@link LeaderElector}. All managers should have the same. */
export interface LeaderElectorOptions {
  /** Name of the lease. Default: `leader`. */
  readonly leaseName?: string;
  /**
   * How long others wait after the last renewal that they saw. Longer: a leader survives longer
   * stalls; shorter: failover is faster. Default: 15,000.
   */
  readonly durationMs?: number;
  /**
   * How long a leader that cannot renew goes on. Below `durationMs`; the difference is what clocks
   * may drift in one lease and what stopping may take. Default: 10,000.
   */
  readonly renewDeadlineMs?: number;
  /**
   * Time between renewals, and least time between attempts; an attempt waits up to 1.2 times as
   * much longer, at random. Below `renewDeadlineMs`. Default: 2,000.
   */
  readonly retryMs?: number;
  /** Whether `stop` lets go of the lease, so that another leads at once. Default: true. */
  readonly isReleasedOnStop?: boolean;
  /** See {@link LeaderFollower.started}. */
  readonly onStarted?: LeaderFollower['started'];
  /** See {@link LeaderFollower.stopped}. */
  readonly onStopped?: LeaderFollower['stopped'];
}

/** Options with every default in. */
export interface ElectorSettings {
  readonly leaseName: string;
  readonly durationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  readonly isReleasedOnStop: boolean;
}

/**
 * Fills in client-go's values.
 * @throws invalid-argument unless 0 < retryMs < renewDeadlineMs < durationMs and there is a name.
 */
export function electorSettings(identity: string, options: LeaderElectorOptions): ElectorSettings {
  const settings = {
    leaseName: options.leaseName ?? 'leader',
    durationMs: options.durationMs ?? 15_000,
    renewDeadlineMs: options.renewDeadlineMs ?? 10_000,
    retryMs: options.retryMs ?? 2_000,
    isReleasedOnStop: options.isReleasedOnStop ?? true,
  };
  const { durationMs, renewDeadlineMs, retryMs } = settings;
  if (identity === '') throw new SkepError('invalid-argument', 'an elector needs an identity');
  if (!(0 < retryMs && retryMs < renewDeadlineMs && renewDeadlineMs < durationMs)) {
    throw new SkepError(
      'invalid-argument',
      `0 < retryMs < renewDeadlineMs < durationMs does not hold: ` +
        `${retryMs}, ${renewDeadlineMs}, ${durationMs}`,
      { details: { durationMs, renewDeadlineMs, retryMs } },
    );
  }
  return settings;
}
