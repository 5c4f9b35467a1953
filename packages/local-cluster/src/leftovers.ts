/**
 * What a cluster has on this machine besides its own processes: tasks, and whatever else runs in
 * its namespaces.
 */
import { readdirSync, statSync } from 'node:fs';
import { messageOf, silentLogger, SkepError } from '@skep/api';
import { removeLeftover, type TaskRuntime } from '@skep/adapter';
import { identityOf, namespacePath, type ProcessIdentity } from '@skep/adapter-hosts';
import { dirname } from 'node:path';
import { nodeRuntime, type RuntimeSettings } from './node-runtime.js';
import { nodeFolder, type ClusterPaths } from './place.js';
import { killProcesses } from './process/ending.js';

/** Tasks that are stopped at a time. */
const AT_ONCE = 64;

/**
 * Stops and removes all tasks of these nodes; those that take longer than the grace are killed.
 * Gives how many there were.
 * @throws unavailable when a task, or the engine that runs it, does not let itself be removed.
 */
export async function removeTasks(
  paths: ClusterPaths,
  nodes: readonly RuntimeSettings[],
  graceMs: number,
): Promise<number> {
  const runtimes: TaskRuntime[] = [];
  const removals: (() => Promise<void>)[] = [];
  try {
    for (const settings of nodes) {
      const runtime = nodeRuntime(paths, settings, { logger: silentLogger });
      runtimes.push(runtime);
      for (const id of await runtime.known()) {
        removals.push(() => removeLeftover(runtime, id));
      }
    }
    const removed = allOf(removals);
    const late = setTimeout(() => void killInside(paths.cluster), graceMs);
    const failures = await removed.finally(() => clearTimeout(late));
    if (failures.length > 0) {
      const said = failures.slice(0, 3).join('; ');
      const text = `${failures.length} tasks could not be removed: ${said}`;
      throw new SkepError('unavailable', text, { details: { failures } });
    }
    return removals.length;
  } finally {
    for (const runtime of runtimes) await runtime.close();
  }
}

/** Names of the nodes that something is kept of. */
export function keptNodes(paths: ClusterPaths): readonly string[] {
  try {
    return readdirSync(dirname(nodeFolder(paths, 'any'))).sort();
  } catch {
    return [];
  }
}

/** Kills whatever runs in the namespaces of a cluster. Gives how many there were. */
export async function killInside(cluster: string): Promise<number> {
  const found = processesInside(cluster);
  await killProcesses(found);
  return found.length;
}

/** **Source:** namespaces(7): /proc/PID/ns/net has the number of the process's namespace. */
function processesInside(cluster: string): readonly ProcessIdentity[] {
  const numbers = new Set(
    namespaceNames(cluster).flatMap((name) => inodeOf(namespacePath(name)) ?? []),
  );
  if (numbers.size === 0) return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const number = inodeOf(`/proc/${name}/ns/net`);
    if (number === undefined || !numbers.has(number)) return [];
    return identityOf(Number(name)) ?? [];
  });
}

/** Namespaces of a cluster: their names begin with its own, and a dot. */
export function namespaceNames(cluster: string): readonly string[] {
  try {
    const names = readdirSync(namespacePath('.'));
    return names.filter((name) => name.startsWith(`${cluster}.`)).sort();
  } catch {
    return [];
  }
}

/** A name on which no namespace is mounted is a file like others, and has no process. */
function inodeOf(path: string): number | undefined {
  try {
    const { ino, dev } = statSync(path);
    return dev === statSync('/proc/self/ns/net').dev ? ino : undefined;
  } catch {
    return undefined;
  }
}

/** Does all, some at a time; gives what went wrong. */
async function allOf(works: readonly (() => Promise<void>)[]): Promise<readonly string[]> {
  const failures: string[] = [];
  const left = [...works];
  const worker = async (): Promise<void> => {
    for (let work = left.shift(); work !== undefined; work = left.shift()) {
      try {
        await work();
      } catch (thrown) {
        failures.push(messageOf(thrown));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failures;
}
