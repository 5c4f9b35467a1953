/**
 * Leader election over a lease in the store.
 *
 * **Source:** client-go tools/leaderelection for the loop and its values. The fence is ours: an
 * elected process that was paused believes that it leads, so only the store can refuse its writes.
 */
import { ACTORS, Lease, messageOf, silentLogger, SkepError } from '@skep/api';
import type { Clock, Gauge, Logger, MetricDefinition, Random } from '@skep/api';
import type { Revision, Runnable, Timer, Timestamp } from '@skep/api';
import type { Expectation, Store } from '@skep/store';
import type { FenceLost } from './contract.js';
import { settlesBefore } from './deadline.js';
import { electorSettings, type ElectorSettings } from './elector-options.js';
import type { LeaderElectorOptions, LeaderElectorParts } from './elector-options.js';
import type { LeaderFollower, LeadershipEnd } from './elector-options.js';
import { acquiredLease, leaseId, LeaseObservation } from './lease-claim.js';
import { releasedLease, renewedLease, type LeaseClaim } from './lease-claim.js';
import { Leadership } from './leadership.js';

/** Share of the time between attempts that is added at random, at most. */
const JITTER_FACTOR = 1.2;

/** **Source:** client-go's metric of this name, as controller-runtime has it. */
const MASTER_STATUS: MetricDefinition = {
  name: 'leader_election_master_status',
  help: '1 while this process holds the lease of this name, 0 otherwise.',
  labelNames: ['name'],
};

/**
 * Tries to lead for as long as it runs.
 *
 * - The term of the lease rises with every election, also when the same manager is elected again:
 *   a commit that is still under way from an earlier term is refused, whoever wrote it.
 * - A leader that could not renew for `renewDeadlineMs`, counted from when it *began* the last
 *   renewal that went through, steps down; others wait for `durationMs` from when they *saw* it.
 * - A leader whose commit is refused because of the fence steps down at once (`onFenceLost`).
 * - An election follows `durationMs` after the last renewal, or at once after a release.
 *
 * Give `fence` and `onFenceLost` to the controllers ({@link ControllerSeams}), and let
 * {@link runWhenLeader} start and stop them. Store failures are retried; the lease object should
 * not be deleted by hand, because it remembers the term.
 */
export class LeaderElector implements Runnable {
  readonly identity: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #settings: ElectorSettings;
  readonly #status: Gauge | undefined;
  readonly #followers: LeaderFollower[] = [];
  readonly #observation = new LeaseObservation();
  #isRunning = false;
  #stopping: Promise<void> = Promise.resolve();
  #leadership: Leadership | undefined;
  /** Term of the latest leadership here; 0, which no lease ever has, before the first. */
  #term = 0;
  /** The end of a leadership, while its followers stop. */
  #ending: Promise<void> | undefined;
  #attempt: Promise<void> | undefined;
  #attemptTimer: Timer | undefined;
  #deadlineTimer: Timer | undefined;
  #isWoken = false;
  #notBefore: Timestamp = 0;
  #watch: { unsubscribe(): void } | undefined;

  /**
   * @throws invalid-argument for times that do not fit together, no identity, or a store that does
   * not keep the kind `Lease`.
   */
  constructor(parts: LeaderElectorParts, options: LeaderElectorOptions = {}) {
    this.identity = parts.identity;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#random = parts.random.fork(`elector ${parts.identity}`);
    this.#logger = parts.logger ?? silentLogger;
    this.#settings = electorSettings(parts.identity, options);
    if (!parts.store.kinds.some(({ name }) => name === Lease.name)) {
      throw new SkepError('invalid-argument', 'an elector needs a store that keeps leases');
    }
    this.#status = parts.metrics?.gauge(MASTER_STATUS);
    this.#status?.set(0, { name: this.#settings.leaseName });
    const nothing = (): void => undefined;
    const { onStarted = nothing, onStopped = nothing } = options;
    this.follow({ started: onStarted, stopped: onStopped });
  }

  /** Whether it leads, as far as it can know: false from the renew deadline on, even unawares. */
  get isLeader(): boolean {
    return this.#leadership !== undefined && this.#clock.now() < this.#deadline(this.#leadership);
  }

  /** Term of the present leadership, or of the latest; 0 before the first. */
  get term(): number {
    return this.#term;
  }

  /** Who leads as far as this store has heard, expired or not; undefined when nobody does. */
  get leader(): string | undefined {
    const holder = this.#lease()?.spec.holder;
    return holder === '' ? undefined : holder;
  }

