/**
 * Keeps one watch of a store alive and tells listeners about it, in step with a view.
 *
 * **Source:** client-go tools/cache reflector.go for the role and the backoff (800 ms × 2ⁿ, 30 s);
 * kube-rs kube-runtime watcher.rs for the restart as an event of its own.
 */
import {
  isSkepError,
  messageOf,
  silentLogger,
  type Clock,
  type Logger,
  type Random,
  type Revision,
  type Timer,
} from '@skep/api';
import type { CommitEvent, Store, View } from '@skep/store';

/** Who follows a {@link Reflector}. Neither method may throw. */
export interface ReflectorListener {
  /** Follows one commit; `view` holds it, and maybe later ones. */
  commit(event: CommitEvent, view: View): void;
  /** Everything may have changed: start again from this view. The first call is always this one. */
  reset(view: View): void;
}

/** What a {@link Reflector} needs. */
export interface ReflectorSeams {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
}

/** Commits that may wait for a view that lags behind the watch; past it the watch starts again. */
const LAGGING_MAX = 10_000;
const BACKOFF_MS_MIN = 800;
const BACKOFF_MS_MAX = 30_000;

/**
 * One watch of all kinds, shared by any number of listeners. What it guarantees to each of them:
 *
 * - First a `reset` with a view, then every commit after that view, in order, without a gap.
 * - When a commit is told, the store's view holds it. Commits that arrive before the view does (a
 *   replica that lags) are held back.
 * - When the watch ends (`compacted`, `resync-required`, or anything else) there is a new `reset`
 *   from the newest view: at once the first time, after a backoff while it keeps failing.
 * - Listeners are told in the order in which they joined: join caches before those who read them.
 */
export class Reflector {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #listeners = new Set<ReflectorListener>();
  /** Joined, but not reset yet. */
  readonly #joining = new Set<ReflectorListener>();
  #lagging: CommitEvent[] = [];
  /** Let go of when the watch ends: an old view keeps all that was replaced since. */
  #view: View | undefined;
  #revision: Revision;
  #attempts = 0;
  #watch: { unsubscribe(): void } | undefined;
  #timer: Timer | undefined;
  /** Rises with every watch, so that what an old one still says is not heard. */
  #epoch = 0;
  #isStarted = false;

  constructor(seams: ReflectorSeams) {
    this.#store = seams.store;
    this.#clock = seams.clock;
    this.#random = seams.random.fork('reflector');
    this.#logger = seams.logger ?? silentLogger;
    this.#revision = seams.store.view().revision;
  }

  /** The newest view that holds exactly the commits that the listeners were told of. */
  get view(): View {
    return this.#view ?? this.#store.view();
  }

  /** Revision of the newest commit that the listeners were told of. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Whether {@link Reflector.view} is at {@link Reflector.revision}: false amid a burst. */
  get isInStep(): boolean {
    return this.#isLive && this.#view?.revision === this.#revision;
  }

  /** Whether the listeners know everything that the store's view shows. */
  get isCaughtUp(): boolean {
    return this.#isLive && this.#revision >= this.#store.view().revision;
  }

  get #isLive(): boolean {
    return this.#watch !== undefined;
  }

  /** Begins the watch. A second call does nothing. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#open();
  }

  /** Ends the watch for good. */
  stop(): void {
    this.#isStarted = false;
    this.#close();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    this.#joining.clear();
  }

  /** Adds a listener; it is reset at once when the watch is live, else as soon as it is. */
  join(listener: ReflectorListener): { leave(): void } {
    if (this.isInStep) {
      this.#listeners.add(listener);
      listener.reset(this.view);
    } else {
      this.#joining.add(listener);
    }
    return {
      leave: () => {
        this.#listeners.delete(listener);
        this.#joining.delete(listener);
      },
    };
  }

  /** Watches from the newest view on, and tells everyone to start again from it. */
  #open(): void {
    const epoch = (this.#epoch += 1);
    try {
      const view = this.#store.view();
      const watch = this.#store.subscribe(
        {
          commit: (event) => {
            if (epoch === this.#epoch) this.#deliver(event);
          },
          ended: (reason) => {
            if (epoch === this.#epoch) this.#restart(reason);
          },
        },
        { fromRevision: view.revision },
      );
      if (epoch !== this.#epoch) {
        watch.unsubscribe();
        return;
      }
      this.#watch = watch;
      this.#view = view;
      this.#revision = view.revision;
    } catch (error) {
      this.#restart(error);
      return;
    }
    for (const listener of this.#listeners) listener.reset(this.view);
    this.#welcome();
  }

  #close(): void {
    this.#epoch += 1;
    this.#lagging = [];
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    this.#view = undefined;
  }

  #restart(reason: unknown): void {
    this.#close();
    if (!this.#isStarted) return;
    const attempt = this.#attempts;
    this.#attempts += 1;
    const isResync = isSkepError(reason, 'compacted') || isSkepError(reason, 'resync-required');
    const delayMs = isResync && attempt === 0 ? 0 : this.#backoffMs(attempt);
    this.#logger.warn('watch ended, listing again', { error: messageOf(reason), attempt, delayMs });
    const run = (): void => {
      this.#timer = undefined;
      if (this.#isStarted) this.#open();
    };
    // Periodic: a store that is gone for ever must not keep a cluster from being settled.
    this.#timer = this.#clock.schedule(this.#clock.now() + delayMs, run, {
      isPeriodic: delayMs > 0,
      label: 'resync',
    });
  }

  #backoffMs(attempt: number): number {
    const base = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(attempt, 30), BACKOFF_MS_MAX);
    return Math.round(base * (1 + this.#random.next()));
  }

  #deliver(event: CommitEvent): void {
    const view = this.#store.view();
    if (this.#lagging.length > 0 || view.revision < event.revision) this.#hold(event);
    else this.#tell(event, view);
  }

  #tell(event: CommitEvent, view: View): void {
    this.#attempts = 0;
    this.#revision = event.revision;
    if (view.revision === event.revision) this.#view = view;
    for (const listener of this.#listeners) listener.commit(event, view);
    if (this.#joining.size > 0 && this.isInStep) this.#welcome();
  }

  #welcome(): void {
    for (const listener of [...this.#joining]) {
      this.#joining.delete(listener);
      this.#listeners.add(listener);
      listener.reset(this.view);
    }
  }

  #hold(event: CommitEvent): void {
    this.#lagging.push(event);
    if (this.#lagging.length > LAGGING_MAX) {
      this.#restart(new Error(`the view lags ${LAGGING_MAX} commits behind the watch`));
    } else if (this.#lagging.length === 1) {
      this.#awaitView(event.revision);
    }
  }

  #awaitView(revision: Revision): void {
    const epoch = this.#epoch;
    const release = (): void => {
      if (epoch === this.#epoch) this.#release();
    };
    this.#store.waitFor(revision).then(release, (error: unknown) => {
      if (epoch === this.#epoch) this.#restart(error);
    });
  }

  #release(): void {
    const epoch = this.#epoch;
    let told = 0;
    for (const event of this.#lagging) {
      const view = this.#store.view();
      if (view.revision < event.revision || epoch !== this.#epoch) break;
      this.#tell(event, view);
      told += 1;
    }
    if (epoch !== this.#epoch) return;
    this.#lagging.splice(0, told);
    const next = this.#lagging[0];
    if (next !== undefined) this.#awaitView(next.revision);
  }
}
