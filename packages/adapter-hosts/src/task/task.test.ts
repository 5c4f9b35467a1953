import { describe, expect, it } from '@jest/globals';
import type { AssignedNode } from '@skep/api';
import { CONTEXT, taskOf } from '../__fixtures__/tasks.js';
import { parseStat } from '../process/proc.js';
import { readIfThere } from '../process/task-folder.js';
import { isWithin, orAborted, pause } from './abort.js';
import { runChecked, runCommand, runGroup } from './command.js';
import { signalNumber } from './stop-signal.js';
import { taskFiles } from './task-files.js';
import { expandFields } from './template-fields.js';

const NODE = { id: 'n1', name: 'node1' } as AssignedNode;

describe('expandFields', () => {
  const task = taskOf('t1', {});
  it.each([
    ['plain', 'plain'],
    ['{{.Service.Name}}-{{ .Task.Slot }}', 'web-1'],
    ['{{.Node.Hostname}}/{{.Node.ID}}', 'node1/n1'],
    ['{{.Task.ID}} {{.Task.Name}} {{.Service.ID}}', 't1 web.1.t1 s1'],
    ['{{.Service.Labels.tier}}', 'front'],
    ['{{index .Service.Labels "tier"}}', 'front'],
    ['{{.Service.Labels.none}}', ''],
  ])('%s', (text, expanded) => {
    expect(expandFields(text, task, NODE)).toBe(expanded);
  });

  it('refuses a field that does not exist, and names those that do', () => {
    expect(() => expandFields('{{.Task.Nmae}}', task, NODE)).toThrow(/Task\.Nmae.*\.Task\.Name/);
  });
});

describe('taskFiles', () => {
  const file = { name: 'key', uid: '7', gid: '', mode: 0o400 };
  const task = taskOf('t1', {
    secrets: [{ secretId: '', secretName: 'by-name', file }],
    configs: [
      { configId: 'c', configName: 'conf', file: { ...file, name: '/etc/conf' } },
      { configId: 'r', configName: 'runtime', isRuntime: true },
    ],
  });
  const secrets = new Map([['s', { id: 's', name: 'by-name', data: 'AA==' }]]);
  const configs = new Map([['c', { id: 'c', name: 'conf', data: 'AQ==' }]]);

  it('have paths, owners and modes', () => {
    expect(taskFiles(task, { ...CONTEXT, secrets, configs })).toEqual([
      { path: '/run/secrets/key', data: 'AA==', uid: 7, gid: 0, mode: 0o400 },
      { path: '/etc/conf', data: 'AQ==', uid: 7, gid: 0, mode: 0o400 },
    ]);
  });

  it('are waited for when they have not come yet', () => {
    expect(() => taskFiles(task, { ...CONTEXT, secrets })).toThrow("'conf' has not come");
  });
});

describe('signalNumber', () => {
  it.each([
    [undefined, 15],
    ['SIGQUIT', 3],
    ['usr1', 10],
    ['9', 9],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
  ])('%p is %p', (text, number) => {
    expect(signalNumber(text)).toBe(number);
  });

  it.each(['', '0', '65', 'SIGNO', 'SIGRTMIN+99'])('refuses %p', (text) => {
    expect(() => signalNumber(text)).toThrow('is no signal');
  });
});

describe('programs', () => {
  it('are run to their end, and judged if they have to succeed', async () => {
    const failed = await runCommand('/bin/sh', ['-c', 'cat; echo no >&2; exit 3'], { input: 'in' });
    expect(failed).toEqual({ exitCode: 3, stdout: 'in', stderr: 'no\n' });
    await expect(runChecked('/bin/sh', ['-c', 'echo why >&2; exit 1'])).rejects.toThrow('why');
    await expect(runCommand('skt-no-such-program', [])).rejects.toThrow('skep doctor');
    const slow = runCommand('/bin/sleep', ['1000'], { timeoutMs: 20 });
    await expect(slow).rejects.toMatchObject({ code: 'deadline-exceeded' });
  });

  it('are killed with all that they started when their time is over', async () => {
    const options = { input: 'sleep 1000 & echo $!; wait', timeoutMs: 200, outputBytesMax: 100 };
    const result = await runGroup('/bin/sh', [], options);
    expect(result.isTimedOut).toBe(true);
    // It is a zombie at most, until somebody collects it.
    const stat = readIfThere(`/proc/${result.output.trim()}/stat`) ?? ') Z';
    expect(parseStat(stat)?.state ?? 'Z').toBe('Z');
  });
});

describe('waiting', () => {
  it('can be given up', async () => {
    const abort = new AbortController();
    const waiting = orAborted(new Promise<never>(() => undefined), abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(orAborted(Promise.resolve(1), abort.signal)).rejects.toThrow();
    expect(await orAborted(Promise.resolve(1), undefined)).toBe(1);
    // A failure that comes after the end of the wait must not end the process.
    const failing = Promise.reject(new Error('late'));
    await expect(orAborted(failing, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('can have an end', async () => {
    expect(await isWithin(pause(1), 1_000)).toBe(true);
    expect(await isWithin(new Promise(() => undefined), 5)).toBe(false);
  });
});
