/**
 * What runs only on the leader.
 */
import type { Runnable } from '@skep/api';
import type { LeaderElector } from './leader-election.js';

/**
 * Runs something for as long as the elector leads: a controller group, a manager, anything with a
 * life. A function is called at every election, for what cannot be started twice. What it gives is
 * stopped when leadership ends and, if the elector is stopped, before the lease is released.
 *
 * The elector belongs to the result: its `start` and `stop` are those of the elector.
 */
export function runWhenLeader(
  elector: LeaderElector,
  runnable: Runnable | (() => Runnable),
): Runnable {
  let running: Runnable | undefined;
  elector.follow({
    started: (signal) => {
      running = typeof runnable === 'function' ? runnable() : runnable;
      return running.start(signal);
    },
    stopped: async () => {
      await running?.stop();
      running = undefined;
    },
  });
  return {
    start: (signal) => elector.start(signal),
    stop: () => elector.stop(),
  };
}
