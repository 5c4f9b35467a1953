/**
 * The controller of rollouts: canaries and blue/green with nothing but the service's own spec.
 *
 * While it goes on it owns the replicas, the image, the weights and the hold of updates; the other
 * fields stay with whom they are, and may change. Every write to the service goes together with the
 * status of the rollout that says so, in one commit.
 */
import { ACTORS, byIndex, byService, isDeleting, Service, Task } from '@skep/api';
import { wantedReplicas, withStatus } from '@skep/api';
import type { ObjectId, ServiceSpec, Timestamp } from '@skep/api';
import { defineController, noChanges, returnFields, update } from '@skep/controller';
import type { ManagedSpec, Plan, PlanController } from '@skep/controller';
import { managedSpec, planFields, planManaged, planReturnFields } from '@skep/orchestrator';
import type { AdmissionPlan } from '@skep/orchestrator';
import type { ObjectEvent, View } from '@skep/store';
import { faultText } from '../kit/fault-text.js';
import { withFinalizer, withoutFinalizer } from '../kit/finalizer.js';
import { Rollout, type RolloutBasis, type RolloutPhase, type RolloutStatus } from './kind.js';
import { hasWeights, promotedFields, stepFields, zeroWeights } from './service-states.js';
import type { RolloutFields } from './service-states.js';

const NAME = 'rollout';
const PROGRESS_DEADLINE_MS = 600_000;
const ENDS: readonly RolloutPhase[] = ['completed', 'aborted', 'superseded'];

/** Brings new images in steps. */
export function rolloutController(): PlanController {
  return defineController({
    name: NAME,
    // The spec of a service belongs to its user, who handed it over by declaring the rollout.
    actor: ACTORS.user,
    for: Rollout,
    watches: [
      { kind: Service, keys: ({ object }, view) => rolloutsOf(view, object.meta.name) },
      { kind: Task, keys: rolloutsOfTask },
    ],
    plan: planRollout,
  });
}

/** What a pass looks at. */
interface Scene {
  readonly view: View;
  readonly now: Timestamp;
  readonly rollout: Rollout;
  readonly service: Service;
  readonly tasks: readonly Task[];
}

/** Decides about one rollout. Pure. */
export function planRollout(view: View, id: ObjectId, now: Timestamp): Plan {
  const rollout = view.get(Rollout, id);
  if (rollout === undefined) return noChanges;
  const { spec, status } = rollout;
  const isOver = ENDS.includes(status.phase);
  if (isDeleting(rollout) && (isOver || status.phase === 'pending')) return release(rollout);
  if (isOver && status.basis?.image === spec.image) return noChanges;
  const service = view.getByName(Service, spec.service);
  if (service === undefined || isDeleting(service)) {
    const isWaiting = isOver || status.basis === undefined;
    return isWaiting
      ? noChanges
      : note(rollout, over(status.basis, 'aborted', 'the service is gone'));
  }
  const tasks = view.list(Task, byService(service.meta.id));
  const scene: Scene = { view, now, rollout, service, tasks };
  const { basis } = status;
  if (basis === undefined || isOver || status.phase === 'pending') return begin(scene);
  if (!isInCharge(scene, basis)) return superseded(scene, basis);
  switch (status.phase) {
    case 'progressing':
      return progress(scene, basis);
    case 'promoting':
      return promoted(scene, basis);
    case 'aborting':
      return aborted(scene, basis);
    case 'completed':
    case 'aborted':
    case 'superseded':
      return noChanges;
  }
}

function begin(scene: Scene): Plan {
  const { rollout, service } = scene;
  const { image } = rollout.spec;
  // What is not there yet, or is being changed, is nothing to compare with, or to go back to.
  const { observedGeneration, update: rolling } = service.status;
  const isChanging = rolling?.state === 'updating' || rolling?.state === 'rollback-started';
  if (isChanging || observedGeneration < service.meta.generation) return noChanges;
  const firstGeneration = service.meta.generation + 1;
  const { managers } = managedSpec(service);
  const basis: RolloutBasis = { image, stable: service.spec, managers, firstGeneration };
  if (wantedReplicas(service.spec) === undefined || service.spec.task.container === undefined) {
    return note(rollout, over(basis, 'aborted', 'it takes a replicated service'));
  }
  if (service.spec.task.container.image === image) {
    return note(rollout, over(basis, 'completed', 'the service has the image already'));
  }
  return enterStep(scene, basis, 0);
}

