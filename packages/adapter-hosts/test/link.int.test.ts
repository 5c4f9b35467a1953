import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeLinkConformance } from '@skep/adapter/conformance';
import { Simulator } from '@skep/adapter-simulator';
import type { Task } from '@skep/api';
import {
  isSkepError,
  Node,
  Service,
  silentLogger,
  type NodeAnswer,
  type NodeLink,
  type NodeQuestion,
} from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import { HELLO, PlainManager } from '../src/link/__fixtures__/far-end.js';
import { serveNodeLink, type NodeLinkServer } from '../src/link/serve-link.js';
import { socketNodeLink } from '../src/link/socket-link.js';
import { RealTimeManager } from './real-time-manager.js';

const clock = systemClock();
let folder = '';
let made = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skt-link-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const freshPath = (): string => join(folder, `${(made += 1)}.sock`);

function serve(path: string, link: NodeLink = new PlainManager()): Promise<NodeLinkServer> {
  return serveNodeLink({ path, link, clock });
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'well',
    (thrown: unknown) => (isSkepError(thrown) ? thrown.code : String(thrown)),
  );

/** Waits until something holds; a test that waits for ever is ended by its own limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

nodeLinkConformance({ describe, it, expect }, async (manager) => {
  const path = freshPath();
  const server = await serve(path, manager);
  return {
    link: socketNodeLink({ path, clock }),
    settle: (promise) => promise,
    close: () => server.close(),
  };
});

describe('a socket that is served', () => {
  it('is for its owner, and gone when it is closed', async () => {
    const path = freshPath();
    const server = await serve(path);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    await server.close();
    expect(readdirSync(folder).filter((name) => name.startsWith(`${made}.`))).toEqual([]);
  });

  it('is not taken away from another manager, or from what is no socket', async () => {
    const path = freshPath();
    const server = await serve(path);
    expect(await codeOf(serve(path))).toBe('already-exists');
    const link = socketNodeLink({ path, clock });
    const session = await link.open(HELLO, {
      assignment: () => undefined,
      closed: () => undefined,
    });
    await session.close();
    await server.close();
    const file = freshPath();
    writeFileSync(file, 'precious');
    expect(await codeOf(serve(file))).toBe('already-exists');
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ['without a folder', () => join(folder, 'nowhere', 'a.sock'), 'not-found'],
    ['in a file', () => join(folder, 'file', 'a.sock'), 'not-found'],
    ['with a path that is too long', () => join(folder, 'x'.repeat(100)), 'invalid-argument'],
  ])('is refused %s', async (_what, path, code) => {
    writeFileSync(join(folder, 'file'), '');
    expect(await codeOf(serve(path()))).toBe(code);
  });

  it('leaves a socket alone that is not its own any more', async () => {
    const path = freshPath();
    const first = await serve(path);
    rmSync(path);
    const second = await serve(path);
    await first.close();
    expect(existsSync(path)).toBe(true);
    await second.close();
    expect(existsSync(path)).toBe(false);
  });

  it('tells its nodes when it stops, also those that read nothing or said nothing', async () => {
    const path = freshPath();
    const manager = new PlainManager();
    const server = await serve(path, manager);
    const told: string[] = [];
    const link = socketNodeLink({ path, clock });
    await link.open(HELLO, { assignment: () => undefined, closed: (reason) => told.push(reason) });
    const silent = createConnection(path);
    await once(silent, 'connect');
    await server.close();
    silent.destroy();
    await until(() => told.length > 0);
    expect(told).toEqual(['the manager stopped']);
    // A manager that stops ends its sessions itself.
    expect(manager.calls).toEqual([]);
  });
});

describe('a manager that is gone', () => {
  it('is unavailable', async () => {
    const handlers = { assignment: () => undefined, closed: () => undefined };
    const path = freshPath();
    const link = socketNodeLink({ path, clock });
    expect(await codeOf(link.open(HELLO, handlers))).toBe('unavailable');
    writeFileSync(path, '');
    expect(await codeOf(link.open(HELLO, handlers))).toBe('unavailable');
  });

  it('is noticed when it is killed, and another takes its socket over', async () => {
    const path = freshPath();
    const first = await startProgram(path);
    const heard: string[] = [];
    const handlers = {
      assignment: ({ revision }: { readonly revision: number }) => heard.push(`${revision}`),
      closed: (reason: string) => heard.push(`closed: ${reason}`),
    };
    const link = socketNodeLink({ path, clock });
    const session = await link.open(HELLO, handlers);
    expect(session.sessionId).toBe(`${first.pid}`);
    await until(() => heard.length > 0);
    const beat = codeOf(session.heartbeat());
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(await beat).toBe('unavailable');
    expect(heard).toEqual(['7', expect.stringMatching(/^closed: the connection to the manager/)]);
    expect(await codeOf(session.heartbeat())).toBe('failed-precondition');
    expect([existsSync(path), await codeOf(link.open(HELLO, handlers))]).toEqual([
      true,
      'unavailable',
    ]);
    const server = await serve(path);
    expect((await link.open(HELLO, handlers)).sessionId).toBe('s1');
    await server.close();
  });
});

/** Starts a manager as a process; resolves when it serves. */
async function startProgram(path: string): Promise<ChildProcess> {
  const program = join(__dirname, 'link-program.ts');
  const flags = ['--conditions=@skep/source', '--import', 'tsx'];
  const child = spawn(process.execPath, [...flags, program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('a cluster over a socket', () => {
  it('runs tasks, answers, and goes on after its manager was cut off', async () => {
    const path = freshPath();
    const settings = { heartbeatPeriodMs: 5_000 } as const;
    const manager = await RealTimeManager.start(settings, silentLogger);
    let server = await serve(path, manager.manager.link);
    const simulator = new Simulator({
      clock,
      random: systemRandom(),
      link: socketNodeLink({ path, clock }),
      behaviour: () => ({
        pullMs: 1,
        createMs: 1,
        startMs: 1,
        stopMs: 1,
        prints: [{ afterMs: 1, text: 'hello' }],
      }),
    });
    try {
      await simulator.start();
      const spec = { role: 'worker', availability: 'active' } as const;
      const names = ['node1', 'node2'];
      const nodes = await manager.apply(...names.map((name) => ({ kind: Node, name, spec })));
      for (const [index, { id }] of nodes.entries()) {
        await simulator.addHost({ id, name: names[index] ?? '' });
      }
      const areAll = (state: string): boolean =>
        manager
          .view()
          .list(Node)
          .every(({ status }) => status.state === state);
      await until(() => areAll('ready'));
      await manager.apply({
        kind: Service,
        name: 'web',
        spec: {
          mode: { type: 'replicated', replicas: 4 },
          task: { container: { image: 'web:1' } },
        },
      });
      const running = (): readonly Task[] =>
        manager.tasks('web').filter(({ status }) => status.state === 'running');
      await until(() => running().length === 4);
      const before = running().map(({ meta }) => meta.id);

      for (const { id } of nodes) {
        const own = running().filter(({ status }) => status.nodeId === id);
        const taskIds = own.map(({ meta }) => meta.id);
        const lines = await answersOf(manager, id, { type: 'logs', taskIds });
        expect(lines.map((one) => (one.type === 'line' ? [one.taskId, one.text] : one))).toEqual(
          expect.arrayContaining(taskIds.map((taskId) => [taskId, 'hello'])),
        );
        const [tables] = await answersOf(manager, id, { type: 'tables' });
        const items = tables?.type === 'tables' ? tables.assignment.upserts : [];
        const held = items.filter(({ kind }) => kind === 'task').map(({ key }) => key);
        expect(held).toEqual([...taskIds].sort());
      }

      await server.close();
      const [first] = nodes;
      expect(await codeOf(answersOf(manager, first?.id ?? '', { type: 'tables' }))).toBe(
        'unavailable',
      );
      server = await serve(path, manager.manager.link);
      for (const { id } of nodes) {
        // The nodes come back by themselves, before anybody takes them for dead.
        while ((await codeOf(answersOf(manager, id, { type: 'tables' }))) !== 'well') {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      expect(areAll('ready')).toBe(true);
      expect(running().map(({ meta }) => meta.id)).toEqual(before);
    } finally {
      await simulator.stop();
      await manager.stop();
      await server.close();
    }
  });
});

async function answersOf(
  manager: RealTimeManager,
  nodeId: string,
  question: NodeQuestion,
): Promise<readonly NodeAnswer[]> {
  const answers: NodeAnswer[] = [];
  for await (const one of manager.manager.ask(nodeId, question)) answers.push(one);
  return answers;
}
