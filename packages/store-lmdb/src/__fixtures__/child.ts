/**
 * Runs `writer.ts` as a process of its own.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';

/** The project's root: tests run there. */
const ROOT = process.cwd();

const WRITER = join(ROOT, 'packages/store-lmdb/src/__fixtures__/writer.ts');

/** The command that runs the writer. */
export const WRITER_COMMAND: readonly string[] = [
  process.execPath,
  '--conditions=@skep/source',
  '--import',
  'tsx',
  WRITER,
];

/** A child, what it said, and its end. */
export class Child {
  readonly lines: Record<string, unknown>[] = [];
  errors = '';
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<void>;
  #rest = '';
  #heard = (): void => undefined;

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command;
    this.process = spawn(program, args, { cwd: ROOT });
    this.process.stdout.setEncoding('utf8').on('data', (data: string) => this.#hear(data));
    this.process.stderr.setEncoding('utf8').on('data', (data: string) => (this.errors += data));
    this.ended = new Promise((resolve) => {
      this.process.on('close', () => {
        this.#heard();
        resolve();
      });
    });
  }

  /** Waits until it has said so many things, or has ended. */
  async said(count: number): Promise<void> {
    while (this.lines.length < count && this.process.exitCode === null) {
      if (this.process.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Kills it as the kernel does when memory is short; resolves when it is gone. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  #hear(data: string): void {
    const lines = (this.#rest + data).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.lines.push(JSON.parse(line) as Record<string, unknown>);
    this.#heard();
  }
}

/** Starts the writer. */
export function startWriter(mode: 'hold' | 'commit' | 'fill' | 'open', folder: string): Child {
  return new Child([...WRITER_COMMAND, mode, folder]);
}
