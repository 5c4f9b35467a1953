/**
 * The difference between what a node was sent and what it has to have.
 */
import type { AssignmentItem, AssignmentRemoval } from '@skep/api';
import { compareItems } from './assignment.js';

/** Items to add or replace, and names of items to remove. */
export interface ItemDifference {
  readonly upserts: AssignmentItem[];
  readonly removals: AssignmentRemoval[];
}

/** A difference that says nothing. */
export function noDifference(): ItemDifference {
  return { upserts: [], removals: [] };
}

/**
 * Puts a difference into the order of the wire, in place: upserts with dependencies before tasks,
 * removals with tasks before what they depend on.
 */
export function sortDifference(difference: ItemDifference): ItemDifference {
  difference.upserts.sort(compareItems);
  difference.removals.sort((a, b) => (a.kind === b.kind ? compareItems(a, b) : compareItems(b, a)));
  return difference;
}
