/**
 * What keeps a cluster from being as declared, for people.
 */
import type { Problem, Shortfall } from 'skep';

/** Nodes that are named one by one. */
const NODES_MAX = 10;

/**
 * A line for each problem, and below it what the nodes lack. Tasks of one service with the same
 * trouble share a line.
 */
export function renderProblems(problems: readonly Problem[]): string {
  return together(problems)
    .flatMap(({ first, others }) => {
      const { kind, name, message, code, shortfalls = [] } = first;
      const more = others === 0 ? '' : ` and ${others} more`;
      const line = `  ${kind} ${name}${more}: ${message} [${code}]`;
      return [line, ...shortfalls.map(renderShortfall)];
    })
    .join('\n');
}

interface Group {
  readonly first: Problem;
  others: number;
}

function together(problems: readonly Problem[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const problem of problems) {
    const { kind, name, code, message, shortfalls } = problem;
    // Names of services have no dot, names of tasks have two.
    const owner = kind === 'Task' ? name.split('.', 1) : name;
    const key = JSON.stringify([kind, owner, code, message, shortfalls]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: problem, others: 0 });
    else group.others += 1;
  }
  return [...groups.values()];
}

function renderShortfall({ nodes, lacks }: Shortfall): string {
  const named = nodes.slice(0, NODES_MAX).join(', ');
  const more = nodes.length > NODES_MAX ? ` and ${nodes.length - NODES_MAX} more` : '';
  return `    ${named}${more}: ${lacks.join('; ')}`;
}