function enterStep(scene: Scene, basis: RolloutBasis, index: number): Plan {
  const { rollout, service, tasks, now } = scene;
  const step = rollout.spec.steps[index];
  if (step === undefined) {
    const fields = promotedFields(service, basis);
    return write(scene, own(scene, fields), { phase: 'promoting', message: '', step: 0, basis });
  }
  const message = `step ${index + 1}: ${step.tasks} new tasks, ${step.percent}%`;
  const fields = stepFields(service, basis, { step, tasks });
  const status = { phase: 'progressing', message, basis, step: index, stepAt: now } as const;
  return write(scene, own(scene, fields), status);
}

/** Aborts, waits for the tasks of the step, waits for its pause, or goes on. */
function progress(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, service, tasks, now } = scene;
  const { spec, status } = rollout;
  if (isDeleting(rollout)) return abort(scene, basis, 'the rollout was removed');
  if (spec.image !== basis.image) return abort(scene, basis, 'another image was declared');
  const news = tasks.filter((task) => (task.spec.specVersion ?? 0) >= basis.firstGeneration);
  const failed = news.filter(({ status: { state } }) => state === 'failed' || state === 'rejected');
  if (failed.length > (spec.failuresMax ?? 0)) {
    return abort(scene, basis, `${failed.length} new tasks failed`);
  }
  const step = spec.steps[status.step];
  // Steps were taken away: the one that it stood at was the last.
  if (step === undefined) return enterStep(scene, basis, status.step);
  // Somebody changed other fields: tasks of that generation need weights, too.
  if (!hasWeights(service)) {
    return write(scene, own(scene, stepFields(service, basis, { step, tasks })), {
      ...status,
      basis,
    });
  }
  if (status.readyAt !== undefined) {
    const until = status.readyAt + (step.pauseMs ?? 0);
    return now < until
      ? { changes: [], requeueAt: until }
      : enterStep(scene, basis, status.step + 1);
  }
  const running = news.filter(({ status: { state } }) => state === 'running').length;
  if (running >= step.tasks) return note(rollout, { ...status, readyAt: now });
  const deadline = (status.stepAt ?? now) + (spec.progressDeadlineMs ?? PROGRESS_DEADLINE_MS);
  if (now < deadline) return { changes: [], requeueAt: deadline };
  return abort(scene, basis, `${running} of ${step.tasks} new tasks run after the deadline`);
}

/** Waits until the old tasks are replaced; then all but the image goes back to whose it was. */
function promoted(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, service } = scene;
  const { update: rolling, observedGeneration } = service.status;
  if (isDeleting(rollout)) return abort(scene, basis, 'the rollout was removed');
  const isPaused = rolling?.specVersion === service.meta.generation && rolling.state === 'paused';
  if (isPaused) return abort(scene, basis, rolling.message);
  if (!hasWeights(service)) {
    return write(scene, own(scene, promotedFields(service, basis)), {
      ...rollout.status,
      basis,
    });
  }
  if (observedGeneration < service.meta.generation) return noChanges;
  const back = giveBack(scene, basis, ['task.container.image']);
  return write(scene, back, over(basis, 'completed', 'all tasks are new'));
}

/** All fields go back but the weights, which take the traffic off the new tasks until they went. */
function abort(scene: Scene, basis: RolloutBasis, message: string): Plan {
  const { view, rollout, service } = scene;
  const manager = managerOf(rollout);
  const back = returnFields(managedSpec(service), {
    manager,
    earlier: earlierSpec(basis),
    keep: ['endpoint.weights'],
  });
  // Not as a declaration: the image of an earlier rollout is its own, and stays.
  const { endpoint, ...rest } = back.spec as ServiceSpec;
  const spec = { ...rest, endpoint: { ...endpoint, weights: zeroWeights(service, basis) } };
  const plan = planManaged(view, service, { spec, managers: back.managers });
  return write(scene, plan, { phase: 'aborting', message, step: 0, basis });
}

