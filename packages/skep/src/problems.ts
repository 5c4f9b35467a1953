/**
 * Whatever keeps a cluster from being as declared. All of it is in the objects' statuses.
 */
import {
  byService,
  compareBy,
  compareText,
  isJob,
  isTerminal,
  Network,
  Node,
  serviceMode,
  Service,
  Task,
  taskName,
  wantedReplicas,
  type Condition,
} from '@skep/api';
import type { View } from '@skep/store';

/** One reason. */
export interface Problem {
  readonly kind: string;
  readonly name: string;
  /** Machine-readable: `no-suitable-node`, `addresses-exhausted`, `replicas-missing`, … */
  readonly code: string;
  readonly message: string;
}

const compareProblems = compareBy<Problem>(
  (a, b) => compareText(a.kind, b.kind),
  (a, b) => compareText(a.name, b.name),
  (a, b) => compareText(a.code, b.code),
  (a, b) => compareText(a.message, b.message),
);

/** All problems in a view, sorted. Cost: O(services, networks, nodes, tasks). */
export function problemsOf(view: View): readonly Problem[] {
  return [
    ...view.list(Node).flatMap(nodeProblems),
    ...view
      .list(Network)
      .flatMap((network) => conditionProblems(network, network.status.conditions)),
    ...view.list(Service).flatMap((service) => serviceProblems(view, service)),
    ...view.list(Task).flatMap(taskProblems),
  ].sort(compareProblems);
}

function nodeProblems({ meta, status }: Node): readonly Problem[] {
  if (status.state === 'ready') return [];
  const message = `node is ${status.state}${status.message === '' ? '' : `: ${status.message}`}`;
  return [{ kind: Node.name, name: meta.name, code: `node-${status.state}`, message }];
}

function conditionProblems(
  { kind, meta }: { readonly kind: string; readonly meta: { readonly name: string } },
  conditions: readonly Condition[] | undefined,
): readonly Problem[] {
  return (conditions ?? [])
    .filter(({ status }) => status === 'false')
    .map(({ reason, message }) => ({ kind, name: meta.name, code: reason, message }));
}

function serviceProblems(view: View, service: Service): readonly Problem[] {
  const { meta, status } = service;
  const own = { kind: Service.name, name: meta.name };
  const problems = [...conditionProblems(service, status.conditions)];
  const update = status.update;
  if (update?.blocked !== undefined && update.state === 'updating') {
    problems.push({ ...own, code: 'update-blocked', message: update.blocked });
  }
  if (update?.state === 'paused' || update?.state === 'rollback-paused') {
    problems.push({ ...own, code: 'update-paused', message: update.message });
  }
  const wanted = wantedReplicas(service.spec);
  const tasks = view.list(Task, byService(meta.id));
  const running = tasks.filter(
    (task) => task.status.state === 'running' && task.spec.desiredState === 'running',
  ).length;
  if (wanted !== undefined && running < wanted && meta.deletionRequestedAt === undefined) {
    const message = `${running} of ${wanted} replicas are running${lastError(tasks)}`;
    problems.push({ ...own, code: 'replicas-missing', message });
  }
  if (isJob(serviceMode(service.spec))) {
    const failed = tasks.filter((task) => task.status.state === 'failed').length;
    if (failed > 0) {
      const message = `${failed} tasks failed${lastError(tasks)}`;
      problems.push({ ...own, code: 'job-failed', message });
    }
  }
  return problems;
}

function lastError(tasks: readonly Task[]): string {
  const failed = tasks
    .filter(({ status }) => isTerminal(status.state) && status.error !== undefined)
    .sort((a, b) => b.status.appliedAt - a.status.appliedAt || compareText(a.meta.id, b.meta.id));
  const error = failed[0]?.status.error;
  return error === undefined ? '' : `; the last one that ended: ${error}`;
}

function taskProblems(task: Task): readonly Problem[] {
  const { status, spec } = task;
  const isWaiting = status.state === 'new' || status.state === 'pending';
  const isWanted = spec.desiredState !== 'shutdown' && spec.desiredState !== 'remove';
  if (!isWaiting || !isWanted || status.pending === undefined) return [];
  const { code, message } = status.pending;
  return [{ kind: Task.name, name: taskName(task), code, message }];
}
