/**
 * When the addresses of a task go back: not before no table in force mentions them.
 *
 * **Source:** ours. Swarm frees them when the task is observed to have ended, whatever tables and
 * caches still say.
 */
import {
  EndpointSlice,
  byIndex,
  slicesByService,
  withStatus,
  type NetworkId,
  type Task,
} from '@skep/api';
import { mayHold } from '../endpoints/slice-layout.js';
import { routedNetworks } from '../endpoints/task-facts.js';
import { taskClaims } from './claims.js';
import { keyOf } from './key-index.js';
import type { AllocationPass } from './pass.js';
import { isTaskLeaving } from './waiting.js';

/**
 * Plans the release of one task. Its networks get the addresses into quarantine in the same commit;
 * a network that does not exist any more has none to get back, and the others get theirs
 * (defect 21).
 */
export function planRelease(pass: AllocationPass, task: Task): void {
  if (!isTaskLeaving(task)) return;
  const key = keyOf('Task', task.meta.id);
  if (!pass.tied.hasRoom(routedNetworks(task).map(({ networkId }) => networkId))) {
    pass.requeueAt.set(key, pass.now);
    return;
  }
  if (!isOutOfTables(pass, task)) return;
  const mark = pass.mark();
  const ties = taskClaims(task)
    .filter(({ networkId, address }) => pass.giveBack(networkId, address, false))
    .map(({ networkId }) => networkId);
  const object = withStatus(task, { ...task.status, releasedAt: pass.now });
  pass.write({ key, object, mark, ties });
}

/**
 * Whether no table in force mentions the task: it is drained, no slice lists it, and the slices
 * that may have listed it and the end of the task itself, which takes it from the peers, are in
 * force. A task that was never given a node was in no table.
 */
function isOutOfTables(pass: AllocationPass, task: Task): boolean {
  const { nodeId, drainedAt } = task.status;
  const { id, version } = task.meta;
  const { serviceId } = task.spec;
  const networks = routedNetworks(task).map(({ networkId }) => networkId);
  if (networks.length === 0) return true;
  if (pass.view.count(EndpointSlice, byIndex(EndpointSlice, 'task', id)) > 0) return false;
  if (nodeId === undefined) return true;
  if (serviceId !== undefined && drainedAt === undefined) return false;
  const slices =
    serviceId === undefined ? [] : pass.view.list(EndpointSlice, slicesByService(serviceId));
  const isKnown = (networkId: NetworkId): boolean =>
    pass.isInForce(networkId, version) &&
    slices
      .filter(({ spec }) => spec.networkId === networkId && mayHold(spec.index, id))
      .every(({ meta }) => pass.isInForce(networkId, meta.version));
  return networks.every(isKnown);
}
