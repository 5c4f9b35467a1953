/** Ports of this machine, passed on over real sockets. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLogger } from '@skep/api';
import { PortPublisher } from '../src/ports/port-publisher.js';
import { forwardTcp, type Forwarder } from '../src/ports/tcp-forwarder.js';
import { forwardUdp } from '../src/ports/udp-forwarder.js';
import type { PortTarget, WantedPort } from '../src/ports/wanted-ports.js';

const HERE = '127.0.0.1';
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HERE);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function serve(onConnection: (socket: Socket) => void): Promise<PortTarget> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, HERE);
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: HERE, port: (server.address() as AddressInfo).port };
}

async function forward(
  targets: readonly PortTarget[],
  options: { readonly sessionsMax?: number; readonly address?: string } = {},
): Promise<{ readonly port: number; readonly forwarder: Forwarder }> {
  const port = await freePort();
  const forwarder = await forwardTcp({ address: HERE, port, targets: () => targets, ...options });
  closing.push(() => forwarder.close());
  return { port, forwarder };
}

function client(port: number, host = HERE): Socket {
  const socket = connect({ host, port });
  socket.on('error', () => undefined);
  closing.push(() => socket.destroy());
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => (text += String(data)));
  await once(socket, 'close');
  return text;
}

async function ask(port: number, host?: string): Promise<string> {
  const socket = client(port, host);
  socket.end();
  return textOf(socket);
}

const saying = (word: string): Promise<PortTarget> => serve((socket) => socket.end(word));

describe('a TCP port', () => {
  it('leads to the nodes in turn', async () => {
    const { port } = await forward([await saying('a'), await saying('b')]);
    const answers = [await ask(port), await ask(port), await ask(port), await ask(port)];
    expect([...answers].sort()).toEqual(['a', 'a', 'b', 'b']);
    expect(answers[0]).not.toBe(answers[1]);
  });

  it('leads past a node that does not answer; without any, it is reset', async () => {
    const gone = { address: HERE, port: await freePort() };
    const { port } = await forward([gone, await saying('here'), gone]);
    for (let times = 0; times < 3; times += 1) expect(await ask(port)).toBe('here');
    for (const targets of [[gone], []]) {
      const other = await forward(targets);
      const socket = client(other.port);
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNRESET');
    }
  });

  it('passes on the end of one direction while the other goes on', async () => {
    const target = await serve((socket) => {
      let asked = '';
      socket.on('data', (data) => (asked += String(data)));
      // Answers only once the whole question is there.
      socket.on('end', () => socket.end(`you said ${asked}`));
    });
    const { port } = await forward([target]);
    const socket = client(port);
    socket.write('one ');
    await pause(20);
    socket.end('two');
    expect(await textOf(socket)).toBe('you said one two');
  });

  it.each(['server', 'client'] as const)('passes on a reset by the %s', async (who) => {
    const arrived: Socket[] = [];
    const { port } = await forward([
      await serve((socket) => {
        arrived.push(socket);
        socket.write('hello');
      }),
    ]);
    const near = client(port);
    await once(near, 'data');
    const ends = [...arrived, near];
    const [one, other] = who === 'server' ? ends : ends.reverse();
    const told = once(other!, 'error') as Promise<[NodeJS.ErrnoException]>;
    one!.resetAndDestroy();
    other!.resume();
    expect((await told)[0].code).toBe('ECONNRESET');
  });

  it('keeps little for a reader that is slow, and loses nothing', async () => {
    const bytes = 64 * 2 ** 20;
    let written = 0;
    const target = await serve((socket) => {
      const chunk = Buffer.alloc(64 * 1_024);
      const write = (): void => {
        while (written < bytes) {
          written += chunk.length;
          if (!socket.write(chunk)) return void socket.once('drain', write);
        }
        socket.end();
      };
      write();
    });
    const { port } = await forward([target]);
    const socket = client(port);
    socket.pause();
    await once(socket, 'connect');
    let before = -1;
    while (written !== before) {
      before = written;
      await pause(200);
    }
    // What the kernel holds for four sockets, and no more.
    expect(written).toBeLessThan(bytes / 2);
    let read = 0;
    socket.on('data', (data: Buffer) => (read += data.length)).resume();
    await once(socket, 'end');
    expect(read).toBe(bytes);
  });

  it('takes so many sessions at a time, and more when one is over', async () => {
    const target = await serve((socket) => {
      socket.write('hello');
      socket.on('end', () => socket.end()).resume();
    });
    const { port } = await forward([target], { sessionsMax: 2 });
    const open = [client(port), client(port)];
    for (const socket of open) await once(socket, 'data');
    expect(await textOf(client(port))).toBe('');
    open[0]?.destroy();
    let said = '';
    while (said === '') {
      const socket = client(port);
      said = await Promise.race([
        once(socket, 'data').then(([data]) => String(data)),
        once(socket, 'close').then(() => ''),
      ]);
    }
    expect(said).toBe('hello');
  });

  it('is over with all its sessions when it is closed', async () => {
    const { port, forwarder } = await forward([await serve((socket) => socket.write('hello'))]);
    const socket = client(port);
    await once(socket, 'data');
    const over = once(socket, 'close');
    await forwarder.close();
    await over;
    const again = await forwardTcp({ address: HERE, port, targets: () => [] });
    await again.close();
  });
});

async function datagramServer(
  answer: (data: string) => string,
): Promise<{ readonly target: PortTarget; readonly socket: DatagramSocket }> {
  const socket = createSocket('udp4');
  socket.on('message', (data, { address, port }) => {
    socket.send(answer(`${String(data)} from ${port}`), port, address);
  });
  socket.bind(0, HERE);
  await once(socket, 'listening');
  closing.push(() => new Promise<void>((done) => socket.close(() => done())));
  return { target: { address: HERE, port: socket.address().port }, socket };
}

function datagramClient(): DatagramSocket {
  const socket = createSocket('udp4');
  closing.push(() => new Promise<void>((done) => socket.close(() => done())));
  return socket;
}

async function say(socket: DatagramSocket, port: number, text: string): Promise<string> {
  const answer = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(text, port, HERE);
  return String((await answer)[0]);
}

describe('a UDP port', () => {
  it('keeps a client on one node while it talks, and clients apart', async () => {
    const servers = [
      await datagramServer((said) => `a ${said}`),
      await datagramServer((said) => `b ${said}`),
    ];
    const port = await freePort();
    const targets = (): readonly PortTarget[] => servers.map(({ target }) => target);
    const forwarder = await forwardUdp({ address: HERE, port, targets });
    closing.push(() => forwarder.close());
    const [one, other] = [datagramClient(), datagramClient()];
    const first = await say(one, port, 'x');
    const second = await say(other, port, 'x');
    expect(await say(one, port, 'x')).toBe(first);
    expect(first[0]).not.toBe(second[0]);
  });

  it('ends the session that was silent longest when there are too many', async () => {
    const { target } = await datagramServer((said) => said);
    const port = await freePort();
    const forwarder = await forwardUdp({
      address: HERE,
      port,
      targets: () => [target],
      sessionsMax: 2,
    });
    closing.push(() => forwarder.close());
    const clients = [datagramClient(), datagramClient(), datagramClient()];
    const first: string[] = [];
    for (const socket of clients) first.push(await say(socket, port, 'x'));
    const again = [await say(clients[2]!, port, 'x'), await say(clients[1]!, port, 'x')];
    expect(again).toEqual([first[2], first[1]]);
    expect(await say(clients[0]!, port, 'x')).not.toBe(first[0]);
  });

  it('ends a session whose node is gone, and one that is silent', async () => {
    const { target } = await datagramServer((said) => said);
    const gone = { address: HERE, port: await freePort() };
    let targets: readonly PortTarget[] = [gone];
    const port = await freePort();
    const options = { address: HERE, port, targets: () => targets, idleMs: 200 };
    const forwarder = await forwardUdp(options);
    closing.push(() => forwarder.close());
    const socket = datagramClient();
    const answers = new Set<string>();
    socket.on('message', (data) => answers.add(String(data)));
    socket.send('lost', port, HERE);
    await pause(50);
    targets = [target];
    // Of another session, the server sees another port; on a busy machine also a datagram is lost.
    while (answers.size < 2) {
      socket.send('x', port, HERE);
      await pause(400);
    }
  });
});

describe('published ports on this machine', () => {
  const wanted = (port: number, targets: readonly PortTarget[]): WantedPort => ({
    protocol: 'tcp',
    port,
    service: 'web',
    targets,
  });

  it('are answered on both families, follow their nodes, and end', async () => {
    const port = await freePort();
    const publisher = new PortPublisher({ logger: silentLogger });
    closing.push(() => publisher.close());
    publisher.publish([wanted(port, [await saying('old')])]);
    publisher.publish([wanted(port, [await saying('new')])]);
    while (!publisher.ports.every(({ isOpen }) => isOpen)) await pause(5);
    expect([await ask(port), await ask(port, '::1')]).toEqual(['new', 'new']);
    publisher.publish([]);
    expect(publisher.ports).toEqual([]);
    const socket = client(port);
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('that another program has are told once, tried again, and taken when they are free', async () => {
    const port = await freePort();
    const other = createServer((socket) => socket.end('other'));
    other.listen(port, HERE);
    await once(other, 'listening');
    const told: unknown[] = [];
    const publisher = new PortPublisher({
      logger: { ...silentLogger, warn: (_, fields) => told.push(fields) },
      addresses: [HERE],
      retryMs: 20,
    });
    closing.push(() => publisher.close());
    publisher.publish([wanted(port, [await saying('ours')])]);
    await pause(150);
    const reason = 'another program has the port';
    expect(told).toEqual([{ port: `${port}/tcp`, address: HERE, service: 'web', reason }]);
    expect(publisher.ports).toMatchObject([{ port, isOpen: false, reason }]);
    expect(await ask(port)).toBe('other');
    await new Promise((done) => other.close(done));
    while (publisher.ports[0]?.isOpen !== true) await pause(5);
    expect(await ask(port)).toBe('ours');
    expect(publisher.ports[0]?.reason).toBeUndefined();
  });
});
