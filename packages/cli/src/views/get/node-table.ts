/**
 * Nodes in a table.
 */
import type { Node } from '@skep/api';
import { byNode, hostnameOf, isRunnable, Task, type Resources } from '@skep/api';
import type { View } from '@skep/store';
import { ageText, bytesText, cpusText, labelsText, orDash, shortId } from '../words.js';
import type { KindTable } from './columns.js';

/** Columns of nodes. */
export const NODE_TABLE: KindTable<Node> = Object.freeze({
  needs: [Task],
  columns: [
    { head: 'NAME', cell: (node) => hostnameOf(node) },
    { head: 'ROLE', cell: ({ spec }) => spec.role },
    { head: 'STATE', cell: ({ status }) => status.state },
    { head: 'AVAILABILITY', cell: ({ spec }) => spec.availability },
    { head: 'ADDRESS', cell: ({ status }) => orDash(status.address) },
    { head: 'TASKS', cell: (node, { view }) => String(tasksOn(view, node).length) },
    { head: 'AGE', cell: ({ meta }, { now }) => ageText(meta.createdAt, now) },
    { head: 'CPUS', isWide: true, cell: (node, { view }) => usedText(view, node, 'cpuNanos') },
    { head: 'MEMORY', isWide: true, cell: (node, { view }) => usedText(view, node, 'memoryBytes') },
    {
      head: 'PLATFORM',
      isWide: true,
      cell: ({ status }) => {
        const platform = status.description?.platform;
        return platform === undefined ? '-' : `${platform.os}/${platform.architecture}`;
      },
    },
    { head: 'ENGINE', isWide: true, cell: ({ status }) => engineText(status.description?.engine) },
    {
      head: 'TABLES',
      isWide: true,
      cell: ({ status }) => String(status.tables?.appliedRevision ?? '-'),
    },
    { head: 'LABELS', isWide: true, cell: ({ meta }) => labelsText(meta.labels) },
    { head: 'ID', isWide: true, cell: ({ meta }) => shortId(meta.id) },
  ],
} satisfies KindTable<Node>);

/** Tasks that run on a node, or may. */
export function tasksOn(view: View, node: Node): readonly Task[] {
  return view.list(Task, byNode(node.meta.id)).filter(({ status }) => isRunnable(status.state));
}

/** What tasks of a node keep for themselves. */
export function reservedOn(view: View, node: Node): Required<Omit<Resources, 'generic'>> {
  const reserved = { cpuNanos: 0, memoryBytes: 0 };
  for (const { spec } of tasksOn(view, node)) {
    const { cpuNanos = 0, memoryBytes = 0 } = spec.template.resources?.reservations ?? {};
    reserved.cpuNanos += cpuNanos;
    reserved.memoryBytes += memoryBytes;
  }
  return reserved;
}

/** `0.5 of 4`: reserved, and what there is. */
export function usedText(view: View, node: Node, what: 'cpuNanos' | 'memoryBytes'): string {
  const total = node.status.description?.resources[what];
  if (total === undefined) return '-';
  const text = what === 'cpuNanos' ? cpusText : bytesText;
  return `${text(reservedOn(view, node)[what])} of ${text(total)}`;
}

function engineText(engine: { readonly version: string } | undefined): string {
  return orDash(engine?.version);
}
