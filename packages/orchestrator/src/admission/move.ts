/**
 * Moving one task to another node.
 *
 * **Source:** Kubernetes' descheduler evicts and leaves the rest to the scheduler; here the slot is
 * filled anew in the order that the service's updates have.
 */
import { Service, Task, isDeleting, serviceMode, withSpec, wantedReplicas } from '@skep/api';
import type { Change, View } from '@skep/store';
import type { AdmissionComplaint, Objection } from './complaint.js';
import { findObject, isComplaint, refused, type AdmissionPlan } from './declared-objects.js';

/**
 * The change that asks a task (name or id) of a replicated service to make room. The orchestrator
 * fills its slot anew, stop-first or start-first as `spec.update.order` says, and the scheduler
 * chooses the node: the one that is best for the service then, which with start-first still has the
 * old task. Refused while the service has anything else to do: a move must not come on top of an
 * update, of a failure, or of another move of the same slot. Commit it as `user`. Pure.
 */
export function planMove(view: View, reference: string): AdmissionPlan {
  const task = findObject(view, Task, reference);
  if (isComplaint(task)) return refused(task);
  const objection = objectionTo(view, task);
  if (objection !== undefined) return refused(objection);
  const change: Change = {
    type: 'update',
    object: withSpec(task, { ...task.spec, isMoving: true }),
  };
  const { id, name } = task.meta;
  return {
    complaints: [],
    changes: [change],
    results: [{ action: 'update', kind: Task.name, name, id }],
  };
}

function objectionTo(view: View, task: Task): AdmissionComplaint | undefined {
  const { spec, status, meta } = task;
  const about = (field: string, words: Objection): AdmissionComplaint => {
    const { code = 'failed-precondition', message, hint } = words;
    return { code, kind: Task.name, name: meta.name, field, message, hint };
  };
  const service = spec.serviceId === undefined ? undefined : view.get(Service, spec.serviceId);
  if (service === undefined || wantedReplicas(service.spec) === undefined) {
    const type = service === undefined ? 'no' : `a ${serviceMode(service.spec).type}`;
    return about('spec.serviceId', {
      message: `it belongs to ${type} service`,
      hint: 'move tasks of replicated services; drain the node for others',
    });
  }
  if (status.state !== 'running' || spec.desiredState !== 'running' || spec.isMoving === true) {
    const what = spec.isMoving === true ? 'moving already' : `${status.state}, not running`;
    return about('status.state', { message: `it is ${what}`, hint: 'move tasks that run' });
  }
  const { state } = service.status.update ?? {};
  const isBusy =
    isDeleting(service) ||
    service.status.observedGeneration < service.meta.generation ||
    state === 'updating' ||
    state === 'rollback-started' ||
    state === 'paused' ||
    state === 'rollback-paused';
  if (!isBusy) return undefined;
  return about('spec.serviceId', {
    message: `the service '${service.meta.name}' is being changed`,
    hint: 'wait until it is as declared',
  });
}
