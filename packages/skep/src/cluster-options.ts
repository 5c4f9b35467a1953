/**
 * What a cluster is made of, and what its methods take.
 */
import type { AnyKind, Clock, IdSource } from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import type { Simulator } from '@skep/adapter-simulator';
import type { Complaint, ManifestOptions } from '@skep/manifest';
import type { AdmissionResult, Manager } from '@skep/orchestrator';
import type { Policy } from '@skep/scheduler';
import type { Store } from '@skep/store';
import type { RunnableStack } from './runnable-stack.js';

/** What every cluster is made of, whatever its nodes are. */
export interface ClusterBaseParts {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly store: Store;
  readonly manager: Manager;
  readonly policy: Policy;
  readonly kinds: readonly AnyKind[];
}

/** What a cluster on simulated hosts is made of. */
export interface ClusterParts extends ClusterBaseParts {
  readonly clock: VirtualClock;
  readonly simulator: Simulator;
  readonly running: RunnableStack;
}

/** How objects are declared. */
export interface DeclareOptions {
  /**
   * Who declares: the fields that the declaration mentions are this manager's. Default: `user`; for
   * files of a stack, `stack NAME`.
   */
  readonly manager?: string;
  /** Takes over fields that other managers have set to something else. Default: false. */
  readonly force?: boolean;
}

/** How files are applied. */
export interface ApplyOptions extends Omit<ManifestOptions, 'kinds' | 'validate'>, DeclareOptions {
  /** Removes services of the `stack` that are not in the files any more. Default: false. */
  readonly prune?: boolean;
}

/** What became of files that were applied. */
export interface Applied {
  /** What became of each object. */
  readonly results: readonly AdmissionResult[];
  /** What the files hold that is right, and probably not what was meant. */
  readonly warnings: readonly Complaint[];
}

/** How a request is made. */
export interface ClusterRequestOptions {
  /** A task's name or id, or a service's name (its first running task). Default: from outside. */
  readonly from?: string;
  readonly protocol?: 'tcp' | 'udp' | 'sctp';
}
