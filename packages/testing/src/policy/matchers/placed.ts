/**
 * Matchers about where tasks went.
 */
import { SkepError } from '@skep/api';
import { capacityFaults } from '../capacity.js';
import { nameOf } from '../build/service.js';
import { selectionOf, someDecisions, verdict, whereIs, type MatcherResult } from './matcher.js';

/** Every task of the selection is on one of these nodes. */
export function toBePlacedOn(received: unknown, ...nodes: readonly string[]): MatcherResult {
  const selection = selectionOf(received, 'toBePlacedOn');
  const decisions = someDecisions(selection, 'toBePlacedOn');
  if (nodes.length === 0) {
    throw new SkepError('invalid-argument', "toBePlacedOn: name a node: toBePlacedOn('n1')");
  }
  for (const name of nodes) requireNode(selection.result.cluster.nodes, name, 'toBePlacedOn');
  const others = decisions.filter(
    ({ placement }) =>
      placement === undefined || !nodes.includes(selection.result.nodeName(placement.nodeId)),
  );
  return verdict({
    selection,
    wish: `to be placed on ${nodes.join(' or ')}`,
    faults: others.map((decision) => whereIs(decision, selection)),
    fact: decisions.map((decision) => whereIs(decision, selection)).join(', '),
    about: others.length > 0 ? others : decisions,
  });
}

/** Every task of the selection has a node. */
export function toPlaceAll(received: unknown): MatcherResult {
  const selection = selectionOf(received, 'toPlaceAll');
  const decisions = someDecisions(selection, 'toPlaceAll');
  const waiting = decisions.filter(({ unplaced }) => unplaced !== undefined);
  return verdict({
    selection,
    wish: 'to be placed',
    faults: waiting.map((decision) => whereIs(decision, selection)),
    fact: `all ${decisions.length} are`,
    about: waiting,
  });
}

/** The placed tasks of the selection are on exactly so many nodes. */
export function toUseNodes(received: unknown, count: number): MatcherResult {
  const selection = selectionOf(received, 'toUseNodes');
  const decisions = someDecisions(selection, 'toUseNodes');
  const placed = decisions.flatMap(({ placement }) => placement ?? []);
  const used = [...new Set(placed.map(({ nodeId }) => selection.result.nodeName(nodeId)))].sort();
  const fact = `${used.length === 0 ? 'none is' : `${used.length} are used: ${used.join(', ')}`}`;
  return verdict({
    selection,
    wish: `to use ${count} ${count === 1 ? 'node' : 'nodes'}`,
    faults: used.length === count ? [] : [fact],
    fact,
    about: decisions,
  });
}

/**
 * No node holds more than it has: cpu, memory, generic resources, devices, host ports, replicas.
 * Counted anew from the objects, so that it also finds what the scheduler's own books miss.
 */
export function toFitCapacity(received: unknown): MatcherResult {
  const selection = selectionOf(received, 'toFitCapacity');
  const { result } = selection;
  return verdict({
    selection: { ...selection, result, label: 'the placement' },
    wish: 'to fit the capacity of the nodes',
    faults: capacityFaults(result),
    fact: 'no node holds more than it has',
    about: [],
  });
}

/** A name that no node has is a mistake of the test. */
export function requireNode(
  nodes: readonly { readonly meta: { readonly name: string } }[],
  name: string,
  matcher: string,
): void {
  if (nodes.some(({ meta }) => meta.name === name)) return;
  const names = nodes.map(({ meta }) => meta.name);
  throw new SkepError(
    'invalid-argument',
    `${matcher}: there is no node ${name}; there are ${names.slice(0, 20).join(', ') || 'none'}` +
      (names.length > 20 ? ', …' : ''),
  );
}

/** How a preference is meant. */
export interface PreferOptions {
  /** The node that it is preferred to; default: all others. */
  readonly over?: string;
}

/**
 * At the moment of its decision the task would rather go to this node than to the others, or than
 * to one of them. Every task of the selection, wherever it went: the ranking counts.
 */
export function toPreferNode(
  received: unknown,
  name: string,
  { over }: PreferOptions = {},
): MatcherResult {
  const selection = selectionOf(received, 'toPreferNode');
  const decisions = someDecisions(selection, 'toPreferNode');
  const { result } = selection;
  for (const one of over === undefined ? [name] : [name, over]) {
    requireNode(result.cluster.nodes, one, 'toPreferNode');
  }
  const faults = decisions.flatMap(({ task }): readonly string[] => {
    const taskName = nameOf(task);
    const { chosen, nodes } = result.explain(taskName);
    const candidates = nodes.filter(({ isCandidate }) => isCandidate).map((node) => node.nodeName);
    const at = candidates.indexOf(name);
    if (at < 0) return [`${name} does not take ${taskName} at all`];
    if (over !== undefined) {
      const other = candidates.indexOf(over);
      return other < 0 || at < other ? [] : [`${taskName} would rather go to ${over}`];
    }
    const best = chosen === undefined ? '' : result.nodeName(chosen.nodeId);
    return best === name ? [] : [`${taskName} would rather go to ${best}`];
  });
  return verdict({
    selection,
    wish: `to prefer ${name}${over === undefined ? '' : ` to ${over}`}`,
    faults,
    fact: 'it does',
    about: decisions,
  });
}
