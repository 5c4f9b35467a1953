/**
 * `skep dns NAME --from TASK`: what a name means to a task.
 */
import { canonicalJson, taskName } from '@skep/api';
import { findTask } from 'skep';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { withSettledCluster, type SimulationOptions } from './simulated-cluster.js';

/** Options of `skep dns`. */
export interface DnsOptions extends SimulationOptions {
  readonly from: string;
  readonly type: string;
  readonly json?: boolean;
}

const MEANINGS: Readonly<Record<string, string>> = Object.freeze({
  NOERROR: 'known',
  NXDOMAIN: 'no such name in the cluster',
  FORMERR: 'not a name',
  forwarded: 'not a name of the cluster: upstream servers are asked',
});

/** Settles the files and asks; exit code 1 when the cluster has no such name. */
export function dns(
  name: string,
  options: DnsOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withSettledCluster(options, surroundings, (cluster) => {
    const task = findTask(cluster.view(), options.from);
    const host = cluster.host(task.status.nodeId ?? '');
    const type = options.type.toUpperCase();
    const result = host.resolver.lookup(task.meta.id, name, type);
    const { outcome, addresses, names, ttlSeconds } = result;
    const asker = { task: taskName(task), node: host.name };
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
