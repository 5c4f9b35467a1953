/**
 * The remaining kinds in tables.
 */
import {
  clusterSettings,
  compareBy,
  compareText,
  Network,
  networkDriver,
  Service,
  type Cluster,
  type Config,
  type EndpointSlice,
  type Event,
  type Lease,
  type Secret,
  type StoredObject,
  type Volume,
} from '@skep/api';
import { ageText, bytesText, labelsText, orDash, plainAddress, shortId } from '../words.js';
import type { Column, KindTable } from './columns.js';
import { nameOf, networkNameOf, serviceNameOf } from './names.js';

/** Columns that every object has. */
const NAME: Column<StoredObject> = { head: 'NAME', cell: nameOf };
const AGE: Column<StoredObject> = {
  head: 'AGE',
  cell: ({ meta }, { now }) => ageText(meta.createdAt, now),
};
const LABELS: Column<StoredObject> = {
  head: 'LABELS',
  isWide: true,
  cell: ({ meta }) => labelsText(meta.labels),
};
const ID: Column<StoredObject> = {
  head: 'ID',
  isWide: true,
  cell: ({ meta }) => shortId(meta.id),
};

/** Columns of networks. */
export const NETWORK_TABLE: KindTable<Network> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'DRIVER', cell: ({ spec }) => networkDriver(spec) },
    { head: 'SUBNETS', cell: (network) => subnetsText(network) },
    { head: 'FLAGS', cell: (network) => orDash(networkFlags(network).join(',')) },
    AGE,
    {
      head: 'GATEWAY',
      isWide: true,
      cell: ({ status }) => orDash(status.subnets.map(({ gateway }) => gateway).join(',')),
    },
    {
      head: 'VXLAN',
      isWide: true,
      cell: ({ status }) => orDash(status.subnets.map(({ vxlanId }) => vxlanId).join(',')),
    },
    LABELS,
    ID,
  ],
} satisfies KindTable<Network>);

function subnetsText({ status }: Network): string {
  return orDash(status.subnets.map(({ subnet }) => subnet).join(','));
}

/** What is special about a network. */
export function networkFlags({ spec }: Network): readonly string[] {
  return [
    ...(spec.isIngress === true ? ['ingress'] : []),
    ...(spec.isInternal === true ? ['internal'] : []),
    ...(spec.isAttachable === true ? ['attachable'] : []),
    ...(spec.driver?.options?.['encrypted'] === undefined ? [] : ['encrypted']),
  ];
}

/** Columns of secrets. Their contents never leave the manager. */
export const SECRET_TABLE: KindTable<Secret> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'DRIVER', cell: ({ spec }) => orDash(spec.driver?.name) },
    AGE,
    { head: 'TEMPLATE', isWide: true, cell: ({ spec }) => orDash(spec.templating?.name) },
    LABELS,
    ID,
  ],
} satisfies KindTable<Secret>);

/** Columns of configs: never what is in them. */
export const CONFIG_TABLE: KindTable<Config> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'SIZE', cell: ({ spec }) => fileSize(spec.data) },
    AGE,
    { head: 'TEMPLATE', isWide: true, cell: ({ spec }) => orDash(spec.templating?.name) },
    LABELS,
    ID,
  ],
} satisfies KindTable<Config>);

/** Size of what Base64 stands for. */
export function fileSize(data: string | undefined): string {
  if (data === undefined) return '-';
  const padding = /=*$/.exec(data)?.[0].length ?? 0;
  return bytesText((data.length / 4) * 3 - padding);
}

/** Columns of volumes. */
export const VOLUME_TABLE: KindTable<Volume> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'DRIVER', cell: ({ spec }) => spec.driver.name },
    { head: 'GROUP', cell: ({ spec }) => orDash(spec.group) },
    { head: 'ACCESS', cell: ({ spec }) => `${spec.access.scope}/${spec.access.sharing}` },
    { head: 'AVAILABILITY', cell: ({ spec }) => spec.availability ?? 'active' },
    {
      head: 'CAPACITY',
      cell: ({ status }) =>
        status.capacityBytes === undefined ? '-' : bytesText(status.capacityBytes),
    },
    AGE,
    LABELS,
    ID,
  ],
} satisfies KindTable<Volume>);

