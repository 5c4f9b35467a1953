/**
 * Ways to break a controller that the laws have to find: what people do who have not thought of a
 * crash at the worst moment.
 */
import { byOwner, compareText, isDeleting, isEqual, isSkepError, Service } from '@skep/api';
import { withMeta } from '@skep/api';
import type { Kind } from '@skep/api';
import { removeAnyVersion } from '@skep/controller';
import type { AsyncController, PlanController } from '@skep/controller';
import type { Change, Conflict, View } from '@skep/store';

/**
 * Writes the first change of a plan, and the others in the next pass: an intermediate state. What
 * is left to do is remembered, not stored, so make it anew for every process.
 */
export function inTwoCommits(controller: PlanController): PlanController {
  const left = new Map<string, readonly Change[]>();
  return {
    ...controller,
    plan: (view, key, now) => {
      const rest = left.get(key);
      left.delete(key);
      if (rest !== undefined) return { changes: rest };
      const plan = controller.plan(view, key, now);
      const [first, ...others] = plan.changes;
      if (first === undefined || others.length === 0) return plan;
      left.set(key, others);
      return { changes: [first], requeueAt: now + 1 };
    },
  };
}

/** The same for an asynchronous controller: every change in a commit of its own. */
export function inManyCommits(controller: AsyncController): AsyncController {
  return {
    ...controller,
    reconcile: (context, key) =>
      controller.reconcile(
        {
          ...context,
          commit: async (changes, ...rest) => {
            const [first, ...others] = changes;
            if (first !== undefined) await context.commit([first], ...rest);
            return context.commit(others, ...rest);
          },
        },
        key,
      ),
  };
}

/** How often {@link insisting} asks for the newest version. */
const TRIES_MAX = 20;

/**
 * Decides on the view that it has, however old; beaten to a write, it asks for the newest version
 * and writes what it had decided over it: a stale state. So does who reads, changes and writes back
 * without looking again.
 */
export function insisting(controller: PlanController): AsyncController {
  const { plan, ...rest } = controller;
  return {
    ...rest,
    reconcile: async ({ view, now, commit }, key) => {
      const { changes, requeueAt } = plan(view, key, now);
      let left: readonly Change[] = changes;
      for (let tries = 0; left.length > 0; tries += 1) {
        const conflict = await commit(left).then(
          () => undefined,
          (error: unknown) => {
            if (!isSkepError(error, 'conflict') || tries >= TRIES_MAX) throw error;
            return error.details['conflict'] as Conflict;
          },
        );
        if (conflict === undefined) break;
        left = left.flatMap((change) => overwriting(change, conflict));
      }
      return requeueAt === undefined ? {} : { requeueAt };
    },
  };
}

/** The change as it goes through; nothing of one that somebody has made already. */
function overwriting(change: Change, { id, version, reason }: Conflict): readonly Change[] {
  if (change.type === 'delete') return change.id === id ? [] : [change];
  if (change.object.meta.id !== id) return [change];
  if (change.type === 'create' || reason === 'not-found') return [];
  return [{ ...change, object: withMeta(change.object, { version }) }];
}

/**
 * Takes no finalizer, remembers which objects there were, and removes their services one by one
 * when they are gone: an unobserved state. Who was not there when the object went never removes
 * them.
 */
export function withoutFinalizer<Spec, Status>(
  controller: PlanController,
  kind: Kind<Spec, Status>,
): PlanController {
  const seen = new Set<string>();
  return {
    ...controller,
    plan: (view, key, now) => {
      if (view.get(kind, key) === undefined) {
        if (!seen.has(key)) return { changes: [] };
        const owned = view.list(Service, byOwner(Service, key));
        const [next] = owned.filter((service) => !isDeleting(service)).sort(compareIds);
        return { changes: next === undefined ? [] : [removeAnyVersion(next)] };
      }
      seen.add(key);
      const plan = controller.plan(view, key, now);
      return { ...plan, changes: plan.changes.flatMap((change) => withNoFinalizer(view, change)) };
    },
  };

  function withNoFinalizer(view: View, change: Change): readonly Change[] {
    if (change.type !== 'update' || change.object.kind !== kind.name) return [change];
    const object = withMeta(change.object, { finalizers: [] });
    return isEqual(object, view.get(kind, object.meta.id)) ? [] : [{ ...change, object }];
  }
}

function compareIds(a: Service, b: Service): number {
  return compareText(a.meta.id, b.meta.id);
}
