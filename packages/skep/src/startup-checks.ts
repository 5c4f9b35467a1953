/**
 * What has to be right before a manager starts.
 */
import { Cluster as ClusterKind, clusterSettings, newObject, SkepError } from '@skep/api';
import type { AnyKind } from '@skep/api';
import { admissionError, admit } from '@skep/orchestrator';
import type { Store } from '@skep/store';
import { wantedSettings, type ClusterOptions } from './options.js';

/** What the options say about the cluster itself. */
type SettingsOptions = Pick<ClusterOptions, 'cluster' | 'dataplane'>;

/** @throws invalid-argument for two kinds with the same name */
export function requireUniqueKinds(kinds: readonly AnyKind[]): void {
  const seen = new Set<string>();
  for (const { name } of kinds) {
    if (seen.has(name)) {
      throw new SkepError('invalid-argument', `there are two kinds with the name '${name}'`);
    }
    seen.add(name);
  }
}

/**
 * Judges the settings of a new cluster: the manager writes them itself when it first starts, so
 * nobody else would.
 * @throws what the front door says.
 */
export function requireRightSettings(store: Store, options: SettingsOptions): void {
  if (options.cluster === undefined && options.dataplane === undefined) return;
  const spec = wantedSettings(options);
  const object = newObject(ClusterKind, { id: 'settings', name: 'default', spec });
  const complaints = admit(store.view(), { type: 'create', object });
  if (complaints.length > 0) throw admissionError(complaints);
}

/**
 * The same for a store that may hold a cluster already, whose settings stay.
 * @throws failed-precondition when its dataplane is another than the one that is asked for.
 */
export function requireFittingSettings(store: Store, options: SettingsOptions): void {
  const [stored] = store.view().list(ClusterKind);
  if (stored === undefined) return requireRightSettings(store, options);
  const { dataplane: wanted } = wantedSettings(options);
  const { dataplane } = clusterSettings(stored.spec);
  if (wanted === undefined || wanted === dataplane) return;
  const message = `the cluster in this store has the dataplane ${dataplane}, not ${wanted}`;
  throw new SkepError(
    'failed-precondition',
    `${message}; leave the option out, or make another cluster`,
  );
}
