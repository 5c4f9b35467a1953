/**
 * Secrets and configs of a container as files on a tmpfs of the task, to be bound into it.
 */
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked, runCommand } from '../task/command.js';
import type { TaskFile } from '../task/task-files.js';

/**
 * Writes the files of a task to a tmpfs of its own in `folder`; returns what to bind where. Done
 * twice, it is done once.
 */
export async function writeTaskFiles(
  folder: string,
  files: readonly TaskFile[],
): Promise<readonly { readonly source: string; readonly target: string }[]> {
  if (files.length === 0) return [];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { exitCode } = await runCommand('mountpoint', ['-q', folder]);
  if (exitCode !== 0) {
    const bytes = files.reduce((sum, { data }) => sum + data.length, 0);
    const size = Math.max(2 ** 20, bytes * 2);
    await runChecked('mount', ['-t', 'tmpfs', '-o', `mode=0700,size=${size}`, 'tmpfs', folder]);
  }
  return files.map(({ path, data, uid, gid, mode }, index) => {
    const source = join(folder, String(index));
    writeFileSync(source, Buffer.from(data, 'base64'), { mode });
    chownSync(source, uid, gid);
    return { source, target: path };
  });
}

/** Removes the files of a task and the tmpfs that they are on. */
export async function removeTaskFiles(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const { exitCode } = await runCommand('mountpoint', ['-q', folder]);
  if (exitCode === 0) await runChecked('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
}
