/**
 * Faults of what runs tasks, and of the agent in the middle of its work: each ends in what is
 * declared, with nothing left behind. Under a manager, on real processes and containers.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServiceSpec } from '@skep/api';
import { CONTEXT, never, shellTask } from '../src/__fixtures__/tasks.js';
import { dockerRuntime, type DockerRuntime } from '../src/docker/docker-runtime.js';
import { isAlive } from '../src/process/proc.js';
import { processRuntime, type ProcessRuntime } from '../src/process/process-runtime.js';
import { readProcesses, taskFolder } from '../src/process/task-folder.js';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { TestEngine } from './docker-engine.js';
import { EngineProxy } from './engine-proxy.js';
import { tracesOf } from './left-behind.js';
import { RuntimeNode, type ClosableRuntime } from './runtime-node.js';

const PROCESS_NEEDS = ['unshare', 'nsenter', 'setpriv', 'mount', 'mkfifo', 'pivot_root', 'busybox'];
const ENGINE_NEEDS = ['dockerd', 'docker', 'containerd', 'busybox', 'tar', 'mount'];
const IMAGE = 'skt-busybox:1';
/** Runs until it is told to end, and ends at once then. */
const SERVER = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done';
const STUBBORN = 'trap "" TERM; while :; do sleep 0.1; done';

function service(line: string): ServiceSpec {
  return {
    mode: { type: 'replicated', replicas: 1 },
    task: {
      container: {
        image: IMAGE,
        command: ['/bin/sh', '-c', line],
        // One that is told to end before its shell has read that line does not hear of it.
        stopGracePeriodMs: 1_000,
      },
      restartPolicy: { delayMs: 100 },
    },
  };
}

interface Ground {
  readonly open: () => ClosableRuntime;
  /** What tasks leave on the machine. */
  readonly left: () => readonly unknown[];
}

/** The faults that end alike on both runtimes. */
function commonFaults(groundOf: () => Ground): void {
  let node: RuntimeNode;

  beforeEach(async () => {
    node = await RuntimeNode.start(groundOf().open());
  });

  afterEach(async () => {
    if (node.tasks().length > 0) await node.manager.scale('web', 0);
    await node.settled(0);
    await node.stop();
    expect(groundOf().left()).toEqual([]);
  });

  it('what is killed is started anew, and nothing of the old one stays', async () => {
    await node.declare(service(SERVER));
    const [first] = await node.settled(1);
    process.kill(first?.status.container?.pid ?? 0, 'SIGKILL');
    await node.until('another task', () => node.tasks()[0]?.meta.id !== first?.meta.id);
    const [second] = await node.settled(1);
    expect(second?.spec.slot).toBe(first?.spec.slot);
    expect(second?.status.container?.pid).not.toBe(first?.status.container?.pid);
  }, 60_000);

  it('what ignores the stop signal is killed when its grace is over', async () => {
    await node.declare(service(STUBBORN));
    const [task] = await node.settled(1);
    await node.manager.scale('web', 0);
    await node.settled(0);
    expect(() => process.kill(task?.status.container?.pid ?? 0, 0)).toThrow('ESRCH');
  }, 60_000);

  it('what finds its port taken on the host runs once it is free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await node.declare(service(`exec busybox httpd -f -p 127.0.0.1:${port} -h /`));
    await node.until('a failure', () => node.failures.includes(1));
    other.close();
    await node.settled(1);
    await node.until('an answer', () =>
      fetch(`http://127.0.0.1:${port}/none`).then(
        ({ status }) => status === 404,
        () => false,
      ),
    );
  }, 60_000);
}

const processes = suiteThatNeeds(missingPrograms(PROCESS_NEEDS));

processes.suite(`faults of processes${processes.lack}`, () => {
  let folder = '';
  let runtime: ProcessRuntime;
  const nothing = { processes: [], mounts: [], cgroups: [], files: ['tasks'] };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), `skt-${process.pid}-`));
  });

  afterEach(() => {
    expect(tracesOf(folder)).toEqual(nothing);
    rmSync(folder, { recursive: true });
  });

  const open = (): ProcessRuntime => (runtime = processRuntime({ stateFolder: folder }));

  describe('under a manager', () => {
    commonFaults(() => ({ open, left: () => tracesOf(join(folder, 'tasks')).files }));
  });

  it('a full disk costs what is printed meanwhile, and holds up what is to be started', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    const node = await RuntimeNode.start(open());
    try {
      const flood = 'busybox dd if=/dev/zero bs=64k count=32 2>/dev/null';
      const endless = 'trap "exit 0" TERM; while :; do echo tick; sleep 0.05; done';
      await node.declare(service(`${flood}; echo; ${endless}`));
      const [first] = await node.settled(1);
      const id = first?.meta.id ?? '';
      await node.until('a full disk', () => freeBytes(folder) === 0);
      await node.manager.scale('web', 2);
      await node.until('a word about it', () =>
        node.tasks().some(({ status }) => status.error?.includes('ENOSPC') === true),
      );
      execFileSync('mount', ['-o', 'remount,size=64m', folder]);
      expect((await node.settled(2))[0]?.meta.id).toBe(id);
      await node.until('words after the gap', async () => {
        for await (const { text } of runtime.logs(id, { tail: 1 }))
          if (text === 'tick') return true;
        return false;
      });
      await node.manager.scale('web', 0);
      await node.settled(0);
    } finally {
      await node.stop();
      execFileSync('umount', ['-l', folder]);
      mkdirSync(join(folder, 'tasks'));
    }
  }, 60_000);

  it('an agent that is killed while it starts and stops tasks is taken over from', async () => {
    const ids = Array.from({ length: 8 }, (_, at) => `t${at}`);
    const line = `echo begun; ${SERVER}`;
    await killedAgent('start', folder, line, ids);
    open();
    for (const id of ids) {
      const handle = runtime.task(shellTask(id, line), CONTEXT);
      await handle.prepare(never());
      await handle.start(never());
      await untilPrinted(id, 'up');
      const begun: string[] = [];
      for await (const { text } of runtime.logs(id)) begun.push(text);
      expect(begun).toEqual(['begun', 'up']);
    }
    expect(await runtime.known()).toEqual(ids);
    const firsts = ids.map((id) => readProcesses(taskFolder(folder, id))!.first);
    await runtime.close();
    await killedAgent('stop', folder, line, ids);
    open();
    for (const id of ids) await runtime.task(shellTask(id, line), CONTEXT).remove();
    expect(await runtime.known()).toEqual([]);
    expect(firsts.filter(isAlive)).toEqual([]);
    await runtime.close();
  }, 60_000);

  it('what a killed agent was starting is removed, however far it had come', async () => {
    const ids = Array.from({ length: 8 }, (_, at) => `t${at}`);
    await killedAgent('start', folder, SERVER, ids);
    open();
    await Promise.all(ids.map((id) => runtime.task(shellTask(id, SERVER), CONTEXT).remove()));
    expect(await runtime.known()).toEqual([]);
    await runtime.close();
  }, 60_000);

  async function untilPrinted(id: string, text: string): Promise<void> {
    for (;;) {
      for await (const line of runtime.logs(id)) if (line.text === text) return;
      await sleep(20);
    }
  }
});

