/**
 * Sends on what the cluster does not know: at most so many questions at a time, the others wait
 * their turn for a while.
 *
 * **Source:** moby daemon/libnetwork resolver (limit of concurrent external queries).
 */
import {
  FORWARDED_MAX,
  FORWARD_WAIT_MS,
  failedForward,
  nextForwardStep,
  type DnsQuery,
  type DnsTransport,
  type UpstreamOutcome,
} from '@skep/network';
import type { Exchange } from './dns-exchange.js';
import { parseServer } from './upstream-servers.js';

/** A question for others. */
export interface Forwarding {
  readonly bytes: Uint8Array;
  readonly query: DnsQuery;
  readonly transport: DnsTransport;
  readonly servers: readonly string[];
  readonly ask: (exchange: Exchange) => Promise<UpstreamOutcome>;
}

/** See the module comment. */
export class Forwarder {
  readonly #limit: number;
  readonly #waitMs: number;
  #underWay = 0;
  readonly #queue: (() => void)[] = [];

  constructor(limit = FORWARDED_MAX, waitMs = FORWARD_WAIT_MS) {
    this.#limit = limit;
    this.#waitMs = waitMs;
  }

  /** The response for the client: always one. */
  async forward(forwarding: Forwarding): Promise<Uint8Array> {
    const { query, transport } = forwarding;
    if (!(await this.#turn())) return failedForward(query, 'REFUSED', transport);
    try {
      return await askInTurn(forwarding);
    } finally {
      this.#underWay -= 1;
      this.#queue.shift()?.();
    }
  }

  /** Whether the question got its turn in time; then the number under way counts it. */
  #turn(): Promise<boolean> {
    if (this.#underWay < this.#limit) {
      this.#underWay += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const start = (): void => {
        clearTimeout(timer);
        this.#underWay += 1;
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(start), 1);
        resolve(false);
      }, this.#waitMs);
      this.#queue.push(start);
    });
  }
}

async function askInTurn(forwarding: Forwarding): Promise<Uint8Array> {
  const { bytes, query, transport, servers, ask } = forwarding;
  const outcomes: UpstreamOutcome[] = [];
  for (;;) {
    const step = nextForwardStep(servers, outcomes);
    if (step.type === 'respond') return step.bytes;
    if (step.type === 'fail') return failedForward(query, 'SERVFAIL', transport);
    const server = parseServer(step.server);
    outcomes.push(
      server === undefined
        ? { type: 'unreachable' }
        : await ask({ bytes, server, timeoutMs: step.timeoutMs, transport }),
    );
  }
}
