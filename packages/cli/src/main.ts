/**
 * The entry of the command: real arguments, files, sockets, output.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { ExitCode } from './surroundings.js';

/** Ends what goes on for ever: Ctrl-C, or a reader that has left, as head does. */
const interruption = new AbortController();

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  interruption.abort();
});

/** From the first call on, Ctrl-C is told to the command; a second one ends it at once. */
function listenForInterruption(): AbortSignal {
  if (process.listenerCount('SIGINT') === 0) {
    process.once('SIGINT', () => interruption.abort());
    process.once('SIGTERM', () => interruption.abort());
  }
  return interruption.signal;
}

async function main(args: readonly string[]): Promise<number> {
  const [first, role = '', settings = ''] = args;
  if (first === 'internal' && args.length === 3) {
    // A process of a cluster loads nothing that only people need.
    const { runProcess } = await import('@skep/local-cluster');
    return runProcess(role, settings);
  }
  const [{ run }, { controlClient }] = await Promise.all([
    import('./program.js'),
    import('@skep/control'),
  ]);
  const exitCode: ExitCode = await run(args, {
    readFile: (path) => readFileSync(path === '-' ? 0 : path),
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    writeFile: (path, text) => writeFileSync(path, text),
    importModule: (path) => import(pathToFileURL(path).href),
    progress: process.stderr,
    clock: () => performance.now(),
    connect: (path) => controlClient({ path }),
    local: () => import('@skep/local-cluster'),
    interruption: listenForInterruption,
  });
  return exitCode;
}

process.exitCode = await main(process.argv.slice(2));
