/**
 * A runner of commands that gives those for `nft` to processes that stay, see {@link NftSession},
 * where that pays: in a namespace that is changed again, or for several of them in a row.
 *
 * A process in a namespace keeps that alive, with its interfaces. So it is ended before the
 * namespace is removed by us, found out when somebody else did, and ended when it is not needed for
 * a while.
 */
import { stat } from 'node:fs/promises';
import {
  namespacePath,
  runCommands,
  type CommandResult,
  type CommandRunner,
  type NamespaceCommand,
  type RunOptions,
} from './command-runner.js';
import { NftSession } from './nft-session.js';

/** How {@link NftSessions} goes about it. */
export interface NftSessionsOptions {
  /** Runs everything else. Default: the machine's own programs. */
  readonly run?: CommandRunner;
  /**
   * Most processes at a time; the one that was not used for longest ends first. Each takes some
   * 3 MiB; a namespace without one costs its start, some 4 ms, at the next change. Default: 8.
   */
  readonly sessionsMax?: number;
  /** A process that was not used for so long ends. Default: 30,000. */
  readonly idleMs?: number;
}

const SESSIONS_MAX = 8;
const IDLE_MS = 30_000;
/** Namespaces that are remembered as changed. */
const SEEN_MAX = 10_000;
const APPLY = ['nft', '-f', '-'];
const LIST = ['nft', '-j', 'list', 'ruleset'];
const FLUSH = ['nft', 'flush', 'ruleset'];
/** Lines after which a name stands for no namespace, or for another one. */
const REMOVALS = /(?:^|\n)netns (?:delete|attach) (\S+)/g;

interface Place {
  readonly session: NftSession;
  /** Of the namespace; undefined for the machine's own. */
  readonly inode: number | undefined;
  usedAt: number;
}

/**
 * See the module comment. Calls of `run` that overlap have to be about different namespaces; after
 * `close` no process is left.
 */
