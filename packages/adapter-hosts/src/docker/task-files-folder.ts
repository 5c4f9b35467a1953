/**
 * Files of a task on the host, to be bound into its container: secrets and configs on a tmpfs of
 * the task, and those by which names are resolved.
 */
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runChecked } from '../task/command.js';
import type { TaskFile } from '../task/task-files.js';
import type { PlacedFile } from './container-config.js';

/**
 * Writes the files of a task to a tmpfs of its own in `folder`; returns what to bind where. Done
 * twice, it is done once.
 */
export async function writeTaskFiles(
  folder: string,
  files: readonly TaskFile[],
): Promise<readonly PlacedFile[]> {
  if (files.length === 0) return [];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await mountOf(folder)) !== 'own') {
    const bytes = files.reduce((sum, { data }) => sum + data.length, 0);
    const size = Math.max(2 ** 20, bytes * 2);
    await runChecked('mount', ['-t', 'tmpfs', '-o', `mode=0700,size=${size}`, 'tmpfs', folder]);
  }
  const writing = files.map(async ({ path, data, uid, gid, mode }, index) => {
    const source = join(folder, String(index));
    await writeFile(source, Buffer.from(data, 'base64'), { mode });
    await chown(source, uid, gid);
    return { source, target: path };
  });
  return Promise.all(writing);
}

/** Writes `/etc/hosts` and `/etc/resolv.conf` of a task to `folder`; returns what to bind where. */
export async function writeNameFiles(
  folder: string,
  texts: { readonly hosts: string; readonly resolv: string },
): Promise<readonly PlacedFile[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = [
    ['hosts', texts.hosts],
    ['resolv.conf', texts.resolv],
  ] as const;
  const writing = files.map(async ([name, text]) => {
    const source = join(folder, name);
    await writeFile(source, text, { mode: 0o644 });
    return { source, target: `/etc/${name}` };
  });
  return Promise.all(writing);
}

/** Removes the files of a task and the tmpfs that they are on. */
export async function removeTaskFiles(folder: string): Promise<void> {
  const mount = await mountOf(folder);
  if (mount === 'none') return;
  if (mount === 'own') await runChecked('umount', ['-l', folder]);
  await rm(folder, { recursive: true, force: true });
}

/** Whether a tmpfs, a device of its own, is on the folder, or only its parent's; or no folder. */
async function mountOf(folder: string): Promise<'own' | "parent's" | 'none'> {
  const [own, parent] = await Promise.all([folder, dirname(folder)].map(deviceOf));
  if (own === undefined) return 'none';
  return own === parent ? "parent's" : 'own';
}

async function deviceOf(folder: string): Promise<number | undefined> {
  return (await stat(folder).catch(() => undefined))?.dev;
}
