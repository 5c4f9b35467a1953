/**
 * Expectations of a transaction: versions of other objects, and the fence of a leader.
 */
import { Lease, type LeaseSpec } from '@skep/api';
import type { Conflict, Expectation } from './contract.js';
import type { Tables } from './table.js';

/**
 * The conflict when the expectation does not hold, else undefined.
 * A lease is compared by holder and term, not by time: whoever takes over raises the term in a
 * commit, and from that commit on the old holder's writes are refused.
 * @throws invalid-argument for a kind that the store does not keep.
 */
export function failedExpectation(expectation: Expectation, tables: Tables): Conflict | undefined {
  return expectation.type === 'version'
    ? failedVersion(expectation, tables)
    : failedLease(expectation, tables);
}

function failedVersion(
  expectation: Extract<Expectation, { type: 'version' }>,
  tables: Tables,
): Conflict | undefined {
  const { kind, id } = expectation;
  const version = tables.of(kind).row(id)?.object.meta.version ?? 0;
  if (version === expectation.version) return undefined;
  const reason =
    expectation.version === 0 ? 'already-exists' : version === 0 ? 'not-found' : 'version';
  return {
    reason,
    kind,
    id,
    version,
    message: `${kind} ${id} has version ${version}, expected was ${expectation.version}`,
  };
}

function failedLease(
  expectation: Extract<Expectation, { type: 'lease' }>,
  tables: Tables,
): Conflict | undefined {
  const { id, holder, term } = expectation;
  const lease = tables.of(Lease.name).row(id)?.object;
  const spec = lease?.spec as LeaseSpec | undefined;
  if (spec !== undefined && spec.holder === holder && spec.term === term) return undefined;
  const found =
    spec === undefined ? 'which does not exist' : `held by ${spec.holder} in term ${spec.term}`;
  return {
    reason: 'lease',
    kind: Lease.name,
    id,
    version: lease?.meta.version ?? 0,
    message: `${holder} does not hold lease ${id} in term ${term}: ${found}`,
  };
}
