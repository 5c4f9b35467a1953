/**
 * When a task that leaves is out of every table: the fact that its stop waits for.
 */
import { compareText, withStatus, type Task, type Timestamp } from '@skep/api';
import { because, update, type PlannedChange } from '@skep/controller';
import type { Listing, SliceIndex } from './slice-index.js';
import { mayHold } from './slice-layout.js';
import { isLeaving, routedNetworks } from './task-facts.js';

/**
 * The changes that say of tasks that no table sends new connections to them any more, where that is
 * so and was not said before. Ordered by task id.
 *
 * * Listed as draining: once that is in force in each of its networks.
 * * Not listed any more: once the slices that may have listed it are in force as they are.
 * * Never listed: at once.
 */
export function drainChanges(
  tasks: readonly Task[],
  slices: SliceIndex,
  now: Timestamp,
): readonly PlannedChange[] {
  return tasks
    .filter((task) => task.status.drainedAt === undefined && isLeaving(task))
    .filter((task) => isUnrouted(task, slices))
    .sort((a, b) => compareText(a.meta.id, b.meta.id))
    .map((task) =>
      because(update(withStatus(task, { ...task.status, drainedAt: now })), 'confirm-drain'),
    );
}

function isUnrouted(task: Task, slices: SliceIndex): boolean {
  const listings = slices.listings(task.meta.id);
  if (!listings.every((listing) => isDrainInForce(listing, slices))) return false;
  // What was never seen running was never listed.
  if (task.status.runningAt === undefined) return true;
  const listedIn = new Set(listings.map(({ slice }) => slice.spec.networkId));
  return routedNetworks(task).every(
    ({ networkId }) =>
      listedIn.has(networkId) ||
      slices
        .inNetwork(networkId)
        .filter(({ spec }) => mayHold(spec.index, task.meta.id))
        .every(({ meta }) => slices.isInForce(networkId, meta.version)),
  );
}

function isDrainInForce({ slice, backend }: Listing, slices: SliceIndex): boolean {
  if (backend.state !== 'draining') return false;
  const since = backend.drainingSince ?? slice.meta.version;
  return slices.isInForce(slice.spec.networkId, since);
}
