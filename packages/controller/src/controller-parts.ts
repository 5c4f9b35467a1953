/**
 * What the controllers of one process share.
 */
import { silentMetrics, SkepError } from '@skep/api';
import type { ControllerSeams } from './contract.js';
import { EventRecorder } from './event-recorder.js';
import type { WorkQueueOptions } from './queue-options.js';
import { Reflector } from './reflector.js';
import { ResultStream } from './result-stream.js';

/** Settings of one controller. */
export interface ControllerOptions {
  /** Keys after which passes let others have their turn. Default: 1,000. */
  readonly sliceKeys?: number | undefined;
  /** Longest wait of `stop` for passes under way. Default: 30,000. */
  readonly stopTimeoutMs?: number | undefined;
  /** Bounds, ageing and backoff of the queue. */
  readonly queue?: Partial<Omit<WorkQueueOptions, 'name' | 'clock' | 'metrics' | 'onReady'>>;
  /** Called at the end of `stop`. */
  readonly onStopped?: (() => Promise<void>) | undefined;
}

/** The seams, and what is built above them once for all controllers. */
export interface ControllerParts extends ControllerSeams {
  readonly reflector: Reflector;
  readonly recorder: EventRecorder;
  readonly results: ResultStream;
}

/**
 * Refuses seams of which one is missing, before anything asks it.
 * @throws invalid-argument that names it.
 */
export function checkSeams(seams: Partial<ControllerSeams> | undefined): void {
  const missing = (['store', 'clock', 'random'] as const).filter(
    (seam) => seams?.[seam] === undefined,
  );
  if (missing.length === 0) return;
  const message = `controllers need ${missing.join(', ')}: give { store, clock, random }`;
  throw new SkepError('invalid-argument', message);
}

/**
 * Builds the shared parts; the watch is not started yet. The fence is asked here, once: what a pass
 * decided in one term of a leader is not written in a later one, however late it comes.
 */
export function controllerParts(
  seams: ControllerSeams,
  options: { readonly eventFlushMs?: number | undefined } = {},
): ControllerParts {
  checkSeams(seams);
  const { store, clock, random, logger, metrics, onFenceLost, trace, sharding } = seams;
  const held = seams.fence?.();
  const fence = held && (() => held);
  return {
    store,
    clock,
    random,
    ...(logger === undefined ? {} : { logger }),
    // Metrics that count nothing need not be told.
    ...(metrics === undefined || metrics === silentMetrics ? {} : { metrics }),
    ...(trace === undefined ? {} : { trace }),
    ...(sharding === undefined ? {} : { sharding }),
    ...(fence === undefined ? {} : { fence }),
    ...(onFenceLost === undefined ? {} : { onFenceLost }),
    reflector: new Reflector({ store, clock, random, logger }),
    recorder: new EventRecorder({
      store,
      clock,
      logger,
      fence,
      onFenceLost,
      flushMs: options.eventFlushMs,
    }),
    results: new ResultStream(),
  };
}
