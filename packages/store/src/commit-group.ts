/**
 * Commits that may go to the backend together: none of them touches what another one does.
 *
 * Each is then checked against the tables as they are and would be no different after the others,
 * so nothing has to be undone when the backend refuses the group.
 *
 * **Source:** group commit after DeWitt et al., "Implementation Techniques for Main Memory Database
 * Systems" (1984), limited to what is independent.
 */
import { Lease } from '@skep/api';
import type { Transaction } from './contract.js';
import type { Draft } from './draft.js';
import type { Tables } from './table.js';

/** Commits that go to a backend at once, at most. */
export const GROUP_MAX = 128;

/** What the commits of a group touch. */
export class CommitGroup {
  readonly #tables: Tables;
  /** Objects (`Kind/id`) that are written, and names (`Kind:name`) that are given or freed. */
  readonly #touched = new Set<string>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * Whether a transaction depends on nothing that the group writes.
   * @throws invalid-argument for a kind that the store does not keep.
   */
  isIndependent({ expect, changes }: Transaction): boolean {
    const touched = this.#touched;
    if (touched.size === 0) return true;
    for (const expectation of expect ?? []) {
      const kind = expectation.type === 'lease' ? Lease.name : expectation.kind;
      if (touched.has(`${kind}/${expectation.id}`)) return false;
    }
    for (const change of changes) {
      if (change.type === 'delete') {
        if (touched.has(`${change.kind}/${change.id}`)) return false;
        continue;
      }
      const { kind, meta } = change.object;
      if (touched.has(`${kind}/${meta.id}`)) return false;
      if (this.#isNamed(kind, meta.name) && touched.has(nameOf(kind, meta.name))) return false;
    }
    return true;
  }

  /** Notes what a commit of the group will write. */
  add({ events }: Draft): void {
    for (const { object, previous } of events) {
      const { kind, meta } = object;
      this.#touched.add(`${kind}/${meta.id}`);
      for (const name of [meta.name, previous?.meta.name ?? '']) {
        if (this.#isNamed(kind, name)) this.#touched.add(nameOf(kind, name));
      }
    }
  }

  /** An empty name is no name: neither unique nor found. */
  #isNamed(kind: string, name: string): boolean {
    return name !== '' && this.#tables.of(kind).hasUniqueName;
  }
}

/** Never the same as an object's: names of kinds hold neither colon nor slash. */
function nameOf(kind: string, name: string): string {
  return `${kind}:${name.toLowerCase()}`;
}
