/**
 * Takes a cluster on this machine down: whatever there is of it, afterwards there is nothing.
 */
import { existsSync } from 'node:fs';
import { isSkepError, SkepError } from '@skep/api';
import { kernelDataplane } from '@skep/adapter-hosts';
import { claimChange } from './cluster-claims.js';
import { removeClusterFiles, removePassingFiles } from './cluster-files.js';
import { kernelNode, namespacedCluster } from './hosts.js';
import { readSettings } from './kept-clusters.js';
import { keptNodes, killInside, namespaceNames, removeTasks } from './leftovers.js';
import { placeOf, type ClusterPaths, type ClusterPlace } from './place.js';
import { endProcesses } from './process/ending.js';
import { processesIn, type FoundProcess } from './process/process-search.js';
import { keyOfFile } from './process/process-settings.js';
import type { RuntimeSettings } from './node-runtime.js';
import type { ClusterSettings, RuntimeKind } from './settings.js';
import { requireRoot } from './up.js';

/** How a cluster is taken down. */
export interface DownOptions extends ClusterPlace {
  /** What it is to be stays: settings, objects, volumes, logs. Default: false. */
  readonly keepState?: boolean;
  /** Tasks that have not ended after this are killed. Default: 10,000. */
  readonly timeoutMs?: number;
  /** Ends it between two steps; doing it again goes on from there. */
  readonly signal?: AbortSignal;
  /** Told what is being done, for people. */
  readonly onStep?: (text: string) => void;
}

/** What became of it. */
export interface ClusterDown {
  /** False: there was nothing. */
  readonly wasThere: boolean;
  /** For people: `manager (pid 123)`, `3 tasks`. */
  readonly removed: readonly string[];
}

const GRACE_MS = 10_000;
const PROCESS_GRACE_MS = 5_000;

/**
 * Takes a cluster down, after a crash too. Doing so again does nothing. Nothing is touched that is
 * not the cluster's: its names begin with its own, or carry it as a label.
 * @throws permission-denied without the rights of root; unavailable when another `up` or `down` of
 * the cluster is under way, and when something does not let itself be removed: the rest stays, and
 * doing it again goes on; failed-precondition when its folder holds what is not skep's, which
 * stays; aborted.
 */
export async function down(options: DownOptions = {}): Promise<ClusterDown> {
  requireRoot('down');
  const { keepState = false, timeoutMs = GRACE_MS, signal, onStep } = options;
  const paths = placeOf(options);
  const change = await claimChange(paths);
  try {
    const removed: string[] = [];
    const step = (text: string): void => {
      if (signal?.aborted === true) throw new SkepError('aborted', 'taking it down was given up');
      onStep?.(text);
    };
    const settings = settingsOf(paths);
    const isKept = existsSync(paths.folder);
    step('ending its processes');
    removed.push(...(await endAll(paths)));
    step('stopping its tasks');
    const tasks = await removeTasks(paths, runtimesOf(paths, settings), timeoutMs);
    if (tasks > 0) removed.push(counted(tasks, 'task'));
    const inside = await killInside(paths.cluster);
    if (inside > 0) removed.push(counted(inside, 'process', 'processes'));
    step('removing its hosts');
    removed.push(...(await removeHosts(paths, settings)));
    step('removing its files');
    const wasThere = isKept || removed.length > 0;
    if (keepState) removePassingFiles(paths);
    else removed.push(...removeClusterFiles(paths));
    return { wasThere, removed };
  } finally {
    await change.release();
  }
}

/** The supervisor first, so that nobody starts the others anew. */
async function endAll(paths: ClusterPaths): Promise<readonly string[]> {
  const ended: FoundProcess[] = [];
  // What the supervisor had begun to start may come to be seen only after its end.
  for (;;) {
    const found = processesIn(paths.folder);
    if (found.length === 0) break;
    const supervisors = found.filter(({ role }) => role === 'supervisor');
    const now = supervisors.length > 0 ? supervisors : found;
    const left = await endProcesses(now, PROCESS_GRACE_MS);
    if (left.length > 0) {
      const pids = left.map(({ pid }) => pid);
      throw new SkepError('unavailable', `processes ${pids.join(', ')} do not end`, {
        details: { pids },
      });
    }
    ended.push(...now);
  }
  return ended.map(({ role, file, pid }) => {
    const key = role === 'supervisor' ? role : keyOfFile(file);
    return `${key} (pid ${pid})`;
  });
}

/** Damaged settings are no reason to leave anything behind. */
function settingsOf(paths: ClusterPaths): ClusterSettings | undefined {
  try {
    return readSettings(paths);
  } catch (thrown) {
    if (isSkepError(thrown, 'internal') || isSkepError(thrown, 'unimplemented')) return undefined;
    throw thrown;
  }
}

/** Every node that is known of, or that something is left of; without settings, as either kind. */
function runtimesOf(
  paths: ClusterPaths,
  settings: ClusterSettings | undefined,
): readonly RuntimeSettings[] {
  const { cluster } = paths;
  const kept = keptNodes(paths);
  const names = new Set([...kept, ...(settings?.nodes ?? []).map(({ name }) => name)]);
  const { hosts = 'namespaces', dockerSocket } = settings ?? {};
  const kinds: readonly RuntimeKind[] = settings === undefined ? ['processes'] : [settings.runtime];
  return [...names].sort().flatMap((name) =>
    kinds.map((runtime) => ({
      cluster,
      hosts,
      runtime,
      images: {},
      node: { name, address: '' },
      ...(dockerSocket === undefined ? {} : { dockerSocket }),
    })),
  );
}

async function removeHosts(
  paths: ClusterPaths,
  settings: ClusterSettings | undefined,
): Promise<readonly string[]> {
  const { cluster } = paths;
  if (settings?.hosts === 'local') {
    for (const node of settings.nodes) {
      const dataplane = kernelDataplane({
        node: kernelNode(settings, node),
        renderer: settings.dataplane,
      });
      await dataplane.clear();
      await dataplane.close();
    }
    return [`the rules of ${counted(settings.nodes.length, 'node')}`];
  }
  const names = namespaceNames(cluster);
  // Any subnet does: what is removed is found by its name.
  await namespacedCluster(cluster, settings?.subnet ?? '10.90.0.0/24').remove();
  return names.length === 0 ? [] : [counted(names.length, 'namespace')];
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
