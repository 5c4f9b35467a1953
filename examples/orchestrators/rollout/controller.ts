/**
 * The controller of rollouts: canaries and blue/green with nothing but the service's own spec.
 *
 * Every write to the service goes together with the status of the rollout that says so, in one
 * commit; what somebody else writes to the service in between is told by its generation.
 */
import { ACTORS, byIndex, byService, isDeleting, isEqual, Service, Task } from '@skep/api';
import { wantedReplicas, withSpec, withStatus } from '@skep/api';
import type { ObjectId, Timestamp } from '@skep/api';
import { defineController, noChanges, update } from '@skep/controller';
import type { Plan, PlanController } from '@skep/controller';
import { admit } from '@skep/orchestrator';
import type { ObjectEvent, View } from '@skep/store';
import { withFinalizer, withoutFinalizer } from '../kit/finalizer.js';
import { Rollout, type RolloutBasis, type RolloutPhase, type RolloutStatus } from './kind.js';
import { abortedSpec, promotedSpec, serviceInStep, withImage } from './service-states.js';

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
  if (status.generation !== service.meta.generation) {
    return note(rollout, over(basis, 'superseded', 'somebody else changed the service'));
  }
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
  const firstGeneration = service.meta.generation + 1;
  const basis: RolloutBasis = { image, stable: service.spec, firstGeneration };
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
    const next = withSpec(service, promotedSpec(service, basis));
    return write(scene, next, { phase: 'promoting', message: '', basis });
  }
  const message = `step ${index + 1}: ${step.tasks} new tasks, ${step.percent}%`;
  const next = serviceInStep(service, basis, { step, tasks, now });
  return write(scene, next, { phase: 'progressing', message, basis, step: index, stepAt: now });
}

/** Aborts, waits for the tasks of the step, waits for its pause, or goes on. */
function progress(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, tasks, now } = scene;
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

/** Waits until the old tasks are replaced; then the service is as before, with the new image. */
function promoted(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, service } = scene;
  const { update: rolling, observedGeneration } = service.status;
  if (isDeleting(rollout)) return abort(scene, basis, 'the rollout was removed');
  const isPaused = rolling?.specVersion === service.meta.generation && rolling.state === 'paused';
  if (isPaused) return abort(scene, basis, rolling.message);
  if (observedGeneration < service.meta.generation) return noChanges;
  const next = withSpec(service, withImage(basis));
  return write(scene, next, over(basis, 'completed', 'all tasks are new'));
}

function abort(scene: Scene, basis: RolloutBasis, message: string): Plan {
  const next = withSpec(scene.service, abortedSpec(scene.service, basis));
  return write(scene, next, { phase: 'aborting', message, basis });
}

/** Waits until the new tasks are gone; then the service is as it was. */
function aborted(scene: Scene, basis: RolloutBasis): Plan {
  const { rollout, service } = scene;
  if (service.status.observedGeneration < service.meta.generation) return noChanges;
  const { message } = rollout.status;
  return write(scene, withSpec(service, basis.stable), over(basis, 'aborted', message));
}

/** Writes the service and the status together, or ends when the front door would not let it in. */
function write(
  scene: Scene,
  service: Service,
  status: Partial<RolloutStatus> & { readonly basis: RolloutBasis },
): Plan {
  const { view, rollout } = scene;
  const change = update(service);
  const [complaint] = admit(view, change);
  if (complaint !== undefined) {
    return note(rollout, over(status.basis, 'aborted', `${complaint.field}: ${complaint.message}`));
  }
  // An equal spec makes no new generation.
  const isSame = isEqual(service.spec, scene.service.spec);
  const generation = service.meta.generation + (isSame ? 0 : 1);
  const next = { phase: rollout.status.phase, message: '', step: 0, ...status, generation };
  const { changes, events } = note(rollout, next);
  return { changes: [change, ...changes], ...(events === undefined ? {} : { events }) };
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
