/**
 * Real stack files and what the real Docker client makes of them: material beside the project.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { skepIn, type Outcome } from './shell.js';

/** Where the material lies. */
export const CORPUS = join(process.cwd(), '..', 'shared', 'compose');

/** What the client said about a file. */
export interface Verdict {
  readonly file: string;
  readonly config: 'accepted' | 'refused';
  readonly deploy: 'accepted' | 'refused';
}

const isThere = existsSync(join(CORPUS, 'expected', 'verdicts.json'));

/** `describe`, or its skipped twin where the material is not there. */
export const describeCorpus = isThere ? describe : describe.skip;

/** All verdicts; none where the material is not there. */
export const VERDICTS: readonly Verdict[] = isThere
  ? (JSON.parse(readFileSync(join(CORPUS, 'expected', 'verdicts.json'), 'utf8')) as Verdict[])
  : [];

/** Runs `skep ARGS` in the folder of the files, with no variable set. */
export async function skepInCorpus(args: readonly string[]): Promise<Outcome> {
  const folder = join(CORPUS, 'files');
  return skepIn(args, {
    readFile: (path) => readFileSync(join(folder, path)),
    environment: { HOME: '/home/somebody', DOMAIN: 'not.to.be.seen' },
    workingDirectory: '/work',
    homeDirectory: '/home/somebody',
  });
}
