import { describe, expect, it } from '@jest/globals';
import { nextForwardStep, UPSTREAM_TIMEOUT_MS, type UpstreamOutcome } from './forwarding.js';

const SERVERS = ['10.1.1.1', '10.1.1.2', '10.1.1.3', '10.1.1.4'];

function response(rcode: number): UpstreamOutcome {
  const bytes = new Uint8Array(12);
  bytes[2] = 0x80;
  bytes[3] = rcode;
  return { type: 'response', bytes };
}

const timeout: UpstreamOutcome = { type: 'timeout' };
const unreachable: UpstreamOutcome = { type: 'unreachable' };
const noResponse: UpstreamOutcome = { type: 'response', bytes: new Uint8Array(3) };

/** `ask SERVER`, `respond RCODE` or `fail`. */
function step(servers: readonly string[], outcomes: readonly UpstreamOutcome[]): string {
  const next = nextForwardStep(servers, outcomes);
  if (next.type === 'ask') {
    expect(next.timeoutMs).toBe(UPSTREAM_TIMEOUT_MS);
    return `ask ${next.server}`;
  }
  return next.type === 'respond' ? `respond ${(next.bytes[3] ?? 0) & 15}` : 'fail';
}

describe('nextForwardStep', () => {
  it.each([
    ['the first server is asked first', [], 'ask 10.1.1.1'],
    ['an answer is final', [response(0)], 'respond 0'],
    ['NXDOMAIN is final', [response(3)], 'respond 3'],
    ['FORMERR is final', [response(1)], 'respond 1'],
    ['SERVFAIL: the next', [response(2)], 'ask 10.1.1.2'],
    ['REFUSED: the next', [response(5)], 'ask 10.1.1.2'],
    ['silence: the next', [timeout], 'ask 10.1.1.2'],
    ['out of reach: the next', [unreachable], 'ask 10.1.1.2'],
    ['what is no response: the next', [noResponse], 'ask 10.1.1.2'],
    ['an answer of the second', [timeout, response(0)], 'respond 0'],
    ['the third', [timeout, response(2)], 'ask 10.1.1.3'],
    ['not the fourth', [timeout, unreachable, response(5)], 'fail'],
    ['the last may answer', [timeout, unreachable, response(3)], 'respond 3'],
  ])('%s', (_, outcomes, expected) => {
    expect(step(SERVERS, outcomes)).toBe(expected);
  });

  it('fails at once without servers', () => {
    expect(step([], [])).toBe('fail');
    expect(step(['10.1.1.1'], [timeout])).toBe('fail');
  });
});
