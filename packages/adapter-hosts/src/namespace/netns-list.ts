/**
 * Named network namespaces of this machine.
 *
 * **Source:** ip-netns(8): a name is a file in /run/netns on which the namespace is mounted.
 */
import { readdir, stat } from 'node:fs/promises';
import { NETNS_FOLDER, namespacePath } from './command-runner.js';

/** What a name in /run/netns stands for. */
export interface NamedNamespace {
  readonly name: string;
  /** Number of the namespace; another one of the same name has another number. */
  readonly inode: number;
  /** False for a file that was left behind when something was killed: there is no namespace. */
  readonly isMounted: boolean;
}

/** The named namespaces whose name begins so, by name. Cost: a look at each file. */
export async function listNamespaces(prefix: string): Promise<readonly NamedNamespace[]> {
  const names = (await readdir(NETNS_FOLDER).catch(() => [])).filter((name) =>
    name.startsWith(prefix),
  );
  const { dev } = await stat('/proc/self/ns/net');
  const found = await Promise.all(
    names.sort().map(async (name): Promise<NamedNamespace[]> => {
      // One that has just been removed is none.
      const status = await stat(namespacePath(name)).catch(() => undefined);
      if (status === undefined) return [];
      return [{ name, inode: status.ino, isMounted: status.dev === dev }];
    }),
  );
  return found.flat();
}
