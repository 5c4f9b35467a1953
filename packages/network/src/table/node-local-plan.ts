/**
 * The decisions of a node from one state to the next.
 */
import type { NetworkChange, NodeNetworkState } from '../state.js';
import type { NodeLocal } from './node-local.js';
import { planMarks } from './node-local-marks.js';
import { planBridgePorts, planHostPorts, planLegs } from './node-local-tasks.js';

/**
 * The node's decisions for a state: what is there keeps its numbers, what is new gets some, what is
 * gone gives them back (marks and bridge ports are not used again).
 * New services get marks by order of creation, ingress first; new tasks their addresses by order of
 * their service, then slot, then id. A task that finds no free address or port gets none.
 * Cost: O(change · networks); O(tasks of the node) when networks changed; O(state) without
 * `change`.
 */
export function planNodeLocal(
  previous: NodeLocal,
  state: NodeNetworkState,
  change?: NetworkChange,
): NodeLocal {
  const services = change?.services ?? [...previous.marks.keys(), ...state.services.keys()];
  const tasks =
    change !== undefined && change.networks.length === 0
      ? change.tasks
      : [
          ...previous.legs.keys(),
          ...previous.hostPorts.keys(),
          ...previous.bridgePorts.keys().map((key) => key.slice(key.indexOf('/') + 1)),
          ...state.tasks.keys(),
          ...(change?.tasks ?? []),
        ];
  const networks = change?.networks ?? [
    ...previous.nextBridgePorts.keys(),
    ...state.networks.keys(),
  ];
  let local = planMarks(previous, state, services);
  local = planLegs(local, state, tasks);
  local = planBridgePorts(local, state, { tasks, networks });
  return planHostPorts(local, state, tasks);
}