  /** What every commit of a leader has to expect; never holds for one that was not elected. */
  readonly fence = (): readonly Expectation[] => {
    const id = leaseId(this.#settings.leaseName);
    return [{ type: 'lease', id, holder: this.identity, term: this.#term }];
  };

  /** Steps down when the fence that was lost is the present one. */
  readonly onFenceLost: FenceLost = (conflict, fence) => {
    const isOurs = fence.some(
      (part) => part.type === 'lease' && part.id === conflict.id && part.term === this.#term,
    );
    if (isOurs) this.#stepDown(conflict.message);
  };

  /** Adds someone who starts and stops with leadership. Before `start`. */
  follow(follower: LeaderFollower): void {
    this.#followers.push(follower);
  }

  /** Begins to try; does not wait to be elected, only for a `stop` that is under way. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#stopping;
    if (this.#isRunning || signal?.aborted === true) return;
    this.#isRunning = true;
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#try();
  }

  /** Stops the followers, then lets go of the lease. Every call waits until that is done. */
  async stop(): Promise<void> {
    if (this.#isRunning) this.#stopping = this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isRunning = false;
    this.#attemptTimer?.cancel();
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    const { renewDeadlineMs, isReleasedOnStop } = this.#settings;
    if (this.#attempt !== undefined) {
      await settlesBefore(this.#attempt, this.#clock, renewDeadlineMs);
    }
    this.#stepDown('stopped', { isLeaseHeld: true });
    await this.#ending;
    if (isReleasedOnStop) await settlesBefore(this.#release(), this.#clock, renewDeadlineMs);
  }

  #lease(): Lease | undefined {
    return this.#store.view().get(Lease, leaseId(this.#settings.leaseName));
  }

  #deadline(leadership: Leadership): Timestamp {
    return leadership.renewedAt + this.#settings.renewDeadlineMs;
  }

  /** One attempt at a time; each arranges for the next. */
  #try(): void {
    if (!this.#isRunning || this.#attempt !== undefined || this.#ending !== undefined) return;
    this.#attemptTimer?.cancel();
    this.#listen();
    const leadership = this.#leadership;
    const attempt = leadership === undefined ? this.#acquire() : this.#renew(leadership);
    this.#attempt = attempt.then((nextAt) => {
      this.#attempt = undefined;
      this.#tryAt(nextAt);
    });
  }

  #tryAt(at: Timestamp): void {
    if (!this.#isRunning) return;
    this.#attemptTimer?.cancel();
    this.#attemptTimer = this.#clock.schedule(at, () => this.#try(), {
      isPeriodic: true,
      label: 'leader election',
    });
  }

  /** Hears of a lease that was released or taken over sooner than the next attempt would. */
  #listen(): void {
    if (this.#watch !== undefined) return;
    const wake = (): void => {
      const lease = this.#lease();
      this.#observation.see(lease, this.#clock.now());
      const isMine = lease?.spec.holder === this.identity && lease.spec.term === this.#term;
      if (isMine || this.#isWoken) return;
      this.#isWoken = true;
      this.#clock.defer(() => {
        this.#isWoken = false;
        if (this.#notBefore <= this.#clock.now()) this.#try();
      });
    };
    const ended = (): void => {
      this.#watch = undefined;
    };
    try {
      const selector = { kinds: [Lease.name] };
      this.#watch = this.#store.subscribe({ commit: wake, ended }, { selector });
    } catch (error) {
      // The attempts go on without it.
      this.#logger.warn('lease not watched', { error: messageOf(error) });
    }
  }

