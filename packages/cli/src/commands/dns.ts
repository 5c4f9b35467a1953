/**
 * `skep dns NAME --from TASK`: what a name means to a task.
 */
import { canonicalJson, taskName } from '@skep/api';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { askerOf, withNetwork, type NetworkOptions } from './network-source.js';

/** Options of `skep dns`. */
export type DnsOptions = NetworkOptions & {
  readonly from: string;
  readonly type: string;
  readonly json?: boolean;
};

const MEANINGS: Readonly<Record<string, string>> = Object.freeze({
  NOERROR: 'known',
  NXDOMAIN: 'no such name in the cluster',
  FORMERR: 'not a name',
  forwarded: 'not a name of the cluster: upstream servers are asked',
});

/**
 * Asks a cluster settled from files, or the running one; exit code 1 when it has no such name.
 */
export function dns(
  name: string,
  options: DnsOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withNetwork(options, surroundings, async (look) => {
    const { task, node } = await askerOf(look, options.from);
    const type = options.type.toUpperCase();
    const result = node.lookup(task.meta.id, name, type);
    const { outcome, addresses, names, ttlSeconds } = result;
    const asker = { task: taskName(task), node: node.name };
    if (options.json === true) {
      surroundings.out(`${canonicalJson({ name, type, asker, ...result }, 2)}\n`);
    } else {
      const values = [...addresses, ...names];
      const lines = [
        `${name}  ${type}  asked by ${asker.task} on ${asker.node}`,
        `${outcome}: ${MEANINGS[outcome] ?? outcome}`,
        ...values.map((value) => `  ${value}`),
      ];
      if (outcome === 'NOERROR' && values.length === 0) lines.push(`  no ${type} record`);
      if (outcome !== 'forwarded' && outcome !== 'FORMERR') {
        lines.push(`to be kept for ${ttlSeconds} s`);
      }
      surroundings.out(`${lines.join('\n')}\n`);
    }
    return outcome === 'NOERROR' ? EXIT.ok : EXIT.unsettled;
  });
}
