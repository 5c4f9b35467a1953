import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, linkSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSkepError, Node, Service } from '@skep/api';
import { systemClock } from '@skep/api/system';
import { memoryStore, sharedMemoryLog } from '@skep/store';
import { BUILT_IN_KINDS, openCluster, type LiveCluster, type LiveOptions } from 'skep';
import { FakeNode } from '../src/__fixtures__/fake-node.js';
import {
  controlClient,
  serveControl,
  type ControlServer,
  type ServeOptions,
  type WatchMessage,
} from '../src/index.js';

const WEB = 'services: { web: { image: "web:1", deploy: { replicas: 1 } } }';
const clock = systemClock();
let folder: string;
let path: string;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skt-control-'));
  path = join(folder, 'manager.sock');
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

interface Served {
  readonly cluster: LiveCluster;
  readonly server: ControlServer;
  readonly node: FakeNode;
}

async function served(
  live: LiveOptions = {},
  options: Partial<ServeOptions> = {},
): Promise<Served> {
  const cluster = await openCluster({ cluster: { heartbeatPeriodMs: 1_000 }, ...live });
  ends.push(() => cluster.stop());
  const server = await serveControl({ cluster, path, ...options });
  ends.push(() => server.close());
  const { meta } = await cluster.declareNode({ name: 'node1', id: 'id-node1' });
  const address = '10.90.0.11';
  const node = new FakeNode({ id: meta.id, name: 'node1', address, link: cluster.link, clock });
  await node.connect();
  ends.push(() => node.leave());
  return { cluster, server, node };
}

function client(times: { readonly timeoutMs?: number; readonly silenceMs?: number } = {}) {
  const made = controlClient({ path, ...times });
  ends.push(() => made.close());
  return made;
}

async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (thrown) {
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
  return 'nothing was refused';
}

