/**
 * The matcher about evenness.
 */
import { SkepError, type ConstraintFacts } from '@skep/api';
import type { NodeInfo } from '@skep/scheduler';
import { labelKey } from '../build/service.js';
import type { TaskSelection } from '../placement-result.js';
import { selectionOf, someDecisions, verdict, type MatcherResult } from './matcher.js';

/** How even is even. */
export interface SpreadOptions {
  /** The most by which the fullest place may exceed the emptiest. Default: 1. */
  readonly maxSkew?: number;
  /** The places that count. Default: those of the nodes that are ready and active. */
  readonly places?: readonly string[];
}

/**
 * The placed tasks of the selection are spread evenly over the values of a key: of a label (`zone`,
 * `node.labels.zone`, `engine.labels.x`), or over nodes (`node`). Places without a task count, too;
 * tasks that ran before do not.
 */
export function toBeSpreadOver(
  received: unknown,
  key: string,
  { maxSkew = 1, places }: SpreadOptions = {},
): MatcherResult {
  const selection = selectionOf(received, 'toBeSpreadOver');
  someDecisions(selection, 'toBeSpreadOver');
  const counts = countByPlace(selection, key, places);
  const numbers = [...counts.values()];
  const skew = Math.max(...numbers) - Math.min(...numbers);
  const figures = [...counts].map(([place, count]) => `${place || "''"} ${count}`).join(', ');
  return verdict({
    selection,
    wish: `to be spread over ${key} with a skew of at most ${maxSkew}`,
    faults: skew <= maxSkew ? [] : [`the skew is ${skew}: ${figures}`],
    fact: `the skew is ${skew}: ${figures}`,
    about: selection.decisions.slice(0, 1),
  });
}

function countByPlace(
  { result, decisions }: TaskSelection,
  key: string,
  wanted: readonly string[] | undefined,
): ReadonlyMap<string, number> {
  const nodes = result.state.nodes.filter(isOpen);
  const names = wanted ?? [...new Set(nodes.map((node) => placeOf(node, key)))].sort();
  if (names.length === 0) {
    throw new SkepError('failed-precondition', 'toBeSpreadOver: no node takes new tasks');
  }
  const isLabel = key !== 'node' && labelKey(key) !== 'node.hostname';
  if (isLabel && wanted === undefined && names.length === 1 && names[0] === '') {
    throw new SkepError('invalid-argument', `toBeSpreadOver: no node has the label ${key}`);
  }
  const counts = new Map(names.map((name) => [name, 0]));
  for (const { placement } of decisions) {
    const node = placement === undefined ? undefined : result.state.node(placement.nodeId);
    if (node === undefined) continue;
    const place = placeOf(node, key);
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

function isOpen({ node }: NodeInfo): boolean {
  return node.status.state === 'ready' && node.spec.availability === 'active';
}

function placeOf({ name, facts }: NodeInfo, key: string): string {
  if (key === 'node') return name;
  const where = labelKey(key);
  if (where === 'node.hostname') return facts.hostname;
  const [scope, kind, ...rest] = where.split('.');
  const labels = labelsOf(facts, `${scope}.${kind}`);
  if (labels === undefined || rest.length === 0) {
    throw new SkepError(
      'invalid-argument',
      `toBeSpreadOver: '${key}' is no key; write a label (zone), node.labels.zone, ` +
        'engine.labels.zone or node',
    );
  }
  return labels[rest.join('.')] ?? '';
}

function labelsOf(
  facts: ConstraintFacts,
  scope: string,
): Readonly<Record<string, string>> | undefined {
  if (scope === 'node.labels') return facts.labels;
  return scope === 'engine.labels' ? facts.engineLabels : undefined;
}
