/**
 * The notices of a node, in words.
 */
import { messageOf, type NodeNotice } from '@skep/api';

/** Findings and names that a notice shows; the others are counted. */
const SHOWN_MAX = 5;

/** What the kernel held was not what it should have, and was put right. */
export function tablesRepaired(faults: readonly string[]): NodeNotice {
  const text = `${counted(faults.length, 'difference')} put right: ${firstOf(faults)}`;
  return { type: 'warning', reason: 'TablesRepaired', message: text };
}

/** The kernel could not be read back, or not put right. */
export function tablesNotRepaired(thrown: unknown): NodeNotice {
  return { type: 'warning', reason: 'TablesNotRepaired', message: messageOf(thrown) };
}

/** The tables of an assignment could not be applied; it is tried again every second. */
export function tablesNotApplied(thrown: unknown): NodeNotice {
  return { type: 'warning', reason: 'TablesNotApplied', message: messageOf(thrown) };
}

/** Tables are applied again, after they could not be for some time. */
export function tablesApplied(): NodeNotice {
  const message = 'tables are applied again';
  return { type: 'normal', reason: 'TablesApplied', message };
}

/** An agent that has just started goes on with tasks of an earlier one. */
export function tasksAdopted(names: readonly string[]): NodeNotice {
  const text = `the agent started and goes on with ${counted(names.length, 'task')}`;
  return { type: 'normal', reason: 'TasksAdopted', message: `${text}: ${firstOf(names)}` };
}

/** Tasks were found that are not assigned to the node. */
export function leftoversRemoved(ids: readonly string[]): NodeNotice {
  const text = `${counted(ids.length, 'task')} found that the node is not assigned, to be removed`;
  return { type: 'normal', reason: 'LeftoversRemoved', message: `${text}: ${firstOf(ids)}` };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function firstOf(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN_MAX).join('; ');
  const more = texts.length - SHOWN_MAX;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
