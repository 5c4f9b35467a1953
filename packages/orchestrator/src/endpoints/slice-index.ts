/**
 * The slices of one service, found by network and by task.
 */
import {
  EndpointSlice,
  compareBy,
  slicesByService,
  type Backend,
  type NetworkId,
  type Revision,
  type ServiceId,
  type TaskId,
} from '@skep/api';
import type { View } from '@skep/store';
import { isInForce } from '../in-force.js';

/** Where a task is listed. */
export interface Listing {
  readonly slice: EndpointSlice;
  readonly backend: Backend;
}

/** The slices of a service as they are, and what the nodes know of them. */
export interface SliceIndex {
  /** Networks that the service has slices in. */
  readonly networks: readonly NetworkId[];
  /** Slices in the network, by index. */
  inNetwork(networkId: NetworkId): readonly EndpointSlice[];
  /** The listing of the task in the network, if any; the last by index should there be two. */
  listing(networkId: NetworkId, taskId: TaskId): Listing | undefined;
  /** All listings of the task. */
  listings(taskId: TaskId): readonly Listing[];
  /** See `isInForce`; asked once per network and revision. */
  isInForce(networkId: NetworkId, revision: Revision): boolean;
}

const NO_SLICES: readonly EndpointSlice[] = Object.freeze([] as EndpointSlice[]);
const NO_LISTINGS: readonly Listing[] = Object.freeze([] as Listing[]);

/** Indexes the slices of a service. Cost: O(backends). */
export function sliceIndex(view: View, serviceId: ServiceId): SliceIndex {
  const byNetwork = new Map<NetworkId, EndpointSlice[]>();
  const byTask = new Map<TaskId, Listing[]>();
  const slices = [...view.list(EndpointSlice, slicesByService(serviceId))].sort(byPlace);
  for (const slice of slices) {
    append(byNetwork, slice.spec.networkId, slice);
    for (const backend of slice.spec.backends) append(byTask, backend.taskId, { slice, backend });
  }
  const answers = new Map<string, boolean>();
  return {
    networks: [...byNetwork.keys()],
    inNetwork: (networkId) => byNetwork.get(networkId) ?? NO_SLICES,
    listing: (networkId, taskId) => {
      const listings = byTask.get(taskId);
      return listings?.findLast(({ slice }) => slice.spec.networkId === networkId);
    },
    listings: (taskId) => byTask.get(taskId) ?? NO_LISTINGS,
    isInForce: (networkId, revision) => {
      const question = `${networkId}/${revision}`;
      const known = answers.get(question);
      if (known !== undefined) return known;
      const answer = isInForce(view, networkId, revision);
      answers.set(question, answer);
      return answer;
    },
  };
}

const byPlace = compareBy<EndpointSlice>(
  (a, b) =>
    a.spec.networkId < b.spec.networkId ? -1 : a.spec.networkId > b.spec.networkId ? 1 : 0,
  (a, b) => a.spec.index - b.spec.index,
);

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