export class NftSessions {
  readonly #run: CommandRunner;
  readonly #sessionsMax: number;
  readonly #idleMs: number;
  /** By name of the namespace, '' for the machine's; the one used last is last. */
  readonly #places = new Map<string, Place>();
  readonly #seen = new Set<string>();
  /** No `nft` of this machine can be kept. */
  #isImpossible = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor({ run = runCommands, sessionsMax, idleMs }: NftSessionsOptions = {}) {
    this.#run = run;
    this.#sessionsMax = sessionsMax ?? SESSIONS_MAX;
    this.#idleMs = idleMs ?? IDLE_MS;
  }

  /** As `runCommands`. @throws aborted when a process ended in the middle of a change, too. */
  readonly run: CommandRunner = async (commands, options = {}) => {
    await this.#endStale();
    const results: CommandResult[] = [];
    for (const { isKept, part } of this.#parts(commands)) {
      if (!isKept) await this.#endBefore(part);
      const made = isKept ? await this.#runKept(part, options) : await this.#run(part, options);
      results.push(...made);
      if (options.isStopping === true && part.some((one, at) => isFailure(one, made[at]))) break;
    }
    return results;
  };

  /** Names and processes, for people and tests; '' is the machine's own namespace. */
  get processes(): readonly (readonly [string, number])[] {
    return [...this.#places].map(([name, { session }]) => [name, session.pid ?? 0]);
  }

  /** Ends all processes. The next call of `run` may start some again. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    await Promise.all([...this.#places.keys()].map((name) => this.#end(name)));
  }

  /** Neighbours that go the same way, in order. */
  #parts(
    commands: readonly NamespaceCommand[],
  ): readonly { readonly isKept: boolean; readonly part: readonly NamespaceCommand[] }[] {
    const parts: { isKept: boolean; part: NamespaceCommand[] }[] = [];
    const pays = this.#whatPays(commands);
    for (const [at, command] of commands.entries()) {
      const isKept = pays.has(at);
      const last = parts[parts.length - 1];
      if (last?.isKept === isKept) last.part.push(command);
      else parts.push({ isKept, part: [command] });
    }
    return parts;
  }

  /** Numbers of the commands for which a process that stays pays. */
  #whatPays(commands: readonly NamespaceCommand[]): ReadonlySet<number> {
    const chosen = new Set<number>();
    for (const [at, command] of commands.entries()) {
      if (this.#isImpossible || !isNft(command)) continue;
      const name = nameOf(command);
      const isAgain = isSame(command.command, APPLY) && this.#remember(name);
      const isInRow = [commands[at - 1], commands[at + 1]].some(
        (next) => next !== undefined && isNft(next) && nameOf(next) === name,
      );
      if (isAgain || isInRow) chosen.add(at);
    }
    return chosen;
  }

  /** Whether the namespace was changed before. */
  #remember(name: string): boolean {
    if (this.#seen.has(name)) return true;
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
    this.#seen.add(name);
    return false;
  }

  async #runKept(
    commands: readonly NamespaceCommand[],
    options: RunOptions,
  ): Promise<readonly CommandResult[]> {
    const results: CommandResult[] = [];
    for (const command of commands) {
      const session = await this.#session(command.namespace);
      const result =
        session === undefined
          ? ((await this.#run([command], options))[0] ?? SHELL_ENDED)
          : await tell(session, command);
      results.push(result);
      if (options.isStopping === true && isFailure(command, result)) break;
    }
    return results;
  }

  /** The process of a namespace; undefined when it can have none. */
  async #session(namespace: string | undefined): Promise<NftSession | undefined> {
    const name = namespace ?? '';
    const present = this.#places.get(name);
    if (present?.session.isOpen === true) {
      this.#places.delete(name);
      this.#places.set(name, present);
      present.usedAt = Date.now();
      return present.session;
    }
    this.#places.delete(name);
    // Without its namespace nothing can be said of the program.
    const inode = await inodeOf(namespace);
    if (this.#isImpossible || (namespace !== undefined && inode === undefined)) return undefined;
    const session = await NftSession.open(namespace);
    if (session === undefined) {
      this.#isImpossible = (await inodeOf(namespace)) === inode;
      return undefined;
    }
    this.#places.set(name, { session, inode, usedAt: Date.now() });
    const [eldest = ''] = this.#places.keys();
    if (this.#places.size > this.#sessionsMax) void this.#end(eldest);
    this.#endIdleLater();
    return session;
  }

  #endIdleLater(): void {
    this.#idleTimer ??= setTimeout(() => {
      this.#idleTimer = undefined;
      const now = Date.now();
      for (const [name, { usedAt }] of this.#places) {
        if (now - usedAt >= this.#idleMs) void this.#end(name);
      }
      if (this.#places.size > 0) this.#endIdleLater();
    }, this.#idleMs).unref();
  }

  /** Ends those that died, and those whose namespace is no more what is called so. */
  async #endStale(): Promise<void> {
    for (const [name, { session, inode }] of [...this.#places]) {
      const isSame = name === '' || (await inodeOf(name)) === inode;
      if (!session.isOpen || !isSame) await this.#end(name);
    }
  }

  /** Ends those in namespaces that the commands remove. */
  async #endBefore(commands: readonly NamespaceCommand[]): Promise<void> {
    for (const { command, input } of commands) {
      const text = [command.slice(1).join(' '), input ?? ''].join('\n');
      for (const [, name = ''] of text.matchAll(REMOVALS)) {
        this.#seen.delete(name);
        await this.#end(name);
      }
    }
  }

  #end(name: string): Promise<void> {
    const place = this.#places.get(name);
    this.#places.delete(name);
    return place?.session.close() ?? Promise.resolve();
  }
}

const SHELL_ENDED: CommandResult = { status: 1, output: '', errors: 'the shell ended early' };

function tell(session: NftSession, { command, input = '' }: NamespaceCommand) {
  return isSame(command, APPLY)
    ? session.apply(input)
    : session.run(isSame(command, LIST) ? 'list ruleset' : 'flush ruleset');
}

function isNft({ command }: NamespaceCommand): boolean {
  return [APPLY, LIST, FLUSH].some((words) => isSame(command, words));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, at) => word === b[at]);
}

function isFailure(command: NamespaceCommand, result: CommandResult | undefined): boolean {
  return result?.status !== 0 && result?.status !== (command.goodStatus ?? 0);
}

function nameOf({ namespace = '' }: NamespaceCommand): string {
  return namespace;
}

async function inodeOf(namespace: string | undefined): Promise<number | undefined> {
  if (namespace === undefined) return undefined;
  return (await stat(namespacePath(namespace)).catch(() => undefined))?.ino;
}
