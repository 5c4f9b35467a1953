/**
 * The process that is the manager of a cluster: the store on disk, the control loops, a socket for
 * people and one for nodes.
 */
import { statSync } from 'node:fs';
import { messageOf, type Logger } from '@skep/api';
import { systemClock } from '@skep/api/system';
import { serveNodeLink } from '@skep/adapter-hosts';
import { serveControl } from '@skep/control';
import { lmdbBackend } from '@skep/store-lmdb';
import { openCluster, type LiveCluster } from 'skep';
import { claimProcess } from './cluster-claims.js';
import { readSettings } from './kept-clusters.js';
import { placeOf, type ClusterPaths } from './place.js';
import {
  MANAGER_KEY,
  nodeIdOf,
  readProcessSettings,
  type ManagerSettings,
} from './process/process-settings.js';
import { everySoOften, listenForEnd } from './stop-signal.js';

/** How often the settings of the cluster are looked at. */
const LOOK_MS = 1_000;

/** @param file - a {@link ManagerSettings} */
export async function runManager(file: string, logger: Logger): Promise<void> {
  const settings = readProcessSettings<ManagerSettings>(file);
  const paths = placeOf(settings);
  const told = listenForEnd();
  const held = await claimProcess(paths, MANAGER_KEY);
  const cluster = await openCluster({
    backend: lmdbBackend({ folder: paths.storeFolder }),
    dataplane: settings.dataplane,
    logger,
    trace: true,
  });
  const closing: (() => Promise<void>)[] = [() => held.release(), () => cluster.stop()];
  try {
    const declared = new DeclaredNodes(paths, cluster, logger);
    await declared.look();
    const nodes = await serveNodeLink({
      path: paths.nodeSocket,
      link: cluster.link,
      clock: systemClock(),
      logger,
    });
    closing.push(() => nodes.close());
    const control = await serveControl({ path: paths.controlSocket, cluster, logger });
    closing.push(() => control.close());
    const stopLooking = everySoOften(LOOK_MS, () => declared.look());
    closing.push(() => Promise.resolve(stopLooking()));
    await told.wait();
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** Lets the nodes in that the settings name, whenever these are written. */
class DeclaredNodes {
  readonly #paths: ClusterPaths;
  readonly #cluster: LiveCluster;
  readonly #logger: Logger;
  #readAt = 0;

  constructor(paths: ClusterPaths, cluster: LiveCluster, logger: Logger) {
    this.#paths = paths;
    this.#cluster = cluster;
    this.#logger = logger;
  }

  async look(): Promise<void> {
    try {
      const { mtimeMs } = statSync(this.#paths.settingsFile);
      if (mtimeMs === this.#readAt) return;
      const { cluster = '', nodes = [] } = readSettings(this.#paths) ?? {};
      for (const [index, { name }] of nodes.entries()) {
        const role = index === 0 ? 'manager' : 'worker';
        await this.#cluster.declareNode({ name, id: nodeIdOf(cluster, name), role });
      }
      this.#readAt = mtimeMs;
    } catch (thrown) {
      this.#logger.error('nodes not declared', { error: messageOf(thrown) });
    }
  }
}
