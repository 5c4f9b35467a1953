/**
 * Which objects have to be committed together, because they give addresses up to the same networks.
 */
import type { NetworkId, StoredObject } from '@skep/api';
import { CHANGES_MAX } from '@skep/store';
import type { AllocatorKey } from './key-index.js';

/** An object that a pass writes. */
export interface Entry {
  readonly key: AllocatorKey;
  readonly object: StoredObject;
  /** Networks whose new quarantine entries have to be committed with the object. */
  readonly ties: readonly NetworkId[];
}

/** Entries and the networks that they give addresses up to: one commit. */
export interface TiedGroup {
  readonly entries: Entry[];
  readonly networks: Set<NetworkId>;
}

/**
 * Packs tied entries into commits. A network is written once in a pass, so it is in one group only,
 * and with it everything that gives up to it, up to the 200 changes of a commit.
 */
export class TiedGroups {
  readonly groups: TiedGroup[] = [];
  readonly #groupOf = new Map<NetworkId, TiedGroup>();

  /** Adds an entry; false when it would need two groups or finds its group full. */
  add(entry: Entry): boolean {
    const known = new Set(entry.ties.flatMap((networkId) => this.#groupOf.get(networkId) ?? []));
    if (known.size > 1) return false;
    const [group] = known;
    if (group !== undefined) return this.#addTo(group, entry);
    const last = this.groups.at(-1);
    if (last !== undefined && this.#addTo(last, entry)) return true;
    const fresh: TiedGroup = { entries: [], networks: new Set() };
    this.groups.push(fresh);
    return this.#addTo(fresh, entry);
  }

  /**
   * Whether an entry with these ties would find room; asked before an object is looked at, because
   * thousands may wait for the next pass.
   */
  hasRoom(ties: readonly NetworkId[]): boolean {
    return ties.every((networkId) => {
      const group = this.#groupOf.get(networkId);
      if (group === undefined) return true;
      return group.entries.length + group.networks.size + ties.length <= CHANGES_MAX;
    });
  }

  /** Whether the network is written by one of the groups. */
  holds(networkId: NetworkId): boolean {
    return this.#groupOf.has(networkId);
  }

  #addTo(group: TiedGroup, entry: Entry): boolean {
    const added = entry.ties.filter((networkId) => !group.networks.has(networkId));
    const size = group.entries.length + group.networks.size + added.length + 1;
    if (size > CHANGES_MAX) return false;
    group.entries.push(entry);
    for (const networkId of added) {
      group.networks.add(networkId);
      this.#groupOf.set(networkId, group);
    }
    return true;
  }
}
