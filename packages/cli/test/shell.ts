/**
 * Runs the command in this process, on files that exist only here.
 */
import { run } from '../src/program.js';
import type { ExitCode, Surroundings } from '../src/surroundings.js';

/** What a command left behind. */
export interface Outcome {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Files by name; the working directory is `/work`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

const FOLDER = '/work/';

/** Runs `skep ARGS` with these files and variables and nothing else around it. */
export async function skep(
  args: readonly string[],
  files: Files = {},
  environment: Surroundings['environment'] = {},
): Promise<Outcome> {
  return skepIn(args, {
    readFile: (path) => {
      const content = files[path.startsWith(FOLDER) ? path.slice(FOLDER.length) : path];
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    environment,
    workingDirectory: '/work',
    homeDirectory: '/home/somebody',
  });
}

/** Runs `skep ARGS` in these surroundings. */
export async function skepIn(
  args: readonly string[],
  surroundings: Omit<Surroundings, 'out' | 'err'>,
): Promise<Outcome> {
  const written = { out: '', err: '' };
  const code = await run(args, {
    ...surroundings,
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}
