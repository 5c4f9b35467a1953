/**
 * The seams through which time, randomness, logs and metrics come in. Nothing in skep reaches
 * around them; `api/system` and `api/virtual` hold the two sets of implementations.
 */
import type { Timestamp } from './meta.js';

/** Options of {@link Clock.schedule}. */
export interface TimerOptions {
  /**
   * The timer belongs to something that recurs for ever (a heartbeat, a resync).
   * A cluster counts as settled when only periodic timers are left. Default: false.
   */
  readonly isPeriodic?: boolean;
  /** What the timer is for; shown when `settle` says what it still waits for. */
  readonly label?: string;
}

/** A pending timer. */
export interface Timer {
  /** Stops the timer; harmless when it has run. */
  cancel(): void;
}

/** Time, and the only way to do something later. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): Timestamp;
  /** Runs `run` at `at` (ms since the epoch), or as soon as possible when that is past. */
  schedule(at: Timestamp, run: () => void, options?: TimerOptions): Timer;
  /**
   * Runs `run` after everything that is running now, before any timer, in the order of the calls.
   * This is how a loop wakes up once for many events.
   */
  defer(run: () => void): void;
}

/** Waits for a time on a clock. */
export function sleepUntil(clock: Clock, at: Timestamp, options?: TimerOptions): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(at, resolve, options);
  });
}

/** Seedable randomness. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  int(bound: number): number;
  /**
   * An independent stream that follows from this one's seed and the label, not from its position.
   */
  fork(label: string): Random;
}

/** Structured facts of a log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Log lines: the message is constant, everything that varies is a field. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that drops everything. */
export const silentLogger: Logger = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});

/** Values of the labels of a metric. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A number that only rises. */
export interface Counter {
  add(value: number, labels?: MetricLabels): void;
}

/** A number that rises and falls. */
export interface Gauge {
  set(value: number, labels?: MetricLabels): void;
}

/** A distribution of observed values. */
export interface Histogram {
  observe(value: number, labels?: MetricLabels): void;
}

/** What a metric is called and what it counts. */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** Makes metrics. Asking twice for the same name gives the same metric. */
export interface Metrics {
  counter(definition: MetricDefinition): Counter;
  gauge(definition: MetricDefinition): Gauge;
  histogram(definition: MetricDefinition): Histogram;
}

const noop = { add: () => undefined, set: () => undefined, observe: () => undefined };

/** Metrics that count nothing. */
export const silentMetrics: Metrics = Object.freeze({
  counter: () => noop,
  gauge: () => noop,
  histogram: () => noop,
});

/** Where an autoscaler reads what a service's tasks are doing. */
export interface MetricSource {
  /**
   * The newest value of a metric for each task of the selection, by task id.
   * A task without a value is left out.
   */
  read(query: {
    readonly metric: string;
    readonly serviceId: string;
    readonly now: Timestamp;
  }): Promise<ReadonlyMap<string, number>>;
}

/** Something with a life: opened by `start`, closed by `stop`, in reverse order of the starts. */
export interface Runnable {
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}
