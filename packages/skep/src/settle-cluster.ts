/**
 * Settling and stopping a whole cluster: what counts as busy there.
 */
import type { ClusterParts } from './cluster-options.js';
import { passTimeUntil } from './pass-time.js';
import { PassWatch } from './pass-watch.js';
import { settle, type Settlement } from './settle.js';
import { unnoticedHosts } from './unnoticed-hosts.js';

/**
 * Lets virtual time pass until the controllers have nothing left to do and every machine that is
 * gone, or back, was noticed.
 */
export async function settleCluster(
  { clock, manager, store, simulator }: ClusterParts,
  options: { readonly limitMs?: number },
): Promise<Settlement> {
  const { controllers } = manager;
  const unnoticed = (): readonly string[] => unnoticedHosts(store.view(), simulator.hosts);
  const passes = new PassWatch(clock, controllers.result$);
  try {
    return await settle({
      clock,
      passes,
      isIdle: () => controllers.isIdle(),
      isUnnoticed: () => unnoticed().length > 0,
      busyWith: () => [
        ...controllers
          .pending()
          .map(({ controller, key, state }) => `${controller} ${key}: ${state}`),
        ...unnoticed(),
      ],
      ...options,
    });
  } finally {
    passes.stop();
  }
}

/** Ends all that runs, newest first; a controller in a livelock does not keep it from ending. */
export async function stopCluster({ clock, manager, running }: ClusterParts): Promise<void> {
  const { controllers } = manager;
  const passes = new PassWatch(clock, controllers.result$);
  try {
    await passTimeUntil(clock, running.stop(), { passes, unstick: () => controllers.stop() });
  } finally {
    passes.stop();
  }
}
