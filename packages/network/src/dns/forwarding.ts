/**
 * Which upstream server is asked next, and when a question is given up: purely.
 *
 * **Source:** moby daemon/libnetwork resolver (forwardExtDNS), as reference/swarm-semantics 8.3
 * sums it up.
 */
import { isSkepError } from '@skep/api';
import { RCODES, responseCodeOf } from './message.js';

/** Upstream servers that are asked at most, in the order of the configuration. */
export const UPSTREAMS_MAX = 3;
/** How long one of them has to answer. */
export const UPSTREAM_TIMEOUT_MS = 4_000;
/** Questions that may wait for upstream servers at a time; more wait themselves, see below. */
export const FORWARDED_MAX = 1_024;
/** How long a question waits for its turn before it is refused. */
export const FORWARD_WAIT_MS = 4_000;

/** What came of asking one server. */
export type UpstreamOutcome =
  | { readonly type: 'response'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout' }
  /** It could not be reached, or what came was no response. */
  | { readonly type: 'unreachable' };

/** What to do next. */
export type ForwardStep =
  | { readonly type: 'ask'; readonly server: string; readonly timeoutMs: number }
  /** The client gets this, as it is. */
  | { readonly type: 'respond'; readonly bytes: Uint8Array }
  /** No server has an answer: SERVFAIL. */
  | { readonly type: 'fail' };

/**
 * The next step for a question, from what came of asking so far.
 *
 * Servers are asked one after the other. SERVFAIL and REFUSED make the next one be asked, and so
 * does silence; any other response is final, NXDOMAIN too. When all of them refuse, the client gets
 * SERVFAIL. Cost: O(outcomes).
 */
export function nextForwardStep(
  servers: readonly string[],
  outcomes: readonly UpstreamOutcome[],
): ForwardStep {
  const last = outcomes[outcomes.length - 1];
  if (last?.type === 'response' && isFinal(last.bytes)) {
    return { type: 'respond', bytes: last.bytes };
  }
  const server = servers.slice(0, UPSTREAMS_MAX)[outcomes.length];
  if (server === undefined) return { type: 'fail' };
  return { type: 'ask', server, timeoutMs: UPSTREAM_TIMEOUT_MS };
}

function isFinal(bytes: Uint8Array): boolean {
  try {
    const code = responseCodeOf(bytes);
    return code !== RCODES.SERVFAIL && code !== RCODES.REFUSED;
  } catch (thrown) {
    if (isSkepError(thrown, 'invalid-argument')) return false;
    throw thrown;
  }
}
