/**
 * Explanations as text that a person understands.
 */
import type { NodeId, PlacementSummary } from '@skep/api';
import type { Explanation, NodeExplanation } from './explain.js';
import type { Lack, Policy } from './policy.js';

/** How reasons are put into words. */
export interface ReasonWords {
  /** Name of a node for people; default: its id. */
  readonly nodeName?: (id: NodeId) => string;
  /** Policy whose rank terms are named by their labels; default: by their names. */
  readonly policy?: Policy;
}

/**
 * One line about a placement: `fewer active tasks in total (1, node2 has 3), of 5 nodes`.
 * Takes what is kept in `task.status.placement` as well as a placement's reason.
 */
export function renderPlacementReason(reason: PlacementSummary, words: ReasonWords = {}): string {
  const { term, runnerUp, values, nodes } = reason;
  if (term === 'preassigned') return 'the node was given by the service';
  if (term === 'only-node') return 'the only node that passes every filter';
  const other = runnerUp === undefined ? 'none' : (words.nodeName?.(runnerUp) ?? runnerUp);
  const ofNodes = `of ${nodes} nodes`;
  if (term === 'name' || term === 'id') {
    return `first by ${term} among equals, before ${other}, ${ofNodes}`;
  }
  const label =
    term === 'spread'
      ? 'fewer tasks of the service in its branch of the spread'
      : (words.policy?.rank.find(({ name }) => name === term)?.label ?? term);
  const figures = values === undefined ? `before ${other}` : `${values[0]}, ${other} ${values[1]}`;
  return `${label} (${figures}), ${ofNodes}`;
}

/**
 * The explanation as lines of text: the outcome, the candidates with their ranks, the refused nodes
 * with what they lack. Ends without a line break.
 */
export function renderExplanation(explanation: Explanation, words: ReasonWords = {}): string {
  const names = new Map(explanation.nodes.map((node) => [node.nodeId, node.nodeName]));
  const nodeName = words.nodeName ?? ((id: NodeId) => names.get(id) ?? id);
  const { chosen, pending, nodes } = explanation;
  const outcome =
    chosen === undefined
      ? (pending?.message ?? 'no node')
      : `${nodeName(chosen.nodeId)}: ${renderPlacementReason(chosen, { ...words, nodeName })}`;
  const candidates = nodes.filter((node) => node.isCandidate);
  const refused = nodes.filter((node) => !node.isCandidate);
  return [
    `${explanation.taskName} → ${outcome}`,
    ...section('candidates, best rank first', candidates, renderCandidate),
    ...section('refused', refused, renderRefused),
  ].join('\n');
}

function section(
  title: string,
  nodes: readonly NodeExplanation[],
  render: (node: NodeExplanation) => string,
): readonly string[] {
  if (nodes.length === 0) return [];
  const width = Math.max(...nodes.map((node) => node.nodeName.length));
  return [
    `  ${title}:`,
    ...nodes.map((node) => `    ${node.nodeName.padEnd(width)}  ${render(node)}`.trimEnd()),
  ];
}

function renderCandidate({ ranks, branches }: NodeExplanation): string {
  return [
    ...branches.map(({ level, value, tasks }) => `${level}=${value} (${tasks} tasks)`),
    ...ranks.map(({ term, value }) => `${term} ${value}`),
  ].join(', ');
}

function renderRefused({ verdicts }: NodeExplanation): string {
  return verdicts
    .flatMap(({ filter, lacks }) =>
      lacks === undefined ? [] : [`${filter}: ${lacks.map(renderLack).join(', ')}`],
    )
    .join('; ');
}

/** A lack in words: `memory needs 512 MiB, has 100 MiB`. */
export function renderLack({ what, needed, available }: Lack): string {
  if (what === 'cpuNanos') return `cpu needs ${cores(needed)}, has ${cores(available)}`;
  if (what === 'memoryBytes') return `memory needs ${bytes(needed)}, has ${bytes(available)}`;
  if (what.startsWith('plugin ')) return `${what} is missing`;
  return `${what} needs ${needed || "''"}, has ${available === '' ? "''" : available}`;
}

function cores(nanos: number | string): string {
  return `${Number(nanos) / 1e9} cores`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function bytes(amount: number | string): string {
  let value = Number(amount);
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${UNITS[unit] ?? ''}`;
}
