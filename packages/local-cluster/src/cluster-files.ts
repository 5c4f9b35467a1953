/**
 * What a cluster keeps in its folder, and the end of that. A folder is a cluster's if its settings
 * are in it, and in it only what has our names is removed: whoever names the wrong folder by
 * mistake loses nothing.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SkepError } from '@skep/api';
import { keptNodes } from './leftovers.js';
import { DEFAULT_STATE_ROOT, nodeFolder, SETTINGS_FILE, type ClusterPaths } from './place.js';

/** What stays for the next `up`; and of each node its volumes. */
const KEPT = [SETTINGS_FILE, 'store', 'nodes', 'log'];

/**
 * Removes the folder of a cluster; the settings last, so that doing it again goes on after a crash.
 * Gives what was removed, for people.
 * @throws failed-precondition when there is something in it that is not skep's: that stays.
 */
export function removeClusterFiles(paths: ClusterPaths): readonly string[] {
  const { folder, settingsFile } = paths;
  if (!existsSync(folder)) return [];
  if (existsSync(settingsFile)) {
    removeOwn(paths, [SETTINGS_FILE]);
    rmSync(settingsFile, { force: true });
  }
  const foreign = readdirSync(folder).sort();
  if (foreign.length > 0) {
    const named = foreign.slice(0, 5).join(', ') + (foreign.length > 5 ? ', …' : '');
    const what = `${folder} stays: it holds what is no cluster's (${named})`;
    const text = `${what}; look, and remove it by hand`;
    throw new SkepError('failed-precondition', text, { details: { folder, foreign } });
  }
  rmdirSync(folder);
  if (dirname(folder) === DEFAULT_STATE_ROOT) removeIfEmpty(DEFAULT_STATE_ROOT);
  return [`state ${folder}`];
}

/** Removes what the next `up` does not need. */
export function removePassingFiles(paths: ClusterPaths): void {
  if (!existsSync(paths.settingsFile)) return;
  removeOwn(paths, KEPT);
  for (const node of keptNodes(paths)) {
    const own = nodeFolder(paths, node);
    for (const name of readdirSync(own)) {
      if (name.startsWith('dataplane-')) rmSync(join(own, name), { force: true });
    }
  }
}

function removeOwn(paths: ClusterPaths, but: readonly string[]): void {
  const own = [
    paths.controlSocket,
    paths.nodeSocket,
    paths.logFolder,
    paths.settingsFile,
    paths.supervisorFile,
    paths.processFolder,
    paths.storeFolder,
    dirname(nodeFolder(paths, 'any')),
  ].map((path) => basename(path));
  for (const name of readdirSync(paths.folder)) {
    if (but.includes(name)) continue;
    // With what they are called while they are written or opened: `cluster.json.123.next`.
    const isOwn = own.includes(name.replace(/\.\d+(?:\.next)?$/, ''));
    if (isOwn) rmSync(join(paths.folder, name), { recursive: true, force: true });
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Other clusters are kept there, or other things are.
  }
}
