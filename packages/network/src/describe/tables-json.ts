/**
 * Tables as plain JSON: for programs that look at what a node holds.
 */
import { SortedMap } from '../table/sorted-map.js';
import type { TableContent } from '../table/node-tables.js';

/** Options of {@link tablesJson}. */
export interface TablesJsonOptions {
  /** Only this network, by id or name. Default: all. */
  readonly network?: string;
}

/**
 * The content of tables with objects for maps, keys in their order. Nothing is left out but what
 * only serves to make the next tables. Cost: O(content).
 */
export function tablesJson(
  tables: TableContent,
  options: TablesJsonOptions = {},
): Readonly<Record<string, unknown>> {
  const { revision, nodeId, nodeName, host, networks, tasks } = tables;
  const chosen = [...networks.entries()].filter(
    ([id, { name }]) => options.network === undefined || [id, name].includes(options.network),
  );
  return {
    revision,
    nodeId,
    nodeName,
    host: plain(host),
    networks: Object.fromEntries(chosen.map(([id, network]) => [id, plain(network)])),
    tasks: plain(tasks),
  };
}

function plain(value: unknown): unknown {
  if (value instanceof SortedMap) {
    const entries = value.entries() as Iterable<readonly [string, unknown]>;
    return Object.fromEntries([...entries].map(([key, item]) => [key, plain(item)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