  /** Tries to be elected; gives the time of the next attempt. Never rejects. */
  async #acquire(): Promise<Timestamp> {
    const startedAt = this.#clock.now();
    try {
      const lease = this.#lease();
      this.#observation.see(lease, startedAt);
      const freeAt = Math.max(this.#observation.freeAt(lease, this.identity), this.#notBefore);
      const retryAt = startedAt + this.#jitteredMs();
      if (freeAt > startedAt) return Math.min(freeAt, retryAt);
      const term = this.#observation.termMax + 1;
      const claim = this.#claim();
      const next = acquiredLease(lease, claim, { term, now: startedAt });
      const revision = await this.#write(next, lease === undefined);
      if (revision === undefined) return retryAt;
      // A commit that took longer than we may lead for is a lost term; the next attempt renews it.
      if (startedAt + this.#settings.renewDeadlineMs <= this.#clock.now()) return this.#clock.now();
      if (this.#isRunning) this.#lead(term, { renewedAt: startedAt, revision });
      else this.#term = term;
      return startedAt + this.#settings.retryMs;
    } catch (error) {
      this.#logger.warn('lease not acquired', { error: messageOf(error) });
      return this.#clock.now() + this.#jitteredMs();
    }
  }

  /** Renews or steps down; gives the time of the next attempt. Never rejects. */
  async #renew(leadership: Leadership): Promise<Timestamp> {
    const startedAt = this.#clock.now();
    const retryAt = startedAt + this.#settings.retryMs;
    if (startedAt >= this.#deadline(leadership)) {
      this.#stepDown('not renewed in time');
      return retryAt;
    }
    try {
      const lease = this.#lease();
      this.#observation.see(lease, startedAt);
      if (lease?.spec.holder !== this.identity || lease.spec.term !== leadership.term) {
        this.#stepDown('the lease is not ours any more');
        return retryAt;
      }
      const renewal = renewedLease(lease, this.#claim(), startedAt);
      if ((await this.#write(renewal, false)) !== undefined) {
        leadership.renewedAt = startedAt;
        if (this.#leadership === leadership) this.#watchDeadline(leadership);
        return retryAt;
      }
    } catch (error) {
      this.#logger.warn('lease not renewed', { error: messageOf(error) });
    }
    return this.#clock.now() + this.#settings.retryMs;
  }

  /** Revision of the commit; undefined when it met a conflict. */
  async #write(lease: Lease, isNew: boolean): Promise<Revision | undefined> {
    const result = await this.#store.commit({
      actor: ACTORS.elector,
      changes: [{ type: isNew ? 'create' : 'update', object: lease }],
    });
    return result.ok ? result.revision : undefined;
  }

  /** Lets go of the lease, if it is still ours. Never rejects: it runs out by itself. */
  async #release(): Promise<void> {
    try {
      const lease = this.#lease();
      if (lease?.spec.holder !== this.identity || lease.spec.term !== this.#term) return;
      await this.#write(releasedLease(lease), false);
    } catch (error) {
      this.#logger.warn('lease not released', { error: messageOf(error) });
    }
  }

  #lead(term: number, lease: { readonly renewedAt: Timestamp; readonly revision: Revision }): void {
    this.#logger.info('leading', { identity: this.identity, term });
    this.#term = term;
    const leadership = new Leadership(term, lease.renewedAt);
    this.#leadership = leadership;
    this.#status?.set(1, { name: this.#settings.leaseName });
    this.#watchDeadline(leadership);
    const failed = (error: unknown): void => {
      this.#logger.error('leadership not started', { term, error: messageOf(error) });
      if (this.#leadership !== leadership) return;
      this.#notBefore = this.#clock.now() + this.#jitteredMs();
      this.#stepDown('not started', { isLeaseHeld: true });
    };
    const ready = this.#store.waitFor(lease.revision);
    leadership.begin(this.#followers, { ready, failed });
  }

  #watchDeadline(leadership: Leadership): void {
    this.#deadlineTimer?.cancel();
    const expired = (): void => this.#stepDown('not renewed in time');
    const options = { isPeriodic: true, label: 'renew deadline' };
    this.#deadlineTimer = this.#clock.schedule(this.#deadline(leadership), expired, options);
  }

  #stepDown(reason: string, end: LeadershipEnd = { isLeaseHeld: false }): void {
    const leadership = this.#leadership;
    if (leadership === undefined) return;
    this.#leadership = undefined;
    this.#status?.set(0, { name: this.#settings.leaseName });
    this.#deadlineTimer?.cancel();
    this.#logger.info('leading no more', {
      identity: this.identity,
      term: leadership.term,
      reason,
    });
    const failed = (error: unknown): void =>
      this.#logger.error('leadership not stopped', { error: messageOf(error) });
    this.#ending = leadership.end(end, failed).then(async () => {
      // Another may have more luck. Who stops releases by itself.
      if (end.isLeaseHeld && this.#isRunning) await this.#release();
      this.#ending = undefined;
      this.#tryAt(Math.max(this.#clock.now(), this.#notBefore));
    });
  }

  #claim(): LeaseClaim {
    const { leaseName, durationMs } = this.#settings;
    return { name: leaseName, holder: this.identity, durationMs };
  }

  #jitteredMs(): number {
    const { retryMs } = this.#settings;
    return retryMs + this.#random.int(Math.ceil(JITTER_FACTOR * retryMs));
  }
}
