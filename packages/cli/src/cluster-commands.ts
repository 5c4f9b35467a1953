/**
 * The commands that bring a cluster up, change what runs on it, and look at it.
 */
import { Option, type Command } from 'commander';
import { apply, type ApplyCommandOptions } from './live/apply.js';
import {
  label,
  remove,
  rollback,
  scale,
  setAvailability,
  update,
  type ChangeOptions,
  type RemoveOptions,
  type RollbackOptions,
  type UpdateOptions,
} from './live/change.js';
import { down, status, type DownOptions, type StatusOptions } from './live/status.js';
import { localClusters, up, type UpOptions } from './live/up.js';
import { CLUSTER_HELP } from './cluster-help.js';
import {
  collect,
  natural,
  positive,
  withClusterChoice,
  withFiles,
  withOptionalFiles,
  withWaiting,
} from './program-options.js';
import type { ExitCode, Surroundings } from './surroundings.js';

type Exit = (code: ExitCode) => void;

/** Adds `up`, `down`, `status`, and the hidden `internal`. */
export function addLocalCommands(program: Command, surroundings: Surroundings, exit: Exit): void {
  const command = withClusterChoice(
    withOptionalFiles(program.command('up'), 'declare it once the cluster is up; may be repeated'),
  );
  withWaiting(command)
    .description('bring a cluster up on this machine, and declare files to it')
    .addOption(new Option('--hosts <kind>', 'what a node is').choices(['namespaces', 'local']))
    .option('--nodes <n>', 'how many nodes: node1, node2, …', positive)
    .addOption(new Option('--runtime <name>', 'what runs tasks').choices(['processes', 'docker']))
    .addOption(
      new Option('--dataplane <name>', 'how nodes program their kernels').choices([
        'nftables',
        'ipvs',
      ]),
    )
    .option('--image <name=command>', 'what an image is as a process; may be repeated', collect)
    .option('--images <path>', 'the same in a file, JSON or YAML; may be repeated', collect)
    .option('--no-publish-locally', 'published ports do not answer on this machine itself')
    .option('--docker-socket <path>', 'where Docker Engine listens')
    .option('--name-server <address>', 'whom to ask for other names; may be repeated', collect)
    .option('-d, --detach', 'leave it running')
    .option('--prune', 'remove services of the stack that are not in the files any more')
    .option('--force', 'take over fields that others have set')
    .addHelpText('after', CLUSTER_HELP.up)
    .action(async (options: UpOptions, self: Command) => {
      // A switch that nobody gave leaves the cluster as it was.
      const isGiven = self.getOptionValueSource('publishLocally') === 'cli';
      const { publishLocally: _, ...others } = options;
      exit(await up(isGiven ? options : others, surroundings));
    });
  withClusterChoice(program.command('down'))
    .description('end a cluster of this machine, and remove every trace of it')
    .option('--keep-state', 'keep what was declared, for the next up')
    .option('--timeout <seconds>', 'how long tasks may take to end', positive, 10)
    .addHelpText('after', CLUSTER_HELP.down)
    .action(async (options: DownOptions) => exit(await down(options, surroundings)));
  withClusterChoice(program.command('status'))
    .description('show how a cluster of this machine is')
    .option('--json', 'print it for machines')
    .addHelpText('after', CLUSTER_HELP.status)
    .action(async (options: StatusOptions) => exit(await status(options, surroundings)));
  program
    .command('internal', { hidden: true })
    .description('be a process of a cluster')
    .argument('<role>')
    .argument('<settings>')
    .action(async (role: string, settings: string) => {
      const local = await localClusters(surroundings);
      exit((await local.runProcess(role, settings)) as ExitCode);
    });
}

