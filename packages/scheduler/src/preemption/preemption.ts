/**
 * Preemption as a plan: which tasks of lower priority would have to go so that one fits.
 *
 * Nothing is evicted here. The plan names the node and the victims, with a reason for each; whoever
 * asked decides. Victims are looked for on one node at a time: taking tasks from several nodes so
 * that one of them fits is not considered (as in kube-scheduler).
 *
 * **Source:** kube-scheduler framework/preemption and plugins/defaultpreemption.
 */
import { SkepError, taskName, type NodeId, type Task, type TaskId } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { PlacementOptions } from '../place.js';
import { prepareGroup, type PreparedGroup } from '../prepared-group.js';
import { groupOf, type TaskGroup } from '../task-group.js';
import { fitTest, waitingTask, without } from '../what-if/trial.js';
import {
  compareVictims,
  violatorsOf,
  type DisruptionBudget,
  type PreemptionCost,
  type VictimCandidate,
} from './preemption-cost.js';
import { priorityOf } from './priority.js';
import { victimReason, whyNot } from './preemption-words.js';
import {
  EXACT_VICTIMS_MAX,
  cheapestVictims,
  type VictimSearch,
  type VictimSet,
} from './victim-search.js';

/** What preemption is asked with. */
export interface PreemptionOptions extends PlacementOptions {
  /** Default: {@link priorityOf}. */
  readonly priorityOf?: (task: Task) => number;
  /** How many tasks each service can do without now. Default: any number. */
  readonly budget?: DisruptionBudget;
}

/** A task that has to go. */
export interface Victim {
  readonly task: Task;
  readonly taskId: TaskId;
  readonly taskName: string;
  readonly priority: number;
  /** Whether it goes beyond the budget of its service. */
  readonly isViolation: boolean;
  /** For people: what sets it below the task, and what it frees. */
  readonly reason: string;
}

/** Who has to go so that the task fits. */
export interface Preemption {
  readonly ok: true;
  readonly taskId: TaskId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  /** At least one; the most important first. None of them is taken in vain. */
  readonly victims: readonly Victim[];
  readonly cost: PreemptionCost;
  /**
   * Whether no cheaper preemption exists on any one node. False where a node had more than
   * {@link EXACT_VICTIMS_MAX} candidates.
   */
  readonly isExact: boolean;
}

/** Why nobody is to be preempted. */
export interface NoPreemption {
  readonly ok: false;
  readonly taskId: TaskId;
  /**
   * `fits`: the task fits as it is. `will-fit`: it fits once tasks have ended that are ending
   * already. `outranked`: tasks are in the way that are as important. `no-help`: it would fit
   * nowhere, whoever went.
   */
  readonly code: 'fits' | 'will-fit' | 'outranked' | 'no-help';
  readonly why: string;
}

/** A node and what could be done there. */
interface NodeOption extends VictimSet {
  readonly node: NodeInfo;
}

/**
 * Plans who has to go so that the task fits.
 *
 * Victims have a lower priority than the task, never an equal one. Among all nodes and sets of
 * victims the one is taken that costs least by {@link PreemptionCost}; what is still equal goes by
 * the node's name and id, then by the ids of the victims. Tasks that are to end already are no
 * victims: what they hold counts as free soon. A preassigned task is considered for its own node.
 *
 * Assumes of a filter that evicting tasks from a node gives it what it lacks or takes that away,
 * but
 * not by turns: what a node lacks with all of its tasks and with none is taken as beyond help.
 * Cost: O(nodes × candidates on a node) questions to the filters, plus the search of each node
 * ({@link cheapestVictims}).
 */
export function planPreemption(
  state: ClusterState,
  task: Task,
  options: PreemptionOptions,
): Preemption | NoPreemption {
  const taskId = task.meta.id;
  const group = groupOf([waitingTask(task)]);
  const question = { state, task, group, nodes: nodesFor(state, task), options };
  const { nodes } = question;
  const fits = fitTest(state, group, options);
  const free = nodes.find(fits);
  if (free !== undefined) {
    return { ok: false, taskId, code: 'fits', why: `it fits node ${free.name} as it is` };
  }
  const soon = nodes.find((node) => without(state, endingTasks(state, node), () => fits(node)));
  if (soon !== undefined) {
    const why = `it fits node ${soon.name} once the tasks there that are ending have ended`;
    return { ok: false, taskId, code: 'will-fit', why };
  }
  return bestOption(question);
}

interface Question {
  readonly state: ClusterState;
  readonly task: Task;
  readonly group: TaskGroup;
  readonly nodes: readonly NodeInfo[];
  readonly options: PreemptionOptions;
}

