/**
 * Tests that need more of the machine than Node.js: programs, the rights of root.
 *
 * Where something is missing they are skipped, and their title says what. In CI
 * (`SKEP_REQUIRE_TOOLS=1`) nothing may be missing: there they run, and fail.
 */
import { describe } from '@jest/globals';

export { missingPrograms } from './missing-programs.js';

/** How a suite is declared that needs what `missing` lists; `lack` is for its title. */
export function suiteThatNeeds(missing: readonly string[]): {
  readonly suite: typeof describe | typeof describe.skip;
  readonly lack: string;
} {
  const isRequired = process.env['SKEP_REQUIRE_TOOLS'] === '1';
  return {
    suite: missing.length > 0 && !isRequired ? describe.skip : describe,
    lack: missing.length === 0 ? '' : ` (missing: ${missing.join(', ')})`,
  };
}
