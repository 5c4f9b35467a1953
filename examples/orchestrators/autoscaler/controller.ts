/**
 * The controller of autoscalers: reads a metric every period, and owns the number of replicas of
 * the
 * service and nothing else of it.
 */
import { ACTORS, byService, isDeleting, isEqual, Service, Task, wantedReplicas } from '@skep/api';
import { withStatus, type MetricSource, type ObjectId, type Timestamp } from '@skep/api';
import { defineController, update } from '@skep/controller';
import type { AsyncController, ReconcileContext, ReconcileResult } from '@skep/controller';
import { planFields, planReleaseFields } from '@skep/orchestrator';
import type { Change, ObjectEvent, View } from '@skep/store';
import { withFinalizer, withoutFinalizer } from '../kit/finalizer.js';
import { Autoscaler } from './kind.js';
import {
  averageOf,
  recommended,
  recorded,
  stabilized,
  type Measurement,
} from './recommendation.js';

const NAME = 'autoscaler';
const PERIOD_MS = 15_000;

/** Reads the metrics from `source`. */
export function autoscalerController(source: MetricSource): AsyncController {
  return defineController({
    name: NAME,
    // The spec of a service belongs to its user; an autoscaler is told by one to turn this knob.
    actor: ACTORS.user,
    for: Autoscaler,
    predicate: isNewSpec,
    concurrency: 10,
    reconcile: (context, id) => reconcile(source, context, id),
  });
}

async function reconcile(
  source: MetricSource,
  context: ReconcileContext,
  id: ObjectId,
): Promise<ReconcileResult | undefined> {
  const { view, now } = context;
  const scaler = view.get(Autoscaler, id);
  if (scaler === undefined) return undefined;
  if (isDeleting(scaler)) return release(context, scaler);
  const { spec, status } = scaler;
  const periodMs = spec.periodMs ?? PERIOD_MS;
  // On a grid of time: a restart reads at the same times as before.
  const requeueAt = (Math.floor(now / periodMs) + 1) * periodMs;
  const service = view.getByName(Service, spec.service);
  const current = service === undefined ? undefined : wantedReplicas(service.spec);
  if (service === undefined || current === undefined) return { requeueAt };

  const { metric } = spec;
  const serviceId = service.meta.id;
  const measured = measurement(view, serviceId, await source.read({ metric, serviceId, now }));
  const recommendation = { since: now, replicas: recommended(spec, measured, current) };
  const recommendations = recorded(spec, status.recommendations, recommendation);
  const isEarly = (status.lastScale?.scaledAt ?? -Infinity) >= requeueAt - periodMs;
  const wanted = isEarly ? current : stabilized(spec, { recommendations, current, now });

  const claim = planReplicas(view, scaler, service, wanted);
  const isScaled = wanted !== current && claim.length > 0;
  const [from, to, average] = [current, wanted, averageOf(measured) ?? 0];
  const next = withFinalizer(
    withStatus(scaler, {
      ...status,
      recommendations,
      ...(isScaled ? { lastScale: { scaledAt: now, from, to, average } } : {}),
    }),
    NAME,
  );
  const isSame = next.meta === scaler.meta && isEqual(next.status, status);
  // One commit: after a crash either both are there, or neither.
  const changes = [...claim, ...(isSame ? [] : [update(next)])];
  if (changes.length > 0) await context.commit(changes);
  if (isScaled) {
    const message = `${spec.service}: ${from} to ${to}, ${metric} was ${average.toFixed(2)}`;
    context.event({ regarding: scaler, type: 'normal', reason: 'Scaled', message });
  }
  return { requeueAt };
}

/**
 * Makes the number so and says whose it is, from the first look on: then a stack file may leave it
 * out, and one that does not is told. By force: whoever declared the autoscaler handed it over.
 */
function planReplicas(
  view: View,
  scaler: Autoscaler,
  { meta, spec }: Service,
  replicas: number,
): readonly Change[] {
  const type = spec.mode === undefined ? { type: 'replicated' as const } : {};
  const request = { reference: meta.id, manager: managerOf(scaler), force: true };
  return planFields(view, Service, { ...request, spec: { mode: { ...type, replicas } } }).changes;
}

/** The number stays as it is, and is nobody's; then the autoscaler may go. */
async function release(context: ReconcileContext, scaler: Autoscaler): Promise<undefined> {
  const { view } = context;
  const reference = scaler.spec.service;
  const { changes } = planReleaseFields(view, Service, { reference, manager: managerOf(scaler) });
  const object = withoutFinalizer(scaler, NAME);
  if (object !== scaler) await context.commit([...changes, update(object)]);
}

function managerOf({ meta }: Autoscaler): string {
  return `Autoscaler ${meta.name}`;
}

/** The values of the tasks that run; what a source says about others is of no interest. */
function measurement(
  view: View,
  serviceId: ObjectId,
  read: ReadonlyMap<string, number>,
): Measurement {
  const running = view
    .list(Task, byService(serviceId))
    .filter(({ spec, status }) => status.state === 'running' && spec.desiredState === 'running');
  const values = running.flatMap(({ meta }) => read.get(meta.id) ?? []);
  // Sums of fractions depend on their order.
  return { values: values.sort((a, b) => a - b), missing: running.length - values.length };
}

/** Its own writes to the status do not wake it: it looks again when its period is over. */
function isNewSpec({ type, object, previous }: ObjectEvent): boolean {
  return (
    type !== 'updated' || object.meta.generation !== previous?.meta.generation || isDeleting(object)
  );
}

/** A source that computes: `value(now, tasks)` is the metric of each of that many running tasks. */
export function computedMetric(
  view: () => View,
  value: (now: Timestamp, tasks: number) => number,
): MetricSource {
  return {
    read: ({ serviceId, now }) => {
      const running = view()
        .list(Task, byService(serviceId))
        .filter(({ status }) => status.state === 'running');
      const each = value(now, running.length);
      return Promise.resolve(new Map(running.map(({ meta }) => [meta.id, each])));
    },
  };
}
