/**
 * Why the tasks of a trace went where they went, or found no place.
 */
import { SkepError } from '@skep/api';
import {
  ClusterState,
  counterfactuals,
  explain,
  groupOf,
  placeGroup,
  type Counterfactual,
  type Explanation,
  type Policy,
} from '@skep/scheduler';
import { nameOf } from '../build/service.js';
import type { Trace } from '../replay/trace.js';

/** Which arrivals are explained. */
export interface ExplainTraceOptions {
  /** By name or id. Default: those that find no place. */
  readonly tasks?: readonly string[];
  /** Without names: at most so many, the first. Default: 10. */
  readonly most?: number;
  readonly now?: number;
}

/** An arrival, as things were when it came. */
export interface ArrivalExplanation {
  /** Which arrival it was, from 1. */
  readonly arrival: number;
  readonly explanation: Explanation;
  /** For a task without a place: what would have to be different. */
  readonly counterfactuals: readonly Counterfactual[];
}

/**
 * Plays the trace until all that was asked for is explained.
 * @throws not-found for a name that nothing in the trace has.
 */
export function explainTrace(
  trace: Trace,
  policy: Policy,
  { tasks, most = 10, now = 0 }: ExplainTraceOptions = {},
): readonly ArrivalExplanation[] {
  const wanted = new Set(tasks);
  const limit = tasks === undefined ? most : wanted.size;
  const found: ArrivalExplanation[] = [];
  const state = new ClusterState({ nodes: trace.nodes });
  const options = { policy, now };
  let arrival = 0;
  for (const event of trace.events) {
    if (found.length >= limit) break;
    if (event.type === 'departure') {
      state.release(event.taskId);
      continue;
    }
    arrival += 1;
    const { task } = event;
    const names = [nameOf(task), task.meta.id];
    const isNamed = names.some((name) => wanted.has(name));
    const before = isNamed ? explain(state, task, options) : undefined;
    const { placements } = placeGroup(state, groupOf([task]), options);
    const isPlaced = placements.length > 0;
    if (!isNamed && (tasks !== undefined || isPlaced)) continue;
    // A task that found no place has changed nothing.
    const explanation = before ?? explain(state, task, options);
    found.push({
      arrival,
      explanation: { ...explanation, taskName: nameOf(task) },
      counterfactuals: isPlaced ? [] : counterfactuals(state, task, options),
    });
    for (const name of names) wanted.delete(name);
  }
  const [missing] = wanted;
  if (missing === undefined || found.length >= limit) return found;
  throw new SkepError('not-found', `no task ${missing} arrives in ${trace.name}`);
}
