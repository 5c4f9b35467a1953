/**
 * Firewall marks: one for each service in each network, handed out by the node.
 */
import { compareBy, compareText, type AssignedService } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import type { NodeLocal } from './node-local.js';

/** Order in which services get marks: by creation, ingress before other networks, then by key. */
export function compareServices(
  state: NodeNetworkState,
): (a: readonly [string, AssignedService], b: readonly [string, AssignedService]) => number {
  const rank = (service: AssignedService): number =>
    state.networks.get(service.networkId)?.isIngress === true ? 0 : 1;
  return compareBy(
    ([, a], [, b]) => a.order - b.order,
    ([, a], [, b]) => rank(a) - rank(b),
    ([a], [b]) => compareText(a, b),
  );
}

/** Gives marks to the services named, and takes them from those that are gone. */
export function planMarks(
  previous: NodeLocal,
  state: NodeNetworkState,
  keys: readonly string[],
): NodeLocal {
  let { marks, nextMark } = previous;
  const fresh: [string, AssignedService][] = [];
  for (const key of new Set(keys)) {
    const service = state.services.get(key);
    if (service?.virtualAddress === undefined) marks = marks.without(key);
    else if (!marks.has(key)) fresh.push([key, service]);
  }
  for (const [key] of fresh.sort(compareServices(state))) {
    marks = marks.with(key, nextMark);
    nextMark += 1;
  }
  return { ...previous, marks, nextMark };
}
