/**
 * The Docker runtime on a real engine, which the test starts and ends itself.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AssignedFile, AssignedTask, ContainerSpec } from '@skep/api';
import type { RuntimeUnderTest } from '@skep/adapter/conformance';
import { taskRuntimeConformance } from '@skep/adapter/conformance';
import { CONTEXT, never, shellTask, taskOf } from '../src/__fixtures__/tasks.js';
import { dockerRuntime, type DockerRuntime } from '../src/docker/docker-runtime.js';
import type { StartedContainer } from '../src/docker/docker-runtime.js';
import type { LogLine, LogQuery } from '../src/task/log-lines.js';
import { TestEngine } from './docker-engine.js';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { tracesOf } from './left-behind.js';

const { suite, lack } = suiteThatNeeds(
  missingPrograms(['dockerd', 'docker', 'containerd', 'busybox', 'tar', 'mount']),
);

const IMAGE = 'skt-busybox:1';
/** Runs until it is told to end, and ends at once then. */
const SERVER = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done';

suite(`tasks as containers${lack}`, () => {
  let engine: TestEngine;
  let count = 0;

  beforeAll(async () => {
    engine = new TestEngine();
    await engine.start();
    engine.importBusybox(IMAGE);
  }, 60_000);

  afterAll(async () => {
    const { folder } = engine;
    await engine.remove();
    expect(tracesOf(folder)).toEqual({ processes: [], mounts: [], cgroups: [], files: [] });
  }, 60_000);

  const shell = (id: string, line: string, container: Partial<ContainerSpec> = {}): AssignedTask =>
    shellTask(id, line, { image: IMAGE, ...container });

  function open(stateFolder: string, change: Partial<Parameters<typeof dockerRuntime>[0]> = {}) {
    return dockerRuntime({
      cluster: 'skt',
      node: 'node1',
      stateFolder,
      socketPath: engine.socketPath,
      networkModeOf: () => 'none',
      ...change,
    });
  }

  taskRuntimeConformance({ describe, it, expect }, () => {
    const stateFolder = mkdtempSync(join(engine.folder, 'state-'));
    const opened: DockerRuntime[] = [open(stateFolder)];
    return Promise.resolve<RuntimeUnderTest>({
      runtime: opened[0]!,
      context: CONTEXT,
      server: (id) => shell(id, SERVER),
      exiting: (id, code) => shell(id, `exit ${code}`),
      missingImage: (id) => taskOf(id, { image: '127.0.0.1:9/skt/nowhere:1' }),
      settle: (promise) => promise,
      reopen: async () => {
        await opened.at(-1)?.close();
        const next = open(stateFolder);
        opened.push(next);
        return next;
      },
      close: async () => {
        const last = opened.at(-1)!;
        for (const id of await last.known()) await last.task(taskOf(id, {}), CONTEXT).remove();
        for (const runtime of opened) await runtime.close();
        rmSync(stateFolder, { recursive: true });
      },
    });
  });

  let runtime: DockerRuntime;
  let stateFolder = '';

  beforeEach(() => {
    count += 1;
    stateFolder = join(engine.folder, `own-${count}`);
    mkdirSync(stateFolder);
    runtime = open(stateFolder);
  });

  afterEach(async () => {
    for (const id of await runtime.known()) await runtime.task(taskOf(id, {}), CONTEXT).remove();
    await runtime.close();
    expect(tracesOf(stateFolder)).toEqual({
      processes: [],
      mounts: [],
      cgroups: [],
      files: ['files'],
    });
  });

  async function run(task: AssignedTask, context = CONTEXT, on = runtime) {
    const handle = on.task(task, context);
    await handle.prepare(never());
    const started = await handle.start(never());
    return { handle, started };
  }

  async function linesOf(id: string, query?: LogQuery): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of runtime.logs(id, query)) lines.push(line);
    return lines;
  }

  const said = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);

  it('gives a container its environment, user, folder, mounts and limits', async () => {
    const task = shell(
      't1',
      'echo $A; id -u; pwd; hostname; cat /proc/self/limits | grep "open files";' +
        ' df /scratch | tail -1 | cut -d" " -f1; ls /vol',
      {
        env: ['A={{.Service.Name}}'],
        user: '65534',
        workingDir: '/bin',
        hostname: 'web-{{.Task.Slot}}',
        ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
        mounts: [
          { type: 'tmpfs', target: '/scratch' },
          { type: 'volume', target: '/vol' },
        ],
      },
    );
    const resources = { limits: { memoryBytes: 32 * 2 ** 20, cpuNanos: 5e8, pids: 30 } };
    const { handle } = await run({ ...task, template: { ...task.template, resources } });
    expect(await handle.wait(never())).toEqual({ exitCode: 0 });
    const [name, uid, folder, hostname, limit, scratch] = said(await linesOf('t1'));
    expect([name, uid, folder, hostname, scratch]).toEqual([
      'web',
      '65534',
      '/bin',
      'web-1',
      'tmpfs',
    ]);
    expect(limit).toMatch(/100\s+200/);
  });

  it('gives secrets and configs as files on a tmpfs', async () => {
    const file = (name: string, mode: number) => ({ name, uid: '65534', gid: '0', mode });
    const task = shell('t1', 'cat /run/secrets/key /conf; stat -c "%a %u" /run/secrets/key', {
      secrets: [{ secretId: 's', secretName: 'key', file: file('key', 0o400) }],
      configs: [{ configId: 'c', configName: 'a', file: file('conf', 0o444) }],
    });
    const given = (id: string, text: string): [string, AssignedFile] => [
      id,
      { id, name: id, data: Buffer.from(text).toString('base64') },
    ];
    const { handle } = await run(task, {
      ...CONTEXT,
      secrets: new Map([given('s', 'top-secret\n')]),
      configs: new Map([given('c', 'deep\n')]),
    });
    await handle.wait(never());
    expect(said(await linesOf('t1'))).toEqual(['top-secret', 'deep', '400 65534']);
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    expect(mounts).toContain(`${join(stateFolder, 'files', 't1')} `);
    await handle.remove();
    expect(existsSync(join(stateFolder, 'files', 't1'))).toBe(false);
  });

  it('hands out what is printed, by stream, tail, time, and as it is printed', async () => {
    const line = 'echo out; echo err >&2; sleep 1; echo late';
    const { handle } = await run(shell('t1', line));
    const followed = linesOf('t1', { follow: true });
    await handle.wait(never());
    expect(said(await followed).sort()).toEqual(['err', 'late', 'out']);
    expect(said(await linesOf('t1', { tail: 1 }))).toEqual(['late']);
    expect(said(await linesOf('t1', { streams: ['stderr'] }))).toEqual(['err']);
    const all = await linesOf('t1');
    const late = all.find(({ text }) => text === 'late')!;
    expect(said(await linesOf('t1', { since: late.time }))).toEqual(['late']);
    await expect(linesOf('t2')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('stops following when it is told to, and the task runs on', async () => {
    await run(shell('t1', SERVER));
    const abort = new AbortController();
    for await (const { text } of runtime.logs('t1', { follow: true, signal: abort.signal })) {
      expect(text).toBe('up');
      abort.abort();
    }
    expect(await runtime.known()).toEqual(['t1']);
  });

  it('kills what ignores the stop signal', async () => {
    const task = shell('t1', 'trap "" TERM; echo up; while :; do sleep 1; done', {
      stopGracePeriodMs: 1_000,
    });
    const { handle } = await run(task);
    const waiting = handle.wait(never());
    await handle.shutdown(never());
    expect(await waiting).toEqual({ exitCode: 137 });
  });

  it('is started once its health check passes, and stopped once it fails', async () => {
    const healthCheck = {
      test: ['CMD-SHELL', 'test -e /tmp/ok'],
      intervalMs: 100,
      retries: 5,
      startPeriodMs: 10_000,
    };
    const line = `mkdir -p /tmp; (sleep 0.5; touch /tmp/ok; sleep 2; rm /tmp/ok) & ${SERVER}`;
    const { handle } = await run(shell('t1', line, { healthCheck }));
    const exit = await handle.wait(never());
    expect(exit).toEqual({ exitCode: 0, error: 'unhealthy container' });
  });

  it('fails a start that never becomes healthy', async () => {
    const healthCheck = { test: ['CMD', 'false'], intervalMs: 100, retries: 1 };
    const handle = runtime.task(shell('t1', SERVER, { healthCheck }), CONTEXT);
    await handle.prepare(never());
    await expect(handle.start(never())).rejects.toThrow('unhealthy container');
  });

  it('fails a start of a program that is not in the image', async () => {
    const task = taskOf('t1', { image: IMAGE, command: ['/no/such/program'] });
    const handle = runtime.task(task, CONTEXT);
    await handle.prepare(never());
    await expect(handle.start(never())).rejects.toThrow('/no/such/program');
  });

  it('hands the network namespace of a container to whoever makes its networks', async () => {
    const attached: StartedContainer[] = [];
    const attaching = open(stateFolder, {
      networkModeOf: () => undefined,
      attach: (_, container) => {
        attached.push(container);
        return Promise.resolve();
      },
    });
    const networks = [{ networkId: 'n', addresses: ['10.0.1.3/24'], aliases: [] }];
    const hosts = ['10.0.1.9 other'];
    const line = `cat /etc/resolv.conf /etc/hosts; hostname; ls /sys/class/net; ${SERVER}`;
    const task = { ...shell('t1', line, { hosts }), networks };
    const { started, handle } = await run(task, CONTEXT, attaching);
    const { containerId = '', pid } = started.container;
    expect(attached).toMatchObject([{ containerId, pid }]);
    expect(existsSync(attached[0]!.networkNamespace)).toBe(true);
    const host = containerId.slice(0, 12);
    let printed: readonly string[] = [];
    while (!printed.includes('up')) printed = said(await linesOf('t1'));
    expect(printed).toEqual(
      expect.arrayContaining(['nameserver 127.0.0.11', 'options ndots:0', `10.0.1.3 ${host}`]),
    );
    expect(printed.slice(-4)).toEqual(['10.0.1.9 other', host, 'lo', 'up']);
    await attaching.close();
    // The next one is told of what runs, too: it may have to give it its networks.
    const next = open(stateFolder, {
      networkModeOf: () => undefined,
      attach: (_, container) => {
        attached.push(container);
        return Promise.reject(new Error('not yet'));
      },
    });
    const waiting = next.task(task, CONTEXT).wait(never());
    while (attached.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(attached[1]).toEqual(attached[0]);
    await handle.shutdown(never());
    expect(await waiting).toEqual({ exitCode: 0 });
    await next.close();
  });

  it('touches only containers of its own cluster and node', async () => {
    const other = open(stateFolder, { node: 'node2' });
    await run(shell('t9', SERVER), CONTEXT, other);
    const task = { ...shell('t9', SERVER), name: 'web.2.t9' };
    expect((await runtime.known()).filter((id) => id === 't9')).toEqual([]);
    await runtime.task(task, CONTEXT).remove();
    expect(await other.known()).toEqual(['t9']);
    await other.task(task, CONTEXT).remove();
    await other.close();
  });

  it('goes on when the engine is restarted under it', async () => {
    const { handle } = await run(shell('t1', SERVER));
    const broken = handle.wait(never()).then(
      () => 'ended',
      (thrown: { code?: string }) => thrown.code,
    );
    await engine.stop();
    expect(await broken).toBe('unavailable');
    await expect(runtime.known()).rejects.toMatchObject({ code: 'unavailable' });
    await engine.start();
    expect(await runtime.known()).toEqual(['t1']);
    const waiting = handle.wait(never());
    await handle.shutdown(never());
    expect((await waiting).exitCode).toBe(0);
  });
});
