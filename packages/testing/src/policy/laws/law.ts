/**
 * What a law is, and what it is tried on.
 */
import type { Node } from '@skep/api';
import type { Policy } from '@skep/scheduler';
import { nameOf } from '../build/service.js';
import type { PlaceInput } from '../place.js';
import type { Decision, PlacedCluster } from '../placed-cluster.js';
import type { PlacementResult } from '../placement-result.js';

/** A cluster to try a law on: what `place` takes, and a node to add. */
export interface LawInput extends PlaceInput {
  /** The node that the law `more-nodes` adds. Default: one of 4 cores and 8 GiB. */
  readonly extra?: Node;
}

/** The names of the laws, in the order in which they are tried. */
export type PolicyLawName =
  | 'capacity'
  | 'demands'
  | 'same-again'
  | 'order'
  | 'names'
  | 'more-nodes'
  | 'batch'
  | 'cache'
  | 'explanation'
  | 'again';

/** What a law is tried on. */
export interface LawTrial {
  readonly policy: Policy;
  readonly cluster: PlacedCluster;
  readonly extra: Node;
}

/** Something that holds for every sensible policy on every cluster. */
export interface PolicyLaw {
  readonly name: PolicyLawName;
  /** For people: what holds. */
  readonly statement: string;
  /** What is wrong; undefined when the law holds, or says nothing about such a cluster. */
  check(trial: LawTrial): string | undefined;
}

/** `web.1 on n1`, `web.1 waits`. */
export function outcomeOf(decision: Decision, result: PlacementResult): string {
  const { task, placement } = decision;
  if (placement === undefined) return `${nameOf(task)} waits`;
  return `${nameOf(task)} on ${result.nodeName(placement.nodeId)}`;
}

/** The first decision that is not the same in both, in words; undefined when all are. */
export function firstDifference(
  one: PlacementResult,
  other: PlacementResult,
  words: { readonly one: string; readonly other: string },
): string | undefined {
  const others = new Map(other.decisions.map((decision) => [decision.task.meta.id, decision]));
  for (const decision of one.decisions) {
    const twin = others.get(decision.task.meta.id);
    const mine = outcomeOf(decision, one);
    const its = twin === undefined ? 'missing' : outcomeOf(twin, other);
    if (mine !== its) return `${words.one} ${mine}, ${words.other} ${its}`;
    const difference = reasonDifference(decision, twin);
    if (difference !== undefined) return `${mine} both times, but ${difference}`;
  }
  return undefined;
}

function reasonDifference(one: Decision, other: Decision | undefined): string | undefined {
  const [mine, its] = [one, other].map((decision) => JSON.stringify(detailsOf(decision)));
  return mine === its ? undefined : `${words(mine)} and ${words(its)}`;
}

function words(text: string | undefined): string {
  return text ?? 'nothing';
}

function detailsOf(decision: Decision | undefined): unknown {
  if (decision?.placement === undefined) return decision?.unplaced?.explanation;
  const { task: _task, ...details } = decision.placement;
  return details;
}
