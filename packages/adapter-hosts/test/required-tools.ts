/**
 * Whether the machine has what a test needs.
 */
import { execFileSync } from 'node:child_process';

/** What to do with tests that need these programs, and root. */
export function missingTools(programs: readonly string[]): {
  readonly isSkipped: boolean;
  /** To be added to a title: which are missing. */
  readonly text: string;
} {
  const missing = programs.filter((program) => !isThere(program));
  if (process.getuid?.() !== 0) missing.unshift('root');
  const text = missing.length === 0 ? '' : ` (missing: ${missing.join(', ')})`;
  // In CI nothing may be missing: there the tests run, and fail.
  return { isSkipped: missing.length > 0 && process.env['SKEP_REQUIRE_TOOLS'] !== '1', text };
}

function isThere(program: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
