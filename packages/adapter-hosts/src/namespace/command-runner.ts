/**
 * Runs programs in network namespaces, many in one go: a shell reads the list, so that a process
 * costs a fork of the shell and not one of ours.
 *
 * The mount namespace stays that of the caller: `ip netns exec` would remount /sys, and names made
 * by `ip netns add` would be seen by nobody else.
 *
 * **Source:** nsenter(1), ip-netns(8).
 */
import { spawn } from 'node:child_process';
import { SkepError } from '@skep/api';

/** Where named network namespaces are mounted. */
export const NETNS_FOLDER = '/run/netns';

/** One program to run. */
export interface NamespaceCommand {
  /** As in `ip netns`; undefined: that of the caller. */
  readonly namespace: string | undefined;
  readonly command: readonly string[];
  /** What it reads. Default: nothing. */
  readonly input?: string;
  /** A status that is no failure, besides 0. */
  readonly goodStatus?: number;
}

/** What came of it. */
export interface CommandResult {
  /** 127: there is no such program. */
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** How {@link runCommands} goes about it. */
export interface RunOptions {
  /** Nothing is run after the first that fails. Default: false. */
  readonly isStopping?: boolean;
  /** Default: 60,000. */
  readonly timeoutMs?: number;
}

/** Runs a list of programs; `runCommands`, or a stand-in. */
export type CommandRunner = (
  commands: readonly NamespaceCommand[],
  options?: RunOptions,
) => Promise<readonly CommandResult[]>;

const TIMEOUT_MS = 60_000;
/** How the shell of a namespace says that it has come to its end, or stopped after a failure. */
const ENDED = 110;
const STOPPED = 111;
/** Between what one program printed and the next: a character that none of them prints. */
const MARK = '\u001e';
const END_OF_INPUT = 'SKEP_END_OF_INPUT';
const END_OF_SCRIPT = 'SKEP_END_OF_SCRIPT';

/** Path of a named network namespace. */
export function namespacePath(namespace: string): string {
  return `${NETNS_FOLDER}/${namespace}`;
}

/**
 * Runs the programs one after the other. The list of results is shorter than that of the commands
 * when it stopped early. Cost: a process of ours, and a fork of a shell for each command.
 * @throws unavailable when there is no shell, deadline-exceeded when it took too long.
 */
export async function runCommands(
  commands: readonly NamespaceCommand[],
  { isStopping = false, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<readonly CommandResult[]> {
  if (commands.length === 0) return [];
  const script = groupsOf(commands)
    .map((group) => groupScript(group, isStopping))
    .join('');
  const { output, errors } = await runShell(script, timeoutMs);
  const errorParts = errors.split(`${MARK}\n`);
  const results: CommandResult[] = [];
  let printed = '';
  for (const part of output.split(MARK).entries()) {
    const [number, text] = part;
    if (number === 0) {
      printed = text;
      continue;
    }
    const newline = text.indexOf('\n');
    results.push({
      status: Number(text.slice(0, newline)),
      output: printed,
      errors: errorParts[number - 1] ?? '',
    });
    printed = text.slice(newline + 1);
  }
  return results;
}

/** Neighbours in the same namespace: it is entered once for all of them. */
function groupsOf(commands: readonly NamespaceCommand[]): readonly (readonly NamespaceCommand[])[] {
  const groups: NamespaceCommand[][] = [];
  for (const command of commands) {
    const last = groups[groups.length - 1];
    if (last !== undefined && last[0]?.namespace === command.namespace) last.push(command);
    else groups.push([command]);
  }
  return groups;
}

function groupScript(group: readonly NamespaceCommand[], isStopping: boolean): string {
  const [first] = group;
  if (first === undefined) return '';
  const { namespace } = first;
  const stop = (status: number): string => (isStopping ? ` || exit ${status}` : '');
  if (namespace === undefined || group.length === 1) {
    const way = namespace === undefined ? [] : enter(namespace);
    return group.map((one) => commandScript(one, way, stop(0))).join('');
  }
  const inside = group.map((one) => commandScript(one, [], stop(STOPPED))).join('');
  const outside = enter(namespace).map(quoted).join(' ');
  const failed = group.map(() => `skep_status=1\n${SAY}`).join(isStopping ? 'exit 0\n' : '');
  return `${outside} sh -s <<'${END_OF_SCRIPT}'
${inside}exit ${ENDED}
${END_OF_SCRIPT}
case $? in
${ENDED}) ;;
1|127)
# It could not be entered.
${failed}${isStopping ? 'exit 0\n' : ''};;
*) exit 0 ;;
esac
`;
}

const SAY = `printf '\\036%d\\n' $skep_status; printf '\\036\\n' >&2\n`;

function commandScript(one: NamespaceCommand, way: readonly string[], stop: string): string {
  const { command, input, goodStatus = 0 } = one;
  const line = [...way, ...command].map(quoted).join(' ');
  const fed =
    input === undefined
      ? `${line} </dev/null\n`
      : `${line} <<'${END_OF_INPUT}'\n${input}${input.endsWith('\n') ? '' : '\n'}${END_OF_INPUT}\n`;
  const isGood = `[ $skep_status = 0 ] || [ $skep_status = ${goodStatus} ]`;
  return `${fed}skep_status=$?; ${SAY}${stop === '' ? '' : `${isGood}${stop}\n`}`;
}

/** The words that let a program run in a namespace. */
export function enter(namespace: string): readonly string[] {
  return ['nsenter', `--net=${namespacePath(namespace)}`, '--'];
}

function quoted(word: string): string {
  return /^[\w./=:@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function runShell(
  script: string,
  timeoutMs: number,
): Promise<{ readonly output: string; readonly errors: string }> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what it runs ends with it.
    const shell = spawn('sh', ['-s'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, LC_ALL: 'C', PATH: searchPath() },
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      endGroup(shell.pid);
    }, timeoutMs);
    shell.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    shell.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    // A shell that was killed reads no more; `close` tells.
    shell.stdin.on('error', () => undefined);
    shell.on('error', (cause) => {
      clearTimeout(timer);
      reject(
        new SkepError('unavailable', `no shell could be started: ${cause.message}`, { cause }),
      );
    });
    shell.on('close', () => {
      clearTimeout(timer);
      if (isLate) {
        const text = `programs that set up the network took longer than ${timeoutMs} ms`;
        reject(new SkepError('deadline-exceeded', text));
      } else {
        resolve({
          output: Buffer.concat(output).toString(),
          errors: Buffer.concat(errors).toString(),
        });
      }
    });
    shell.stdin.end(script);
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** The search path, with where programs for the administrator are. */
export function searchPath(): string {
  const own = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return [...new Set([...own, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])].join(
    ':',
  );
}
