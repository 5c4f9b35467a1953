/**
 * Clusters of this machine, as commands use them.
 */
import type * as Local from '@skep/local-cluster';

/** The part of `@skep/local-cluster` that commands need. */
export type LocalClusters = Pick<
  typeof Local,
  'down' | 'listClusters' | 'placeOf' | 'runProcess' | 'status' | 'up'
>;
