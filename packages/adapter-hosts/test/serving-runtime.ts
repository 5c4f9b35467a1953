/**
 * Tasks inside this process, as far as they can be: what a cluster for tests runs by default.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { TaskHandle, TaskRuntime } from '@skep/adapter';
import { SkepError, type AssignedTask, type NodeDescription } from '@skep/api';
import { enter } from '../src/namespace/command-runner.js';
import { openNameSockets, type NameSockets } from '../src/resolver/name-sockets.js';

interface Serving {
  readonly httpd: ChildProcess;
  readonly sockets: NameSockets;
  readonly http: Server;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/**
 * Tasks that say who they are: `busybox httpd` on port 80; on port 81, tcp and udp, with the
 * address of the client.
 */
export class ServingRuntime implements TaskRuntime {
  readonly #namespaceOf: (taskId: string) => string;
  readonly #folder: string;
  readonly #name: string;
  readonly #serving = new Map<string, Serving>();

  constructor(name: string, folder: string, namespaceOf: (taskId: string) => string) {
    this.#name = name;
    this.#folder = folder;
    this.#namespaceOf = namespaceOf;
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve({
      hostname: this.#name,
      platform: { os: 'linux', architecture: 'amd64' },
      resources: { cpuNanos: 4e9, memoryBytes: 2 ** 33 },
      engine: { version: '1', labels: {} },
    });
  }

  task(task: AssignedTask): TaskHandle {
    const { id } = task;
    const stop = (): Promise<void> => {
      this.#serving.get(id)?.end();
      this.#serving.delete(id);
      return Promise.resolve();
    };
    return {
      prepare: () => Promise.resolve(),
      start: async () => {
        if (!this.#serving.has(id)) this.#serving.set(id, await this.#serve(id));
        return { container: { containerId: id } };
      },
      wait: async (signal) => {
        const aborted = new Promise<never>((_, reject) => {
          const fail = (): void => reject(new SkepError('aborted', 'nobody waits any more'));
          signal.addEventListener('abort', fail);
        });
        await Promise.race([this.#serving.get(id)?.ended, aborted]);
        return { exitCode: 0 };
      },
      shutdown: stop,
      remove: stop,
    };
  }

  known(): Promise<readonly string[]> {
    return Promise.resolve([...this.#serving.keys()]);
  }

  close(): Promise<void> {
    for (const { end } of this.#serving.values()) end();
    return Promise.resolve();
  }

  async #serve(id: string): Promise<Serving> {
    const namespace = this.#namespaceOf(id);
    const pages = join(this.#folder, id);
    mkdirSync(pages, { recursive: true });
    writeFileSync(join(pages, 'index.html'), id);
    const words = [...enter(namespace), 'busybox', 'httpd', '-f', '-p', '80', '-h', pages];
    const httpd = spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore' });
    const sockets = await openNameSockets(namespace, '0.0.0.0', 81);
    const http = createServer((request, response) => {
      response.setHeader('connection', 'close');
      response.end(`${id} ${request.socket.remoteAddress}`);
    });
    sockets.tcp.on('connection', (socket) => http.emit('connection', socket));
    sockets.udp.on('message', (_, { address, port }) => {
      sockets.udp.send(`${id} ${address}\n`, port, address);
    });
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = () => {
        httpd.kill('SIGKILL');
        for (const socket of [sockets.udp, sockets.client, sockets.tcp]) socket.close();
        resolve();
      };
    });
    return { httpd, sockets, http, ended, end };
  }
}
