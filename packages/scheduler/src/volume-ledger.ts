/**
 * Cluster volumes and who uses them: which volume a mount may have on a node.
 *
 * A mount names a volume, or a group (`group:NAME`) of which any volume will do. Whether a volume
 * can be used follows from its availability, its topology, and its access mode.
 *
 * **Source:** SwarmKit manager/scheduler/volumes.go and topology.go; all mounts have to be
 * satisfied, not one of them (defect 15), and an updated volume counts at once (defect 20).
 */
import {
  compareBy,
  compareText,
  type Labels,
  type Mount,
  type NodeId,
  type TaskId,
  type Volume,
} from '@skep/api';
import type { NodeInfo } from './node-info.js';

/** A volume chosen for a mount of a task. */
export interface VolumeUse {
  /** Id of the volume object. */
  readonly volumeId: string;
  /** Where the task mounts it. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** The volumes for all mounts of a task, or the mounts for which there is none. */
export type VolumeChoice =
  | { readonly ok: true; readonly uses: readonly VolumeUse[] }
  | { readonly ok: false; readonly missing: readonly Mount[] };

interface Holder {
  readonly taskId: TaskId;
  readonly nodeId: NodeId;
  readonly isReadOnly: boolean;
}

const GROUP_PREFIX = 'group:';

/** What is preferred: sharing that takes least from other mounts first. */
const WASTE = { 'read-only': 0, all: 1, 'one-writer': 2, none: 3 } as const;

/** All cluster volumes with their users. */
export class VolumeLedger {
  readonly #volumes = new Map<string, Volume>();
  readonly #byName = new Map<string, Volume>();
  readonly #byGroup = new Map<string, Map<string, Volume>>();
  readonly #holders = new Map<string, readonly Holder[]>();

  get(id: string): Volume | undefined {
    return this.#volumes.get(id);
  }

  values(): Iterable<Volume> {
    return this.#volumes.values();
  }

  /** Adds a volume, or replaces its older version. */
  upsert(volume: Volume): void {
    this.remove(volume.meta.id);
    this.#volumes.set(volume.meta.id, volume);
    this.#byName.set(volume.meta.name.toLowerCase(), volume);
    const { group } = volume.spec;
    if (group === undefined) return;
    const members = this.#byGroup.get(group) ?? new Map<string, Volume>();
    members.set(volume.meta.id, volume);
    this.#byGroup.set(group, members);
  }

  /** Forgets a volume; who holds it is remembered, should it come back. */
  remove(id: string): void {
    const volume = this.#volumes.get(id);
    if (volume === undefined) return;
    this.#volumes.delete(id);
    const name = volume.meta.name.toLowerCase();
    if (this.#byName.get(name) === volume) this.#byName.delete(name);
    this.#byGroup.get(volume.spec.group ?? '')?.delete(id);
  }

  /** Notes that a task on a node holds the volumes. */
  take(holder: { taskId: TaskId; nodeId: NodeId }, uses: readonly VolumeUse[]): void {
    for (const { volumeId, isReadOnly } of uses) {
      const holders = this.#holders.get(volumeId) ?? [];
      this.#holders.set(volumeId, [...holders, { ...holder, isReadOnly }]);
    }
  }

  /** Notes that the task holds them no more. */
  giveBack(taskId: TaskId, uses: readonly VolumeUse[]): void {
    for (const { volumeId } of uses) {
      const left = (this.#holders.get(volumeId) ?? []).filter((use) => use.taskId !== taskId);
      if (left.length > 0) this.#holders.set(volumeId, left);
      else this.#holders.delete(volumeId);
    }
  }

  /**
   * Chooses a volume for each of the mounts of one task on a node.
   * Named ones come first, then groups with writers, then readers, and each takes the volume whose
   * sharing is the least use to the others: so a choice is found whenever there is one. Ties break
   * by the volume's name, then id. Cost: O(mounts × volumes of the group).
   */
  choose(mounts: readonly Mount[], node: NodeInfo): VolumeChoice {
    const chosen = new Map<Mount, VolumeUse>();
    const missing: Mount[] = [];
    for (const mount of inOrderOfChoice(mounts)) {
      const isReadOnly = mount.isReadOnly ?? false;
      const mine = [...chosen.values()];
      const volume = this.#candidates(mount.source ?? '')
        .filter((candidate) => this.#isUsable(candidate, { node, isReadOnly, mine }))
        .sort(byWaste)[0];
      if (volume === undefined) missing.push(mount);
      else {
        chosen.set(mount, { volumeId: volume.meta.id, target: mount.target, isReadOnly });
      }
    }
    if (missing.length > 0) return { ok: false, missing };
    return { ok: true, uses: mounts.flatMap((mount) => chosen.get(mount) ?? []) };
  }

  #candidates(source: string): readonly Volume[] {
    if (source.startsWith(GROUP_PREFIX)) {
      return [...(this.#byGroup.get(source.slice(GROUP_PREFIX.length))?.values() ?? [])];
    }
    const volume = this.#byName.get(source.toLowerCase());
    return volume === undefined ? [] : [volume];
  }

  #isUsable(
    volume: Volume,
    wish: {
      readonly node: NodeInfo;
      readonly isReadOnly: boolean;
      readonly mine: readonly VolumeUse[];
    },
  ): boolean {
    const { spec, status, meta } = volume;
    // A volume that the driver has not made yet cannot be mounted.
    if (status.volumeId === undefined || (spec.availability ?? 'active') !== 'active') return false;
    const topology = wish.node.node.status.description?.topology ?? {};
    if (!isWithinReach(topology, status.accessibleTopology ?? [])) return false;
    const others = this.#holders.get(meta.id) ?? [];
    if (spec.access.scope === 'single' && others.some((use) => use.nodeId !== wish.node.id)) {
      return false;
    }
    const uses = [...others, ...wish.mine.filter((use) => use.volumeId === meta.id)];
    switch (spec.access.sharing) {
      case 'none':
        return uses.length === 0;
      case 'one-writer':
        return wish.isReadOnly || uses.every((use) => use.isReadOnly);
      case 'read-only':
        return wish.isReadOnly;
      case 'all':
        return true;
    }
  }
}

function inOrderOfChoice(mounts: readonly Mount[]): readonly Mount[] {
  const isGroup = (mount: Mount): number => (mount.source?.startsWith(GROUP_PREFIX) ? 1 : 0);
  const isReader = (mount: Mount): number => (mount.isReadOnly ? 1 : 0);
  // The sort is stable: equal ones keep the order of the template.
  return [...mounts].sort((a, b) => isGroup(a) - isGroup(b) || isReader(a) - isReader(b));
}

const byName = compareBy<Volume>(
  (a, b) => compareText(a.meta.name, b.meta.name),
  (a, b) => compareText(a.meta.id, b.meta.id),
);
const byWaste = compareBy<Volume>(
  (a, b) => WASTE[a.spec.access.sharing] - WASTE[b.spec.access.sharing],
  byName,
);

/** Whether a node with these segments lies in one of the topologies; no topology is everywhere. */
export function isWithinReach(segments: Labels, topologies: readonly Labels[]): boolean {
  if (topologies.length === 0) return true;
  return topologies.some((topology) =>
    Object.entries(topology).every(
      ([name, value]) => Object.hasOwn(segments, name) && segments[name] === value,
    ),
  );
}
