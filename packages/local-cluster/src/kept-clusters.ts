/**
 * Which clusters are kept on this machine, and what they are to be.
 */
import { readdirSync } from 'node:fs';
import { readText } from './files.js';
import { DEFAULT_STATE_ROOT, placeOf, type ClusterPaths } from './place.js';
import { parseSettings, type ClusterSettings } from './settings.js';

/** The settings that are kept; undefined when there are none. @throws internal, unimplemented */
export function readSettings({ settingsFile }: ClusterPaths): ClusterSettings | undefined {
  const text = readText(settingsFile);
  return text === undefined ? undefined : parseSettings(text, settingsFile);
}

/** Names of the clusters that are kept in this folder. Default: /var/lib/skep. */
export function listClusters(stateRoot: string = DEFAULT_STATE_ROOT): Promise<readonly string[]> {
  return Promise.resolve().then(() => {
    let names: readonly string[];
    try {
      names = readdirSync(stateRoot);
    } catch {
      return [];
    }
    return names.filter((name) => isKept(name, stateRoot)).sort();
  });
}

function isKept(cluster: string, stateRoot: string): boolean {
  try {
    return readSettings(placeOf({ cluster, stateRoot })) !== undefined;
  } catch {
    // No name of a cluster, or settings that nobody can read: nothing that can be named.
    return false;
  }
}
