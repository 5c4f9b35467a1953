/**
 * The commands that look at the network of a cluster.
 */
import type { Command } from 'commander';
import { Option } from 'commander';
import { dns, type DnsOptions } from './commands/dns.js';
import { map, MAP_FORMATS, type MapOptions } from './commands/map.js';
import { TABLE_FORMATS, tables, type TablesOptions } from './commands/tables.js';
import { tracePacket, type TracePacketOptions } from './commands/trace.js';
import { HELP } from './help.js';
import { positive, withNetworkSource } from './program-options.js';
import type { ExitCode, Surroundings } from './surroundings.js';

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

/** Adds `tables`, `dns`, `trace packet` and `map`. */
export function addNetworkCommands(
  program: Command,
  surroundings: Surroundings,
  exit: (code: ExitCode) => void,
): void {
  const protocol = (): Option =>
    new Option('--protocol <protocol>', 'what is sent').choices(PROTOCOLS).default('tcp');
  withNetworkSource(program.command('tables'))
    .description('show what a node routes: published ports, virtual addresses, backends')
    .argument('<node>', 'name or id of a node')
    .option('--network <network>', 'only this network')
    .addOption(
      new Option('--format <format>', 'how').choices(TABLE_FORMATS).default(TABLE_FORMATS[0]),
    )
    .addHelpText('after', HELP.tables)
    .action(async (node: string, options: TablesOptions) =>
      exit(await tables(node, options, surroundings)),
    );
  withNetworkSource(program.command('dns'))
    .description('say what a name means to a task')
    .argument('<name>', 'the name that is asked for')
    .requiredOption('--from <task>', 'who asks: name or id of a task, or its service')
    .option('--type <type>', 'A, AAAA, PTR, SRV, MX, …', 'A')
    .option('--json', 'print the answer for machines')
    .addHelpText('after', HELP.dns)
    .action(async (name: string, options: DnsOptions) =>
      exit(await dns(name, options, surroundings)),
    );
  withNetworkSource(program.command('trace').description('follow something').command('packet'))
    .description('follow a request hop by hop through the tables of the nodes')
    .requiredOption('--to <target>', 'NODE:PORT, http://NAME/ or ADDRESS:PORT')
    .option('--from <task>', 'who asks; default: somebody outside of the cluster')
    .addOption(protocol())
    .option('--count <n>', 'so many requests, one after another', positive, 1)
    .option('--json', 'print the ways for machines')
    .addHelpText('after', HELP.trace)
    .action(async (options: TracePacketOptions) => exit(await tracePacket(options, surroundings)));
  withNetworkSource(program.command('map'))
    .description("draw the cluster's network")
    .addOption(new Option('--format <format>', 'how').choices(MAP_FORMATS).default(MAP_FORMATS[0]))
    .option('--to <target>', 'draw the way of a request to it, too')
    .option('--from <task>', 'who asks; default: somebody outside of the cluster')
    .addOption(protocol())
    .addHelpText('after', HELP.map)
    .action(async (options: MapOptions) => exit(await map(options, surroundings)));
}
