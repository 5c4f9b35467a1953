/**
 * The objects that every cluster has.
 */
import {
  ACTORS,
  Cluster,
  deriveId,
  Network,
  newObject,
  SkepError,
  type ClusterSpec,
} from '@skep/api';
import type { FenceLost } from '@skep/controller';
import type { Change, Expectation, Store, View } from '@skep/store';

/** Id of the one cluster object. */
export const CLUSTER_ID = deriveId('cluster', 'default');
/** Id of the network of published ports that is there from the start. */
export const INGRESS_ID = deriveId('network', 'ingress');

/** Networks that every node has by itself, known to services by these names. */
const NODE_LOCAL_NETWORKS = ['bridge', 'host'] as const;
/** Others may write the same objects: each conflict is about one of them, which is there then. */
const ATTEMPTS_MAX = 10;

/** What a new cluster is made from. */
export interface BootstrapParts {
  readonly store: Store;
  /** Settings of the cluster, written when there is none. */
  readonly cluster?: ClusterSpec | undefined;
  readonly fence: readonly Expectation[];
  readonly onFenceLost: FenceLost;
}

/**
 * Writes what is missing of the objects that every cluster has.
 * @throws aborted when the fence was lost, or others were first ten times in a row.
 */
export async function bootstrap(parts: BootstrapParts): Promise<void> {
  const { store, cluster, fence, onFenceLost } = parts;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const changes = planBootstrap(store.view(), cluster);
    if (changes.length === 0) return;
    const result = await store.commit({ actor: ACTORS.user, expect: fence, changes });
    if (result.ok) return;
    const { conflict } = result;
    if (conflict.reason === 'lease') {
      onFenceLost(conflict, fence);
      throw new SkepError('aborted', conflict.message);
    }
    await store.waitFor(conflict.version);
  }
  throw new SkepError('aborted', 'others were always first to write the objects of the cluster');
}

/** What is missing: the cluster, the ingress network, the networks that nodes have. */
export function planBootstrap(view: View, cluster: ClusterSpec = {}): readonly Change[] {
  const changes: Change[] = [];
  if (view.get(Cluster, CLUSTER_ID) === undefined) {
    const object = newObject(Cluster, { id: CLUSTER_ID, name: 'default', spec: cluster });
    changes.push({ type: 'create', object });
  }
  if (view.list(Network).every(({ spec }) => spec.isIngress !== true)) {
    const object = newObject(Network, {
      id: INGRESS_ID,
      name: 'ingress',
      spec: { driver: { name: 'overlay' }, isIngress: true },
      finalizers: [ACTORS.allocator],
    });
    changes.push({ type: 'create', object });
  }
  for (const name of NODE_LOCAL_NETWORKS) {
    if (view.getByName(Network, name) !== undefined) continue;
    const spec = { driver: { name } };
    const object = newObject(Network, { id: deriveId('network', name), name, spec });
    changes.push({ type: 'create', object });
  }
  return changes;
}
