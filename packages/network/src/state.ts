/**
 * What a node's tables are made from: the networking part of its assignment.
 */
import type {
  AssignedNetwork,
  AssignedNode,
  AssignedPeer,
  AssignedService,
  AssignedSlice,
  AssignedTask,
  Revision,
} from '@skep/api';

/** Everything a node's tables are made from. All maps are keyed as the items of an assignment. */
export interface NodeNetworkState {
  readonly revision: Revision;
  readonly node: AssignedNode;
  readonly networks: ReadonlyMap<string, AssignedNetwork>;
  readonly services: ReadonlyMap<string, AssignedService>;
  readonly slices: ReadonlyMap<string, AssignedSlice>;
  readonly peers: ReadonlyMap<string, AssignedPeer>;
  readonly tasks: ReadonlyMap<string, AssignedTask>;
}

/** Names of the items that changed since the state applied last; undefined: anything may have. */
export interface NetworkChange {
  readonly networks: readonly string[];
  readonly services: readonly string[];
  readonly slices: readonly string[];
  readonly peers: readonly string[];
  readonly tasks: readonly string[];
}
