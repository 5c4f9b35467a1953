/**
 * The commands about scheduling policies.
 */
import type { Command } from 'commander';
import { HELP } from '../help.js';
import { collect, natural, positive } from '../program-options.js';
import type { ExitCode, Surroundings } from '../surroundings.js';
import { policyCompare, type PolicyCompareOptions } from './policy-compare.js';
import { policyExplain, type PolicyExplainOptions } from './policy-explain.js';

/** Adds `policy compare` and `policy explain`. */
export function addPolicyCommands(
  program: Command,
  surroundings: Surroundings,
  exit: (code: ExitCode) => void,
): void {
  const policy = program.command('policy').description('try scheduling policies on a trace');
  withTrace(policy.command('compare'))
    .description('compare policies on a trace: a table, JSON, a page with plots')
    .option('--policy <policy>', 'a name, or a module file; may be repeated', collect)
    .option('--kind <kind>', 'the kind of device that is measured (default: gpu, or else cpus)')
    .option('-o, --output <file>', 'also write a page (.html), .json or .txt', collect)
    .option('--json', 'print the comparison for machines')
    .addHelpText('after', HELP.policyCompare)
    .action(async (options: PolicyCompareOptions) =>
      exit(await policyCompare(options, surroundings)),
    );
  withTrace(policy.command('explain'))
    .description('say why tasks of a trace went where they went, or found no place')
    .option('--policy <policy>', 'a name, or a module file', 'swarm')
    .option('--task <name>', 'a task; may be repeated (default: those without a place)', collect)
    .option('--top <n>', 'so many tasks, and nodes of each sort', positive, 10)
    .option('--json', 'print the explanations for machines')
    .addHelpText('after', HELP.policyExplain)
    .action(async (options: PolicyExplainOptions) =>
      exit(await policyExplain(options, surroundings)),
    );
}

function withTrace(command: Command): Command {
  return command
    .option('--trace <file>', 'nodes and tasks as csv or JSON; - is standard input')
    .option('--openb-nodes <file>', 'nodes in the form of the OpenB trace')
    .option('--openb-pods <file>', 'tasks in that form')
    .option('--openb-orders <file>', 'the orders of arrival of published runs')
    .option('--seed <n>', 'which order, or the seed of one of its own', natural, 42);
}
