/**
 * Tasks in a table.
 */
import type { Task } from '@skep/api';
import { compareBy, compareText, Network, Node } from '@skep/api';
import { ageText, orDash, plainAddress, shortened, shortName } from '../words.js';
import type { KindTable } from './columns.js';
import { networkNameOf, nodeNameOf } from './names.js';

/** Columns of a message; `-o wide` shows it whole. */
const MESSAGE_COLUMNS = 60;

/** Columns of tasks, by service, slot and node, the newest of each first. */
export const TASK_TABLE: KindTable<Task> = Object.freeze({
  needs: [Node, Network],
  compare: compareBy<Task>(
    (a, b) => compareText(a.spec.serviceName, b.spec.serviceName),
    (a, b) => a.spec.slot - b.spec.slot,
    (a, b) => compareText(a.spec.nodeId ?? '', b.spec.nodeId ?? ''),
    (a, b) => b.meta.createdAt - a.meta.createdAt,
    (a, b) => compareText(a.meta.id, b.meta.id),
  ),
  columns: [
    { head: 'NAME', cell: (task) => shortName(task) },
    {
      head: 'NODE',
      cell: ({ spec, status }, { view }) => nodeNameOf(view, status.nodeId ?? spec.nodeId),
    },
    { head: 'STATE', cell: ({ status }) => status.state },
    { head: 'SINCE', cell: ({ status }, { now }) => ageText(status.timestamp, now) },
    { head: 'DESIRED', cell: ({ spec }) => spec.desiredState },
    { head: 'MESSAGE', cell: (task) => shortened(messageOf(task), MESSAGE_COLUMNS) },
    { head: 'IMAGE', isWide: true, cell: ({ spec }) => orDash(spec.template.container?.image) },
    {
      head: 'ADDRESSES',
      isWide: true,
      cell: ({ status }, { view }) =>
        (status.networks ?? [])
          .flatMap(({ networkId, addresses }) =>
            addresses.map((address) => {
              return `${networkNameOf(view, networkId)}=${plainAddress(address)}`;
            }),
          )
          .join(',') || '-',
    },
    { head: 'CAUSE', isWide: true, cell: ({ spec }) => spec.cause },
    { head: 'AGE', isWide: true, cell: ({ meta }, { now }) => ageText(meta.createdAt, now) },
    { head: 'ID', isWide: true, cell: ({ meta }) => meta.id },
  ],
} satisfies KindTable<Task>);

/** Why it waits, what went wrong, or nothing for a task that runs. */
export function messageOf({ status }: Task): string {
  if (status.error !== undefined) return status.error;
  if (status.pending !== undefined && status.nodeId === undefined) return status.pending.message;
  return status.state === 'running' ? '-' : orDash(status.message);
}
