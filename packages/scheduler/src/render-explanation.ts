/**
 * Explanations as text that a person understands.
 */
import type { NodeId, PlacementSummary } from '@skep/api';
import type { Explanation, NodeExplanation, ScoreValue, TieExplanation } from './explain.js';
import { SCORE_TERM } from './place.js';
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
      : (labelOf(words.policy, term) ?? term);
  const figures =
    values === undefined
      ? `before ${other}`
      : `${figure(values[0])}, ${other} ${figure(values[1])}`;
  return `${label} (${figures}), ${ofNodes}`;
}

/** What the policy calls what decided; undefined when it knows nothing of that name. */
function labelOf(policy: Policy | undefined, term: string): string | undefined {
  if (policy === undefined) return undefined;
  const { rank, scores = [], tieBreak } = policy;
  const named = [...rank, ...scores, ...(tieBreak === undefined ? [] : [tieBreak])];
  const label = named.find(({ name }) => name === term)?.label;
  return label ?? (term === SCORE_TERM ? 'more points' : undefined);
}

/** A number with at most two decimals. */
function figure(value: number): string {
  return String(Number(value.toFixed(2)));
}

/**
 * The explanation as lines of text: the outcome, the candidates with their ranks, the refused nodes
 * with what they lack. Ends without a line break.
 */
export function renderExplanation(explanation: Explanation, words: ReasonWords = {}): string {
  const names = new Map(explanation.nodes.map((node) => [node.nodeId, node.nodeName]));
  const nodeName = words.nodeName ?? ((id: NodeId) => names.get(id) ?? id);
  const { chosen, pending, nodes, tie } = explanation;
  const outcome =
    chosen === undefined
      ? (pending?.message ?? 'no node')
      : `${nodeName(chosen.nodeId)}: ${renderPlacementReason(chosen, { ...words, nodeName })}`;
  const candidates = nodes.filter((node) => node.isCandidate);
  const refused = nodes.filter((node) => !node.isCandidate);
  return [
    `${explanation.taskName} → ${outcome}`,
    ...(tie === undefined ? [] : [`  equal by rank and points: ${equals(tie, nodeName)}`]),
    ...section('candidates, best rank first', candidates, renderCandidate),
    ...section('refused', refused, renderRefused),
  ].join('\n');
}

/** `node1, node2, node3 and 12 more; first by name is taken`. */
function equals({ nodes, by }: TieExplanation, nodeName: (id: NodeId) => string): string {
  const named = nodes.slice(0, EQUALS_MAX).map(nodeName).join(', ');
  const more = nodes.length - EQUALS_MAX;
  return `${named}${more > 0 ? ` and ${more} more` : ''}; the first by ${by} is taken`;
}

/** Equal nodes that are named. */
const EQUALS_MAX = 5;

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

function renderCandidate({ ranks, branches, scores, total }: NodeExplanation): string {
  return [
    ...branches.map(({ level, value, tasks }) => `${level}=${value} (${tasks} tasks)`),
    ...ranks.map(({ term, value }) => `${term} ${value}`),
    ...(scores === undefined || total === undefined ? [] : [renderScores(scores, total)]),
  ].join(', ');
}

/** `points 87.5 = least-allocated 37.5 + taint 3 × 50 (of 1)`. */
function renderScores(scores: readonly ScoreValue[], total: number): string {
  if (scores.length === 0) return 'points 0';
  const parts = scores.map(({ score, value, normalised, weight }) => {
    const counted = `${weight === 1 ? '' : `${figure(weight)} × `}${figure(normalised ?? value)}`;
    return `${score} ${counted}${normalised === undefined ? '' : ` (of ${figure(value)})`}`;
  });
  return `points ${figure(total)} = ${parts.join(' + ')}`;
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
  if (what === 'cpuNanos') return `cpu needs ${renderCores(needed)}, has ${renderCores(available)}`;
  if (what === 'memoryBytes')
    return `memory needs ${renderBytes(needed)}, has ${renderBytes(available)}`;
  if (what.startsWith('plugin ')) return `${what} is missing`;
  return `${what} needs ${needed || "''"}, has ${available === '' ? "''" : available}`;
}

/** An amount of cpu: `1.5 cores`. */
export function renderCores(nanos: number | string): string {
  return `${Number(nanos) / 1e9} cores`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** An amount of memory or disk: `512 MiB`. */
export function renderBytes(amount: number | string): string {
  let value = Number(amount);
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${UNITS[unit] ?? ''}`;
}
