/**
 * What a lease says, and when it may be taken.
 *
 * **Source:** client-go tools/leaderelection for the rule that a lease is judged by the time at
 * which a change of it was seen here, never by the times that are written in it.
 */
import { deriveId, Lease, newObject, withSpec, type LeaseSpec } from '@skep/api';
import type { ObjectId, Revision, Timestamp } from '@skep/api';

/** Id of the lease with this name. */
export function leaseId(name: string): ObjectId {
  return deriveId('lease', name);
}

/** Who wants a lease, and on which terms. */
export interface LeaseClaim {
  readonly name: string;
  readonly holder: string;
  readonly durationMs: number;
}

/** The lease as its holder in a new term writes it. */
export function acquiredLease(
  lease: Lease | undefined,
  claim: LeaseClaim,
  input: { readonly term: number; readonly now: Timestamp },
): Lease {
  const { now, term } = input;
  const { name, holder, durationMs } = claim;
  const spec: LeaseSpec = { holder, term, durationMs, acquiredAt: now, renewedAt: now };
  return lease === undefined
    ? newObject(Lease, { id: leaseId(name), name, spec })
    : withSpec(lease, spec);
}

/** The lease with a fresh time; the write itself is what others go by. */
export function renewedLease(lease: Lease, claim: LeaseClaim, now: Timestamp): Lease {
  return withSpec(lease, { ...lease.spec, durationMs: claim.durationMs, renewedAt: now });
}

/** The lease without a holder: anybody may take it at once. */
export function releasedLease(lease: Lease): Lease {
  return withSpec(lease, { ...lease.spec, holder: '' });
}

/**
 * Watches one lease from here. Clocks of two managers need not agree; they only have to run at
 * about the same speed.
 */
export class LeaseObservation {
  #version: Revision = -1;
  #seenAt: Timestamp = 0;
  #termMax = 0;

  /** Highest term that was ever seen. */
  get termMax(): number {
    return this.#termMax;
  }

  /** When the lease was seen to change last. */
  get seenAt(): Timestamp {
    return this.#seenAt;
  }

  /** Takes note of the lease as it is now. */
  see(lease: Lease | undefined, now: Timestamp): void {
    const version = lease?.meta.version ?? 0;
    this.#termMax = Math.max(this.#termMax, lease?.spec.term ?? 0);
    if (version === this.#version) return;
    this.#version = version;
    this.#seenAt = now;
  }

  /** When `identity` may take the lease that was seen last; 0: at once. */
  freeAt(lease: Lease | undefined, identity: string): Timestamp {
    if (lease === undefined) return 0;
    const { holder, durationMs } = lease.spec;
    return holder === '' || holder === identity ? 0 : this.#seenAt + durationMs;
  }
}
