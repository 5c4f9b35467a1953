/**
 * Plans as text.
 */
import type { NodeId } from '@skep/api';
import type { PlannedChange, WhatIfPlan } from './plan.js';

/** How plans are put into words. */
export interface PlanWords {
  /** Name of a node for people. Default: its id. */
  readonly nodeName?: (id: NodeId) => string;
}

const VERBS = [
  ['place', 'placed'],
  ['move', 'moved'],
  ['stop', 'stopped'],
] as const;

/** One line: `3 placed, 1 moved, 2 pending`. */
export function summarizePlan({ changes, pending }: WhatIfPlan): string {
  const parts = VERBS.map(([type, done]) => {
    const count = changes.filter((change) => change.type === type).length;
    return count === 0 ? '' : `${count} ${done}`;
  });
  const waiting = pending.length === 0 ? '' : `${pending.length} pending`;
  return [...parts, waiting].filter((part) => part !== '').join(', ') || 'no change';
}

/**
 * The plan as a table: what happens to which task, from where to where, and why; then the tasks
 * that
 * are left without a node. Ends without a line break.
 */
export function renderPlan(plan: WhatIfPlan, words: PlanWords = {}): string {
  const nodeName = words.nodeName ?? ((id: NodeId) => id);
  const rows = plan.changes.map((change) => rowOf(change, nodeName));
  const pendingRows = plan.pending.map(({ taskName, explanation }) => {
    return ['pending', taskName, '', explanation.message] as const;
  });
  const all = [...rows, ...pendingRows];
  const widths = [0, 1, 2].map((at) => Math.max(0, ...all.map((row) => row[at]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .filter((_, at) => widths[at] !== 0)
      .join('  ')
      .trimEnd(),
  );
  return [summarizePlan(plan), ...lines.map((line) => `  ${line}`)].join('\n');
}

type Row = readonly [verb: string, task: string, way: string, reason: string];

function rowOf(change: PlannedChange, nodeName: (id: NodeId) => string): Row {
  const { type, taskName, reason } = change;
  const from = change.type === 'place' || change.from === undefined ? '' : nodeName(change.from);
  const to = change.type === 'stop' ? '' : nodeName(change.to);
  const way = [from, to === '' ? '' : `→ ${to}`].filter((part) => part !== '').join(' ');
  return [type, taskName, way, reason];
}
