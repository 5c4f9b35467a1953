/**
 * Sockets that stand in another network namespace than this process: a helper is started there,
 * opens them, hands them over and ends. What it costs is paid once for each namespace.
 *
 * **Source:** a socket belongs to the namespace in which it was opened; nsenter(1); subprocess.send
 * of Node.js, which passes handles.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server } from 'node:net';
import { SkepError } from '@skep/api';
import { enter, searchPath } from '../namespace/command-runner.js';

/** Sockets of a name server, in one namespace. */
export interface NameSockets {
  readonly udp: DatagramSocket;
  readonly tcp: Server;
  /** To ask other servers from that namespace; not bound to a port that is known. */
  readonly client: DatagramSocket;
}

const PORT = 53;
const OPEN_MS = 15_000;

/**
 * What the helper runs. Each handle is sent once the one before has arrived, and the helper ends
 * when the last has: what it still had to send would be lost with it.
 */
const HELPER = `
const { createSocket } = require('node:dgram');
const { createServer } = require('node:net');
const [address, port] = [process.argv[1], Number(process.argv[2])];
const fail = (fault) => process.send({ error: fault.message }, () => process.exit(1));
const udp = createSocket('udp4').on('error', fail);
const client = createSocket('udp4').on('error', fail);
const tcp = createServer().on('error', fail);
const handles = [['udp', udp], ['tcp', tcp], ['client', client]];
const send = () => {
  const [next] = handles.splice(0, 1);
  if (next === undefined) process.exit(0);
  process.send({ type: next[0] }, next[1]);
};
process.on('message', send);
process.on('disconnect', () => process.exit(1));
udp.bind(port, address, () => tcp.listen(port, address, () => client.bind(0, address, send)));
`;

interface HelperMessage {
  readonly type?: 'udp' | 'tcp' | 'client';
  readonly error?: string;
}

/**
 * Opens the sockets on an IPv4 address of a namespace; undefined: that of this process.
 * Cost: the start of a Node.js process.
 * @throws unavailable when they cannot be had, with what the kernel said.
 */
export function openNameSockets(
  namespace: string | undefined,
  address: string,
  port = PORT,
): Promise<NameSockets> {
  const place = `${address}:${port} in ${namespace ?? 'this machine'}`;
  return new Promise((resolve, reject) => {
    const helper = startHelper(namespace, [address, String(port)]);
    const got: Partial<Record<'udp' | 'tcp' | 'client', DatagramSocket | Server>> = {};
    let said = '';
    helper.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const timer = setTimeout(() => helper.kill('SIGKILL'), OPEN_MS);
    const fail = (why: string): void => {
      clearTimeout(timer);
      for (const handle of Object.values(got)) handle.close();
      const text = `the name server cannot be had on ${place}: ${why}`;
      reject(new SkepError('unavailable', text, { details: { namespace, address, port } }));
    };
    helper.on('message', ({ type, error }: HelperMessage, handle) => {
      if (error !== undefined) said = error;
      if (type === undefined || handle === undefined) return;
      got[type] = handle as DatagramSocket | Server;
      helper.send('next', () => undefined);
    });
    helper.on('error', (fault) => fail(fault.message));
    helper.on('exit', () => {
      const { udp, tcp, client } = got;
      if (udp === undefined || tcp === undefined || client === undefined) {
        fail(said.trim() || 'the helper ended early');
        return;
      }
      clearTimeout(timer);
      resolve({ udp, tcp, client } as NameSockets);
    });
  });
}

function startHelper(namespace: string | undefined, args: readonly string[]): ChildProcess {
  const words = [process.execPath, '-e', HELPER, ...args];
  // Loaders of this process are none of the helper's business.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const [program = '', ...rest] = namespace === undefined ? words : [...enter(namespace), ...words];
  return spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...env, PATH: searchPath() },
  });
}

/** Ends the sockets. */
export function closeNameSockets({ udp, tcp, client }: NameSockets): void {
  for (const socket of [udp, client, tcp]) socket.close();
}
