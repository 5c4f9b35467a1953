/**
 * Preemption in words.
 */
import type { Task } from '@skep/api';
import { onNodes } from '../filters/wording.js';
import { renderBytes, renderCores } from '../render-explanation.js';
import { requirementsOf } from '../requirements.js';
import type { NoPreemption, Preemption } from './preemption.js';
import type { VictimCandidate } from './preemption-cost.js';

/** Why this one has to go: `priority 0 is below 10; frees 512 MiB of memory`. */
export function victimReason(about: {
  readonly victim: VictimCandidate;
  readonly priority: number;
  readonly isViolation: boolean;
  /** The task that needs the room. */
  readonly needed: Task;
}): string {
  const { victim, priority, isViolation, needed } = about;
  const freed = freedBy(victim.task, needed);
  return [
    `priority ${victim.priority} is below ${priority}`,
    freed.length === 0 ? 'frees its place on the node' : `frees ${freed.join(', ')}`,
    ...(isViolation ? ['more than its service can do without'] : []),
  ].join('; ');
}

/** What the victim holds of that which the other needs. */
function freedBy(victim: Task, needed: Task): readonly string[] {
  const held = requirementsOf(victim.spec);
  const wanted = requirementsOf(needed.spec);
  const ports = wanted.hostPorts.filter((port) => held.hostPorts.includes(port));
  const generic = held.generic.filter(({ kind }) => wanted.generic.some((w) => w.kind === kind));
  return [
    ...(wanted.cpuNanos > 0 && held.cpuNanos > 0 ? [renderCores(held.cpuNanos)] : []),
    ...(wanted.memoryBytes > 0 && held.memoryBytes > 0
      ? [`${renderBytes(held.memoryBytes)} of memory`]
      : []),
    ...generic.map(({ kind, count }) => `${count} ${kind}`),
    ...ports.map((port) => `host port ${port}`),
  ];
}

/** Why nobody is to go. */
export function whyNot(found: {
  readonly priority: number;
  readonly outranked: number;
  readonly beyondHelp: ReadonlyMap<string, number>;
}): string {
  const { priority, outranked, beyondHelp } = found;
  const hopeless = [...beyondHelp]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([filter, nodes]) => `${filter} on ${onNodes(nodes)}`);
  const parts = [
    ...(outranked > 0
      ? [`what is in the way on ${onNodes(outranked)} has no lower priority than ${priority}`]
      : []),
    ...(hopeless.length > 0 ? [`eviction does not help against ${hopeless.join(', ')}`] : []),
  ];
  return parts.length === 0 ? 'there are no nodes' : parts.join('; ');
}

/** The plan as lines of text. Ends without a line break. */
export function renderPreemption(plan: Preemption | NoPreemption): string {
  if (!plan.ok) return `no preemption for ${plan.taskId}: ${plan.why}`;
  const { victims, nodeName, isExact } = plan;
  const what = victims.length === 1 ? '1 task' : `${victims.length} tasks`;
  return [
    `${plan.taskId} → ${nodeName}, instead of ${what}${isExact ? '' : ' (not searched in full)'}`,
    ...victims.map(({ taskName, reason }) => `  ${taskName}: ${reason}`),
  ].join('\n');
}
