/**
 * Generic resources of one node: which are declared, which are in use, which are free.
 *
 * A kind is counted (`{ kind: 'ssd', count: 3 }`), or its items have names
 * (`{ kind: 'gpu', ids: ['uuid1', 'uuid2'] }`). Tasks ask for counts; what each was given is
 * recorded in its status and restored from there, never claimed again (defect 18).
 *
 * **Source:** SwarmKit api/genericresource.
 */
import { assert, compareText, type GenericResource } from '@skep/api';

/** An amount of a kind that a task asks for. */
export interface GenericRequest {
  readonly kind: string;
  readonly count: number;
}

interface KindLedger {
  /** Items without names that the node has. */
  total: number;
  /** Uses of items whose name is not known, or that have none. */
  unnamedUses: number;
  /** Names that the node declares, in the order in which they are given out. */
  ids: readonly string[];
  /** Uses of each name. A counter: two tasks may hold one name during a fail-over. */
  readonly idUses: Map<string, number>;
}

/** Shared by all nodes without generic resources. */
const NO_KINDS: ReadonlyMap<string, KindLedger> = new Map();

/** The generic resources of a node. */
export class GenericLedger {
  #kinds: ReadonlyMap<string, KindLedger> = NO_KINDS;

  /** Replaces what the node has; what is in use stays in use. Cost: O(items). */
  declare(resources: readonly GenericResource[] = []): void {
    for (const ledger of this.#kinds.values()) {
      ledger.total = 0;
      ledger.ids = [];
    }
    for (const resource of resources) {
      const ledger = this.#ledger(resource.kind);
      if ('ids' in resource) {
        ledger.ids = [...new Set([...ledger.ids, ...resource.ids])].sort(compareText);
      } else {
        ledger.total += resource.count;
      }
    }
  }

  /** How many items of the kind are declared. */
  capacity(kind: string): number {
    const ledger = this.#kinds.get(kind);
    return ledger === undefined ? 0 : ledger.total + ledger.ids.length;
  }

  /** How many items of the kind are free; negative when more are in use than are declared. */
  free(kind: string): number {
    const ledger = this.#kinds.get(kind);
    if (ledger === undefined) return 0;
    let free = ledger.total - ledger.unnamedUses;
    for (const id of ledger.ids) if (!ledger.idUses.has(id)) free += 1;
    return free;
  }

  /**
   * Chooses items for the requests without taking them: names first, in the order of their text,
   * then unnamed ones. Assumes that enough are free.
   */
  choose(requests: readonly GenericRequest[]): readonly GenericResource[] {
    const chosen: GenericResource[] = [];
    for (const { kind, count } of requests) {
      const ledger = this.#ledger(kind);
      const ids = ledger.ids.filter((id) => !ledger.idUses.has(id)).slice(0, count);
      if (ids.length > 0) chosen.push({ kind, ids });
      if (ids.length < count) chosen.push({ kind, count: count - ids.length });
    }
    return chosen;
  }

  /** Takes the items, whether or not they are free: what a task holds, it holds. */
  take(resources: readonly GenericResource[]): void {
    for (const resource of resources) {
      const ledger = this.#ledger(resource.kind);
      if (!('ids' in resource)) {
        ledger.unnamedUses += resource.count;
        continue;
      }
      for (const id of resource.ids) ledger.idUses.set(id, (ledger.idUses.get(id) ?? 0) + 1);
    }
  }

  /** Gives back what {@link GenericLedger.take} took. */
  giveBack(resources: readonly GenericResource[]): void {
    for (const resource of resources) {
      const ledger = this.#ledger(resource.kind);
      if (!('ids' in resource)) {
        ledger.unnamedUses -= resource.count;
        continue;
      }
      for (const id of resource.ids) {
        const uses = ledger.idUses.get(id);
        assert(uses !== undefined, `generic resource ${resource.kind} ${id} is not in use`);
        if (uses === 1) ledger.idUses.delete(id);
        else ledger.idUses.set(id, uses - 1);
      }
    }
  }

  #ledger(kind: string): KindLedger {
    let ledger = this.#kinds.get(kind);
    if (ledger === undefined) {
      ledger = { total: 0, unnamedUses: 0, ids: [], idUses: new Map() };
      this.#kinds = new Map([...this.#kinds, [kind, ledger]]);
    }
    return ledger;
  }
}

/** Adds up amounts of one kind; sorted by kind, so that equal wishes look equal. */
export function genericRequests(
  resources: readonly GenericResource[] | undefined,
): readonly GenericRequest[] {
  if (resources === undefined || resources.length === 0) return NO_REQUESTS;
  const counts = new Map<string, number>();
  for (const resource of resources) {
    const count = 'ids' in resource ? resource.ids.length : resource.count;
    if (count > 0) counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + count);
  }
  return [...counts]
    .map(([kind, count]) => ({ kind, count }))
    .sort((a, b) => compareText(a.kind, b.kind));
}

const NO_REQUESTS: readonly GenericRequest[] = Object.freeze([]);
