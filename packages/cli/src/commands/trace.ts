/**
 * `skep trace packet --to HOST:PORT`: the way of a request through the tables of the nodes.
 */
import type { RequestResult } from '@skep/adapter-simulator';
import { canonicalJson } from '@skep/api';
import { renderConnection } from '@skep/network';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import type { LookRequest } from '../views/network-look.js';
import { withNetwork, type NetworkOptions } from './network-source.js';

/** Options of `skep trace packet`. */
export type TracePacketOptions = NetworkOptions & {
  readonly to: string;
  /** A task; absent: somebody outside of the cluster. */
  readonly from?: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** How many requests, one after another. */
  readonly count: number;
  readonly json?: boolean;
};

/**
 * Follows requests through a cluster settled from files, or the running one; exit code 1 when one
 * is not answered.
 */
export function tracePacket(
  options: TracePacketOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withNetwork(options, surroundings, async (look) => {
    const results: RequestResult[] = [];
    for (let at = 0; at < options.count; at += 1) {
      results.push(await look.request(options.to, requestOf(options)));
    }
    if (options.json === true) surroundings.out(`${canonicalJson(results, 2)}\n`);
    else surroundings.out(results.map((result, at) => textOf(result, at, options)).join('\n'));
    return results.every(({ outcome }) => outcome === 'answered') ? EXIT.ok : EXIT.unsettled;
  });
}

/** A request as the options of a command say it. */
export function requestOf({
  from,
  protocol,
}: Pick<TracePacketOptions, 'from' | 'protocol'>): LookRequest {
  return { protocol, ...(from === undefined ? {} : { from }) };
}

function textOf(
  result: RequestResult,
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
      ? `  by ${taskName ?? 'nobody'} on ${node ?? ''}${body === '' ? '' : `: ${body}`} ` +
        `(it saw ${seenSource ?? ''})\n`
      : '';
  return `${heading}${renderConnection(connection, { indent: 2 })}${end}`;
}
