/**
 * What a live cluster can be told when it is opened.
 */
import type { Clock, Labels, Logger, Metrics, NodeAvailability, NodeId } from '@skep/api';
import type { NodeRole, Random } from '@skep/api';
import type { Policy } from '@skep/scheduler';
import type { Backend, Store } from '@skep/store';
import type { ClusterOptions } from './options.js';

/** Options of `openCluster`. */
export interface LiveOptions extends Pick<
  ClusterOptions,
  'cluster' | 'dataplane' | 'kinds' | 'controllers' | 'ownership' | 'trace' | 'plugins'
> {
  /**
   * Where commits are kept: what `lmdbBackend` makes, say. The cluster opens a store on it and
   * closes it. Default: memory, and everything is forgotten at the end.
   */
  readonly backend?: Backend;
  /**
   * A store that is open already, instead of `backend` and `kinds`: it has to keep
   * `BUILT_IN_KINDS`. The cluster closes it.
   */
  readonly store?: Store;
  /** Where tasks go. Default: `swarmPolicy()`. */
  readonly policy?: Policy;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: nothing is counted. */
  readonly metrics?: Metrics;
  /** Default: the machine's. Another one is for tests. */
  readonly clock?: Clock;
  /** Default: seeded by the machine. */
  readonly random?: Random;
  /**
   * Checks each commit as `createCluster` does; for development, since it costs time.
   * Default: false.
   */
  readonly checks?: boolean;
}

/** A node that may come in. */
export interface LiveNode {
  readonly name: string;
  /** Id of a node that is new. Default: drawn at random. */
  readonly id?: NodeId;
  /** Default: as it is; `worker` for a new one. */
  readonly role?: NodeRole;
  /** Default: as it is; `active` for a new one. */
  readonly availability?: NodeAvailability;
  /** All of its labels. Default: as they are; none for a new one. */
  readonly labels?: Labels;
}
