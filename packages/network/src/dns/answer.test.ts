import { describe, expect, it } from '@jest/globals';
import { decode, encode, type DecodedPacket, type Packet } from 'dns-packet';
import fc from 'fast-check';

import { nodeState, port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { buildNameView } from '../names/name-view.js';
import { answerQuery, failedForward, type DnsOutcome } from './answer.js';
import { decodeQuery, encodeFormatError } from './message.js';

const TASKS = 40;

const CLUSTER: FixtureCluster = {
  ...VOTE_CLUSTER,
  services: [
    {
      id: 'web',
      name: 'Web',
      order: 1,
      vips: { ingress: '10.0.0.9', overlay1: '10.0.9.2' },
      aliases: [],
      ports: [port(8080, 80, { name: 'http' })],
    },
  ],
  tasks: Array.from({ length: TASKS }, (_, at) => ({
    id: `t${at}`,
    service: 'web',
    slot: at + 1,
    node: 'node1',
    addresses: { ingress: `10.0.0.${at + 20}`, overlay1: `10.0.9.${at + 20}` },
  })),
};

const VIEW = buildNameView(nodeState(CLUSTER, 'node1'));

interface Ask {
  readonly name: string;
  readonly type?: string;
  readonly class?: string;
  readonly udpBytes?: number;
  readonly ednsVersion?: number;
  readonly flags?: number;
  readonly transport?: 'udp' | 'tcp';
}

function queryOf({
  name,
  type = 'A',
  flags = 0x0100,
  udpBytes,
  ednsVersion,
  ...rest
}: Ask): Buffer {
  const option = { name: '.', type: 'OPT', udpPayloadSize: udpBytes, ednsVersion, options: [] };
  return encode({
    type: 'query',
    id: 4711,
    flags,
    questions: [{ name, type, class: rest.class ?? 'IN' }],
    additionals: udpBytes === undefined ? [] : [option],
  } as unknown as Packet);
}

function outcome(ask: Ask, seed = 0): DnsOutcome {
  const { transport = 'udp' } = ask;
  const asker = { taskId: 't0' };
  return answerQuery(queryOf(ask), { asker, view: VIEW, transport, seed });
}

function replyBytes(ask: Ask, seed = 0): Buffer {
  const result = outcome(ask, seed);
  if (result.type !== 'reply') throw new Error(`not answered: ${result.type}`);
  return Buffer.from(result.bytes);
}

function reply(ask: Ask, seed = 0): DecodedPacket {
  return decode(replyBytes(ask, seed));
}

describe('answerQuery', () => {
  it('answers with the id, the question as it was spelled, and who is in charge', () => {
    const answer = reply({ name: 'wEb' });
    expect(answer).toMatchObject({
      id: 4711,
      type: 'response',
      rcode: 'NOERROR',
      flag_aa: true,
      flag_rd: true,
      flag_ra: true,
      flag_tc: false,
      questions: [{ name: 'wEb', type: 'A', class: 'IN' }],
      answers: [{ name: 'wEb', type: 'A', ttl: 5, data: '10.0.9.2' }],
      additionals: [],
    });
  });

  it.each([
    ['AAAA of a service with IPv4', { name: 'web', type: 'AAAA' }, 'NOERROR'],
    ['MX of a service', { name: 'web', type: 'MX' }, 'NOERROR'],
    ['a type without a name', { name: 'web', type: 'UNKNOWN_65280' }, 'NOERROR'],
    ['a task that is not there', { name: 'tasks.nobody' }, 'NXDOMAIN'],
    ['a name of a network that it does not have', { name: 'nobody.overlay1' }, 'NXDOMAIN'],
  ])('denies with authority, and says for how long: %s', (_, ask, rcode) => {
    const answer = reply(ask);
    expect(answer).toMatchObject({ rcode, flag_aa: true, answers: [] });
    expect(answer.authorities).toMatchObject([
      { name: ask.name, type: 'SOA', ttl: 5, data: { minimum: 5 } },
    ]);
  });

  it('answers PTR and SRV, the latter with its own type (defect 25)', () => {
    const pointer = reply({ name: '21.9.0.10.in-addr.arpa', type: 'PTR' });
    expect(pointer.answers).toMatchObject([{ type: 'PTR', data: 'Web.2.t1.overlay1' }]);
    const service = reply({ name: '_http._tcp.web', type: 'SRV', transport: 'tcp' });
    expect(service.answers).toHaveLength(TASKS);
    for (const record of service.answers ?? []) {
      expect(record).toMatchObject({ type: 'SRV', data: { port: 80, priority: 0, weight: 0 } });
    }
  });

  it.each([
    ['an unknown name', { name: 'example.com' }],
    ['another class', { name: 'web', class: 'CH' }],
    ['a pointer of nobody', { name: '9.9.9.9.in-addr.arpa', type: 'PTR' }],
    ['the root', { name: '.' }],
    ['a name that is no text', { name: 'wéb' }],
  ])('sends on: %s', (_, ask) => {
    expect(outcome(ask)).toMatchObject({ type: 'forward', via: 'host', query: { id: 4711 } });
  });

  it('tells a dot inside a label from one between two', () => {
    const bytes = queryOf({ name: 'webXoverlay1' });
    bytes[12 + 1 + 3] = 0x2e; // web.overlay1 as one label: somebody else's name
    const answer = answerQuery(bytes, {
      asker: { taskId: 't0' },
      view: VIEW,
      transport: 'udp',
      seed: 0,
    });
    expect(answer.type).toBe('forward');
  });

  it.each([
    ['another operation', { name: 'web', flags: 0x0100 | (4 << 11) }, 'NOTIMP'],
    ['a transfer of the zone', { name: 'web', type: 'AXFR' }, 'REFUSED'],
  ])('refuses %s', (_, ask, rcode) => {
    expect(reply(ask)).toMatchObject({ rcode, answers: [] });
  });

  it('refuses a version of EDNS that it does not know, by its upper bits', () => {
    const answer = reply({ name: 'web', udpBytes: 1232, ednsVersion: 1 });
    expect(answer).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(answer.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }]);
  });

  it('never answers a response', () => {
    expect(outcome({ name: 'web', flags: 0x0100 }).type).toBe('reply');
    const bytes = queryOf({ name: 'web' });
    bytes[2] = (bytes[2] ?? 0) | 0x80;
    const surroundings = {
      asker: { taskId: 't0' },
      view: VIEW,
      transport: 'udp',
      seed: 0,
    } as const;
    expect(answerQuery(bytes, surroundings)).toEqual({ type: 'drop' });
    expect(encodeFormatError(bytes)).toBeUndefined();
  });

  it('gives another order for another seed', () => {
    const orderOf = (seed: number): string =>
      (reply({ name: 'tasks.web', transport: 'tcp' }, seed).answers ?? [])
        .map((record) => ('data' in record ? String(record.data) : ''))
        .join(' ');
    expect(orderOf(1)).toBe(orderOf(1));
    expect(orderOf(1)).not.toBe(orderOf(2));
  });
});

