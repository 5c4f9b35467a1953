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
  restartPolicy,
  serviceMode,
  Service,
  slotKey,
  Task,
  taskName,
  wantedReplicas,
  type Condition,
  type TaskState,
} from '@skep/api';
import { NO_SUITABLE_NODE } from '@skep/scheduler';
import type { View } from '@skep/store';
import { explainer, shortfallsOf, type ExplainOptions, type Shortfall } from './shortfalls.js';

/** One reason. */
export interface Problem {
  readonly kind: string;
  readonly name: string;
  /** Machine-readable: `no-suitable-node`, `addresses-exhausted`, `replicas-missing`, … */
  readonly code: string;
  readonly message: string;
  /** What the nodes lack, for a task that fits on none. */
  readonly shortfalls?: readonly Shortfall[];
}

const compareProblems = compareBy<Problem>(
  (a, b) => compareText(a.kind, b.kind),
  (a, b) => compareText(a.name, b.name),
  (a, b) => compareText(a.code, b.code),
  (a, b) => compareText(a.message, b.message),
);

/**
 * All problems in a view, sorted. With `options`, tasks that fit on no node come with what each
 * node lacks. Cost: O(objects), and O(nodes × filters) for each of those tasks.
 */
export function problemsOf(view: View, options?: ExplainOptions): readonly Problem[] {
  const shortfalls = options === undefined ? undefined : shortfallFinder(view, options);
  return [
    ...view.list(Node).flatMap(nodeProblems),
    ...view
      .list(Network)
      .flatMap((network) => conditionProblems(network, network.status.conditions)),
    ...view.list(Service).flatMap((service) => serviceProblems(view, service)),
    ...view.list(Task).flatMap((task) => taskProblems(task, shortfalls)),
  ].sort(compareProblems);
}

function nodeProblems(node: Node): readonly Problem[] {
  const { meta, status } = node;
  // Without an address in a network it has no tables of it, though tasks may run there.
  const lacks = conditionProblems(node, status.conditions);
  if (status.state === 'ready') return lacks;
  const message = `node is ${status.state}${status.message === '' ? '' : `: ${status.message}`}`;
  const away = { kind: Node.name, name: meta.name, code: `node-${status.state}`, message };
  return [away, ...lacks];
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
  const tasks = view.list(Task, byService(meta.id));
  const newest = newestTasks(service, tasks);
  const wanted = wantedReplicas(service.spec);
  const running = tasks.filter(
    (task) => task.status.state === 'running' && task.spec.desiredState === 'running',
  ).length;
  const present = running + finishedSlots(service, newest);
  if (wanted !== undefined && present < wanted && meta.deletionRequestedAt === undefined) {
    const noun = wanted === 1 ? 'replica is' : 'replicas are';
    const message = `${running} of ${wanted} ${noun} running${lastError(tasks)}`;
    problems.push({ ...own, code: 'replicas-missing', message });
  }
  problems.push(...givenUp(view, service, newest), ...blockedRemoval(view, service, tasks));
  const failed = newest.filter((task) => hasFailed(view, task)).length;
  if (wanted === undefined && failed > 0) {
    const code = isJob(serviceMode(service.spec)) ? 'job-failed' : 'tasks-failed';
    const message = `${failed} ${failed === 1 ? 'task' : 'tasks'} failed${lastError(tasks)}`;
    problems.push({ ...own, code, message });
  }
  return problems;
}

/** Slots whose task ended and that nobody fills again: the restart policy wants no other. */
function givenUp(view: View, service: Service, newest: readonly Task[]): readonly Problem[] {
  const { meta, spec, status } = service;
  const mode = serviceMode(spec);
  if (isJob(mode) || meta.deletionRequestedAt !== undefined) return [];
  const ended = newest.filter((task) => {
    const { state } = task.status;
    const isRight = state === 'complete' && restartPolicy(spec.task).condition !== 'any';
    // A global service owes nothing to a node that drains, or that stopped its task.
    const isOwed = wantedReplicas(spec) !== undefined || hasFailed(view, task);
    return isTerminal(state) && task.spec.desiredState === 'shutdown' && !isRight && isOwed;
  });
  // Until the orchestrator has looked at everything, somebody may still fill them.
  if (ended.length === 0 || status.observedGeneration < meta.generation) return [];
  const { condition, maxAttempts } = restartPolicy(spec.task);
  const why =
    condition === 'none' || maxAttempts <= 0
      ? `the restart condition is ${condition}`
      : `${maxAttempts} ${maxAttempts === 1 ? 'restart was' : 'restarts were'} allowed`;
  const what = ended.length === 1 ? '1 slot is given up' : `${ended.length} slots are given up`;
  // Of replicas that are missing, the last error is told with their number.
  const last = wantedReplicas(spec) === undefined ? lastError(ended) : '';
  const message = `${what}: ${why}${last}`;
  return [{ kind: Service.name, name: meta.name, code: 'restarts-exhausted', message }];
}

