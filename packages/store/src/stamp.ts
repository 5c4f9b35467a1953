/**
 * The fields of an object that the store writes.
 */
import type { Meta, Revision, Timestamp } from '@skep/api';

/** What the store says about an object that is written. */
export interface Stamp {
  readonly version: Revision;
  readonly generation: number;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly deletionRequestedAt?: Timestamp | undefined;
}

/**
 * Meta as it is stored: identity, labels, finalizers, owners and managers from the writer, the rest
 * from the store. Always built in the same order of fields, which keeps reading it fast.
 */
export function stampedMeta(meta: Meta, stamp: Stamp): Meta {
  const stamped: { -readonly [Field in keyof Meta]: Meta[Field] } = {
    id: meta.id,
    name: meta.name,
    labels: meta.labels,
    version: stamp.version,
    generation: stamp.generation,
    createdAt: stamp.createdAt,
    updatedAt: stamp.updatedAt,
    finalizers: meta.finalizers,
    owners: meta.owners,
  };
  if (meta.annotations !== undefined) stamped.annotations = meta.annotations;
  if (meta.managers !== undefined) stamped.managers = meta.managers;
  if (stamp.deletionRequestedAt !== undefined) {
    stamped.deletionRequestedAt = stamp.deletionRequestedAt;
  }
  return stamped;
}
