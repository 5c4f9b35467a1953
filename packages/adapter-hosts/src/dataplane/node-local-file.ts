/**
 * What a node decided by itself, kept in a file, so that an agent that starts again goes on with
 * the same numbers and leaves what runs as it is. It belongs where it ends with the namespaces it
 * speaks of: under /run.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SortedMap, type NodeLocal } from '@skep/network';

/** Of the form of the file; another one is not read. */
const VERSION = 1;

interface Stored {
  readonly version: number;
  readonly maps: Readonly<Record<string, readonly (readonly [string, unknown])[]>>;
  readonly rest: Readonly<Record<string, unknown>>;
}

/**
 * Reads the decisions; undefined when there are none, or none of this node: its address, its
 * prefix and its gateway bridge have to be the same.
 */
export async function readNodeLocal(
  path: string,
  fresh: NodeLocal,
): Promise<NodeLocal | undefined> {
  let stored: Stored;
  try {
    stored = JSON.parse(await readFile(path, 'utf8')) as Stored;
  } catch {
    // None yet, or cut off by a crash of the machine: then its namespaces are gone too.
    return undefined;
  }
  if (stored.version !== VERSION || !isSameNode(stored, fresh)) return undefined;
  const maps = Object.entries(stored.maps).map(
    ([key, entries]) => [key, SortedMap.from(entries)] as const,
  );
  return { ...fresh, ...stored.rest, ...Object.fromEntries(maps) };
}

/** Writes the decisions: a file that is whole at any moment. */
export async function writeNodeLocal(path: string, local: NodeLocal): Promise<void> {
  const maps: Record<string, readonly (readonly [string, unknown])[]> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(local)) {
    if (value instanceof SortedMap) maps[key] = value.entries();
    else rest[key] = value;
  }
  const stored: Stored = { version: VERSION, maps, rest };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.next`, JSON.stringify(stored), { mode: 0o600 });
  await rename(`${path}.next`, path);
}

function isSameNode({ rest }: Stored, fresh: NodeLocal): boolean {
  return (['namespacePrefix', 'underlayAddress', 'gatewayBridge'] as const).every(
    (key) => JSON.stringify(rest[key]) === JSON.stringify(fresh[key]),
  );
}