/** A service that is being removed and waits for nodes that do not answer. */
function blockedRemoval(view: View, { meta }: Service, tasks: readonly Task[]): readonly Problem[] {
  if (meta.deletionRequestedAt === undefined) return [];
  const nodes = new Map<string, { readonly state: string; count: number }>();
  for (const { status } of tasks) {
    if (isTerminal(status.state) || status.nodeId === undefined) continue;
    const node = view.get(Node, status.nodeId);
    if (node === undefined || node.status.state === 'ready') continue;
    const known = nodes.get(node.meta.name);
    if (known === undefined) nodes.set(node.meta.name, { state: node.status.state, count: 1 });
    else known.count += 1;
  }
  return [...nodes].map(([name, { state, count }]) => {
    const what = `${count} ${count === 1 ? 'task' : 'tasks'} on node ${name}`;
    const message = `it cannot be removed: ${what}, which is ${state}; remove the node, or wait`;
    return { kind: Service.name, name: meta.name, code: 'removal-blocked', message };
  });
}

/** The newest task of each slot; of a job, in its present iteration. */
function newestTasks({ spec, status }: Service, tasks: readonly Task[]): readonly Task[] {
  const iteration = isJob(serviceMode(spec)) ? (status.job?.iteration ?? 0) : undefined;
  const newest = new Map<string, Task>();
  for (const task of tasks) {
    if (task.spec.jobIteration !== iteration || task.spec.desiredState === 'remove') continue;
    const key = slotKey(task.spec);
    const other = newest.get(key);
    if (other === undefined || compareAge(other, task) < 0) newest.set(key, task);
  }
  return [...newest.values()];
}

/** Slots whose task came to its end, and whose restart policy wants no other: as declared. */
function finishedSlots({ spec }: Service, newest: readonly Task[]): number {
  if (restartPolicy(spec.task).condition === 'any') return 0;
  return newest.filter(({ status }) => status.state === 'complete').length;
}

/** Whether the last task of a slot failed: it was not tried again, or in vain. */
function hasFailed(view: View, { spec, status }: Task): boolean {
  if (!HAS_FAILED.has(status.state)) return false;
  // A global service owes nothing to a node that is gone or on its way out.
  const availability = view.get(Node, spec.nodeId ?? '')?.spec.availability ?? 'drain';
  return spec.nodeId === undefined || availability !== 'drain';
}

const HAS_FAILED: ReadonlySet<TaskState> = new Set(['failed', 'rejected']);

const compareAge = compareBy<Task>(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

function lastError(tasks: readonly Task[]): string {
  const failed = tasks
    .filter(({ status }) => isTerminal(status.state) && status.error !== undefined)
    .sort((a, b) => b.status.appliedAt - a.status.appliedAt || compareText(a.meta.id, b.meta.id));
  const error = failed[0]?.status.error;
  return error === undefined ? '' : `; the last one that ended: ${error}`;
}

type ShortfallFinder = (task: Task) => readonly Shortfall[];

/** Reads the cluster when it is first asked: most have nothing to explain. */
function shortfallFinder(view: View, options: ExplainOptions): ShortfallFinder {
  let explainTask: ReturnType<typeof explainer> | undefined;
  return (task) => {
    explainTask ??= explainer(view, options);
    return shortfallsOf(explainTask(task));
  };
}

function taskProblems(task: Task, findShortfalls?: ShortfallFinder): readonly Problem[] {
  const { status, spec } = task;
  const isWaiting = status.state === 'new' || status.state === 'pending';
  const isWanted = spec.desiredState !== 'shutdown' && spec.desiredState !== 'remove';
  if (!isWaiting || !isWanted || status.pending === undefined) return [];
  const { code, message } = status.pending;
  const problem: Problem = { kind: Task.name, name: taskName(task), code, message };
  if (code !== NO_SUITABLE_NODE || findShortfalls === undefined) return [problem];
  return [{ ...problem, shortfalls: findShortfalls(task) }];
}
