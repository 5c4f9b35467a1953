/**
 * Steps as commands of the kernel's tools, and their complaints as errors that name the line.
 *
 * **Source:** ip(8), bridge(8), nft(8), iptables-restore(8), ipvsadm(8), sysctl(8), conntrack(8).
 */
import { SkepError } from '@skep/api';
import { textOf, type RenderedStep, type Tool } from '@skep/network';
import type { CommandResult, NamespaceCommand } from '../namespace/command-runner.js';

/**
 * Runs lines of words for conntrack(8), each of which may find nothing, in one process. Before
 * 1.4.7 it reads no lines, and is started for each.
 */
const CONNTRACK_LINES = [
  'lines=$(cat)',
  'printf "%s\\n" "$lines" | conntrack -R - >/dev/null 2>&1 && exit',
  'printf "%s\\n" "$lines" | while read -r words; do',
  '  conntrack $words; status=$?; [ $status -le 1 ] || exit $status',
  'done',
].join('\n');

/** What each tool is called with. `conntrack` gets the words of a line, unless there are more. */
const COMMANDS: Readonly<Record<Tool, readonly string[]>> = Object.freeze({
  ip: ['ip', '-batch', '-'],
  ip6: ['ip', '-6', '-batch', '-'],
  bridge: ['bridge', '-batch', '-'],
  // What the kernel does not have is told by what is read back.
  sysctl: ['sysctl', '-e', '-q', '-p', '-'],
  iptables: ['iptables-restore', '--noflush'],
  ip6tables: ['ip6tables-restore', '--noflush'],
  ipvs: ['ipvsadm', '--restore'],
  nft: ['nft', '-f', '-'],
  conntrack: ['conntrack'],
});

/** Debian package that has a program. */
const PACKAGES: Readonly<Record<string, string>> = Object.freeze({
  ip: 'iproute2',
  bridge: 'iproute2',
  sysctl: 'procps',
  nsenter: 'util-linux',
  nft: 'nftables',
  conntrack: 'conntrack',
  iptables: 'iptables',
  'iptables-restore': 'iptables',
  'iptables-save': 'iptables',
  'ip6tables-restore': 'iptables',
  'ip6tables-save': 'iptables',
  ipvsadm: 'ipvsadm',
});

/** How a program is had on Debian. */
export function howToInstall(program: string): string {
  const name = PACKAGES[program];
  return name === undefined ? `install ${program}` : `apt-get install ${name}`;
}

/** A command with the step that it is for. */
export interface StepCommand {
  readonly step: RenderedStep;
  readonly command: NamespaceCommand;
}

/** The commands of steps; `place` says which namespace stands for a reference. */
export function commandsOf(
  steps: readonly RenderedStep[],
  place: (namespace: RenderedStep['namespace']) => string | undefined,
): readonly StepCommand[] {
  return steps.flatMap((step): readonly StepCommand[] => {
    const namespace = place(step.namespace);
    const words = COMMANDS[step.tool];
    if (step.lines.length === 0) return [];
    const [line = '', ...more] = step.lines;
    if (step.tool !== 'conntrack') {
      return [{ step, command: { namespace, command: words, input: textOf(step) } }];
    }
    if (more.length > 0) {
      const command = ['sh', '-c', CONNTRACK_LINES, 'conntrack'];
      return [{ step, command: { namespace, command, input: textOf(step) } }];
    }
    // There may be no such connection.
    const command = [...words, ...line.split(' ')];
    return [{ step, command: { namespace, command, goodStatus: 1 } }];
  });
}

/**
 * The error for a command that failed: `unavailable`, for it may be another time; or
 * `failed-precondition` for a program that is not there.
 */
export function failureOf({ step, command }: StepCommand, result: CommandResult): SkepError {
  const program = step.tool === 'conntrack' ? 'conntrack' : (command.command[0] ?? '');
  const said = result.errors.trim() || result.output.trim();
  if (result.status === 127 || /failed to execute|not found$/m.test(said)) {
    const text = `the program ${program} is not there: ${howToInstall(program)}`;
    return new SkepError('failed-precondition', text, { details: { program } });
  }
  const number = failedLine(step, said);
  const line = number === undefined ? undefined : step.lines.join('\n').split('\n')[number - 1];
  const where =
    line === undefined
      ? `one of ${step.lines.length} lines`
      : `line ${number} (${JSON.stringify(line.slice(0, 200))})`;
  const text = `${program} in ${command.namespace ?? 'this machine'} refused ${where}: ${said}`;
  return new SkepError('unavailable', text, {
    details: {
      namespace: step.namespace.name,
      tool: step.tool,
      status: result.status,
      ...(line === undefined ? {} : { lineNumber: number, line }),
    },
  });
}

/** Number of the line, from 1, that a tool complained about. */
function failedLine({ tool, lines }: RenderedStep, said: string): number | undefined {
  const number = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(said)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  switch (tool) {
    case 'ip':
    case 'ip6':
    case 'bridge':
      return number(/Command failed -:(\d+)/);
    case 'nft':
      return number(/:(\d+):\d+/);
    case 'iptables':
    case 'ip6tables':
      return number(/line:? (\d+)/);
    case 'sysctl': {
      const key = /\/proc\/sys\/(\S+?):|"([\w./-]+)"/.exec(said);
      const name = (key?.[1] ?? key?.[2])?.replaceAll('/', '.');
      const at = lines.findIndex((line) => name !== undefined && line.startsWith(`${name} `));
      return at < 0 ? undefined : at + 1;
    }
    case 'ipvs':
    case 'conntrack':
      // A restore of services does not say; it has one line when it is run after that.
      return lines.length === 1 ? 1 : undefined;
  }
}
