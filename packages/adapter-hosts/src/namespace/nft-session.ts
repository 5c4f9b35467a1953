/**
 * A program `nft` that stays, in one network namespace: it takes a transaction in a fraction of a
 * millisecond. One that is started for each transaction is done as soon, but ends only after a
 * grace period of the kernel whenever something was removed.
 *
 * A text is put into a file without a name that the program has as its third descriptor, and is
 * told to include it: so it is one transaction, complaints name its line, and no length is too
 * much. What it said to a command is whole when it complains about the word that was sent next.
 * It reads from a pipe of ours, so it ends with us, however we end.
 *
 * **Source:** nft(8): `-i`, `-j`, `include`; a text is a transaction.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkepError } from '@skep/api';
import { enter, searchPath, type CommandResult } from './command-runner.js';

const DESCRIPTOR = 3;
const INCLUDE = `include "/proc/self/fd/${DESCRIPTOR}"`;
const TIMEOUT_MS = 60_000;
/** One that does not answer so at first is not kept. */
const OPEN_MS = 5_000;
/** One that does not end when there is nothing left to read is ended. */
const END_MS = 5_000;

interface Request {
  /** The word that it cannot know. */
  readonly end: string;
  readonly resolve: (said: string) => void;
  readonly reject: (thrown: SkepError) => void;
}

/** One process. Its commands are given one after the other. */
export class NftSession {
  readonly #place: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #file: number;
  readonly #ended: Promise<void>;
  #isOver = false;
  #said = '';
  #count = 0;
  #request: Request | undefined;

  private constructor(namespace: string | undefined) {
    this.#place = namespace ?? 'this machine';
    this.#file = namelessFile();
    const words = [...(namespace === undefined ? [] : enter(namespace)), 'nft', '-j', '-i'];
    // Both streams are one, so that what is said stays in its order.
    this.#child = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...words], {
      stdio: ['pipe', 'pipe', 'ignore', this.#file],
      // It would keep what it was told in a file of the user's.
      env: { ...process.env, LC_ALL: 'C', PATH: searchPath(), HOME: '/dev/null' },
    }) as unknown as ChildProcessWithoutNullStreams;
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    // One that has ended reads no more; `close` tells.
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#finish(why);
        resolve();
      };
      this.#child.on('error', ({ message }) => over(message));
      this.#child.on('close', (status, signal) => over(`ended by ${signal ?? `status ${status}`}`));
    });
  }

  /**
   * Starts one; undefined when this `nft` cannot be spoken to so: it was built without, or with
   * what answers in another way.
   */
  static async open(namespace: string | undefined): Promise<NftSession | undefined> {
    const session = new NftSession(namespace);
    try {
      const nothing = await session.#ask('', OPEN_MS);
      const tables = await session.#ask('list tables', OPEN_MS);
      if (nothing === '' && tables.startsWith('{"nftables"')) return session;
    } catch {
      // It ended at once.
    }
    await session.close();
    return undefined;
  }

  /** Its process; other than that of nft only for a moment after the start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can be asked. */
  get isOpen(): boolean {
    return !this.#isOver;
  }

  /**
   * Gives the kernel a text, all of it or nothing.
   * @throws aborted when the process ended meanwhile: nobody knows whether the kernel has it;
   * deadline-exceeded when it does not answer.
   */
  async apply(text: string): Promise<CommandResult> {
    this.#assertOpen();
    ftruncateSync(this.#file, 0);
    writeSync(this.#file, text.endsWith('\n') ? text : `${text}\n`, 0);
    const said = await this.#ask(INCLUDE);
    // Where the text was included from is no complaint.
    const errors = said.replace(/^In file included from .*\n/gm, '');
    return { status: /Error:/.test(errors) ? 1 : 0, output: '', errors };
  }

  /** Runs a command of one line that shows or empties something. Throws as {@link apply}. */
  async run(command: string): Promise<CommandResult> {
    this.#assertOpen();
    const said = await this.#ask(command);
    const isAnswer = said === '' || said.startsWith('{');
    return isAnswer
      ? { status: 0, output: said, errors: '' }
      : { status: 1, output: '', errors: said };
  }

  /** It ends by itself: nobody has to wait for that unless its namespace is to go. */
  close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    return this.#ended.finally(() => clearTimeout(timer));
  }

  #assertOpen(): void {
    if (this.#isOver || this.#request !== undefined) {
      throw new SkepError('internal', `nft in ${this.#place} cannot be asked now`);
    }
  }

  #ask(command: string, timeoutMs = TIMEOUT_MS): Promise<string> {
    this.#count += 1;
    const end = `skep_end_${this.#count}`;
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(new SkepError('aborted', `nft in ${this.#place} has ended`));
        return;
      }
      const timer = setTimeout(() => {
        const text = `nft in ${this.#place} did not answer within ${timeoutMs} ms`;
        this.#child.kill('SIGKILL');
        settle(() => reject(new SkepError('deadline-exceeded', text)));
      }, timeoutMs);
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        this.#request = undefined;
        how();
      };
      this.#said = '';
      this.#request = {
        end,
        resolve: (said) => settle(() => resolve(said)),
        reject: (thrown) => settle(() => reject(thrown)),
      };
      this.#child.stdin.write(`${command}\n${end}\n`);
    });
  }

  #hear(text: string): void {
    this.#said += text;
    const { end, resolve } = this.#request ?? {};
    if (end === undefined || resolve === undefined) return;
    // It says what is wrong, repeats the word, and points at it.
    const at = this.#said.lastIndexOf(`\n${end}\n`);
    if (at < 0 || !/\n *\^~*\n$/.test(this.#said.slice(at + end.length))) return;
    resolve(this.#said.slice(0, this.#said.lastIndexOf('Error: ', at)));
  }

  #finish(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    closeSync(this.#file);
    const text = `nft in ${this.#place} was asked and ${why}: ${this.#said.trim()}`;
    this.#request?.reject(new SkepError('aborted', text));
  }
}

/** A file that is gone as soon as nobody has it open. */
function namelessFile(): number {
  const path = join(tmpdir(), `skep-nft-${randomBytes(8).toString('hex')}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}
