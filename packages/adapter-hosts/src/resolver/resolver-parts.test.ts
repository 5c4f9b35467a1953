import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { decodeQuery, type UpstreamOutcome } from '@skep/network';
import { decode, encode } from 'dns-packet';
import { FrameReader, SharedExchange, exchange, frameOf, type Exchange } from './dns-exchange.js';
import { Forwarder, type Forwarding } from './forwarder.js';
import { MachineServers, nameServersOf, parseServer } from './upstream-servers.js';

const question = (id: number, name = 'example.org'): Buffer =>
  encode({ type: 'query', id, questions: [{ type: 'A', name }] });
const response = (bytes: Uint8Array, rcode = 0): Buffer => {
  const made = encode({ ...decode(Buffer.from(bytes)), type: 'response' });
  made[3] = rcode;
  return made;
};

describe('servers to ask', () => {
  it.each([
    ['192.0.2.1', { address: '192.0.2.1', port: 53 }],
    ['192.0.2.1:5353', { address: '192.0.2.1', port: 5353 }],
    ['fd00::1', { address: 'fd00::1', port: 53 }],
    ['[fd00::1]:54', { address: 'fd00::1', port: 54 }],
    ['192.0.2.1:0', undefined],
    ['192.0.2.1:65536', undefined],
    ['dns.example.org', undefined],
    ['999.0.2.1:53', undefined],
  ])('%s', (text, address) => expect(parseServer(text)).toEqual(address));

  it('are those of resolv.conf, in their order', () => {
    const text =
      '# nameserver 192.0.2.9\nnameserver 192.0.2.2\nsearch a b\n  nameserver\tfd00::1\nnameserver x\n';
    expect(nameServersOf(text)).toEqual(['192.0.2.2', 'fd00::1']);
  });

  it('are none without the file, and are read again after a while', async () => {
    const servers = new MachineServers('/no/such/file', () => 0);
    expect(await servers.list()).toEqual([]);
  });
});

describe('messages over a stream', () => {
  it('are found however the stream is cut', () => {
    const sent = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')];
    const stream = Buffer.concat(sent.map(frameOf));
    for (let size = 1; size <= stream.length; size += 1) {
      const frames = new FrameReader();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        found.push(...frames.add(stream.subarray(at, at + size)));
      }
      expect(found.map(String)).toEqual(sent.map(String));
    }
  });
});

async function udpServer(answer: (bytes: Buffer) => Buffer | undefined): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => {
    const made = answer(bytes);
    if (made !== undefined) socket.send(made, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

const asked = (port: number, rest: Partial<Exchange> = {}): Exchange => ({
  bytes: question(7),
  server: { address: '127.0.0.1', port },
  timeoutMs: 2_000,
  transport: 'udp',
  ...rest,
});

describe('asking a server', () => {
  it('gives its response, and not one of another id', async () => {
    const server = await udpServer((bytes) => {
      server.send(response(question(8)), 1, '127.0.0.1');
      return response(bytes);
    });
    const outcome = await exchange(asked(server.address().port));
    server.close();
    expect(outcome).toEqual({ type: 'response', bytes: response(question(7)) });
  });

  it('tells silence from a port that nobody has', async () => {
    const silent = await udpServer(() => undefined);
    const { port } = silent.address();
    expect(await exchange(asked(port, { timeoutMs: 20 }))).toEqual({ type: 'timeout' });
    silent.close();
    expect(await exchange(asked(port))).toEqual({ type: 'unreachable' });
    expect(await exchange(asked(port, { transport: 'tcp' }))).toEqual({ type: 'unreachable' });
  });

  it('over tcp takes a response in pieces', async () => {
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        const frame = frameOf(response(chunk.subarray(2)));
        socket.write(frame.subarray(0, 5), () => socket.write(frame.subarray(5)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const outcome = await exchange(asked(port, { transport: 'tcp' }));
    server.close();
    expect(outcome.type).toBe('response');
  });

  it('by a shared socket gives each question its own answer and id', async () => {
    const server = await udpServer((bytes) => response(bytes));
    const client = await udpServer(() => undefined);
    const shared = new SharedExchange(client, 0xffff);
    const names = ['a.example', 'b.example', 'c.example'];
    const { port } = server.address();
    const outcomes = await Promise.all(
      names.map((name) => shared.ask(asked(port, { bytes: question(5, name) }))),
    );
    expect(outcomes).toEqual(
      names.map((name) => ({ type: 'response', bytes: response(question(5, name)) })),
    );
    const silent = shared.ask(asked(port, { server: { address: 'fd00::1', port } }));
    expect(await silent).toEqual({ type: 'unreachable' });
    server.close();
    client.close();
  });
});

describe('forwarding', () => {
  const forwarding = (ask: Forwarding['ask']): Forwarding => ({
    bytes: question(7),
    query: decodeQuery(question(7)),
    transport: 'udp',
    servers: ['192.0.2.1', 'no address', '192.0.2.3'],
    ask,
  });
  const rcode = (bytes: Uint8Array): number => (bytes[3] ?? 0) & 15;

  it('asks one after the other, and answers SERVFAIL in the end', async () => {
    const servers: string[] = [];
    const bytes = await new Forwarder().forward(
      forwarding(({ server }) => {
        servers.push(server.address);
        return Promise.resolve({ type: 'timeout' });
      }),
    );
    expect([servers, rcode(bytes)]).toEqual([['192.0.2.1', '192.0.2.3'], 2]);
  });

  it('lets so many wait, each for its time, and refuses the rest', async () => {
    const ends: ((outcome: UpstreamOutcome) => void)[] = [];
    const forwarder = new Forwarder(1, 30);
    const slow = forwarding(() => new Promise((resolve) => ends.push(resolve)));
    const first = forwarder.forward(slow);
    const refused = await forwarder.forward(slow);
    expect(rcode(refused)).toBe(5);
    const second = forwarder.forward(slow);
    ends[0]?.({ type: 'response', bytes: response(question(7)) });
    expect(rcode(await first)).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    ends[1]?.({ type: 'response', bytes: response(question(7), 3) });
    expect(rcode(await second)).toBe(3);
    expect(ends).toHaveLength(2);
  });
});
