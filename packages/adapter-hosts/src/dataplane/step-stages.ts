/**
 * Which steps may be run at the same time. The kernel lets a program that changed rules wait for
 * tens of milliseconds, without any work; the rules of one task's namespace do not depend on those
 * of another's, so their programs can wait together.
 */
import type { RenderedStep } from '@skep/network';

/** Lists of steps that may run at the same time, each in its order. */
export type Stage = readonly (readonly RenderedStep[])[];

/** Most lists of a stage: a shell and a program each. */
const LISTS_MAX = 8;
/** Fewer are not worth the shells. */
const WORTH_MIN = 3;

/** The steps as stages, one after the other. No step comes before one that it may depend on. */
export function stagesOf(steps: readonly RenderedStep[]): readonly Stage[] {
  const stages: Stage[] = [];
  let inOrder: RenderedStep[] = [];
  for (let at = 0; at < steps.length;) {
    const end = endOfRules(steps, at);
    const rules = steps.slice(at, end);
    const ofTasks = rules.filter(isOfTask);
    if (ofTasks.length < WORTH_MIN) {
      inOrder.push(...(end === at ? steps.slice(at, at + 1) : rules));
    } else {
      stages.push([[...inOrder, ...rules.filter((step) => !isOfTask(step))]], listsOf(ofTasks));
      inOrder = [];
    }
    at = Math.max(end, at + 1);
  }
  return [...stages, [inOrder]].filter((stage) => stage.some((list) => list.length > 0));
}

/** Where the steps for nft end that begin here. */
function endOfRules(steps: readonly RenderedStep[], from: number): number {
  let end = from;
  while (steps[end]?.tool === 'nft') end += 1;
  return end;
}

function isOfTask({ namespace }: RenderedStep): boolean {
  return namespace.kind === 'task';
}

/** Shared out by namespace: those of one stay together. */
function listsOf(steps: readonly RenderedStep[]): Stage {
  const lists = Array.from({ length: LISTS_MAX }, (): RenderedStep[] => []);
  const numbers = new Map<string, number>();
  for (const step of steps) {
    const { name } = step.namespace;
    const number = numbers.get(name) ?? numbers.size % LISTS_MAX;
    numbers.set(name, number);
    lists[number]?.push(step);
  }
  return lists.filter((list) => list.length > 0);
}
