/**
 * Which programs, and whether the rights of root, are missing on this machine.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What of these programs and of the rights of root is missing. */
export function missingPrograms(programs: readonly string[]): readonly string[] {
  const missing = programs.filter((program) => !isInstalled(program));
  return process.getuid?.() === 0 ? missing : ['root', ...missing];
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}
