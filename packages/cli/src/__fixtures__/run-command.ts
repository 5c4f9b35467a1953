/**
 * Runs a command against a pretended manager.
 */
import { run } from '../program.js';
import type { ExitCode, Surroundings } from '../surroundings.js';
import { fakeClient, type FakeManager } from './fake-client.js';

/** What a command left behind. */
export interface CommandOutcome {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
  /** What the manager was asked to change. */
  readonly calls: readonly unknown[];
}

/** Runs `skep WORDS` on a pretended manager; `more` replaces parts of what is around it. */
export async function runCommand(
  words: string | readonly string[],
  manager: FakeManager = {},
  more: Partial<Surroundings> = {},
): Promise<CommandOutcome> {
  const written = { out: '', err: '' };
  const { client, calls } = fakeClient(manager);
  const args = typeof words === 'string' ? words.split(' ') : words;
  const code = await run(args, {
    readFile: (path) => {
      throw new Error(`no such file: ${path}`);
    },
    environment: {},
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    clock: () => 0,
    connect: () => client,
    local: () =>
      Promise.resolve({
        placeOf: () => ({ controlSocket: '/run/manager.sock' }),
        listClusters: () => Promise.resolve(['skep', 'second']),
      } as never),
    ...more,
  });
  return { code, ...written, calls };
}
