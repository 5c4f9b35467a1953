/**
 * Why an object of a cluster changed.
 */
import { SkepError, Task, type Kind } from '@skep/api';
import type { WhyOptions, WhyStep } from '@skep/controller';
import type { Manager } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { findAnyTask, findObject } from './find.js';

export { renderWhy } from '@skep/controller';

/**
 * The commits that led to the newest change of an object, the cause first. Objects are meant by
 * name or id, tasks also by `SERVICE.SLOT`; what is deleted already by its id.
 * @throws failed-precondition when the manager keeps no trace; not-found for a task that nothing is
 * known about.
 */
export function whyOf<Spec, Status>(
  { view, manager }: { readonly view: View; readonly manager: Manager },
  { kind, reference }: { readonly kind: Kind<Spec, Status>; readonly reference: string },
  options?: WhyOptions,
): readonly WhyStep[] {
  const { trace } = manager;
  if (trace === undefined) {
    const message = 'nothing remembers why objects change; make the cluster with the option trace';
    throw new SkepError('failed-precondition', message);
  }
  const gone = trace.why({ kind: kind.name, id: reference }, options);
  if (gone.length > 0) return gone;
  const found =
    kind.name === Task.name ? findAnyTask(view, reference) : findObject(view, kind, reference);
  return found === undefined ? [] : trace.why({ kind: kind.name, id: found.meta.id }, options);
}
