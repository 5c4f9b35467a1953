/**
 * A finalizer: the object stays until its controller has cleaned up.
 */
import { withMeta } from '@skep/api';
import type { StoredObject } from '@skep/api';

/** The object with the finalizer; the object itself when it has it. */
export function withFinalizer<Spec, Status>(
  object: StoredObject<Spec, Status>,
  name: string,
): StoredObject<Spec, Status> {
  const { finalizers } = object.meta;
  return finalizers.includes(name)
    ? object
    : withMeta(object, { finalizers: [...finalizers, name] });
}

/** The object without the finalizer; the object itself when it has none of that name. */
export function withoutFinalizer<Spec, Status>(
  object: StoredObject<Spec, Status>,
  name: string,
): StoredObject<Spec, Status> {
  const { finalizers } = object.meta;
  if (!finalizers.includes(name)) return object;
  return withMeta(object, { finalizers: finalizers.filter((entry) => entry !== name) });
}
