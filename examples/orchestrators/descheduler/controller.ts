/**
 * The controller of deschedulers. A move is a task that is asked to make room (`planMove`): the
 * orchestrator fills its slot anew, in the order that the service's updates have, and the scheduler
 * puts the new task where the service has the fewest.
 */
import { ACTORS, compareText, Service } from '@skep/api';
import { wantedReplicas, withStatus, type ObjectId, type Timestamp } from '@skep/api';
import { defineController, noChanges, update } from '@skep/controller';
import type { Plan, PlanController } from '@skep/controller';
import { planMove } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { Descheduler } from './kind.js';
import { skewOf } from './skew.js';

const INTERVAL_MS = 60_000;

/** Evens services out. */
export function deschedulerController(): PlanController {
  return defineController({
    name: 'descheduler',
    actor: ACTORS.user,
    for: Descheduler,
    plan: planDescheduler,
  });
}

/** Decides about one descheduler. Pure. Cost: O(tasks of the services + services × nodes). */
export function planDescheduler(view: View, id: ObjectId, now: Timestamp): Plan {
  const descheduler = view.get(Descheduler, id);
  if (descheduler === undefined) return noChanges;
  const { spec, status } = descheduler;
  const { intervalMs = INTERVAL_MS, movesMax = 1, skewMax = 1 } = spec;
  const interval = Math.floor(now / intervalMs);
  const requeueAt = (interval + 1) * intervalMs;
  const used = status.interval === interval ? status.moves : 0;

  const skews = servicesOf(view, spec.services)
    .map((service) => ({ service, skew: skewOf(view, service) }))
    .flatMap(({ service, skew }) => (skew === undefined ? [] : { service, ...skew }))
    .filter(({ difference }) => difference > skewMax)
    .filter(({ service, picture }) => status.before[service.meta.id] !== picture)
    .sort(
      (a, b) =>
        b.difference - a.difference || compareText(a.service.meta.name, b.service.meta.name),
    );
  const moves = skews
    .map((skew) => ({ ...skew, plan: planMove(view, skew.task.meta.id) }))
    .filter(({ plan }) => plan.complaints.length === 0)
    .slice(0, Math.max(0, movesMax - used));
  if (moves.length === 0) return { changes: [], requeueAt };

  const known = Object.entries(status.before).filter(([key]) => view.get(Service, key));
  const pictures = moves.map(({ service, picture }) => [service.meta.id, picture]);
  const next = withStatus(descheduler, {
    interval,
    moves: used + moves.length,
    total: status.total + moves.length,
    before: Object.fromEntries([...known, ...pictures]),
  });
  return {
    changes: [
      // The budget and the moves in one commit: a crash spends both or neither.
      update(next),
      ...moves.flatMap(({ plan }) => plan.changes),
    ],
    requeueAt,
    events: moves.map(({ service, from, picture }) => ({
      regarding: service,
      type: 'normal',
      reason: 'TaskMoved',
      message: `a task leaves node ${from}: ${picture}`,
    })),
  };
}

function servicesOf(view: View, names: readonly string[] | undefined): readonly Service[] {
  const services =
    names === undefined
      ? view.list(Service)
      : names.flatMap((name) => view.getByName(Service, name) ?? []);
  return services.filter(({ spec }) => wantedReplicas(spec) !== undefined);
}
