/**
 * The command `skep`: its commands, their options, and what it says about them.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isSkepError, messageOf } from '@skep/api';
import { convert, type ConvertOptions } from './commands/convert.js';
import { simulate, type SimulateOptions } from './commands/simulate.js';
import { validate, type ValidateOptions } from './commands/validate.js';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from './surroundings.js';

const HELP = `
Begin here:
  skep simulate -f stack.yml            run a stack on simulated nodes, and see what happens
  skep simulate -f stack.yml --nodes 5 --seed 7 --json
  skep validate -f stack.yml            everything that is wrong with it, with line and column
  skep convert -f stack.yml --stack st  the requests that 'docker stack deploy' would send

Exit codes:
  0  as asked    1  the cluster does not settle as declared, with all reasons    2  bad input

A file is a Compose stack file, or holds manifests (apiVersion, kind, metadata, spec). Several -f
merge as Compose does. 'skep help COMMAND' says more about each.
`;

/** Runs the command with these arguments; resolves to its exit code. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    surroundings.err(`skep: ${messageOf(thrown)}\n`);
    if (thrown instanceof CommandFault) return thrown.exitCode;
    if (isSkepError(thrown) && thrown.code !== 'internal') return EXIT.badInput;
    throw thrown;
  }
}

function createProgram(surroundings: Surroundings, exit: (code: ExitCode) => void): Command {
  const program = new Command('skep')
    .description('Orchestrate services on nodes: declare, simulate, look inside.')
    .addHelpText('after', HELP)
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .showSuggestionAfterError()
    .exitOverride();
  withFiles(program.command('simulate'))
    .description('run files on simulated nodes in virtual time')
    .option('--nodes <n>', 'how many nodes', positive, 2)
    .option('--managers <n>', 'how many of them are managers; managers take work too', positive, 1)
    .option('--seed <seed>', 'seed of everything random; same seed, same output', '1')
    .option('--provide-external', 'create the networks, secrets and configs declared external')
    .option('--limit <seconds>', 'longest virtual time to wait', positive, 3600)
    .option('--trace', 'tell every step, not just the result')
    .option('--json', 'print the result for machines')
    .action(async (options: SimulateOptions) => exit(await simulate(options, surroundings)));
  withFiles(program.command('validate'))
    .description('say everything that is wrong with files')
    .option('--client', 'judge as the Docker client does, not as a manager')
    .option('--json', 'print the complaints for machines')
    .action((options: ValidateOptions) => exit(validate(options, surroundings)));
  withFiles(program.command('convert'))
    .description('print files in another form')
    .addOption(
      new Option('--to <form>', 'what to print')
        .choices(['docker-api', 'manifest'])
        .default('docker-api'),
    )
    .option('--no-env', 'treat every variable as unset')
    .action((options: ConvertOptions) => exit(convert(options, surroundings)));
  return program;
}

function withFiles(command: Command): Command {
  return command
    .requiredOption('-f, --file <path>', 'a stack file or manifests; may be repeated', collect)
    .option('--stack <name>', 'name of the stack, put before all names')
    .addOption(
      new Option('--missing-files <policy>', 'env, secret and config files that do not exist')
        .choices(['error', 'empty'])
        .default('error'),
    )
    .option('--profile <name>', 'a profile whose services are wanted; may be repeated', collect)
    .option('--workdir <path>', 'what relative paths start from')
    .option('--home <path>', 'what ~ stands for');
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('expected a whole number of at least 1');
  }
  return value;
}
