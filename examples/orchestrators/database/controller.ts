/**
 * The controller of databases: a service for each member, one change at a time, the primary last,
 * and a last job before everything goes.
 */
import { ACTORS, deriveId, isDeleting, isEqual, Service, withStatus } from '@skep/api';
import type { ObjectId, ServiceSpec, TaskTemplate } from '@skep/api';
import { defineController, noChanges, removeAnyVersion, update } from '@skep/controller';
import type { Plan, PlanController } from '@skep/controller';
import { planOwned, type AdmissionPlan } from '@skep/orchestrator';
import type { Change, View } from '@skep/store';
import { withFinalizer, withoutFinalizer } from '../kit/finalizer.js';
import { faultText } from '../kit/fault-text.js';
import { tasksOfOwnedServices } from '../kit/task-watch.js';
import { Database, type DatabasePhase } from './kind.js';
import { membersOf, nextStep, type Step } from './members.js';

const NAME = 'database';

/** Makes, upgrades and removes databases. */
export function databaseController(): PlanController {
  return defineController({
    name: NAME,
    // It writes the specs of its own services, which is a user's right.
    actor: ACTORS.user,
    for: Database,
    owns: [Service],
    watches: [tasksOfOwnedServices(Database)],
    plan: planDatabase,
  });
}

/** Decides about one database. Pure. */
export function planDatabase(view: View, id: ObjectId): Plan {
  const database = view.get(Database, id);
  if (database === undefined) return noChanges;
  if (isDeleting(database)) return planRemoval(view, database);
  const members = membersOf(view, database);
  const step = nextStep(members);
  const made = changeFor(view, database, step);
  if (typeof made === 'string') return planStatus(view, database, ['waiting', made]);
  const plan = planStatus(view, database, phaseOf(step));
  return { changes: [...made, ...plan.changes] };
}

/** The change of a step, none for a wait, or why the front door would refuse it. */
function changeFor(view: View, database: Database, step: Step): readonly Change[] | string {
  if (step.type === 'none' || step.type === 'wait') return [];
  const { service, plan } = step.member;
  if (step.type === 'remove') return service === undefined ? [] : [removeAnyVersion(service)];
  return changesOf(plan);
}

function changesOf({ changes, complaints }: AdmissionPlan): readonly Change[] | string {
  const [complaint] = complaints;
  return complaint === undefined ? changes : faultText(complaint);
}

function phaseOf(step: Step): readonly [DatabasePhase, string] {
  if (step.type === 'none') return ['ready', ''];
  if (step.type === 'wait') return ['waiting', `for ${step.member.name}`];
  return ['changing', `${step.type} ${step.member.name}`];
}

/** The cleanup job first; then the members; then the finalizer, and with it the database. */
function planRemoval(view: View, database: Database): Plan {
  const { cleanup } = database.spec;
  const id = deriveId(database.meta.id, 'cleanup');
  const job = view.get(Service, id);
  const members = membersOf(view, database).flatMap(({ service }) => service ?? []);
  // A job that is going was done: it is deleted together with the members.
  const isDone = job !== undefined && (isDeleting(job) || (job.status.job?.completed ?? 0) > 0);
  const isCleaned = cleanup === undefined || members.every(isDeleting) || isDone;
  if (!isCleaned) {
    const phase: readonly [DatabasePhase, string] = ['cleanup', `${database.meta.name}-cleanup`];
    if (job !== undefined) return planStatus(view, database, phase);
    // Again and again: without it nothing is removed.
    const task: TaskTemplate = { container: cleanup, restartPolicy: { condition: 'on-failure' } };
    const spec: ServiceSpec = { mode: { type: 'replicated-job', totalCompletions: 1 }, task };
    const name = `${database.meta.name}-cleanup`;
    const made = changesOf(planOwned(view, database, [{ kind: Service, id, name, spec }]));
    if (typeof made === 'string') return planStatus(view, database, ['cleanup', made]);
    return { changes: [...made, ...planStatus(view, database, phase).changes] };
  }
  const left = job === undefined ? members : [...members, job];
  if (left.length === 0) {
    const object = withoutFinalizer(database, NAME);
    return object === database ? noChanges : { changes: [update(object)] };
  }
  const removals = left.filter((service) => !isDeleting(service)).map(removeAnyVersion);
  return { changes: [...removals, ...planStatus(view, database, ['removing', '']).changes] };
}

/** Says where it stands. The finalizer comes with the first word. */
function planStatus(
  view: View,
  database: Database,
  [phase, message]: readonly [DatabasePhase, string],
): Plan {
  const next = withStatus(database, {
    phase,
    message,
    observedGeneration: database.meta.generation,
    readyMembers: membersOf(view, database).filter(({ isReady }) => isReady).length,
  });
  const object = isDeleting(database) ? next : withFinalizer(next, NAME);
  const isSame = object.meta === database.meta && isEqual(object.status, database.status);
  return isSame ? noChanges : { changes: [update(object)] };
}