function bestOption(question: Question): Preemption | NoPreemption {
  const { state, task, nodes, options } = question;
  const importance = options.priorityOf ?? priorityOf;
  const priority = importance(task);
  const beyondHelp = new Map<string, number>();
  let best: NodeOption | undefined;
  let isExact = true;
  let outranked = 0;
  for (const node of nodes) {
    const others = state
      .tasksOn(node.id)
      .filter((other) => other.isActive && other.id !== task.meta.id)
      .map((other) => other.task);
    const candidates = others
      .map((other): VictimCandidate => ({ task: other, priority: importance(other) }))
      .filter((candidate) => candidate.priority < priority);
    const bound = best?.cost;
    const found = without(state, endingTasks(state, node), () => {
      const names = refusedAnyway(question, node, others);
      if (names.length > 0) return names;
      return cheapestVictims(victimSearch(question, node, candidates), bound);
    });
    if (found === undefined) {
      if (best === undefined) outranked += 1;
    } else if ('victims' in found) {
      best = { ...found, node };
    } else {
      for (const name of found) beyondHelp.set(name, (beyondHelp.get(name) ?? 0) + 1);
      continue;
    }
    if (candidates.length > EXACT_VICTIMS_MAX) isExact = false;
  }
  if (best !== undefined) return preemptionOf(question, { option: best, priority, isExact });
  const code = outranked > 0 ? 'outranked' : 'no-help';
  return {
    ok: false,
    taskId: task.meta.id,
    code,
    why: whyNot({ priority, outranked, beyondHelp }),
  };
}

/** The nodes that the task may have: all of them, or its own if it is preassigned. */
function nodesFor(state: ClusterState, { meta, spec }: Task): readonly NodeInfo[] {
  if (spec.nodeId === undefined) return state.nodes;
  const node = state.node(spec.nodeId);
  if (node !== undefined) return [node];
  throw new SkepError('not-found', `task ${meta.id} is for node ${spec.nodeId}: no such node`, {
    details: { taskId: meta.id, nodeId: spec.nodeId },
  });
}

/** Tasks on the node that are to end already. */
function endingTasks(state: ClusterState, node: NodeInfo): readonly Task[] {
  return state
    .tasksOn(node.id)
    .filter(({ isActive }) => !isActive)
    .map(({ task }) => task);
}

function tasksOf(candidates: readonly VictimCandidate[]): readonly Task[] {
  return candidates.map(({ task }) => task);
}

/**
 * Names of the filters that refuse the node with all of the tasks there and with none, for lack of
 * the same thing.
 */
function refusedAnyway(
  question: Question,
  node: NodeInfo,
  tasks: readonly Task[],
): readonly string[] {
  const lacks = (): readonly (readonly [name: string, key: string])[] =>
    prepared(question).filters.flatMap(({ filter, prepared: active }) =>
      (active.check(node) ?? []).map(
        ({ what }) => [filter.name, `${filter.name} ${what}`] as const,
      ),
    );
  const then = new Set(without(question.state, tasks, lacks).map(([, key]) => key));
  const names = lacks().flatMap(([name, key]) => (then.has(key) ? [name] : []));
  return [...new Set(names)];
}

function victimSearch(
  question: Question,
  node: NodeInfo,
  candidates: readonly VictimCandidate[],
): VictimSearch {
  const { state, group, options } = question;
  const fits = fitTest(state, group, options);
  const fitsWithout = (victims: readonly VictimCandidate[]): boolean =>
    without(state, tasksOf(victims), () => fits(node));
  return {
    candidates,
    fitsWithout,
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  };
}

function prepared({ state, group, options }: Question): PreparedGroup {
  return prepareGroup(state, group, options);
}

function preemptionOf(
  { task, options }: Question,
  found: { readonly option: NodeOption; readonly priority: number; readonly isExact: boolean },
): Preemption {
  const { option, priority, isExact } = found;
  const { node, cost } = option;
  const mostImportantFirst = [...option.victims].sort((a, b) => compareVictims(b, a));
  const violators =
    options.budget === undefined ? undefined : violatorsOf(mostImportantFirst, options.budget);
  const victims = mostImportantFirst.map((victim): Victim => {
    const isViolation = violators?.has(victim.task) ?? false;
    return {
      task: victim.task,
      taskId: victim.task.meta.id,
      taskName: taskName(victim.task),
      priority: victim.priority,
      isViolation,
      reason: victimReason({ victim, priority, isViolation, needed: task }),
    };
  });
  const taskId = task.meta.id;
  return { ok: true, taskId, nodeId: node.id, nodeName: node.name, victims, cost, isExact };
}
