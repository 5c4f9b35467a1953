/**
 * `skep policy explain`: why tasks went where they went, or found no place.
 */
import { canonicalJson } from '@skep/api';
import { renderExplanation, type Explanation, type Policy } from '@skep/scheduler';
import { explainTrace, type ArrivalExplanation } from '@skep/testing';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { choosePolicies } from './policy-choice.js';
import { readTrace, type TraceOptions } from './policy-input.js';

/** Options of `skep policy explain`. */
export interface PolicyExplainOptions extends TraceOptions {
  readonly policy: string;
  /** Tasks by name. Default: those that find no place. */
  readonly task?: readonly string[];
  /** Nodes of each sort that are listed, and tasks when none is named. */
  readonly top: number;
  readonly json?: boolean;
}

/** Prints the explanations; exit code 1 when one of the tasks has no place. */
export async function policyExplain(
  options: PolicyExplainOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const trace = readTrace(options, surroundings);
  const context = { trace, seed: options.seed };
  const policies = await choosePolicies([options.policy], context, surroundings);
  const [policy] = policies;
  if (policy === undefined || policies.length > 1) {
    throw new CommandFault(`${options.policy}: has ${policies.length} policies (export one)`);
  }
  const arrivals = explainTrace(trace, policy, {
    most: options.top,
    ...(options.task === undefined ? {} : { tasks: options.task }),
  });
  if (options.json === true) surroundings.out(`${canonicalJson(arrivals, 2)}\n`);
  else if (arrivals.length === 0) surroundings.out('every task has a place\n');
  else {
    const names = new Map(trace.nodes.map(({ meta }) => [meta.id, meta.name]));
    const texts = arrivals.map((one) => textOf(one, { policy, names, top: options.top }));
    surroundings.out(`${texts.join('\n\n')}\n`);
  }
  const waits = arrivals.some(({ explanation }) => explanation.chosen === undefined);
  return waits ? EXIT.unsettled : EXIT.ok;
}

function textOf(
  { arrival, explanation, counterfactuals }: ArrivalExplanation,
  view: {
    readonly policy: Policy;
    readonly names: ReadonlyMap<string, string>;
    readonly top: number;
  },
): string {
  const { policy, names, top } = view;
  const short = shortened(explanation, top);
  const all = explanation.nodes.length;
  const more = all - short.nodes.length;
  const text = renderExplanation(short, { policy, nodeName: (id) => names.get(id) ?? id });
  return [
    `arrival ${arrival}, policy ${policy.name}`,
    text,
    ...(more === 0 ? [] : [`  and ${more} more of ${all} nodes (--top lists more)`]),
    ...counterfactuals.map((one) => `  ${one.text}`),
  ].join('\n');
}

/** The first nodes of each sort. */
function shortened(explanation: Explanation, top: number): Explanation {
  const candidates = explanation.nodes.filter(({ isCandidate }) => isCandidate);
  const refused = explanation.nodes.filter(({ isCandidate }) => !isCandidate);
  return { ...explanation, nodes: [...candidates.slice(0, top), ...refused.slice(0, top)] };
}
