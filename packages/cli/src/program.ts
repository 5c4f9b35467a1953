/**
 * The command `skep`: its commands, their options, and what it says about them.
 */
import { Command, CommanderError, Option } from 'commander';
import { isSkepError, messageOf, type SkepErrorCode } from '@skep/api';
import { convert, type ConvertOptions } from './commands/convert.js';
import { doctor, type DoctorOptions } from './commands/doctor.js';
import { addPolicyCommands } from './commands/policy.js';
import { simulate, type SimulateOptions } from './commands/simulate.js';
import { validate, type ValidateOptions } from './commands/validate.js';
import { CHANGE_TYPES, why, type WhyCommandOptions } from './commands/why.js';
import { addChangeCommands, addLocalCommands } from './cluster-commands.js';
import { addCompletion } from './completion-commands.js';
import { HELP } from './help.js';
import { addLookCommands } from './look-commands.js';
import { addNetworkCommands } from './network-commands.js';
import { withFiles, withNetworkSource, withSimulation } from './program-options.js';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from './surroundings.js';

/** Codes of errors that say that the input is at fault; any other is a fault of skep. */
const INPUT_CODES: ReadonlySet<SkepErrorCode> = new Set([
  'not-found',
  'already-exists',
  'conflict',
  'invalid-argument',
  'failed-precondition',
  'resource-exhausted',
]);

/** Codes of errors that say that a running cluster cannot be had, now or by this user. */
const UNAVAILABLE_CODES: ReadonlySet<SkepErrorCode> = new Set([
  'unavailable',
  'deadline-exceeded',
  'permission-denied',
]);

/** A text that begins with the place in a file. */
const PLACED = /^\S+:\d+:\d+: /;

/** Runs the command with these arguments; resolves to its exit code and never rejects. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return failed(thrown, surroundings);
  }
}

function failed(thrown: unknown, { err }: Surroundings): ExitCode {
  // Commander has said already what is wrong.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  const exit = expectedExit(thrown);
  if (exit !== undefined) {
    const text = messageOf(thrown);
    err(`${PLACED.test(text) ? '' : 'skep: '}${text}\n`);
    return exit;
  }
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  err(`skep: this is a fault of skep, not of the input; please report it\n${trace}\n`);
  return EXIT.fault;
}

/** The exit code of a failure that is no fault of skep; undefined for one that is. */
function expectedExit(thrown: unknown): ExitCode | undefined {
  if (thrown instanceof CommandFault) return thrown.exitCode;
  if (!isSkepError(thrown)) return undefined;
  if (thrown.code === 'aborted') return EXIT.interrupted;
  if (UNAVAILABLE_CODES.has(thrown.code)) return EXIT.unavailable;
  return INPUT_CODES.has(thrown.code) ? EXIT.badInput : undefined;
}

function createProgram(surroundings: Surroundings, exit: (code: ExitCode) => void): Command {
  const program = new Command('skep')
    .description('Orchestrate services on nodes: declare, simulate, look inside.')
    .addHelpText('after', HELP.skep)
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .showSuggestionAfterError()
    .exitOverride();
  withSimulation(program.command('simulate'))
    .description('run files on simulated nodes in virtual time')
    .option('--trace', 'tell every step, not just the result')
    .option('--json', 'print the result for machines')
    .addHelpText('after', HELP.simulate)
    .action(async (options: SimulateOptions) => exit(await simulate(options, surroundings)));
  withFiles(program.command('validate'))
    .description('say everything that is wrong with files')
    .option('--client', 'judge as the Docker client does, not as a manager')
    .option('--json', 'print the complaints for machines')
    .addHelpText('after', HELP.validate)
    .action(async (options: ValidateOptions) => exit(await validate(options, surroundings)));
  withFiles(program.command('convert'))
    .description('print files in another form')
    .addOption(
      new Option('--to <form>', 'what to print')
        .choices(['docker-api', 'manifest'])
        .default('docker-api'),
    )
    .addHelpText('after', HELP.convert)
    .action(async (options: ConvertOptions) => exit(await convert(options, surroundings)));
  withNetworkSource(program.command('why'))
    .description('say why an object changed: the commits that led to it, the cause first')
    .argument('<object>', 'a name, an id, SERVICE.SLOT, or KIND/NAME')
    .option('--field <path>', 'the newest change of this field, as spec.desiredState')
    .addOption(new Option('--change <type>', 'the newest one of this sort').choices(CHANGE_TYPES))
    .option('--json', 'print the steps for machines')
    .addHelpText('after', HELP.why)
    .action(async (object: string, options: WhyCommandOptions) =>
      exit(await why(object, options, surroundings)),
    );
  addNetworkCommands(program, surroundings, exit);
  addLocalCommands(program, surroundings, exit);
  addChangeCommands(program, surroundings, exit);
  addLookCommands(program, surroundings, exit);
  program
    .command('doctor')
    .description('say what this machine can do as a node, and what is missing')
    .option('--docker-socket <path>', 'where Docker Engine listens')
    .option('--json', 'print the report for machines')
    .addHelpText('after', HELP.doctor)
    .action(async (options: DoctorOptions) => exit(await doctor(options, surroundings)));
  addPolicyCommands(program, surroundings, exit);
  addCompletion(program, surroundings, exit);
  return program;
}
