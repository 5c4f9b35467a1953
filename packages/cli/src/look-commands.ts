/**
 * The commands that look at a running cluster.
 */
import { Option, type Command } from 'commander';
import { describeObjects, type DescribeOptions } from './live/describe.js';
import { events, type EventsOptions } from './live/events.js';
import { explainTask, type ExplainCommandOptions } from './live/explain.js';
import { get, type GetOptions } from './live/get.js';
import { logs, type LogsOptions } from './live/logs.js';
import { watch, type WatchCommandOptions } from './live/watch.js';
import { CLUSTER_HELP } from './cluster-help.js';
import { natural, withClusterChoice, withOutput } from './program-options.js';
import type { ExitCode, Surroundings } from './surroundings.js';

type Exit = (code: ExitCode) => void;

const textOrJson = (): Option =>
  new Option('-o, --output <form>', 'how').choices(['text', 'json']).default('text');

/** Adds `get`, `describe`, `logs`, `events`, `watch` and `explain`. */
export function addLookCommands(program: Command, surroundings: Surroundings, exit: Exit): void {
  withClusterChoice(withOutput(program.command('get')))
    .description('show objects of a running cluster')
    .argument('<objects...>', 'KINDS, KIND NAME…, or KIND/NAME…')
    .option('-l, --selector <labels>', 'only those with these labels: app=web,tier!=db')
    .option('--field-selector <fields>', 'only those with these fields: status.state=running')
    .option('-w, --watch', 'go on with what changes')
    .addHelpText('after', CLUSTER_HELP.get)
    .action(async (words: string[], options: GetOptions) =>
      exit(await get(words, options, surroundings)),
    );
  withClusterChoice(program.command('describe'))
    .description('tell all about objects: what is wanted, what is, why it waits, what happened')
    .argument('<objects...>', 'KIND, KIND NAME…, or KIND/NAME…')
    .option('-l, --selector <labels>', 'only those with these labels')
    .addHelpText('after', CLUSTER_HELP.describe)
    .action(async (words: string[], options: DescribeOptions) =>
      exit(await describeObjects(words, options, surroundings)),
    );
  withClusterChoice(program.command('logs'))
    .description('print what tasks wrote')
    .argument('<object...>', 'services and tasks: web, web.1, svc/web, task/web.1')
    .option('-f, --follow', 'go on with what comes, over tasks that come later')
    .option('--tail <n>', 'only so many of the newest lines of each task', natural)
    .option('--since <time>', '10m, 2h, 3d, or 2026-01-31T12:00:00Z')
    .option('-t, --timestamps', 'when each line was written')
    .addOption(new Option('--stream <name>', 'only this one').choices(['stdout', 'stderr']))
    .option('--no-prefix', 'not which task it was')
    .addOption(textOrJson())
    .addHelpText('after', CLUSTER_HELP.logs)
    .action(async (references: string[], options: LogsOptions) =>
      exit(await logs(references, options, surroundings)),
    );
  withClusterChoice(withOutput(program.command('events')))
    .description('show what happened, as the cluster noted it')
    .argument('[object]', 'of this one: a name, SERVICE.SLOT, or KIND/NAME')
    .option('-w, --watch', 'go on with what comes')
    .option('--warnings', 'only warnings')
    .addHelpText('after', CLUSTER_HELP.events)
    .action(async (reference: string | undefined, options: EventsOptions) =>
      exit(await events(reference, options, surroundings)),
    );
  withClusterChoice(program.command('watch'))
    .description('tell what happens from now on, commit by commit')
    .argument('[kinds...]', 'only of these')
    .addOption(textOrJson())
    .addHelpText('after', CLUSTER_HELP.watch)
    .action(async (kinds: string[], options: WatchCommandOptions) =>
      exit(await watch(kinds, options, surroundings)),
    );
  withClusterChoice(program.command('explain'))
    .description('say where a task would go now, and why not elsewhere')
    .argument('<task>', 'name, id, SERVICE.SLOT, or a service: its first task that waits')
    .option('--json', 'print it for machines')
    .addHelpText('after', CLUSTER_HELP.explain)
    .action(async (task: string, options: ExplainCommandOptions) =>
      exit(await explainTask(task, options, surroundings)),
    );
}