/** Columns of events, the newest last. */
export const EVENT_TABLE: KindTable<Event> = Object.freeze({
  needs: [],
  compare: compareBy<Event>(
    (a, b) => a.spec.lastAt - b.spec.lastAt,
    (a, b) => compareText(a.meta.id, b.meta.id),
  ),
  columns: [
    { head: 'LAST', cell: ({ spec }, { now }) => ageText(spec.lastAt, now) },
    { head: 'TYPE', cell: ({ spec }) => spec.type },
    { head: 'REASON', cell: ({ spec }) => spec.reason },
    {
      head: 'OBJECT',
      cell: ({ spec }) => `${spec.regarding.kind.toLowerCase()}/${spec.regarding.name}`,
    },
    { head: 'COUNT', cell: ({ spec }) => String(spec.count) },
    { head: 'MESSAGE', cell: ({ spec }) => spec.message },
    { head: 'FIRST', isWide: true, cell: ({ spec }, { now }) => ageText(spec.firstAt, now) },
    { head: 'ACTOR', isWide: true, cell: ({ spec }) => spec.actor },
    ID,
  ],
} satisfies KindTable<Event>);

/** Columns of endpoint slices. */
export const SLICE_TABLE: KindTable<EndpointSlice> = Object.freeze({
  needs: [Service, Network],
  compare: (a, b, { view }) =>
    compareText(serviceNameOf(view, a.spec.serviceId), serviceNameOf(view, b.spec.serviceId)) ||
    compareText(networkNameOf(view, a.spec.networkId), networkNameOf(view, b.spec.networkId)) ||
    a.spec.index - b.spec.index,
  columns: [
    { head: 'SERVICE', cell: ({ spec }, { view }) => serviceNameOf(view, spec.serviceId) },
    { head: 'NETWORK', cell: ({ spec }, { view }) => networkNameOf(view, spec.networkId) },
    { head: 'INDEX', cell: ({ spec }) => String(spec.index) },
    {
      head: 'SERVING',
      cell: ({ spec }) => {
        const serving = spec.backends.filter(({ state }) => state === 'serving').length;
        return `${serving}/${spec.backends.length}`;
      },
    },
    { head: 'REVISION', cell: ({ meta }) => String(meta.version) },
    AGE,
    {
      head: 'BACKENDS',
      isWide: true,
      cell: ({ spec }) =>
        orDash(
          spec.backends.map(({ address, state }) => `${plainAddress(address)}=${state}`).join(','),
        ),
    },
    ID,
  ],
} satisfies KindTable<EndpointSlice>);

/** Columns of leases. */
export const LEASE_TABLE: KindTable<Lease> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'HOLDER', cell: ({ spec }) => orDash(spec.holder) },
    { head: 'TERM', cell: ({ spec }) => String(spec.term) },
    { head: 'RENEWED', cell: ({ spec }, { now }) => ageText(spec.renewedAt, now) },
    AGE,
    ID,
  ],
} satisfies KindTable<Lease>);

/** Columns of the cluster's settings. */
export const CLUSTER_TABLE: KindTable<Cluster> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'DATAPLANE', cell: ({ spec }) => clusterSettings(spec).dataplane },
    { head: 'POOLS', cell: ({ spec }) => clusterSettings(spec).addressPools.join(',') },
    { head: 'SUBNETS', cell: ({ spec }) => `/${clusterSettings(spec).subnetPrefix}` },
    AGE,
    LABELS,
    ID,
  ],
} satisfies KindTable<Cluster>);

/** Columns of kinds that nothing is known about. */
export const ANY_TABLE: KindTable<StoredObject> = Object.freeze({
  needs: [],
  columns: [
    NAME,
    { head: 'GENERATION', cell: ({ meta }) => String(meta.generation) },
    { head: 'CONDITIONS', cell: ({ status }) => conditionsText(status) },
    AGE,
    LABELS,
    ID,
  ],
} satisfies KindTable<StoredObject>);

/** Conditions in the usual form, where a status has them. */
function conditionsText(status: unknown): string {
  const { conditions } = (status ?? {}) as { readonly conditions?: unknown };
  if (!Array.isArray(conditions)) return '-';
  const texts = (conditions as readonly { type?: string; status?: string }[]).map(
    (condition) => `${condition.type ?? '?'}=${condition.status ?? '?'}`,
  );
  return orDash(texts.join(','));
}
