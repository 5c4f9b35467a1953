/**
 * The scheduler as a controller.
 */
import { ACTORS, SkepError, Task } from '@skep/api';
import type { BatchController } from '@skep/controller';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import { SchedulerMemory } from './memory.js';
import { planScheduling } from './plan.js';
import { isTaskNews, schedulerWatches } from './wakes.js';

/**
 * Tasks of a pass, at most: what a pass works with is short-lived then, however many tasks wait.
 * Measured: a million tasks fit into a heap of 1.3 GB; in one pass 1.5 GB were not enough, and it
 * took as long.
 */
const PASS_MAX = 2_000;

/** How the scheduler is set up. */
export interface SchedulerOptions {
  /** Where tasks may go, and where best. Default: Swarm's. */
  readonly policy?: Policy;
  /**
   * How long a task waits, from the moment it was allocated, before it is placed; at least 0.
   * More lets tasks of a burst be placed together; less places each sooner. Default: 0.
   * Swarm waits 50 ms.
   */
  readonly debounceMs?: number;
}

/**
 * The loop that gives tasks their nodes. Keys are ids of tasks.
 *
 * A task that fits nowhere says why in its status, and is tried again when a node changes in
 * something that placement looks at, a task lets go of one, or a volume changes; never by time.
 *
 * @throws invalid-argument for a negative `debounceMs`.
 * **Source:** SwarmKit manager/scheduler/scheduler.go.
 */
export function schedulerController(options: SchedulerOptions = {}): BatchController {
  const { policy = swarmPolicy(), debounceMs = 0 } = options;
  if (!(debounceMs >= 0)) {
    throw new SkepError('invalid-argument', `debounceMs is ${debounceMs}, it must be 0 or more`);
  }
  const memory = new SchedulerMemory();
  return {
    name: ACTORS.scheduler,
    rule: 'place',
    for: Task,
    batchMax: PASS_MAX,
    predicate: isTaskNews,
    watches: schedulerWatches(() => memory.waiting),
    state: memory,
    planBatch: (view, keys, now) =>
      planScheduling(memory, { view, keys, now, options: { policy, debounceMs } }),
  };
}
