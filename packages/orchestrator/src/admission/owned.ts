/**
 * Objects that a controller makes for an object of its own: with an owner, finalizers and defaults,
 * through the same door as what people declare.
 */
import { SkepError, type OwnerReference, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { planApply } from './apply.js';
import { anyKind, type AdmissionPlan, type DeclaredObject } from './declared-objects.js';

/** What a controller declares: its id follows from its cause. */
export type OwnedObject = Omit<DeclaredObject, 'owners' | 'id'> & {
  readonly id: NonNullable<DeclaredObject['id']>;
};

/** How owned objects are declared. */
export interface OwnedOptions {
  /** Who owns the fields. Default: kind and name of the owner, `CronJob nightly`. */
  readonly manager?: string;
  /** Takes over fields that others changed. Default: true: what is owned is as its owner says. */
  readonly force?: boolean;
}

/**
 * The changes that make objects be as declared, owned by `owner` (`isController`), or why the front
 * door refuses them: nothing when they are so already. Labels and annotations that are not given
 * stay. For plans of controllers; commit them as `user`, whose right it is to write specs. Pure.
 */
export function planOwned(
  view: View,
  owner: StoredObject,
  objects: readonly OwnedObject[],
  options: OwnedOptions = {},
): AdmissionPlan {
  const { kind, meta } = owner;
  const reference: OwnerReference = { kind, id: meta.id, isController: true };
  const declared = objects.map((object): DeclaredObject => {
    const existing = view.get(anyKind(object.kind), object.id)?.meta;
    const owners = existing?.owners ?? [];
    const isOwned = owners.some((one) => one.kind === kind && one.id === meta.id);
    return {
      ...(existing === undefined ? {} : { labels: existing.labels }),
      ...(existing?.annotations === undefined ? {} : { annotations: existing.annotations }),
      ...object,
      owners: isOwned ? owners : [...owners, reference],
    };
  });
  const { manager = `${kind} ${meta.name || meta.id}`, force = true } = options;
  return planApply(view, declared, { ids: NO_IDS, manager, force });
}

const NO_IDS = Object.freeze({
  next: (): string => {
    throw new SkepError('internal', 'an owned object brings its own id');
  },
});
