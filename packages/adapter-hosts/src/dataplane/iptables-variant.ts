/**
 * Which programs of iptables speak to this kernel: the ordinary ones, which need nf_tables in it,
 * or else those that are called legacy.
 *
 * **Source:** xtables-nft(8), xtables-legacy(8).
 */
import type { CommandRunner, NamespaceCommand } from '../namespace/command-runner.js';

const PROGRAM = /^(ip6?tables)-(restore|save)$/;

/**
 * A runner that calls the programs that work. It tries once, in `namespace`, before the first
 * command that needs them.
 */
export function workingIptables(run: CommandRunner, namespace: string | undefined): CommandRunner {
  let decision: Promise<boolean> | undefined;
  const isLegacy = async (): Promise<boolean> => {
    const words = ['-t', 'mangle', '-S'];
    const [ordinary, legacy] = await run([
      { namespace, command: ['iptables', ...words] },
      { namespace, command: ['iptables-legacy', ...words] },
    ]);
    return ordinary?.status !== 0 && legacy?.status === 0;
  };
  return async (commands, options) => {
    if (!commands.some(({ command }) => PROGRAM.test(command[0] ?? ''))) {
      return run(commands, options);
    }
    decision ??= isLegacy();
    return run((await decision) ? commands.map(asLegacy) : commands, options);
  };
}

function asLegacy(one: NamespaceCommand): NamespaceCommand {
  const [program = '', ...rest] = one.command;
  return { ...one, command: [program.replace(PROGRAM, '$1-legacy-$2'), ...rest] };
}
