/**
 * Plans that clean up before their object may disappear.
 *
 * **Source:** kube-rs kube-runtime finalizer.rs for the guarantee; the pure form is ours.
 */
import { isDeleting, SkepError, withMeta } from '@skep/api';
import type { Kind, StoredObject, Timestamp } from '@skep/api';
import type { Change, View } from '@skep/store';
import { noChanges, update } from './changes.js';
import type { Plan } from './contract.js';

/** What a {@link Finalized} plan decides on. */
export interface FinalizerInput<Spec, Status> {
  readonly object: StoredObject<Spec, Status>;
  readonly view: View;
  readonly now: Timestamp;
}

/** What a clean-up decided. */
export interface CleanupPlan extends Plan {
  /** Whether nothing is left to do once `changes` are committed: the object may go then. */
  readonly isDone: boolean;
}

/** The two halves of a plan with a finalizer. */
export interface Finalized<Spec, Status> {
  /** Kind of the objects that the keys name. */
  readonly for: Kind<Spec, Status>;
  /** What to do while the object is wanted. The finalizer is on it by then. */
  apply(input: FinalizerInput<Spec, Status>): Plan;
  /**
   * What to do once its deletion was asked for; called until it is done. It should look at what is
   * there, not at what `apply` may have made: a crash may have come between.
   */
  cleanup(input: FinalizerInput<Spec, Status>): CleanupPlan;
}

/**
 * A plan for objects with a finalizer of this name. What it guarantees: once `apply` has been
 * called for an object, the object does not disappear before a `cleanup` was done.
 *
 * So the first pass over an object only adds the finalizer; `apply` follows when that is stored. An
 * object whose deletion was asked for before that is left alone. When `cleanup` is done, the
 * finalizer goes in the commit of its changes; with more than 200 changes, in the last one.
 *
 * @throws invalid-argument for a finalizer without a name.
 */
export function withFinalizer<Spec, Status>(
  name: string,
  finalized: Finalized<Spec, Status>,
): (view: View, key: string, now: Timestamp) => Plan {
  if (name === '') throw new SkepError('invalid-argument', 'a finalizer needs a name');
  return (view, key, now) => {
    const object = view.get(finalized.for, key);
    if (object === undefined) return noChanges;
    const { finalizers } = object.meta;
    const isHeld = finalizers.includes(name);
    if (!isDeleting(object)) {
      if (isHeld) return finalized.apply({ object, view, now });
      return { changes: [update(withMeta(object, { finalizers: [...finalizers, name] }))] };
    }
    if (!isHeld) return noChanges;
    const { isDone, ...plan } = finalized.cleanup({ object, view, now });
    return isDone ? { ...plan, changes: released(plan.changes, object, name) } : plan;
  };
}

/** The changes with the finalizer's end: an object takes part in a commit once, so they merge. */
function released(
  changes: readonly Change[],
  object: StoredObject,
  name: string,
): readonly Change[] {
  let last = object;
  const others = changes.filter((change) => {
    if (change.type === 'delete')
      return change.kind !== object.kind || change.id !== object.meta.id;
    const isOwn = change.object.kind === object.kind && change.object.meta.id === object.meta.id;
    if (isOwn) last = change.object;
    return !isOwn;
  });
  const finalizers = last.meta.finalizers.filter((finalizer) => finalizer !== name);
  return [...others, update(withMeta(last, { finalizers }))];
}
