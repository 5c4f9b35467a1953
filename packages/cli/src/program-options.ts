/**
 * Options that several commands have, and how their values are read.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { SIMULATION_FLAGS } from './commands/network-source.js';
import { OUTPUTS } from './views/get/output.js';

/** Most nodes of a simulation. */
const NODES_MAX = 10_000;

/** Options of every command that reads files. */
export function withFiles(command: Command): Command {
  return withFileOptions(
    command.requiredOption(
      '-f, --file <path>',
      'a stack file or manifests; may be repeated',
      collect,
    ),
  );
}

/** The same for commands that can do without files. */
export function withOptionalFiles(command: Command, what: string): Command {
  return withFileOptions(command.option('-f, --file <path>', what, collect));
}

function withFileOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'name of the stack, put before all names')
    .addOption(
      new Option('--missing-files <policy>', 'env, secret and config files that do not exist')
        .choices(['error', 'empty'])
        .default('error'),
    )
    .option('--profile <name>', 'a profile whose services are wanted; may be repeated', collect)
    .option('--kinds <module>', 'a module with kinds of your own; may be repeated', collect)
    .option('--no-env', 'treat every variable as unset')
    .option('--workdir <path>', 'what relative paths start from')
    .option('--home <path>', 'what ~ stands for');
}

/** Options of every command about a running cluster. */
export function withClusterChoice(command: Command): Command {
  return command
    .option('--cluster <name>', 'name of the cluster (default: SKEP_CLUSTER, or skep)')
    .option('--state <folder>', 'where clusters are kept (default: SKEP_STATE, or /var/lib/skep)')
    .option('--socket <path>', "the manager's socket itself");
}

/** Options of every command that can wait for what it began. */
export function withWaiting(command: Command, standard = 300): Command {
  return command
    .option('--watch', 'show how far it is, and wait until it is as declared')
    .option('--timeout <seconds>', 'longest wait', positive, standard);
}

/** How objects are printed. */
export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <form>', 'how').choices(OUTPUTS).default(OUTPUTS[0]))
    .option('--no-headers', 'tables without their first line');
}

/** Options of every command that simulates a cluster. */
export function withSimulation(command: Command): Command {
  return withSimulationOptions(withFiles(command));
}

/**
 * Options of commands that look at a simulated cluster with `-f`, at the running one without.
 * Before the command runs, `onlySimulated` is set to what was given and is about simulations.
 */
export function withNetworkSource(command: Command): Command {
  const what = 'simulate this instead of asking the running cluster; may be repeated';
  return withClusterChoice(withSimulationOptions(withOptionalFiles(command, what))).hook(
    'preAction',
    (_, self) => {
      const given = Object.entries(SIMULATION_FLAGS)
        .filter(([name]) => self.getOptionValueSource(name) === 'cli')
        .map(([, flag]) => flag);
      self.setOptionValue('onlySimulated', given);
    },
  );
}

function withSimulationOptions(command: Command): Command {
  return command
    .option('--nodes <n>', 'how many nodes: node1, node2, …', numberOfNodes, 2)
    .option('--managers <n>', 'how many of them are managers; they take work too', positive, 1)
    .addOption(
      new Option(
        '--dataplane <name>',
        'how nodes program their kernels; default: as files say',
      ).choices(['ipvs', 'nftables']),
    )
    .option('--seed <seed>', 'seed of everything random; same seed, same output', '1')
    .option('--provide-external', 'create the networks, secrets and configs declared external')
    .option('--limit <seconds>', 'longest virtual time to wait', positive, 3600);
}

/** Values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** A whole number of at least 1. @throws InvalidArgumentError */
export function positive(text: string): number {
  return wholeFrom(1, text);
}

/** A whole number of at least 0. @throws InvalidArgumentError */
export function natural(text: string): number {
  return wholeFrom(0, text);
}

function wholeFrom(least: number, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`expected a whole number of at least ${least}`);
}

function numberOfNodes(text: string): number {
  const value = positive(text);
  if (value <= NODES_MAX) return value;
  throw new InvalidArgumentError(`expected at most ${NODES_MAX}`);
}
