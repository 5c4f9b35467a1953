/**
 * The process runtime with real processes: the conformance suite, and what only the kernel shows.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AssignedFile, AssignedTask } from '@skep/api';
import { taskRuntimeConformance } from '@skep/adapter/conformance';
import { CONTEXT, never, shellTask, taskOf } from '../src/__fixtures__/tasks.js';
import { processRuntime, type ProcessRuntime } from '../src/process/process-runtime.js';
import { readCgroupLayout } from '../src/process/cgroup.js';
import { readProcesses, taskFolder } from '../src/process/task-folder.js';
import { isAlive } from '../src/process/proc.js';
import type { LogLine, LogQuery } from '../src/task/log-lines.js';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { holdersOf, tracesOf } from './left-behind.js';

const { suite, lack } = suiteThatNeeds(
  missingPrograms(['unshare', 'nsenter', 'setpriv', 'mount', 'mkfifo', 'pivot_root']),
);

/** Runs until it is told to end, and ends at once then. */
const SERVER = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done';
const fresh = (): string => mkdtempSync(join(tmpdir(), `skt-${process.pid}-`));

suite(`tasks as processes${lack}`, () => {
  taskRuntimeConformance({ describe, it, expect }, () => {
    const stateFolder = fresh();
    const opened: ProcessRuntime[] = [];
    const open = (): ProcessRuntime => {
      const runtime = processRuntime({ stateFolder });
      opened.push(runtime);
      return runtime;
    };
    return Promise.resolve({
      runtime: open(),
      context: CONTEXT,
      server: (id) => shellTask(id, SERVER),
      exiting: (id, code) => shellTask(id, `exit ${code}`),
      missingImage: (id) => taskOf(id, { image: 'nowhere' }),
      settle: (promise) => promise,
      reopen: async () => {
        await opened.at(-1)?.close();
        return open();
      },
      close: async () => {
        for (const runtime of opened) await runtime.close();
        rmSync(join(stateFolder, 'tasks'), { recursive: true });
        expect(tracesOf(stateFolder)).toEqual(nothing());
        rmSync(stateFolder, { recursive: true });
      },
    });
  });

  let stateFolder = '';
  let runtime: ProcessRuntime;

  beforeEach(() => {
    stateFolder = fresh();
    runtime = processRuntime({ stateFolder });
  });

  afterEach(async () => {
    for (const id of await runtime.known()) await runtime.task(taskOf(id, {}), CONTEXT).remove();
    await runtime.close();
    rmSync(join(stateFolder, 'tasks'), { recursive: true });
    rmSync(join(stateFolder, 'volumes'), { recursive: true, force: true });
    expect(tracesOf(stateFolder)).toEqual(nothing());
    rmSync(stateFolder, { recursive: true });
  });

  async function run(task: AssignedTask, context = CONTEXT) {
    const handle = runtime.task(task, context);
    await handle.prepare(never());
    const started = await handle.start(never());
    return { handle, started };
  }

  /** Runs a task to its end and returns what it printed. */
  async function output(task: AssignedTask, context = CONTEXT): Promise<string> {
    const { handle } = await run(task, context);
    await handle.wait(never());
    return (await linesOf(task.id)).map(({ text }) => text).join('\n');
  }

  async function linesOf(id: string, query?: LogQuery): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of runtime.logs(id, query)) lines.push(line);
    return lines;
  }

  it('gives a command its environment, user, folder and hostname', async () => {
    const task = shellTask('t1', 'echo $A-$B; id -u; id -g; pwd; cat /proc/sys/kernel/hostname', {
      env: ['A={{.Service.Name}}', "B=it's $HOME"],
      user: '65534:65533',
      workingDir: '/usr',
      hostname: 'web-{{.Task.Slot}}',
    });
    expect(await output(task)).toBe("web-it's $HOME\n65534\n65533\n/usr\nweb-1");
  });

  it('is alone in its namespaces, and holds no more rights than a container', async () => {
    const task = shellTask(
      't1',
      'ls -d /proc/[0-9]* | wc -l; grep CapBnd /proc/self/status; ls /run',
    );
    const [count, rights, ...rest] = (await output(task)).split('\n');
    expect(Number(count)).toBeLessThanOrEqual(5);
    expect(rights).toContain('00000000a80425fb');
    expect(rest).toEqual([]);
  });

  it('gives secrets and configs as files on a tmpfs, and puts them on no disk', async () => {
    const data = (text: string): string => Buffer.from(text).toString('base64');
    const file = (name: string, mode: number) => ({ name, uid: '65534', gid: '0', mode });
    const task = shellTask(
      't1',
      'cat /run/secrets/key /etc/skt/app/conf /conf; stat -c "%a %u" /run/secrets/key;' +
        ' stat -f -c %T /run/secrets/key /conf',
      {
        secrets: [{ secretId: 's', secretName: 'key', file: file('key', 0o400) }],
        configs: [
          { configId: 'c', configName: 'a', file: file('/etc/skt/app/conf', 0o444) },
          { configId: 'd', configName: 'b', file: file('conf', 0o444) },
        ],
      },
    );
    const given = (id: string, text: string, templating = ''): [string, AssignedFile] => [
      id,
      { id, name: id, data: data(text), templating },
    ];
    const said = await output(task, {
      ...CONTEXT,
      secrets: new Map([given('s', 'top-secret\n')]),
      configs: new Map([given('c', 'deep\n'), given('d', '{{.Service.Name}}\n', 'golang')]),
    });
    expect(said).toBe('top-secret\ndeep\nweb\n400 65534\ntmpfs\ntmpfs');
    expect(existsSync('/conf') || existsSync('/etc/skt')).toBe(false);
    const folder = taskFolder(stateFolder, 't1');
    const grep = execFileSync('sh', ['-c', `grep -rl dG9wLXNlY3JldA ${folder} || echo none`]);
    expect(grep.toString().trim()).toBe('none');
  });

  it('mounts folders, volumes and tmpfs', async () => {
    const source = join(stateFolder, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'from the host');
    const task = shellTask(
      't1',
      'cat /data/x/file; echo; touch /data/x/new || echo read-only; echo kept >/vol/file;' +
        ' stat -f -c %T /scratch; echo hidden >/tmp/../anon/file',
      {
        mounts: [
          { type: 'bind', source, target: '/data/x', isReadOnly: true },
          { type: 'volume', source: 'named', target: '/vol' },
          { type: 'volume', target: '/anon' },
          { type: 'tmpfs', target: '/scratch', tmpfs: { sizeBytes: 4096 } },
        ],
      },
    );
    const said = await output(task);
    expect(said.split('\n')).toEqual(
      expect.arrayContaining(['from the host', 'read-only', 'tmpfs']),
    );
    await runtime.task(task, CONTEXT).remove();
    expect(readFileSync(join(stateFolder, 'volumes', 'named', 'file'), 'utf8')).toBe('kept\n');
    rmSync(source, { recursive: true });
  });

  it('keeps the limits that the kernel can keep', async () => {
    const layout = readCgroupLayout();
    const resources = { limits: { memoryBytes: 64 * 2 ** 20, cpuNanos: 5e8, pids: 30 } };
    const line = layout.version === 2 ? 'cat /proc/self/cgroup' : 'grep memory /proc/self/cgroup';
    const task = shellTask('t1', line, {}, {});
    const limited = { ...task, template: { ...task.template, resources } };
    expect((await output(limited)).includes('/skep/')).toBe(layout.folders.has('memory'));
  });

  it('says when a task was out of memory', async () => {
    if (!readCgroupLayout().folders.has('memory')) return;
    const task = shellTask('t1', 'exec dd if=/dev/zero of=/dev/null bs=100M count=1');
    const resources = { limits: { memoryBytes: 16 * 2 ** 20 }, swapBytes: 0 };
    const { handle } = await run({ ...task, template: { ...task.template, resources } });
    expect(await handle.wait(never())).toEqual({ exitCode: 137, error: 'out of memory' });
  });

  it('kills what ignores the stop signal, and everything that it has started', async () => {
    const line = 'trap "" TERM; (setsid sleep 1000 &) ; echo up; while :; do sleep 1; done';
    const { handle } = await run(shellTask('t1', line, { stopGracePeriodMs: 200 }));
    await untilPrinted('t1', 'up');
    const processes = readProcesses(taskFolder(stateFolder, 't1'))!;
    const waiting = handle.wait(never());
    await handle.shutdown(never());
    expect(await waiting).toEqual({ exitCode: 137 });
    expect(isAlive(processes.first)).toBe(false);
    expect(isAlive(processes.command)).toBe(false);
  });

  it('sends the stop signal that the task asks for', async () => {
    const line = 'trap "echo quit; exit 5" QUIT; echo up; while :; do sleep 0.05; done';
    const { handle } = await run(shellTask('t1', line, { stopSignal: 'SIGQUIT' }));
    await untilPrinted('t1', 'up');
    const waiting = handle.wait(never());
    await handle.shutdown(never());
    expect((await waiting).exitCode).toBe(5);
    expect((await linesOf('t1')).map(({ text }) => text)).toEqual(['up', 'quit']);
  });

  it('hands out what is printed while it is printed, by stream, tail and time', async () => {
    const line =
      'for i in 1 2 3; do echo out $i; echo err $i >/dev/stderr; done; sleep 1.5; echo late';
    const { handle } = await run(shellTask('t1', line));
    const followed = linesOf('t1', { follow: true });
    await handle.wait(never());
    const said = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);
    expect(said(await followed).sort()).toEqual(
      ['err 1', 'err 2', 'err 3', 'late', 'out 1', 'out 2', 'out 3'].sort(),
    );
    expect(said(await linesOf('t1', { tail: 1 }))).toEqual(['late']);
    expect(said(await linesOf('t1', { streams: ['stderr'] }))).toEqual(['err 1', 'err 2', 'err 3']);
    const late = (await followed).find(({ text }) => text === 'late')!;
    const dated = (await linesOf('t1')).find(({ text }) => text === 'late')!;
    expect(said(await linesOf('t1', { since: dated.time }))).toEqual(['late']);
    expect(late.stream).toBe('stdout');
  });

  it('cuts old lines off, so that a task that prints without end fills no disk', async () => {
    const logDriver = { name: 'json-file', options: { 'max-size': '256k' } };
    const line =
      'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo line $i of many; done; sleep 2.2; echo end';
    const task = shellTask('t1', line);
    const { handle } = await run({ ...task, template: { ...task.template, logDriver } });
    await handle.wait(never());
    const path = join(taskFolder(stateFolder, 't1'), 'stdout');
    const [kept] = execFileSync('du', ['-k', path]).toString().split('\t');
    expect(Number(kept)).toBeLessThan(300);
    const lines = await linesOf('t1');
    expect(lines.at(-1)?.text).toBe('end');
    expect(lines[0]?.text).toMatch(/^line \d+ of many$/);
    expect(lines.length).toBeGreaterThan(1_000);
  });

  it('is started once its health check passes', async () => {
    const folder = join(stateFolder, 'health');
    mkdirSync(folder);
    const healthCheck = { test: ['CMD-SHELL', 'test -e /h/ok'], intervalMs: 100, retries: 100 };
    const task = shellTask('t1', SERVER, {
      healthCheck,
      mounts: [{ type: 'bind', source: folder, target: '/h' }],
    });
    const handle = runtime.task(task, CONTEXT);
    await handle.prepare(never());
    let isStarted = false;
    const starting = handle.start(never()).then(() => {
      isStarted = true;
    });
    await untilPrinted('t1', 'up');
    expect(isStarted).toBe(false);
    writeFileSync(join(folder, 'ok'), '');
    await starting;
    const exit = handle.wait(never());
    rmSync(folder, { recursive: true });
    await handle.shutdown(never());
    expect((await exit).exitCode).toBe(0);
  });

  it('stops what becomes unhealthy, also for an agent that took it over', async () => {
    const healthCheck = { test: ['CMD', 'test', '!', '-e', '/h/sick'], intervalMs: 50, retries: 2 };
    const folder = join(stateFolder, 'health');
    mkdirSync(folder);
    const mounts = [{ type: 'bind' as const, source: folder, target: '/h' }];
    const task = shellTask('t1', SERVER, { healthCheck, mounts });
    await run(task);
    await runtime.close();
    runtime = processRuntime({ stateFolder });
    const exit = runtime.task(task, CONTEXT).wait(never());
    writeFileSync(join(folder, 'sick'), '');
    expect(await exit).toEqual({ exitCode: 0, error: 'unhealthy container' });
    rmSync(folder, { recursive: true });
  });

  it('fails a start whose checks hang', async () => {
    const healthCheck = {
      test: ['CMD', 'sleep', '1000'],
      intervalMs: 50,
      timeoutMs: 100,
      retries: 1,
    };
    const handle = runtime.task(shellTask('t1', SERVER, { healthCheck }), CONTEXT);
    await handle.prepare(never());
    await expect(handle.start(never())).rejects.toThrow('unhealthy container');
  });

  it('knows the exit code of what ended while no agent lived', async () => {
    const task = shellTask('t1', 'sleep 0.3; echo last words; exit 7');
    await run(task);
    await runtime.close();
    const processes = readProcesses(taskFolder(stateFolder, 't1'))!;
    while (isAlive(processes.first)) await new Promise((resolve) => setTimeout(resolve, 20));
    runtime = processRuntime({ stateFolder });
    const handle = runtime.task({ ...task, knownState: 'running' }, CONTEXT);
    expect(await handle.wait(never())).toEqual({ exitCode: 7 });
    expect((await linesOf('t1')).map(({ text }) => text)).toEqual(['last words']);
  });

  it('notices the end of a task that was taken over, whoever is killed', async () => {
    const task = shellTask('t1', SERVER);
    await run(task);
    await runtime.close();
    runtime = processRuntime({ stateFolder });
    const exit = runtime.task(task, CONTEXT).wait(never());
    const processes = readProcesses(taskFolder(stateFolder, 't1'))!;
    process.kill(processes.first.pid, 'SIGKILL');
    expect(await exit).toEqual({ exitCode: 137 });
  });

  it('removes nothing while the supervisor still writes how a killed command ended', async () => {
    await run(shellTask('t1', SERVER));
    await runtime.close();
    const folder = taskFolder(stateFolder, 't1');
    const [supervisor = 0] = holdersOf(join(folder, 'alive'));
    process.kill(supervisor, 'SIGSTOP');
    const { first } = readProcesses(folder)!;
    process.kill(first.pid, 'SIGKILL');
    while (isAlive(first)) await new Promise((resolve) => setTimeout(resolve, 20));
    runtime = processRuntime({ stateFolder });
    let isRemoved = false;
    const removal = runtime
      .task(taskOf('t1', {}), CONTEXT)
      .remove()
      .then(() => (isRemoved = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const early = [isRemoved, existsSync(folder)];
    process.kill(supervisor, 'SIGCONT');
    await removal;
    expect(early).toEqual([false, true]);
    expect(existsSync(folder)).toBe(false);
  });

  it('never takes a process for its own that was given the same pid', async () => {
    const { handle } = await run(shellTask('t1', 'exit 0'));
    await handle.wait(never());
    const stranger = spawn('sleep', ['1000']);
    const folder = taskFolder(stateFolder, 't1');
    writeFileSync(join(folder, 'process'), `${stranger.pid} 1 ${stranger.pid} 1\n`);
    await runtime.close();
    runtime = processRuntime({ stateFolder });
    await runtime.task(taskOf('t1', {}), CONTEXT).remove();
    expect(stranger.signalCode).toBe(null);
    expect(existsSync(`/proc/${stranger.pid}`)).toBe(true);
    const gone = new Promise((resolve) => stranger.once('exit', resolve));
    stranger.kill('SIGKILL');
    await gone;
  });

  it('starts a task once, though two agents try', async () => {
    const other = processRuntime({ stateFolder });
    const task = shellTask('t1', `echo begun; ${SERVER}`);
    const handles = [runtime.task(task, CONTEXT), other.task(task, CONTEXT)];
    await handles[0]!.prepare(never());
    const started = await Promise.all(handles.map((handle) => handle.start(never())));
    expect(started[0]!.container).toEqual(started[1]!.container);
    await untilPrinted('t1', 'begun');
    await other.close();
    await handles[0]!.shutdown(never());
    const begun = (await linesOf('t1')).filter(({ text }) => text === 'begun');
    expect(begun).toHaveLength(1);
  });

  it('rejects what cannot be run, and says why', async () => {
    const refused = async (task: AssignedTask): Promise<string> =>
      runtime
        .task(task, CONTEXT)
        .prepare(never())
        .then(
          () => '',
          (thrown: Error) => thrown.message,
        );
    expect(await refused(taskOf('t1', { command: ['no-such-program'] }))).toContain(
      "'no-such-program'",
    );
    expect(await refused(shellTask('t1', ':', { user: 'nobody-at-all' }))).toContain('user');
    expect(await refused(shellTask('t1', ':', { workingDir: '/no/where' }))).toContain('/no/where');
    expect(await refused(shellTask('t1', ':', { sysctls: { 'vm.swappiness': '1' } }))).toContain(
      'vm.swappiness',
    );
    const mounts = [{ type: 'bind' as const, source: '/no/where', target: '/x' }];
    expect(await refused(shellTask('t1', ':', { mounts }))).toContain('bind source path');
    expect(await runtime.known()).toEqual([]);
  });

  it('says what went wrong between the shell and the command', async () => {
    const mounts = [{ type: 'tmpfs' as const, target: '/x', tmpfs: { options: [['nonsense=1']] } }];
    const handle = runtime.task(shellTask('t1', ':', { mounts }), CONTEXT);
    await handle.prepare(never());
    await expect(handle.start(never())).rejects.toThrow(/could not be started: mount: .*\/x/);
  });

  async function untilPrinted(id: string, text: string): Promise<void> {
    for (;;) {
      if ((await linesOf(id)).some((line) => line.text === text)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

function nothing() {
  return { processes: [], mounts: [], cgroups: [], files: [] };
}
