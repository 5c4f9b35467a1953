/**
 * What commands about the network look at, whatever cluster it is of.
 */
import type { LookupResult, RequestResult } from '@skep/adapter-simulator';
import type { NodeTables } from '@skep/network';
import type { View } from '@skep/store';

/** A node, and what it holds. */
export interface NodeLook {
  readonly id: string;
  readonly name: string;
  /** Absent: it was assigned nothing yet. */
  readonly tables?: NodeTables;
  /** What a name means to a task on this node. */
  lookup(taskId: string, name: string, type: string): LookupResult;
}

/** How a request is made. */
export interface LookRequest {
  /** A task; absent: somebody outside of the cluster. */
  readonly from?: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

/** What commands about the network look at. */
export interface NetworkLook {
  /** Holds nodes and tasks at least. */
  readonly view: View;
  /** Names of all nodes by their ids. */
  readonly nodeName: (id: string) => string;
  /** @throws not-found, and unavailable for one that does not answer. */
  node(reference: string): Promise<NodeLook>;
  /** All that answer, by name. */
  nodes(): Promise<readonly NodeLook[]>;
  /** Follows a request through the very texts that the nodes' tools are given. */
  request(target: string, request: LookRequest): Promise<RequestResult>;
}
