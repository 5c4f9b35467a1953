/**
 * The resolver as one pure function: the bytes of a query in, what to do with it out.
 *
 * **Source:** moby daemon/libnetwork resolver; RFC 1035, RFC 6891 §6.1.3, RFC 8482 for questions
 * of type ANY.
 */
import { isSkepError } from '@skep/api';
import { forwardingOf, resolveName, type NameAsker } from '../names/resolve.js';
import type { NameView } from '../names/name-view.js';
import {
  decodeQuery,
  encodeFormatError,
  encodeResponse,
  isResponse,
  type DnsQuery,
  type DnsResponse,
  type DnsTransport,
  type ResponseCode,
} from './message.js';

/** What becomes of a query. */
export type DnsOutcome =
  | { readonly type: 'reply'; readonly bytes: Uint8Array }
  /** To be sent on as it came; `via` as in `NameAnswer`. */
  | { readonly type: 'forward'; readonly via: 'host' | 'task'; readonly query: DnsQuery }
  /** A response, or too short for an answer: answering could start a loop between two servers. */
  | { readonly type: 'drop' };

/** Who asks, what is known, and how the question came. */
export interface DnsSurroundings {
  readonly asker: NameAsker;
  readonly view: NameView;
  readonly transport: DnsTransport;
  /** Chooses the order of several records; another one for every query spreads clients. */
  readonly seed: number;
}

/**
 * Answers a query from what the node knows, or says that it is for upstream servers.
 * Never throws, whatever the bytes. Cost: that of `resolveName`, and O(bytes).
 */
export function answerQuery(bytes: Uint8Array, surroundings: DnsSurroundings): DnsOutcome {
  if (isResponse(bytes)) return { type: 'drop' };
  let query: DnsQuery;
  try {
    query = decodeQuery(bytes);
  } catch (thrown) {
    if (!isSkepError(thrown, 'invalid-argument')) throw thrown;
    const refusal = encodeFormatError(bytes);
    return refusal === undefined ? { type: 'drop' } : { type: 'reply', bytes: refusal };
  }
  const { transport } = surroundings;
  const refused = refusalOf(query);
  if (refused !== undefined) return reply(query, empty(refused), transport);
  return resolve(query, surroundings);
}

/** The answer when no upstream server gave one, or too many questions wait for them already. */
export function failedForward(
  query: DnsQuery,
  rcode: 'SERVFAIL' | 'REFUSED',
  transport: DnsTransport,
): Uint8Array {
  return encodeResponse(query, empty(rcode), transport);
}

function resolve(query: DnsQuery, surroundings: DnsSurroundings): DnsOutcome {
  const { asker, view, seed, transport } = surroundings;
  // Clusters have names in one class, and none with bytes that have to be written as numbers.
  if (query.class !== 'IN' || query.name.includes('\\')) {
    return { type: 'forward', via: forwardingOf(asker, view), query };
  }
  const answer = resolveName({ name: query.name, type: query.type }, asker, view, seed);
  if (answer.type === 'forward') return { type: 'forward', via: answer.via, query };
  const { rcode, records, ttlSeconds, isAuthoritative } = answer;
  const response = { rcode, records, isAuthoritative, negativeTtlSeconds: ttlSeconds };
  return reply(query, response, transport);
}

function refusalOf({ opcode, edns, type }: DnsQuery): ResponseCode | undefined {
  if (opcode !== 0) return 'NOTIMP';
  if (edns !== undefined && edns.version !== 0) return 'BADVERS';
  // Transfers of whole zones are no questions.
  if (type === 'AXFR' || type === 'IXFR') return 'REFUSED';
  return undefined;
}

function empty(rcode: ResponseCode): DnsResponse {
  return { rcode, isAuthoritative: false, records: [], negativeTtlSeconds: 0 };
}

function reply(query: DnsQuery, response: DnsResponse, transport: DnsTransport): DnsOutcome {
  return { type: 'reply', bytes: encodeResponse(query, response, transport) };
}
