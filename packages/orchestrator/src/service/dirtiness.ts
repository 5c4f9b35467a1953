/**
 * Is a task outdated?
 *
 * **Source:** SwarmKit manager/orchestrator/task.go (IsTaskDirty). Three differences, on purpose:
 * a change of placement together with one of the published ports replaces tasks (Swarm forgets the
 * ports); fields of the endpoint that no task depends on (weights, algorithm, affinity) replace
 * none; the cluster's default log driver is no part of the comparison.
 */
import {
  compareTaskStates,
  endpointMode,
  isAtLeast,
  isEqual,
  type EndpointSpec,
  type Node,
  type Service,
  type Task,
  type TaskTemplate,
} from '@skep/api';
import { meets, serviceConstraints } from './node-fitness.js';
import { specTemplate } from './template.js';

/** What differs between a task and its service. */
export type TaskDifference = 'nothing' | 'placement' | 'pull-options' | 'other';

/**
 * What differs. Compares content, so it is the same for all tasks that share a template, an
 * endpoint and a spec version.
 */
export function taskDifference(service: Service, task: Task): TaskDifference {
  if (!isSameEndpoint(service.spec.endpoint, task.spec.endpoint)) return 'other';
  const wanted = specTemplate(service.spec);
  const actual = comparable(service, task);
  if (isEqual(wanted, actual)) return 'nothing';
  if (isEqual({ ...wanted, placement: undefined }, { ...actual, placement: undefined })) {
    return 'placement';
  }
  return isEqual(withoutPullOptions(wanted), withoutPullOptions(actual)) ? 'pull-options' : 'other';
}

/**
 * Whether the task has to be replaced for the service to be as declared. `node` is where the task
 * is, if anywhere.
 */
export function isTaskDirty(input: {
  readonly service: Service;
  readonly task: Task;
  readonly node: Node | undefined;
}): boolean {
  const { service, task, node } = input;
  if (task.spec.specVersion === service.meta.generation) return false;
  return isDirtyBy(taskDifference(service, task), input, () =>
    node === undefined ? false : meets(serviceConstraints(service.spec), node),
  );
}

/** {@link isTaskDirty} for a difference that is known; `isFit` says whether the node matches. */
export function isDirtyBy(
  difference: TaskDifference,
  input: { readonly task: Task },
  isFit: () => boolean,
): boolean {
  switch (difference) {
    case 'nothing':
      return false;
    case 'placement':
      return !isFit();
    case 'pull-options':
      return !isPulled(input.task);
    case 'other':
      return true;
  }
}

/** The image is there and the task is to stay: other credentials make no difference to it. */
function isPulled({ spec, status }: Task): boolean {
  return (
    compareTaskStates(spec.desiredState, 'running') <= 0 &&
    isAtLeast(status.state, 'ready') &&
    compareTaskStates(status.state, 'running') <= 0
  );
}

/** The task's template without a log driver that it has from the cluster, not from its service. */
function comparable(service: Service, task: Task): TaskTemplate {
  const { logDriver, ...rest } = task.spec.template;
  if (logDriver === undefined || service.spec.task.logDriver !== undefined) {
    return task.spec.template;
  }
  const origin = service.status.history?.find(
    (revision) => revision.specVersion === task.spec.specVersion,
  );
  return origin?.spec.task.logDriver === undefined ? rest : task.spec.template;
}

function withoutPullOptions(template: TaskTemplate): unknown {
  return template.container === undefined
    ? template
    : { ...template, container: { ...template.container, pullOptions: undefined } };
}

/** Whether tasks with the one endpoint are as good as tasks with the other. */
export function isSameEndpoint(a: EndpointSpec | undefined, b: EndpointSpec | undefined): boolean {
  return endpointMode(a) === endpointMode(b) && isEqual(a?.ports ?? [], b?.ports ?? []);
}
