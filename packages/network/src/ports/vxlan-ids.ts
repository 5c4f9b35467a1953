/**
 * VXLAN network identifiers: one for each segment of an overlay network.
 *
 * **Source:** libnetwork drivers/overlay/ovmanager; RFC 7348 for the 24 bits.
 */
import { compareText, type Labels } from '@skep/api';
import { SerialSpace } from './serial-space.js';

/** First and last id. Lower ones are left to networks outside the cluster. */
export const VXLAN_IDS = Object.freeze({ first: 4096, last: 2 ** 24 - 1 });

/** Driver option that asks for certain ids, separated by commas, one per subnet. */
export const VXLAN_ID_OPTION = 'com.docker.network.driver.overlay.vxlanid_list';

/**
 * The ids that a network's driver options ask for; empty when they ask for none.
 * Undefined when the list is malformed or holds a number outside {@link VXLAN_IDS}.
 */
export function wantedVxlanIds(options: Labels | undefined): readonly number[] | undefined {
  const text = options?.[VXLAN_ID_OPTION];
  if (text === undefined || text.trim() === '') return [];
  const ids = text.split(',').map((part) => part.trim());
  if (!ids.every((id) => /^\d{1,8}$/.test(id))) return undefined;
  const numbers = ids.map(Number);
  const isInRange = numbers.every((id) => id >= VXLAN_IDS.first && id <= VXLAN_IDS.last);
  return isInRange && new Set(numbers).size === numbers.length ? numbers : undefined;
}

/** The ids of a cluster and the networks that have them. */
export class VxlanIdSpace {
  readonly #space: SerialSpace;
  readonly #owners = new Map<number, Map<string, number>>();

  constructor(last?: number) {
    this.#space = new SerialSpace(VXLAN_IDS, last === undefined ? {} : { last });
  }

  /** The id given last by {@link next}. */
  get last(): number | undefined {
    return this.#space.last;
  }

  set last(id: number | undefined) {
    this.#space.last = id;
  }

  /** Somebody else who has the id; the first by name of owner. */
  conflict(id: number, owner: string): string | undefined {
    const owners = [...(this.#owners.get(id)?.keys() ?? [])];
    return owners.filter((other) => other !== owner).sort(compareText)[0];
  }

  /** Notes that the owner has the id. Claims are counted, not checked. */
  claim(id: number, owner: string): void {
    let owners = this.#owners.get(id);
    if (owners === undefined) {
      owners = new Map();
      this.#owners.set(id, owners);
      if (id <= VXLAN_IDS.last) this.#space.take(id);
    }
    owners.set(owner, (owners.get(owner) ?? 0) + 1);
  }

  /** Takes back a claim. False when there was none. */
  release(id: number, owner: string): boolean {
    const owners = this.#owners.get(id);
    const count = owners?.get(owner) ?? 0;
    if (owners === undefined || count === 0) return false;
    if (count > 1) owners.set(owner, count - 1);
    else owners.delete(owner);
    if (owners.size === 0) {
      this.#owners.delete(id);
      this.#space.release(id);
    }
    return true;
  }

  /** Finds and claims the next free id; undefined when all are taken. */
  next(owner: string): number | undefined {
    const id = this.#space.next();
    if (id !== undefined) this.#owners.set(id, new Map([[owner, 1]]));
    return id;
  }

  /** Ids that somebody has. */
  get taken(): number {
    return this.#owners.size;
  }
}
