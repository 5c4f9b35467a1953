/**
 * Plans for the machine's own kernel: nodes with the texts of the renderer `nftables`, in
 * namespaces that nobody else sees and that end with the process that made them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { missingPrograms } from '../../../scripts/test-needs.js';
import { TOOLS, textOf, type RenderedNamespace, type RenderedStep } from '../src/index.js';
import { DRIVER_PROGRAM, type DriverResult, type DriverStep } from './uml-driver.js';

/** Programs that the plans need. */
const PROGRAMS = ['nft', 'ip', 'bridge', 'conntrack', 'unshare', 'python3'];

/** What is missing on this machine to carry out a plan. */
export function missingForNft(): readonly string[] {
  return missingPrograms(PROGRAMS);
}

const COMMANDS: Readonly<Partial<Record<RenderedStep['tool'], readonly string[]>>> = {
  ip: ['ip', '-batch', '-'],
  ip6: ['ip', '-6', '-batch', '-'],
  bridge: ['bridge', '-batch', '-'],
  nft: ['nft', '-f', '-'],
  // Written by the driver itself.
  sysctl: ['sysctl'],
};

/** One text for one tool; `nft` is first asked whether it would take it. */
function toolSteps(namespace: string, { tool, lines }: RenderedStep): readonly DriverStep[] {
  const input = textOf({ namespace: { name: namespace, kind: 'host' }, tool, lines });
  if (input === '') return [];
  if (tool === 'conntrack') {
    return lines.map((line) => {
      return { do: 'run', namespace, command: ['conntrack', ...line.split(' ')], input: '' };
    });
  }
  const command = COMMANDS[tool];
  if (command === undefined) throw new Error(`${tool} has no business here`);
  const apply: DriverStep = { do: 'run', namespace, command, input };
  return tool === 'nft' ? [{ ...apply, command: ['nft', '-c', '-f', '-'] }, apply] : [apply];
}

/** The commands of a difference, for a node whose own namespace is called `host`. */
export function stepsFor(host: string, steps: readonly RenderedStep[]): readonly DriverStep[] {
  return steps.flatMap((step) =>
    toolSteps(step.namespace.kind === 'host' ? host : step.namespace.name, step),
  );
}

/** Whole texts of a node, each as one. */
export function wholeFor(
  host: string,
  rendered: readonly RenderedNamespace[],
): readonly DriverStep[] {
  return rendered.flatMap(({ namespace, texts }) =>
    TOOLS.flatMap((tool) => {
      const lines = texts[tool] === '' ? [] : [texts[tool].trimEnd()];
      return stepsFor(host, [{ namespace, tool, lines }]);
    }),
  );
}

/** Carries out a plan. The namespaces are those of one process, and end with it. */
export function runNatively(steps: readonly DriverStep[], timeoutMs: number): DriverResult[] {
  const folder = mkdtempSync(join(tmpdir(), `skt-nft-${process.pid}-`));
  try {
    const [program, plan, results] = ['driver.py', 'plan.json', 'results.json'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    writeFileSync(program, DRIVER_PROGRAM);
    writeFileSync(plan, JSON.stringify(steps));
    const script =
      'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up && ' +
      `exec python3 ${program} ${plan} ${results}`;
    const done = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', script], {
      encoding: 'utf8',
      timeout: timeoutMs,
    });
    if (!existsSync(results)) {
      throw new Error(`the driver ended with ${done.status}: ${done.stdout}${done.stderr}`);
    }
    return JSON.parse(readFileSync(results, 'utf8')) as DriverResult[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What tools refused, of the steps with these numbers; forgetting nothing is no fault. */
export function refusals(
  steps: readonly DriverStep[],
  results: readonly DriverResult[],
  of: readonly number[],
): readonly string[] {
  return of.flatMap((at) => {
    const [step, result] = [steps[at], results[at]];
    if (result === undefined) return [`step ${at} was not carried out`];
    if (step?.do !== 'run' || result.status === 0 || step.command[0] === 'conntrack') return [];
    const { command, namespace, input } = step;
    return [
      `${command.join(' ')} in ${namespace}: ${result.output ?? ''}\n${input.slice(0, 2000)}`,
    ];
  });
}