/** Adds `apply`, `scale`, `update`, `rollback`, `rm`, `drain`, `pause`, `activate`, `label`. */
export function addChangeCommands(program: Command, surroundings: Surroundings, exit: Exit): void {
  withWaiting(withClusterChoice(withFiles(program.command('apply'))))
    .description('declare files to a running cluster')
    .option('--prune', 'remove services of the stack that are not in the files any more')
    .option('--force', 'take over fields that others have set')
    .addHelpText('after', CLUSTER_HELP.apply)
    .action(async (options: ApplyCommandOptions) => exit(await apply(options, surroundings)));
  withWaiting(withClusterChoice(program.command('scale')))
    .description('set how many replicas services have')
    .argument('<service=number...>', 'such as web=3')
    .addHelpText('after', CLUSTER_HELP.scale)
    .action(async (wishes: string[], options: ChangeOptions) =>
      exit(await scale(wishes, options, surroundings)),
    );
  addUpdate(program, surroundings, exit);
  withWaiting(withClusterChoice(program.command('rollback')))
    .description('go back to an earlier declaration of a service')
    .argument('<service>', 'name or id')
    .option('--to <generation>', 'to this one (default: the last that was different)', positive)
    .addHelpText('after', CLUSTER_HELP.rollback)
    .action(async (service: string, options: RollbackOptions) =>
      exit(await rollback(service, options, surroundings)),
    );
  withWaiting(withClusterChoice(program.command('rm')))
    .description('remove services, or objects of any kind')
    .argument('[object...]', 'SERVICE…, KIND NAME…, or KIND/NAME…')
    .option('--stack <name>', 'everything of a stack; may be repeated', collect)
    .option('--force', 'nodes: also those that are not down')
    .addHelpText('after', CLUSTER_HELP.rm)
    .action(async (words: string[], options: RemoveOptions) =>
      exit(await remove(words, options, surroundings)),
    );
  addNodeCommands(program, surroundings, exit);
}

function addNodeCommands(program: Command, surroundings: Surroundings, exit: Exit): void {
  const commands = [
    ['drain', 'drain', 'take all tasks away from nodes, and give them no new ones'],
    ['pause', 'pause', 'give nodes no new tasks; they keep those they have'],
    ['activate', 'active', 'give nodes tasks again'],
  ] as const;
  for (const [name, availability, description] of commands) {
    withWaiting(withClusterChoice(program.command(name)))
      .description(description)
      .argument('<node...>', 'names or ids')
      .addHelpText('after', CLUSTER_HELP[name])
      .action(async (nodes: string[], options: ChangeOptions) =>
        exit(await setAvailability(nodes, availability, options, surroundings)),
      );
  }
  withWaiting(withClusterChoice(program.command('label')))
    .description('change labels of a node or service')
    .argument('<object>', 'node/NAME or service/NAME')
    .argument('<label...>', 'KEY=VALUE, or KEY- to take it away')
    .addHelpText('after', CLUSTER_HELP.label)
    .action(async (object: string, labels: string[], options: ChangeOptions) =>
      exit(await label(object, labels, options, surroundings)),
    );
}

function addUpdate(program: Command, surroundings: Surroundings, exit: Exit): void {
  const choice = (flags: string, description: string, values: readonly string[]): Option =>
    new Option(flags, description).choices(values);
  withWaiting(withClusterChoice(program.command('update')))
    .description('change a service; its tasks are replaced as its update settings say')
    .argument('<service>', 'name or id')
    .option('--image <image>', 'what its tasks run')
    .option('--args <words>', 'arguments of the command')
    .option('--replicas <n>', 'how many tasks', natural)
    .option('--env-add <name=value>', 'may be repeated, as all of these', collect)
    .option('--env-rm <name>', 'takes a variable away', collect)
    .option('--label-add <key=value>', 'of the service, not of its containers', collect)
    .option('--label-rm <key>', 'takes a label away', collect)
    .option('--constraint-add <expression>', 'such as node.labels.disk==ssd', collect)
    .option('--constraint-rm <expression>', 'takes a constraint away', collect)
    .option('--publish-add <port>', '[PUBLISHED:]TARGET[/PROTOCOL]', collect)
    .option('--publish-rm <target>', 'TARGET[/PROTOCOL]', collect)
    .option('--update-parallelism <n>', 'tasks replaced at a time; 0: all', natural)
    .option('--update-delay <ms>', 'between them, in milliseconds', natural)
    .addOption(choice('--update-order <order>', 'what first', ['stop-first', 'start-first']))
    .addOption(
      choice('--update-failure-action <action>', 'when too many fail', [
        'pause',
        'continue',
        'rollback',
      ]),
    )
    .addOption(
      choice('--restart-condition <condition>', 'when tasks are started anew', [
        'none',
        'on-failure',
        'any',
      ]),
    )
    .option('--patch <json>', 'a merge patch of the spec, for everything else')
    .option('--force', 'replace all tasks though nothing changes')
    .option('--hold', 'leave tasks as they are until --resume')
    .option('--resume', 'let updates go on')
    .addHelpText('after', CLUSTER_HELP.update)
    .action(async (service: string, options: UpdateOptions) =>
      exit(await update(service, options, surroundings)),
    );
}
