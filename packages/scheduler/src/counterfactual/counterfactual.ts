/**
 * Counterfactuals: what would have to be different so that a task had a node.
 *
 * For every node that refuses the task, each refusal is matched with remedies; one remedy for each
 * makes a candidate. A candidate is kept when it really places the task, and when no part of it
 * does: both are tried out on the cluster state, with the policy itself.
 */
import { canonicalJson, compareBy, compareText, type NodeId, type Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { PlacementOptions } from '../place.js';
import { passes, prepareGroup, type PreparedGroup } from '../prepared-group.js';
import { groupOf } from '../task-group.js';
import { fitTest, waitingTask, without } from '../what-if/trial.js';
import { amountsOf, sizable, withoutLarger, type Amounts } from './amounts.js';
import { applyToState, changedPolicy } from './apply.js';
import { changedTask } from './changed-task.js';
import { combinations } from './combinations.js';
import { costed, type CostedRemedy, type Remedy } from './remedy.js';
import { remediesFor, withoutFilter } from './remedies.js';
import { renderRemedies } from './remedy-words.js';

/** Counterfactuals that are looked for unless asked otherwise. */
export const COUNTERFACTUALS_MAX = 10;
/** Remedies of one kind that are told of, on different nodes, unless asked otherwise. */
export const COUNTERFACTUALS_PER_KIND_MAX = 3;

/** Candidates that are tried out at most; what was found until then is told. */
const TRIALS_MAX = 256;

/** What counterfactuals are asked with. */
export interface CounterfactualOptions extends PlacementOptions {
  /** Longest list. Default: {@link COUNTERFACTUALS_MAX}. */
  readonly countMax?: number;
  /**
   * How often one kind of remedies may come, on different nodes. Default:
   * {@link COUNTERFACTUALS_PER_KIND_MAX}.
   */
  readonly perKindMax?: number;
}

/** What would place the task. */
export interface Counterfactual {
  /** All of them together; one is the rule. */
  readonly remedies: readonly Remedy[];
  /** The sum of `REMEDY_COSTS`, and of the shares that are lacking. */
  readonly cost: number;
  /** Nodes that would take the task, in their order; a new node is not named. */
  readonly nodes: readonly NodeId[];
  /** For people: `would fit if node n4 had 512 MiB more memory`. */
  readonly text: string;
}

/**
 * What would have to be different so that the task had a node; empty when it has one as things are.
 *
 * Single remedies come first, then sets for nodes where one does not suffice; the cheapest first
 * ({@link Counterfactual.cost}); equal ones by node, then by the remedies as text. Each of them
 * places the task, and no part of one does; of an amount the least is named that suffices.
 * Sets have at most four remedies. A preassigned task is considered for its own node; one whose
 * node
 * does not exist has none.
 *
 * The state is as it was afterwards. Cost: O(nodes × filters), plus a few placements for each
 * counterfactual.
 */
export function counterfactuals(
  state: ClusterState,
  task: Task,
  options: CounterfactualOptions,
): readonly Counterfactual[] {
  const question: Question = { state, task: waitingTask(task), options };
  return state.attempt(() => {
    state.release(task.meta.id);
    if (fitsWith(question, [])) return [];
    const found = firstThatHelp(question, candidatesFor(question, remediesFor));
    if (found.length > 0) return found;
    // Filters that only share their names with known ones: what is known of those was no help.
    return firstThatHelp(question, candidatesFor(question, withoutFilter));
  });
}

function firstThatHelp(
  question: Question,
  candidates: readonly Candidate[],
): readonly Counterfactual[] {
  const { state, options } = question;
  const { countMax = COUNTERFACTUALS_MAX, perKindMax = COUNTERFACTUALS_PER_KIND_MAX } = options;
  const found = new Map<string, Candidate>();
  const perKind = new Map<string, number>();
  let trials = 0;
  for (const candidate of candidates) {
    if (found.size >= countMax || trials >= TRIALS_MAX) break;
    const kind = candidate.parts.map(({ remedy }) => kindOf(remedy)).join();
    const count = perKind.get(kind) ?? 0;
    if (count >= perKindMax || isMoreThanAny(candidate, found.values())) continue;
    trials += 1;
    const smallest = smallestPart(question, candidate);
    if (smallest === undefined || found.has(smallest.key)) continue;
    perKind.set(kind, count + 1);
    found.set(smallest.key, smallest);
  }
  return withoutLarger([...found.values()].sort(compareCandidates)).map(
    ({ parts, cost, nodes }) => {
      const remedies = parts.map(({ remedy }) => remedy);
      const text = `would fit ${renderRemedies(remedies, state)}`;
      return { remedies, cost, nodes: nodes.map(({ id }) => id), text };
    },
  );
}

/** Whether the candidate holds all remedies of one that is known to help. */
function isMoreThanAny(candidate: Candidate, found: Iterable<Candidate>): boolean {
  const { keys } = candidate;
  for (const other of found) {
    if ([...other.keys].every((key) => keys.has(key))) return true;
  }
  return false;
}

/** What remedies have in common that differ in the node or the amount. */
function kindOf(remedy: Remedy): string {
  switch (remedy.type) {
    case 'node-capacity':
    case 'reservation':
      return `${remedy.type} ${remedy.resource}`;
    case 'node-generic':
    case 'generic-reservation':
    case 'device-reservation':
      return `${remedy.type} ${remedy.kind}`;
    case 'node-device':
      return `${remedy.type} ${remedy.device.kind}`;
    case 'max-skew':
    case 'without-topology-spread':
      return `${remedy.type} ${remedy.topologyKey}`;
    case 'without-constraint':
      return `${remedy.type} ${remedy.constraint}`;
    case 'suggestion':
    case 'without-filter':
      return `${remedy.type} ${remedy.filter}`;
    default:
      return remedy.type;
  }
}

interface Question {
  readonly state: ClusterState;
  readonly task: Task;
  readonly options: CounterfactualOptions;
}

/** Remedies and the nodes for which they were found. */
interface Candidate {
  readonly parts: readonly CostedRemedy[];
  readonly cost: number;
  readonly nodes: readonly NodeInfo[];
  readonly key: string;
  /** One for each remedy. */
  readonly keys: ReadonlySet<string>;
  readonly amounts: Amounts;
}

function candidateOf(parts: readonly CostedRemedy[], nodes: readonly NodeInfo[]): Candidate {
  const cost = parts.reduce((sum, part) => sum + part.cost, 0);
  const remedies = parts.map(({ remedy }) => remedy);
  const keys = new Set(remedies.map((remedy) => canonicalJson(remedy)));
  return { parts, cost, nodes, key: [...keys].join(), keys, amounts: amountsOf(remedies) };
}

/** Whether a node takes the task once the remedies are made. */
function fitsWith({ state, task, options }: Question, remedies: readonly Remedy[]): boolean {
  return state.attempt(() => {
    applyToState(state, remedies);
    const changed = remedies.reduce(changedTask, task);
    const policy = changedPolicy(options.policy, remedies);
    const prepared = prepareGroup(state, groupOf([changed]), { ...options, policy });
    return nodesFor(state, task).some((node) => passes(prepared, node));
  });
}

/**
 * The part of the candidate that places the task when no smaller one does, fewest remedies first,
 * with no larger amounts than it takes.
 */
function smallestPart(question: Question, candidate: Candidate): Candidate | undefined {
  const { parts, nodes } = candidate;
  const helps = (some: readonly CostedRemedy[]): boolean =>
    fitsWith(
      question,
      some.map(({ remedy }) => remedy),
    );
  if (!helps(parts)) return undefined;
  const whole = 2 ** parts.length - 1;
  const smaller = Array.from({ length: whole - 1 }, (_, at) =>
    parts.filter((__, bit) => ((at + 1) & (1 << bit)) !== 0),
  )
    .map((some) => candidateOf(some, nodes))
    .sort(compareCandidates)
    .find((part) => helps(part.parts));
  let smallest = (smaller ?? candidate).parts;
  for (const at of smallest.keys())
    smallest = withLeastAmount(question, { parts: smallest, at, helps });
  return candidateOf(smallest, nodes);
}

/** Makes the amount of one remedy as small as it may be. One question where it is that already. */
function withLeastAmount(
  { task }: Question,
  {
    parts,
    at,
    helps,
  }: {
    readonly parts: readonly CostedRemedy[];
    readonly at: number;
    readonly helps: (parts: readonly CostedRemedy[]) => boolean;
  },
): readonly CostedRemedy[] {
  const remedy = parts[at]?.remedy;
  const amount = remedy === undefined ? undefined : sizable(remedy, groupOf([task]));
  if (amount === undefined) return parts;
  const { size, resized } = amount;
  const reduced = (by: number): readonly CostedRemedy[] => parts.with(at, resized(size - by));
  if (!(size > 1 && helps(reduced(1)))) return parts;
  // Without the remedy the task is not placed: there is a least amount, found by halving.
  let [enough, tooLittle] = [1, Math.ceil(size)];
  while (tooLittle - enough > 1) {
    const middle = Math.floor((enough + tooLittle) / 2);
    if (helps(reduced(middle))) enough = middle;
    else tooLittle = middle;
  }
  return reduced(enough);
}

type Remedies = typeof remediesFor;

/** Candidates in the order in which they are told of. */
function candidatesFor(question: Question, remedies: Remedies): readonly Candidate[] {
  const { state, task, options } = question;
  const prepared = prepareGroup(state, groupOf([task]), options);
  const byKey = new Map<string, Candidate>();
  for (const node of nodesFor(state, task)) {
    for (const parts of combinationsOn(prepared, { node, remedies })) {
      const candidate = candidateOf(parts, [node]);
      const other = byKey.get(candidate.key);
      if (other === undefined) byKey.set(candidate.key, candidate);
      else byKey.set(candidate.key, { ...lesser(other, candidate), nodes: [...other.nodes, node] });
    }
  }
  const candidates = [...byKey.values(), ...twins(question)];
  return withoutLarger(candidates.sort(compareCandidates));
}

function lesser(a: Candidate, b: Candidate): Candidate {
  return a.cost <= b.cost ? a : b;
}

function nodesFor(state: ClusterState, task: Task): readonly NodeInfo[] {
  const { nodeId } = task.spec;
  if (nodeId === undefined) return state.nodes;
  const node = state.node(nodeId);
  return node === undefined ? [] : [node];
}

/** Combinations of remedies that are looked at for one node. */
const PER_NODE_MAX = 4;

function combinationsOn(
  prepared: PreparedGroup,
  { node, remedies }: { readonly node: NodeInfo; readonly remedies: Remedies },
): readonly (readonly CostedRemedy[])[] {
  const needs = prepared.filters.flatMap((active) => {
    const lacks = active.prepared.check(node);
    return lacks === undefined ? [] : remedies({ active, node, lacks }, prepared);
  });
  const all = combinations(needs);
  const single = all.filter((parts) => parts.length === 1);
  return (single.length > 0 ? single : all).slice(0, PER_NODE_MAX);
}

/** One more node like the first that would do if nothing were on it. */
function twins({ state, task, options }: Question): readonly Candidate[] {
  if (task.spec.nodeId !== undefined) return [];
  const fits = fitTest(state, groupOf([task]), options);
  const like = state.nodes.find((node) => {
    const tasks = state.tasksOn(node.id).map((placed) => placed.task);
    return tasks.length > 0 && without(state, tasks, () => fits(node));
  });
  return like === undefined ? [] : [candidateOf([costed({ type: 'new-node', like: like.id })], [])];
}

const compareCandidates = compareBy<Candidate>(
  (a, b) => a.parts.length - b.parts.length,
  (a, b) => a.cost - b.cost,
  (a, b) => (a.nodes[0]?.ordinal ?? -1) - (b.nodes[0]?.ordinal ?? -1),
  (a, b) => compareText(a.key, b.key),
);
