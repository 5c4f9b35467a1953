/**
 * Objects of any kind in a table.
 */
import {
  Cluster,
  compareBy,
  compareText,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  type AnyKind,
  type StoredObject,
} from '@skep/api';
import { textTable } from '@skep/network';
import type { Column, KindTable, Look } from './columns.js';
import { NODE_TABLE } from './node-table.js';
import {
  ANY_TABLE,
  CLUSTER_TABLE,
  CONFIG_TABLE,
  EVENT_TABLE,
  LEASE_TABLE,
  NETWORK_TABLE,
  SECRET_TABLE,
  SLICE_TABLE,
  VOLUME_TABLE,
} from './other-tables.js';
import { SERVICE_TABLE } from './service-table.js';
import { TASK_TABLE } from './task-table.js';

/** The table of a kind is asked only for objects of that kind. */
const TABLES: Readonly<Record<string, KindTable<never>>> = Object.freeze({
  [Service.name]: SERVICE_TABLE,
  [Task.name]: TASK_TABLE,
  [Node.name]: NODE_TABLE,
  [Network.name]: NETWORK_TABLE,
  [Secret.name]: SECRET_TABLE,
  [Config.name]: CONFIG_TABLE,
  [Volume.name]: VOLUME_TABLE,
  [Event.name]: EVENT_TABLE,
  [EndpointSlice.name]: SLICE_TABLE,
  [Lease.name]: LEASE_TABLE,
  [Cluster.name]: CLUSTER_TABLE,
});

const byName = compareBy<StoredObject>(
  (a, b) => compareText(a.meta.name, b.meta.name),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/** Blanks between columns. */
const GAP = 3;

/** How a table is printed. */
export interface TableStyle {
  readonly isWide?: boolean;
  /** Default: true. */
  readonly hasHead?: boolean;
}

/** Other kinds that the table of a kind looks at. */
export function neededKinds(kind: string): readonly AnyKind[] {
  return tableOf(kind).needs;
}

/** Objects in the order of the table of their kind. */
export function sortedObjects(
  kind: string,
  objects: readonly StoredObject[],
  look: Look,
): readonly StoredObject[] {
  const { compare } = tableOf(kind);
  if (compare === undefined) return [...objects].sort(byName);
  return [...objects].sort((a, b) => compare(a, b, look));
}

/** Heads of the columns. */
export function headOf(kind: string, style: TableStyle = {}): readonly string[] {
  return columnsOf(kind, style).map(({ head }) => head);
}

/** Cells of an object. */
export function rowOf(object: StoredObject, look: Look, style: TableStyle = {}): readonly string[] {
  return columnsOf(object.kind, style).map(({ cell }) => cell(object, look));
}

/** Objects of one kind as a table, sorted; each line ended by a line feed. */
export function objectTable(
  kind: string,
  objects: readonly StoredObject[],
  look: Look,
  style: TableStyle = {},
): string {
  const rows = sortedObjects(kind, objects, look).map((object) => rowOf(object, look, style));
  const lines = style.hasHead === false ? rows : [headOf(kind, style), ...rows];
  return textTable(lines, { gap: GAP })
    .map((line) => `${line}\n`)
    .join('');
}

function columnsOf(kind: string, style: TableStyle): readonly Column<StoredObject>[] {
  return tableOf(kind).columns.filter(({ isWide }) => isWide !== true || style.isWide === true);
}

function tableOf(kind: string): KindTable<StoredObject> {
  return Object.hasOwn(TABLES, kind)
    ? (TABLES[kind] as unknown as KindTable<StoredObject>)
    : ANY_TABLE;
}
