/**
 * One process at a time on a folder: a listening socket in it, which ends with its process.
 *
 * The holder listens on `holder-N.sock`; who comes asks by connecting. That is answered by the
 * kernel, whatever became of the process: a socket whose process was killed refuses. Node has no
 * `flock`; a process id in a file means nothing in another pid namespace and is reused; an abstract
 * socket is only seen in its own network namespace, and the nodes of one machine have each their
 * own. A socket in the file system is seen by whoever sees the folder.
 *
 * Who finds the newest socket dead takes the next number. A number is taken by a hard link, which
 * one process alone can make, to a socket that listens already. The newest socket is never removed,
 * not even by its holder when it ends, so numbers only rise and nobody can take one twice; whoever
 * is late sees a higher number and steps back.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, linkSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SkepError } from '@skep/api';
import { fileError, systemNameOf } from './errors.js';

/** Longest wait for a holder to say who it is; one that is busy is named without. */
const ANSWER_MS = 1_000;

/** Times that others may be first before it is given up. */
const ATTEMPTS_MAX = 100;

/** Longest path of a socket that every system takes. */
const SOCKET_PATH_MAX = 100;

/** A folder that this process holds. */
export interface FolderLock {
  /** Lets go of the folder; doing so again does nothing. */
  release(): Promise<void>;
}

/**
 * Takes a folder for this process until it lets go or ends, in whatever way.
 * @throws unavailable when another holds it, naming its process; permission-denied,
 * resource-exhausted or not-found when no socket can be made in it; unimplemented on Windows.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  if (process.platform === 'win32') {
    throw new SkepError('unimplemented', 'Windows has no sockets in folders to lock a store with');
  }
  const attempt = new LockAttempt(folder);
  try {
    await attempt.take();
  } catch (thrown) {
    await attempt.release();
    throw fileError(thrown, `cannot lock the folder ${folder}`);
  }
  return attempt;
}

class LockAttempt implements FolderLock {
  readonly #folder: string;
  readonly #descriptor: number;
  readonly #own = `holder-${randomBytes(8).toString('hex')}.new`;
  /** Who asks at the moment. */
  readonly #asking = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#asking.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#asking.delete(socket));
    socket.end(JSON.stringify({ processId: process.pid, host: hostname() }));
    socket.unref();
  });
  #released: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    try {
      this.#descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (thrown) {
      throw fileError(thrown, `cannot open the folder ${folder}`);
    }
    this.#released = undefined;
  }

  async take(): Promise<void> {
    await this.#listen();
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const newest = this.#newest();
      if (newest > 0) {
        const state = await this.#stateOf(nameOf(newest));
        if (state === 'gone') continue;
        if (state !== 'dead') throw heldError(this.#folder, state);
      }
      if (!this.#link(newest + 1)) continue;
      if (this.#newest() > newest + 1) {
        // Someone was here and gone, and a third took a higher number meanwhile.
        rmSync(join(this.#folder, nameOf(newest + 1)), { force: true });
        continue;
      }
      await this.#removeDead(newest + 1);
      return;
    }
    throw new SkepError(
      'unavailable',
      `others are locking the folder ${this.#folder} all the time`,
    );
  }

  release(): Promise<void> {
    return (this.#released ??= this.#releaseOnce());
  }

  async #releaseOnce(): Promise<void> {
    if (this.#server.listening) {
      await new Promise<void>((resolve) => {
        // Someone waits for it now, and must not wait for those who ask.
        this.#server.ref();
        this.#server.close(() => resolve());
        for (const socket of this.#asking) socket.destroy();
      });
    }
    rmSync(join(this.#folder, this.#own), { force: true });
    closeSync(this.#descriptor);
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#socketPath(this.#own), () => {
        this.#server.off('error', reject);
        // A store that is held is no reason for a process to stay.
        this.#server.unref();
        resolve();
      });
    });
  }

  /** Takes a number; false when another was first. */
  #link(number: number): boolean {
    try {
      linkSync(join(this.#folder, this.#own), join(this.#folder, nameOf(number)));
      rmSync(join(this.#folder, this.#own), { force: true });
      return true;
    } catch (thrown) {
      if (systemNameOf(thrown) === 'EEXIST') return false;
      throw thrown;
    }
  }

  #newest(): number {
    return Math.max(0, ...readdirSync(this.#folder).map(numberOf));
  }

  /** Removes what earlier holders left, and what ended while it was locking. */
  async #removeDead(number: number): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      const old = numberOf(name);
      const isDead =
        old > 0
          ? old < number
          : /^holder-[0-9a-f]{16}\.new$/.test(name) && (await this.#stateOf(name)) === 'dead';
      if (isDead) rmSync(join(this.#folder, name), { force: true });
    }
  }

  /** Asks a socket: whoever holds it, or that nobody does any more. */
  #stateOf(name: string): Promise<'dead' | 'gone' | Holder> {
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = connect({ path: this.#socketPath(name), timeout: ANSWER_MS });
      const answer = (): void => {
        socket.destroy();
        resolve(holderOf(text));
      };
      socket.setEncoding('utf8');
      socket.on('timeout', answer);
      socket.on('data', (data) => (text += String(data)));
      socket.on('end', answer);
      socket.on('error', (error) => {
        const system = systemNameOf(error);
        if (system === 'ECONNREFUSED') resolve('dead');
        else if (system === 'ENOENT') resolve('gone');
        else if (system === 'EAGAIN' || system === 'ECONNRESET') answer();
        else reject(error);
      });
    });
  }

  /** Paths of sockets are short by law of the kernel; on Linux there is a way round. */
  #socketPath(name: string): string {
    if (process.platform === 'linux') return `/proc/self/fd/${this.#descriptor}/${name}`;
    const path = join(this.#folder, name);
    if (path.length <= SOCKET_PATH_MAX) return path;
    throw new SkepError('invalid-argument', `the path of the folder ${this.#folder} is too long`);
  }
}

interface Holder {
  readonly processId?: number;
  readonly host?: string;
}

function holderOf(text: string): Holder {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return {};
  }
}

function heldError(folder: string, holder: Holder): SkepError {
  const { processId, host } = holder;
  const who =
    processId === undefined
      ? 'a process that is too busy to say which'
      : processId === process.pid && host === hostname()
        ? 'this process'
        : `process ${processId} on ${host}`;
  return new SkepError(
    'unavailable',
    `the folder ${folder} is held by ${who}; a store is open once at a time`,
    { details: { folder, ...holder } },
  );
}

function nameOf(number: number): string {
  return `holder-${number}.sock`;
}

/** The number of a holder's socket; 0 for other names. */
function numberOf(name: string): number {
  return Number(/^holder-(\d+)\.sock$/.exec(name)?.[1] ?? 0);
}
