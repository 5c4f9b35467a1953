/**
 * The writes of one member of a group of shards.
 */
import { ACTORS, Lease, type Clock, type Revision } from '@skep/api';
import { CHANGES_MAX, type Change, type Conflict, type Expectation } from '@skep/store';
import type { Store } from '@skep/store';
import { acquiredLease, releasedLease } from './lease-claim.js';
import type { ShardLeases } from './shard-plan.js';

/** What a {@link ShardWriter} is built from. */
export interface ShardWriterParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly identity: string;
  readonly leases: ShardLeases;
  readonly durationMs: number;
  /** Fence of the membership. */
  readonly fence: () => readonly Expectation[];
}

/** What came of taking shards: the terms of all of them, or why none was taken. */
export type ShardsTaken =
  | { readonly ok: true; readonly revision: Revision; readonly terms: ReadonlyMap<number, number> }
  | { readonly ok: false; readonly conflict: Conflict; readonly fence: readonly Expectation[] };

/** Writes leases of shards. Each call is at most one commit for each 200 of them. */
export class ShardWriter {
  readonly #parts: ShardWriterParts;

  constructor(parts: ShardWriterParts) {
    this.#parts = parts;
  }

  /**
   * Takes at most 200 shards in a new term, all or none. A holder that seemed to be gone must not
   * have shown a sign of life since.
   */
  async acquire(shards: readonly number[]): Promise<ShardsTaken> {
    const { store, clock, identity, leases, durationMs } = this.#parts;
    const view = store.view();
    const fence = this.#parts.fence();
    const terms = new Map<number, number>();
    const gone = new Set<string>();
    const changes = shards.map((shard): Change => {
      const lease = view.get(Lease, leases.shardId(shard));
      const holder = lease?.spec.holder ?? '';
      if (holder !== '' && holder !== identity) gone.add(holder);
      const claim = { name: leases.shardName(shard), holder: identity, durationMs };
      const term = (lease?.spec.term ?? 0) + 1;
      terms.set(shard, term);
      const object = acquiredLease(lease, claim, { term, now: clock.now() });
      return { type: lease === undefined ? 'create' : 'update', object };
    });
    const silent = [...gone].sort().map((member): Expectation => {
      const id = leases.memberId(member);
      return {
        type: 'version',
        kind: Lease.name,
        id,
        version: view.get(Lease, id)?.meta.version ?? 0,
      };
    });
    const expect = [...fence, ...silent];
    const result = await store.commit({ actor: ACTORS.elector, expect, changes });
    if (!result.ok) return { ok: false, conflict: result.conflict, fence };
    await store.waitFor(result.revision);
    return { ok: true, revision: result.revision, terms };
  }

  /** Writes that shards which name this member have no owner; false when it met a conflict. */
  async letGo(shards: readonly number[]): Promise<boolean> {
    const { store, identity, leases } = this.#parts;
    for (let at = 0; at < shards.length; at += CHANGES_MAX) {
      const view = store.view();
      const changes = shards.slice(at, at + CHANGES_MAX).flatMap((shard): Change[] => {
        const lease = view.get(Lease, leases.shardId(shard));
        if (lease?.spec.holder !== identity) return [];
        return [{ type: 'update', object: releasedLease(lease) }];
      });
      const result = await store.commit({ actor: ACTORS.elector, changes });
      if (result.ok) continue;
      await store.waitFor(result.conflict.version);
      return false;
    }
    return true;
  }

  /** Deletes the leases of members, the first 200 of them, if nothing has happened to them. */
  async forget(members: readonly string[]): Promise<void> {
    const { store, leases } = this.#parts;
    const view = store.view();
    const changes = members.slice(0, CHANGES_MAX).flatMap((member): Change[] => {
      const lease = view.get(Lease, leases.memberId(member));
      if (lease === undefined) return [];
      const { id, version } = lease.meta;
      return [{ type: 'delete', kind: Lease.name, id, version }];
    });
    if (changes.length === 0) return;
    await store.commit({ actor: ACTORS.elector, expect: this.#parts.fence(), changes });
  }
}
