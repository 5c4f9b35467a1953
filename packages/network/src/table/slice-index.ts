/**
 * Which slices belong to which service: found without looking through all slices.
 */
import { compareText } from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '../state.js';
import { SortedMap } from './sorted-map.js';

/** See the module comment. A service is meant per network: `SERVICE/NETWORK`. */
export interface SliceIndex {
  /** Slice id → key of the service. */
  readonly owners: SortedMap<string>;
  /** Key of the service → ids of its slices, rising. */
  readonly slices: SortedMap<readonly string[]>;
}

const NONE: readonly string[] = [];

/** Ids of the slices of a service in a network. */
export function slicesOf(index: SliceIndex, key: string): readonly string[] {
  return index.slices.get(key) ?? NONE;
}

/** The index of a whole state. Cost: O(slices · log slices). */
export function buildSliceIndex(state: NodeNetworkState): SliceIndex {
  const owners: [string, string][] = [];
  const slices = new Map<string, string[]>();
  for (const [id, slice] of state.slices) {
    const owner = `${slice.serviceId}/${slice.networkId}`;
    owners.push([id, owner]);
    const list = slices.get(owner);
    if (list === undefined) slices.set(owner, [id]);
    else list.push(id);
  }
  for (const list of slices.values()) list.sort(compareText);
  return { owners: SortedMap.from(owners), slices: SortedMap.from(slices) };
}

/** The index after a change, and the services whose slices changed, rising. Cost: O(change). */
export function updateSliceIndex(
  previous: SliceIndex,
  state: NodeNetworkState,
  change: NetworkChange,
): { readonly index: SliceIndex; readonly services: ReadonlySet<string> } {
  let { owners, slices } = previous;
  const services = new Set<string>();
  for (const id of change.slices) {
    const slice = state.slices.get(id);
    const before = owners.get(id);
    const after = slice === undefined ? undefined : `${slice.serviceId}/${slice.networkId}`;
    if (before !== undefined) services.add(before);
    if (after !== undefined) services.add(after);
    if (before === after) continue;
    owners = owners.put(id, after);
    if (before !== undefined) slices = slices.put(before, listWithout(slices.get(before), id));
    if (after !== undefined)
      slices = slices.put(after, listWith(slices.get(after), id, compareText));
  }
  return { index: { owners, slices }, services };
}

/** The sorted list with `item` in it. */
export function listWith(
  list: readonly string[] | undefined,
  item: string,
  compare: (a: string, b: string) => number,
): readonly string[] {
  return [...(list ?? NONE).filter((other) => other !== item), item].sort(compare);
}

/** The list without `item`; undefined when nothing is left. */
export function listWithout(
  list: readonly string[] | undefined,
  item: string,
): readonly string[] | undefined {
  const rest = (list ?? NONE).filter((other) => other !== item);
  return rest.length === 0 ? undefined : rest;
}