/** Resolves once something holds; a test that waits in vain is ended by its own limit. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds()))
    await new Promise((resolve) => clock.schedule(clock.now() + 10, () => resolve(undefined)));
}

function listening<S extends Server | SocketServer>(server: S): Promise<S> {
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

function closing(server: Server | SocketServer): () => Promise<void> {
  return () => new Promise((resolve) => server.close(() => resolve()));
}

describe('a control server on a socket', () => {
  it('is for its owner only, answers, and leaves nothing behind', async () => {
    const { server, cluster } = await served();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { version, nodes } = await client().info();
    expect([version, nodes.total]).toEqual(['v1', 1]);
    await cluster.apply(WEB);
    expect((await client().get(Service, 'web')).meta.name).toBe('web');
    expect(await codeOf(() => client().get(Service, '../x y/ü?#%'))).toBe('not-found');
    await server.close();
    await server.close();
    expect(existsSync(path)).toBe(false);
    expect(await codeOf(() => client().info())).toBe('unavailable');
  });

  it('streams commits and logs, and notices who leaves', async () => {
    const { cluster, node } = await served();
    const leaving = new AbortController();
    const watch = client()
      .watch({ kinds: [Service], signal: leaving.signal })
      [Symbol.asyncIterator]();
    expect(await watch.next()).toMatchObject({ value: { type: 'started' } });
    await cluster.apply(WEB);
    expect(await watch.next()).toMatchObject({
      value: { type: 'commit', events: [{ type: 'created', object: { meta: { name: 'web' } } }] },
    });
    leaving.abort();
    await until(async () => (await watch.next()).done === true);
    await until(() => node.running.length === 1);
    const { answer } = node;
    let open = 0;
    node.answer = async function* (question, signal) {
      open += 1;
      try {
        yield* answer(question, signal);
      } finally {
        open -= 1;
      }
    };
    await until(() => cluster.tasks('web')[0]?.status.state === 'running');
    const [task] = cluster.tasks('web');
    const logs = client()
      .logs({ services: ['web'], follow: true })
      [Symbol.asyncIterator]();
    const first = logs.next();
    await until(() => open === 1);
    node.print(task!.meta.id, 'hello\r\nthere – ü');
    expect(await first).toMatchObject({ value: { type: 'line', text: 'hello\r\nthere – ü' } });
    await logs.return?.();
    await until(() => open === 0);
  });

  it('ends streams and what is under way when it stops', async () => {
    const { server, node, cluster } = await served();
    node.answer = async function* (_, signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      yield* [];
    };
    const watch = client().watch()[Symbol.asyncIterator]();
    await watch.next();
    const read = async (): Promise<void> => {
      while ((await watch.next()).done !== true);
    };
    await until(() => cluster.get(Node, 'node1')?.status.state === 'ready');
    const ends = Promise.all([codeOf(read), codeOf(() => client().tables('node1'))]);
    await until(() => node.questions.length === 1);
    await server.close();
    expect(await ends).toEqual(['unavailable', 'unavailable']);
  });

  it('refuses what is too large while it is being sent', async () => {
    const { cluster } = await served({}, { bodyBytesMax: 10_000 });
    const { revision } = cluster.view();
    const spec = { data: 'A'.repeat(40_000_000) };
    const declared = client().declare([{ kind: 'Config', name: 'big', spec }]);
    expect(await codeOf(() => declared)).toBe('resource-exhausted');
    expect(cluster.list(Service)).toEqual([]);
    expect(cluster.view().revision).toBeGreaterThanOrEqual(revision);
    expect((await client().info()).version).toBe('v1');
  });

  it('takes a body in pieces of unknown number, up to the same limit', async () => {
    const { cluster } = await served({}, { bodyBytesMax: 10_000 });
    const patch = (size: number): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const target = '/v1/nodes/node1';
        const sent = request({ socketPath: path, method: 'PATCH', path: target }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject);
        sent.write(' '.repeat(size));
        sent.end('{"labels":{"disk":"ssd"}}');
      });
    expect(await patch(20_000)).toBe(429);
    expect(cluster.get(Node, 'node1')?.meta.labels).toEqual({});
    expect(await patch(100)).toBe(200);
    expect(cluster.get(Node, 'node1')?.meta.labels).toEqual({ disk: 'ssd' });
  });

  it('ends a watcher that falls behind, however much it leaves unread', async () => {
    const store = memoryStore({ clock, kinds: BUILT_IN_KINDS, watcher: { bufferMax: 20 } });
    const { cluster } = await served({ store });
    const watch = client()
      .watch({ kinds: ['Config'] })
      [Symbol.asyncIterator]();
    await watch.next();
    const data = 'A'.repeat(200_000);
    for (let index = 0; index < 60; index += 1) {
      await client().declare([{ kind: 'Config', name: `c${index}`, spec: { data } }]);
    }
    expect(cluster.view().count(Service)).toBe(0);
    const revisions: number[] = [];
    const read = async (): Promise<void> => {
      for (;;) {
        const { value } = (await watch.next()) as { value: { revision: number } };
        revisions.push(value.revision);
      }
    };
    expect(await codeOf(read)).toBe('resync-required');
    expect(revisions.length).toBeLessThan(60);
    expect([...revisions].sort((a, b) => a - b)).toEqual(revisions);
  });

  it('takes the place of a socket that nobody answers at, and of no other', async () => {
    const other = join(folder, 'other.sock');
    const old = createSocketServer();
    await new Promise<void>((resolve) => old.listen(other, () => resolve()));
    linkSync(other, path);
    await closing(old)();
    expect(existsSync(path)).toBe(true);
    const { cluster } = await served();
    expect((await client().info()).version).toBe('v1');
    expect(await codeOf(() => serveControl({ cluster, path }))).toBe('already-exists');
    expect((await client().info()).version).toBe('v1');
    const long = join(folder, 'x'.repeat(120));
    expect(await codeOf(() => serveControl({ cluster, path: long }))).toBe('invalid-argument');
    const nowhere = join(folder, 'nowhere', 'a.sock');
    expect(await codeOf(() => serveControl({ cluster, path: nowhere }))).toBe('unavailable');
  });
});

describe('a manager that is started again', () => {
  it('goes on for whoever watches from the last revision', async () => {
    const log = sharedMemoryLog({ clock });
    const first = await served({ backend: log.backend() });
    await first.cluster.apply(WEB);
    await until(() => first.node.running.length === 1);
    const { revision } = await client().list(Service);
    const watch = client().watch({ from: revision })[Symbol.asyncIterator]();
    await watch.next();
    await first.server.close();
    const read = async (): Promise<void> => {
      while ((await watch.next()).done !== true);
    };
    expect(await codeOf(read)).toBe('unavailable');
    await first.node.leave();
    await first.cluster.stop();
    const second = await served({ backend: log.backend() });
    await client().scale('web', 3);
    const again = client()
      .watch({ from: revision, kinds: [Service] })
      [Symbol.asyncIterator]();
    const replicas: unknown[] = [];
    await until(async () => {
      const { value } = (await again.next()) as { value?: WatchMessage };
      if (value?.type !== 'commit') return false;
      for (const { object } of value.events) replicas.push((object as Service).spec.mode);
      return replicas.some((mode) => JSON.stringify(mode).includes('3'));
    });
    await until(() => second.node.running.length === 3);
    await again.return?.();
  });
});

describe('a client', () => {
  it('says when there is no manager, or another program', async () => {
    const refused = await client()
      .info()
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'unavailable', details: { reason: 'ENOENT' } });
    expect(String(refused)).toContain('is the cluster up?');
    const stranger = await listening(
      createServer((request, response) => {
        if (request.url === '/v1/problems') response.writeHead(500).end('<html>');
        else response.end('hello');
      }),
    );
    ends.push(closing(stranger));
    expect(await codeOf(() => client().info())).toBe('internal');
    expect(await codeOf(() => client().problems())).toBe('internal');
    const watch = client().watch()[Symbol.asyncIterator]();
    expect(await codeOf(() => watch.next())).toBe('unavailable');
  });

  it('does not wait for ever for one that hangs, or breaks off', async () => {
    const hanging = await listening(
      createServer((request, response) => {
        if (request.url === '/v1/watch') {
          response.writeHead(200).write('event: started\ndata: {"revision":1}\n\nevent: comm');
        }
        if (request.url === '/v1/problems') response.destroy();
        if (request.url === '/v1/metrics') {
          response.writeHead(200, { 'content-length': '100' }).write('half');
          clock.schedule(clock.now() + 50, () => response.destroy());
        }
      }),
    );
    ends.push(async () => {
      hanging.closeAllConnections();
      await closing(hanging)();
    });
    const impatient = client({ timeoutMs: 300, silenceMs: 300 });
    expect(await codeOf(() => impatient.info())).toBe('unavailable');
    expect(await codeOf(() => impatient.problems())).toBe('unavailable');
    expect(await codeOf(() => impatient.metrics())).toBe('unavailable');
    const watch = impatient.watch()[Symbol.asyncIterator]();
    expect(await watch.next()).toMatchObject({ value: { type: 'started', revision: 1 } });
    expect(await codeOf(() => watch.next())).toBe('unavailable');
  });

  it('ends what is under way when it is closed, and asks nothing more', async () => {
    await served();
    const made = client();
    const watch = made.watch({ kinds: ['Config'] })[Symbol.asyncIterator]();
    await watch.next();
    const next = codeOf(() => watch.next());
    await made.close();
    expect(await next).toBe('aborted');
    expect(await codeOf(() => made.info())).toBe('aborted');
  });
});