/** Free for data on the file system of a folder. */
function freeBytes(folder: string): number {
  return Number(execFileSync('stat', ['-f', '-c', '%a', folder]).toString());
}

/** Another process drives the tasks, and is killed as soon as the first of them is done. */
async function killedAgent(
  what: 'start' | 'stop',
  folder: string,
  line: string,
  ids: readonly string[],
): Promise<void> {
  const program = join(__dirname, 'task-starter-program.ts');
  const flags = ['--conditions=@skep/source', '--import', 'tsx'];
  const child = spawn(process.execPath, [...flags, program, what, folder, line, '15', ...ids], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const containers = suiteThatNeeds(missingPrograms(ENGINE_NEEDS));

containers.suite(`faults of containers${containers.lack}`, () => {
  let engine: TestEngine;
  let folder = '';

  beforeAll(async () => {
    engine = new TestEngine();
    await engine.start();
    engine.importBusybox(IMAGE);
  }, 60_000);

  afterAll(async () => {
    await engine.remove();
    const nothing = { processes: [], mounts: [], cgroups: [], files: [] };
    expect(tracesOf(engine.folder)).toEqual(nothing);
  }, 60_000);

  beforeEach(() => {
    folder = mkdtempSync(join(engine.folder, 'node-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const open = (socketPath = engine.socketPath): DockerRuntime =>
    dockerRuntime({
      cluster: 'skt',
      node: 'node1',
      stateFolder: folder,
      socketPath,
      networkModeOf: () => 'host',
    });

  /** Containers of the engine, running or not. */
  function listed(): readonly string[] {
    const words = ['-H', `unix://${engine.socketPath}`, 'ps', '-aq'];
    return execFileSync('docker', words).toString().split('\n').filter(Boolean);
  }

  describe('under a manager', () => {
    commonFaults(() => ({ open, left: listed }));
  });

  it('an engine that ends and comes back finds its tasks, and starts what was asked for', async () => {
    const node = await RuntimeNode.start(open());
    try {
      await node.declare(service(SERVER));
      const [before] = await node.settled(1);
      await engine.stop();
      await node.manager.scale('web', 2);
      await node.until('a word about it', () =>
        node.tasks().some(({ status }) => status.error?.includes('does not answer') === true),
      );
      await engine.start();
      const [same] = await node.settled(2);
      expect(same?.status.container).toEqual(before?.status.container);
      await node.manager.scale('web', 0);
      await node.settled(0);
      expect(listed()).toEqual([]);
    } finally {
      await node.stop();
    }
  }, 60_000);

  const POINTS: readonly (readonly [string, 0 | 1, RegExp])[] = [
    ['the creation', 1, /^POST \S*\/containers\/create/],
    ['the start', 1, /^POST \S*\/containers\/\w+\/start/],
    ['the look after the start', 1, /^GET \S*\/containers\/\w+\/json/],
    ['the stop', 0, /^POST \S*\/containers\/\w+\/stop/],
    ['the removal', 0, /^DELETE /],
  ];

  it('an agent that is killed when it has asked for something is taken over from', async () => {
    const node = await RuntimeNode.start(open());
    try {
      await node.declare({ ...service(SERVER), mode: { type: 'replicated', replicas: 0 } });
      for (const [point, replicas, request] of POINTS) {
        const proxy = new EngineProxy(join(folder, 'proxy.sock'), engine.socketPath);
        await proxy.start();
        await node.manager.scale('web', 1 - replicas);
        await node.replaceAgent(open(proxy.path));
        await node.settled(1 - replicas);
        const isCut = proxy.cutAt(request);
        await node.manager.scale('web', replicas);
        await isCut;
        await node.replaceAgent(open());
        await node.settled(replicas);
        await proxy.close();
        expect([point, listed().length]).toEqual([point, replicas]);
      }
    } finally {
      await node.stop();
    }
  }, 60_000);
});
