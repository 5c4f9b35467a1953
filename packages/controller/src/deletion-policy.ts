/**
 * What becomes of the dependants of an object that is deleted.
 *
 * **Source:** Kubernetes "Garbage Collection": cascading deletion and its finalizers.
 */
import { SkepError, withMeta, type StoredObject } from '@skep/api';

/**
 * - `background`: the object goes at once, its dependants after it.
 * - `foreground`: dependants go first; the object waits for those that block its deletion.
 * - `orphan`: dependants stay and lose their references to the object before it goes.
 */
export type DeletionPolicy = 'background' | 'foreground' | 'orphan';

/** Finalizer of an object that waits for its blocking dependants. */
export const FOREGROUND_DELETION = 'foreground-deletion';

/** Finalizer of an object that waits until its dependants do not refer to it any more. */
export const ORPHAN_DEPENDENTS = 'orphan-dependents';

const FINALIZERS: Readonly<Record<DeletionPolicy, readonly string[]>> = Object.freeze({
  background: Object.freeze([]),
  foreground: Object.freeze([FOREGROUND_DELETION]),
  orphan: Object.freeze([ORPHAN_DEPENDENTS]),
});

/**
 * The object with the finalizer of a policy, in place of that of another; the very same object when
 * it has it already. To be written before the object is deleted, or as soon as it is created: an
 * object that is being deleted takes no new finalizers, so its policy can only be taken back to
 * `background`. The {@link garbageCollector} does the rest.
 * @throws invalid-argument for a policy that there is not.
 */
export function deletionPolicy<Spec, Status>(
  object: StoredObject<Spec, Status>,
  policy: DeletionPolicy,
): StoredObject<Spec, Status> {
  if (!Object.hasOwn(FINALIZERS, policy)) {
    const known = Object.keys(FINALIZERS).join(', ');
    const message = `there is no deletion policy '${policy}' (there are: ${known})`;
    throw new SkepError('invalid-argument', message);
  }
  if (policyOf(object) === policy) return object;
  const kept = object.meta.finalizers.filter(
    (name) => name !== FOREGROUND_DELETION && name !== ORPHAN_DEPENDENTS,
  );
  return withMeta(object, { finalizers: [...kept, ...FINALIZERS[policy]] });
}

/** The policy that an object's finalizers stand for; `orphan` when both are there. */
export function policyOf(object: StoredObject): DeletionPolicy {
  const { finalizers } = object.meta;
  if (finalizers.includes(ORPHAN_DEPENDENTS)) return 'orphan';
  return finalizers.includes(FOREGROUND_DELETION) ? 'foreground' : 'background';
}
