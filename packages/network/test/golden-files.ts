/**
 * What a real Docker Swarm programmed, as it was recorded; beside the project, where it is at hand.
 * Tests that need it are skipped where it is not, and say so.
 */
import { it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(process.cwd(), '../shared/golden/docker-swarm');
const isThere = existsSync(FOLDER);

/** Nodes of the recorded Swarm. */
const NODES = ['node1', 'node2'] as const;

/**
 * A test that compares with what was recorded. Skipped without it, in CI too: it is material beside
 * the project and no program that could be installed, so `test-needs.ts` does not ask for it.
 */
export const goldenTest: typeof it | typeof it.skip = isThere ? it : it.skip;

/** Recorded namespaces, `node1/vote-task.txt`; at least one name, for a table must not be empty. */
export const GOLDEN_FILES: readonly string[] = isThere
  ? NODES.flatMap((node) => readdirSync(join(FOLDER, node)).map((file) => `${node}/${file}`))
  : ['(recorded files are absent)'];

/** The text of a recorded file. */
export function goldenText(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8');
}
