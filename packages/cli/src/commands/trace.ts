/**
 * `skep trace packet --to HOST:PORT`: the way of a request through the tables of the nodes.
 */
import { canonicalJson } from '@skep/api';
import { renderConnection } from '@skep/network';
import type { Cluster } from 'skep';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { withSettledCluster, type SimulationOptions } from './simulated-cluster.js';

/** Options of `skep trace packet`. */
export interface TracePacketOptions extends SimulationOptions {
  readonly to: string;
  /** A task; absent: somebody outside of the cluster. */
  readonly from?: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** How many requests, one after another. */
  readonly count: number;
  readonly json?: boolean;
}

type Request = ReturnType<Cluster['request']>;

/** Settles the files and follows requests; exit code 1 when one is not answered. */
export function tracePacket(
  options: TracePacketOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withSettledCluster(options, surroundings, (cluster) => {
    const results = Array.from({ length: options.count }, () => requestOf(cluster, options));
    if (options.json === true) surroundings.out(`${canonicalJson(results, 2)}\n`);
    else surroundings.out(results.map((result, at) => textOf(result, at, options)).join('\n'));
    return results.every(({ outcome }) => outcome === 'answered') ? EXIT.ok : EXIT.unsettled;
  });
}

/** A request as the options of a command say it. */
export function requestOf(
  cluster: Cluster,
  { to, from, protocol }: Pick<TracePacketOptions, 'to' | 'from' | 'protocol'>,
): Request {
  return cluster.request(to, { protocol, ...(from === undefined ? {} : { from }) });
}

function textOf(
  result: Request,
  at: number,
  { to, from, protocol, count }: TracePacketOptions,
): string {
  const which = count === 1 ? '' : `${at + 1}  `;
  const heading = `${which}${from ?? 'somebody outside'} → ${to} (${protocol})\n`;
  if (result.outcome === 'unresolved') return `${heading}  unresolved: ${result.reason ?? ''}\n`;
  const { hops, replyHops, reason, node, taskName, body, seenSource } = result;
  const connection = {
    outcome: result.outcome,
    hops,
    replyHops,
    ...(reason === undefined ? {} : { reason }),
  };
  const end =
    result.outcome === 'answered'
      ? `  by ${taskName ?? 'nobody'} on ${node ?? ''}: ${body} (it saw ${seenSource ?? ''})\n`
      : '';
  return `${heading}${renderConnection(connection, { indent: 2 })}${end}`;
}
