/**
 * Clients that ask without a pause, and count what went wrong.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { enter, searchPath } from '../src/namespace/command-runner.js';
import { fixture } from './real-runtimes.js';

/** What became of the requests of one client. */
export interface LoadResult {
  readonly answered: number;
  /** Answers other than 200, connections refused, reset or not answered in time. */
  readonly failed: number;
  /** What they were; empty when none failed. */
  readonly faults: readonly string[];
}

/** A client at work. */
export interface Load {
  /** Lets what is under way end, and says how all ended. */
  stop(): Promise<LoadResult>;
}

/** An answer that takes longer counts as failed; generous, for a machine that does much else. */
const TIMEOUT = '20s';
const WRK_FAULT = /^\s*(?:Socket errors|Non-2xx or 3xx responses):.*$/gm;
const programs = new Set<ChildProcess>();

/** `wrk` in a namespace, which reuses its connections unless `closes` is set. */
export function startWrk(
  namespace: string,
  url: string,
  { connections, closes = false }: { readonly connections: number; readonly closes?: boolean },
): Load {
  const header = closes ? ['-H', 'Connection: close'] : [];
  const words = ['wrk', '-t', '1', '-c', String(connections), '-d', '1h', '--timeout', TIMEOUT];
  const program = start(namespace, [...words, ...header, url]);
  return {
    stop: async () => {
      const printed = await program.end('SIGINT');
      const faults = (printed.match(WRK_FAULT) ?? []).map((line) => line.trim());
      const answered = Number(/^\s*(\d+) requests in/m.exec(printed)?.[1] ?? Number.NaN);
      if (Number.isNaN(answered)) throw new Error(`wrk printed: ${printed}`);
      const numbers = faults.flatMap((line) => line.replace('2xx or 3xx', '').match(/\d+/g) ?? []);
      const failed = numbers.reduce((sum, text) => sum + Number(text), 0);
      return { answered, failed, faults };
    },
  };
}

/** Slow requests in a namespace: `__fixtures__/slow-client.mjs`. */
export function startSlowClient(namespace: string, url: string, workers: number): Load {
  const script = fixture('slow-client.mjs');
  const program = start(namespace, [process.execPath, script, url, String(workers)]);
  return {
    stop: async () => {
      const printed = await program.end('SIGTERM');
      const counts = JSON.parse(printed) as Omit<LoadResult, 'faults'> & { errors: string[] };
      return { answered: counts.answered, failed: counts.failed, faults: counts.errors };
    },
  };
}

/** Ends what a test that failed left running. */
export function killLoads(): void {
  for (const program of programs) program.kill('SIGKILL');
}

function start(
  namespace: string,
  words: readonly string[],
): { end(signal: NodeJS.Signals): Promise<string> } {
  const [program = '', ...args] = [...enter(namespace), ...words];
  const env = { ...process.env, PATH: searchPath() };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  programs.add(child);
  let printed = '';
  child.stdout.on('data', (piece: Buffer) => (printed += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (printed += piece.toString()));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  return {
    end: async (signal) => {
      child.kill(signal);
      await ended;
      programs.delete(child);
      return printed;
    },
  };
}
