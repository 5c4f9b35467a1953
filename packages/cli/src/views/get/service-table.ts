/**
 * Services in a table.
 */
import type { Service } from '@skep/api';
import { byService, Network, Node, serviceMode, serviceNetworks, Task } from '@skep/api';
import { rolloutCounts } from '../rollout.js';
import { placesOf, replicasOf } from '../summary.js';
import { ageText, labelsText, plainAddress, portsText, shortId } from '../words.js';
import type { KindTable, Look } from './columns.js';
import { networkNameOf } from './names.js';

/** Columns of services. */
export const SERVICE_TABLE: KindTable<Service> = Object.freeze({
  needs: [Task, Node, Network],
  columns: [
    { head: 'NAME', cell: ({ meta }) => meta.name },
    { head: 'MODE', cell: ({ spec }) => serviceMode(spec).type },
    { head: 'REPLICAS', cell: (service, { view }) => replicasOf(view, service) },
    { head: 'IMAGE', cell: ({ spec }) => spec.task.container?.image ?? '-' },
    { head: 'PORTS', cell: ({ status }) => portsText(status.endpoint?.ports) },
    { head: 'STATUS', cell: statusText },
    { head: 'AGE', cell: ({ meta }, { now }) => ageText(meta.createdAt, now) },
    {
      head: 'NODES',
      isWide: true,
      cell: (service, { view }) => placesOf(view, service) || '-',
    },
    {
      head: 'ADDRESSES',
      isWide: true,
      cell: ({ status }, { view }) =>
        (status.endpoint?.virtualAddresses ?? [])
          .map(({ networkId, address }) => {
            return `${networkNameOf(view, networkId)}=${plainAddress(address)}`;
          })
          .join(',') || '-',
    },
    {
      head: 'NETWORKS',
      isWide: true,
      cell: ({ spec }, { view }) =>
        serviceNetworks(spec)
          .map(({ target }) => networkNameOf(view, target))
          .join(',') || '-',
    },
    { head: 'LABELS', isWide: true, cell: ({ meta }) => labelsText(meta.labels) },
    { head: 'ID', isWide: true, cell: ({ meta }) => shortId(meta.id) },
  ],
} satisfies KindTable<Service>);

/** What a service is about at the moment, in one word or two. */
export function statusText(service: Service, { view }: Pick<Look, 'view'>): string {
  const { meta, spec, status } = service;
  if (meta.deletionRequestedAt !== undefined) return 'removing';
  if (spec.update?.isHeld === true) return 'held';
  const failing = status.conditions?.find((condition) => condition.status === 'false');
  if (failing !== undefined) return failing.reason;
  if (status.update?.blocked !== undefined && status.update.state === 'updating') return 'blocked';
  if (status.observedGeneration < meta.generation) return 'pending';
  if (status.update !== undefined && status.update.state !== 'completed') {
    return status.update.state;
  }
  const { done, wanted } = rolloutCounts(service, view.list(Task, byService(meta.id)));
  return done < wanted ? 'waiting' : 'ok';
}
