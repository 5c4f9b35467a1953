/**
 * The memory of which nodes a service's tasks failed on, for the scheduler.
 *
 * **Source:** SwarmKit manager/scheduler/nodeinfo.go (taskFailed) keeps it in the leader; ours is
 * in the service's status and outlives a leader.
 */
import type { NodeFaults, Task } from '@skep/api';
import type { ServicePlan } from './service-plan.js';

/** Most nodes remembered, and most failures of each. */
export const FAULTS_MAX = Object.freeze({ nodes: 32, times: 10 });

/**
 * Remembers that these tasks failed. Only where the scheduler chose the node: one that the
 * orchestrator fixed cannot be avoided.
 *
 * Doing it twice for one task changes nothing: for a moment, no more failures are kept than tasks
 * are known that failed then. Cost: O(tasks) when there is something to remember.
 */
export function rememberFaults(plan: ServicePlan, ended: readonly Task[]): void {
  const failed = ended.filter(isFault);
  if (failed.length === 0) return;
  const known = new Map<string, number>();
  for (const task of plan.tasks()) {
    if (isFault(task)) known.set(moment(task), (known.get(moment(task)) ?? 0) + 1);
  }
  let faults = plan.service.status.faults ?? [];
  for (const task of failed) {
    const nodeId = task.status.nodeId ?? '';
    const entry = faults.find((fault) => fault.nodeId === nodeId);
    const next = withFault(entry, task, known.get(moment(task)) ?? 0);
    if (next === undefined) continue;
    // The node that failed last goes to the end, so that the one dropped first is the oldest.
    faults = [...faults.filter((fault) => fault !== entry), next].slice(-FAULTS_MAX.nodes);
  }
  plan.setStatus({ faults });
}

function isFault({ spec, status }: Task): boolean {
  const hasFailed = status.state === 'failed' || status.state === 'rejected';
  return hasFailed && status.nodeId !== undefined && spec.nodeId === undefined;
}

function moment({ spec, status }: Task): string {
  return `${status.nodeId ?? ''}/${spec.specVersion ?? 0}/${status.appliedAt}`;
}

function withFault(
  entry: NodeFaults | undefined,
  task: Task,
  failuresThen: number,
): NodeFaults | undefined {
  const specVersion = task.spec.specVersion ?? 0;
  // A late failure of an older version says nothing about the present one.
  if (entry !== undefined && entry.specVersion > specVersion) return undefined;
  const times = entry?.specVersion === specVersion ? entry.times : [];
  const at = task.status.appliedAt;
  if (times.filter((time) => time === at).length >= failuresThen) return undefined;
  const next = [...times, at].sort((a, b) => a - b).slice(-FAULTS_MAX.times);
  return { nodeId: task.status.nodeId ?? '', specVersion, times: next };
}