describe('the size of an answer', () => {
  // A header of 12, a question of 15, 16 for each address, 11 for what EDNS says.
  it.each([
    ['without EDNS', {}, 30, 512],
    ['with less than everybody may use', { udpBytes: 100 }, 29, 512],
    ['with EDNS', { udpBytes: 600 }, 35, 600],
    ['with more than any path takes', { udpBytes: 65_535 }, TASKS, 1232],
    ['over TCP', { transport: 'tcp' as const }, TASKS, 65_535],
  ])('%s', (_, ask, records, bytesMax) => {
    const bytes = replyBytes({ name: 'tasks.web', ...ask });
    const answer = decode(bytes);
    expect(bytes.length).toBeLessThanOrEqual(bytesMax);
    expect(answer.answers).toHaveLength(records);
    expect(answer.flag_tc).toBe(records < TASKS);
    expect(answer).toMatchObject({ rcode: 'NOERROR' });
  });
});

describe('failedForward', () => {
  it.each(['SERVFAIL', 'REFUSED'] as const)('%s, with the question', (rcode) => {
    const query = decodeQuery(queryOf({ name: 'example.com', type: 'AAAA', udpBytes: 1232 }));
    expect(decode(Buffer.from(failedForward(query, rcode, 'udp')))).toMatchObject({
      id: 4711,
      rcode,
      flag_aa: false,
      questions: [{ name: 'example.com', type: 'AAAA' }],
      answers: [],
      authorities: [],
    });
  });
});

describe('bytes that nobody meant', () => {
  const surroundings = { asker: { taskId: 't0' }, view: VIEW, transport: 'udp', seed: 0 } as const;
  const codeOf = (bytes: Uint8Array): unknown => {
    try {
      decodeQuery(bytes);
      return 'read';
    } catch (thrown) {
      return (thrown as { code?: unknown }).code;
    }
  };
  const header = (questions: number): number[] => [18, 103, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0];

  it.each([
    ['nothing', []],
    ['half a header', [0, 1, 2, 3, 4, 5]],
    ['no question', header(0)],
    ['a question that is missing', header(1)],
    ['more questions than bytes', [...header(255), 0]],
    ['a name that goes on', [...header(1), 63, 97]],
    ['a pointer to itself', [...header(1), 0xc0, 12, 0, 1, 0, 1]],
    ['a pointer forward', [...header(1), 0xc0, 40, 0, 1, 0, 1]],
    ['a pointer into the header', [...header(1), 0xc0, 0, 0, 1, 0, 1]],
    ['two pointers in a circle', [...header(1), 1, 97, 0xc0, 16, 0xc0, 12, 0, 1, 0, 1]],
    ['a label of a kind that there is not', [...header(1), 0x80, 0, 0, 1, 0, 1]],
    ['a name that is too long', [...header(1), ...Array<number>(300).fill(1), 0, 0, 1, 0, 1]],
  ])('%s', (_, bytes) => {
    expect(codeOf(Uint8Array.from(bytes))).toBe('invalid-argument');
    const answer = answerQuery(Uint8Array.from(bytes), surroundings);
    expect(answer.type).toBe(bytes.length < 12 ? 'drop' : 'reply');
  });

  it('never throw anything but a format error, up to 64 KiB', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom('web', 'tasks.web', '21.9.0.10.in-addr.arpa', '_http._tcp.web'),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 8 }),
        fc.nat(80),
      )
      .map(([name, changes, cut]) => {
        const bytes = queryOf({ name, udpBytes: 1232 });
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return cut < 20 ? bytes.subarray(0, cut) : bytes;
      });
    const large = fc
      .tuple(fc.nat(65_535), fc.nat(255), fc.uint8Array({ maxLength: 40 }))
      .map(([size, fill, head]) => {
        const bytes = Buffer.alloc(Math.max(size, head.length), fill);
        bytes.set(head);
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated, large), (bytes) => {
        expect(['read', 'invalid-argument']).toContain(codeOf(bytes));
        const answer = answerQuery(bytes, surroundings);
        if (answer.type === 'reply') expect(answer.bytes.length).toBeLessThanOrEqual(1232);
      }),
      { numRuns: 2_000 },
    );
  });
});