/** Waits until the new tasks are gone; then the service is as it was. */
function aborted(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, service } = scene;
  if (service.status.observedGeneration < service.meta.generation) return noChanges;
  return write(scene, giveBack(scene, basis), over(basis, 'aborted', rollout.status.message));
}

/** Somebody took over what the rollout needs: the rest goes back. */
function superseded(scene: Scene, basis: RolloutBasis): Plan {
  const message = 'somebody else took over fields of the service';
  return write(scene, giveBack(scene, basis), over(basis, 'superseded', message));
}

/** By force: whoever declared the rollout handed these fields over to it. */
function own({ view, rollout, service }: Scene, spec: RolloutFields): AdmissionPlan {
  const request = { reference: service.meta.id, manager: managerOf(rollout), force: true };
  return planFields(view, Service, { ...request, spec });
}

function giveBack(
  { view, rollout, service }: Scene,
  basis: RolloutBasis,
  keep: readonly string[] = [],
): AdmissionPlan {
  const request = { reference: service.meta.id, manager: managerOf(rollout) };
  return planReturnFields(view, Service, { ...request, earlier: earlierSpec(basis), keep });
}

function earlierSpec({ stable, managers }: RolloutBasis): ManagedSpec {
  return { spec: stable, managers };
}

function managerOf({ meta }: Rollout): string {
  return `Rollout ${meta.name}`;
}

/** Whether the fields that matter are still the rollout's, and as it wrote them. */
function isInCharge({ rollout, service }: Scene, { image }: RolloutBasis): boolean {
  const own = new Set(service.meta.managers?.[managerOf(rollout)] ?? []);
  const { phase } = rollout.status;
  const needed =
    phase === 'aborting'
      ? ['endpoint.weights']
      : ['mode.replicas', 'task.container.image', 'endpoint.weights'];
  const isSame = phase === 'aborting' || service.spec.task.container?.image === image;
  return isSame && needed.every((path) => own.has(path));
}

/** Writes the service and the status together, or ends when the front door would not let it in. */
function write(
  { rollout }: Scene,
  plan: AdmissionPlan,
  status: RolloutStatus & { readonly basis: RolloutBasis },
): Plan {
  const [complaint] = plan.complaints;
  if (complaint !== undefined) {
    return note(rollout, over(status.basis, 'aborted', faultText(complaint)));
  }
  const { changes, events } = note(rollout, status);
  return { changes: [...plan.changes, ...changes], ...(events === undefined ? {} : { events }) };
}

function note(rollout: Rollout, status: RolloutStatus): Plan {
  const { phase, message } = status;
  const isNews = phase !== rollout.status.phase || message !== rollout.status.message;
  const type = phase === 'aborting' ? 'warning' : 'normal';
  const event = {
    regarding: rollout,
    type,
    reason: 'Rollout',
    message: `${phase} ${message}`,
  } as const;
  return {
    changes: [update(isDeleting(rollout) ? withStatus(rollout, status) : held(rollout, status))],
    ...(isNews ? { events: [event] } : {}),
  };
}

function held(rollout: Rollout, status: RolloutStatus): Rollout {
  return withFinalizer(withStatus(rollout, status), NAME);
}

function release(rollout: Rollout): Plan {
  const object = withoutFinalizer(rollout, NAME);
  return object === rollout ? noChanges : { changes: [update(object)] };
}

/** An end. It keeps the basis: the same image does not begin again. */
function over(
  basis: RolloutBasis,
  phase: RolloutPhase,
  message: string,
): RolloutStatus & { readonly basis: RolloutBasis } {
  return { phase, message, step: 0, basis };
}

function rolloutsOf(view: View, service: string): readonly string[] {
  const rollouts = view.list(Rollout, byIndex(Rollout, 'service', service.toLowerCase()));
  return rollouts.map(({ meta }) => meta.id);
}

function rolloutsOfTask({ object }: ObjectEvent, view: View): readonly string[] {
  return rolloutsOf(view, (object as Task).spec.serviceName);
}
