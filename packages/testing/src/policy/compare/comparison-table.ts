/**
 * A comparison as text.
 */
import { textTable } from '../text-table.js';
import type { ComparisonData, PolicyRun } from './comparison-data.js';

/** A figure of a policy and how it is called. */
export interface Figure {
  readonly head: string;
  /** For people who see it for the first time. */
  readonly meaning: string;
  readonly text: (run: PolicyRun) => string;
}

/** The figures of each policy, in the order of the table. */
export function figuresOf({ resource, policies }: ComparisonData): readonly Figure[] {
  const isTimed = policies.some(({ elapsedMs }) => elapsedMs !== undefined);
  return [
    { head: 'placed', meaning: 'arrivals that found a place', text: (run) => String(run.placed) },
    { head: 'pending', meaning: 'arrivals that did not', text: (run) => String(run.pending) },
    {
      head: `${resource} held`,
      meaning: `what tasks hold of all ${resource} at the end`,
      text: (run) => percent(run.allocation),
    },
    {
      head: 'fragmented',
      meaning: `what is idle of all ${resource} and of no use to typical tasks, at the end`,
      text: (run) => percent(run.fragmentation),
    },
    { head: 'nodes', meaning: 'nodes with a task at the end', text: (run) => String(run.nodes) },
    {
      head: 'moves',
      meaning: 'tasks that would have to move if the fullest node were drained',
      text: (run) => String(run.moves),
    },
    ...(isTimed ? [{ head: 'time', meaning: 'how long the replay took', text: elapsed }] : []),
  ];
}

/** The trace in one line, and a line for each policy. */
export function renderComparisonTable(data: ComparisonData): string {
  const figures = figuresOf(data);
  const table = textTable(
    [{ head: 'policy' }, ...figures.map(({ head }) => ({ head, isNumber: true }))],
    data.policies.map((run) => [run.policy, ...figures.map(({ text }) => text(run))]),
  );
  return `${summaryOf(data)}\n\n${table}`;
}

/** `openb: 1213 nodes, 10866 arrivals that ask for 130 % of the gpu`. */
export function summaryOf({ trace, nodes, arrivals, departures, ...rest }: ComparisonData): string {
  const left = departures === 0 ? '' : ` and ${counted(departures, 'departure')}`;
  return (
    `${trace}: ${counted(nodes, 'node')}, ${counted(arrivals, 'arrival')}${left}; ` +
    `asked for ${percent(rest.demand)} of the ${rest.resource}`
  );
}

/** `12.34 %`. */
export function percent(value: number): string {
  return `${value.toFixed(2)} %`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function elapsed({ elapsedMs }: PolicyRun): string {
  return elapsedMs === undefined ? '' : `${(elapsedMs / 1000).toFixed(2)} s`;
}
