/** Real processes: found, started, ended, logged. */
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLogger } from '@skep/api';
import { isAlive, type ProcessIdentity } from '@skep/adapter-hosts';
import { claim } from '../src/process/claim.js';
import { endProcesses } from '../src/process/ending.js';
import { rotateLog } from '../src/process/log-rotation.js';
import { foldersOf, processesIn } from '../src/process/process-search.js';
import { launch } from '../src/process/supervised-process.js';
import { Supervisor, type SupervisedState } from '../src/process/supervisor.js';
import { planSettings } from '../src/settings.js';
import { placeOf } from '../src/place.js';

const folder = mkdtempSync(join(tmpdir(), `skt-${process.pid}-`));
const children: ChildProcess[] = [];
/** Some of them are no processes of a cluster, and nobody finds them. */
const started: ProcessIdentity[] = [];

afterEach(async () => {
  await endProcesses(started.splice(0), 0);
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that says a word and goes on; `trap` makes it deaf for SIGTERM. */
const PATIENT = ['/bin/sh', '-c', 'echo ready; while :; do sleep 0.05; done', 'sh'];
const DEAF = ['/bin/sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done', 'sh'];

async function start(
  command: readonly string[],
  role: string,
  name: string,
  onExit?: (exit: string) => void,
) {
  const log = join(folder, `${name.replace(/\W/g, '-')}.log`);
  const file = join(folder, name);
  const identity = await launch({ command, role, file, log, ...(onExit && { onExit }) });
  started.push(identity);
  while (!readFileSync(log, 'utf8').includes('\n')) await pause(5);
  return { identity, file, log };
}

describe('processes of a cluster', () => {
  it('are found by how they were started, oldest first, and nobody else is', async () => {
    const manager = await start(PATIENT, 'manager', 'one/manager.1.json');
    // Two of one clock tick (10 ms) come by their pids, which may have begun anew.
    await pause(20);
    const supervisor = await start(PATIENT, 'supervisor', 'one/cluster.json');
    await start(PATIENT, 'manager', 'one-more/manager.1.json');
    await start(PATIENT, 'reader', 'one/manager.1.json');
    await start(PATIENT, 'agent', 'one/notes.txt');
    const found = processesIn(join(folder, 'one'));
    expect(found).toMatchObject([
      { ...manager.identity, role: 'manager', file: manager.file },
      { ...supervisor.identity, role: 'supervisor', file: supervisor.file },
    ]);
    expect(found[0]?.command).toEqual([...PATIENT, 'manager', manager.file]);
    expect(foldersOf('one')).toEqual([join(folder, 'one')]);
    for (const { identity } of [...found.map((identity) => ({ identity }))]) {
      expect(isAlive(identity)).toBe(true);
    }
    await endProcesses(processesIn(folder), 5_000);
    children.push(spawn('true'));
  });

  it('are not found in their children that are no other program yet', async () => {
    const forked = ['/bin/sh', '-c', '(echo ready; while :; do sleep 0.05; done) & wait', 'sh'];
    const { identity } = await start(forked, 'agent', 'four/a.json');
    const found = processesIn(join(folder, 'four'));
    expect(found.map(({ pid }) => pid)).toEqual([identity.pid]);
    // One that is left behind is.
    await endProcesses([identity], 0);
    const left = processesIn(join(folder, 'four'));
    expect(left).toHaveLength(1);
    await endProcesses(left, 0);
  });

  it('end when they are asked to; who does not hear is killed', async () => {
    const exits: string[] = [];
    const heard = await start(PATIENT, 'agent', 'two/a.json', (exit) => exits.push(exit));
    expect(await endProcesses([heard.identity], 10_000)).toEqual([]);
    const deaf = await start(DEAF, 'agent', 'two/b.json', (exit) => exits.push(exit));
    expect(await endProcesses([deaf.identity], 100)).toEqual([]);
    while (exits.length < 2) await pause(5);
    expect(exits).toEqual(['was killed by SIGTERM', 'was killed by SIGKILL']);
  });

  it('are told from others that get their pid', async () => {
    const { identity } = await start(PATIENT, 'agent', 'three/a.json');
    const another = { pid: identity.pid, startTime: '1' };
    expect(await endProcesses([another], 0)).toEqual([]);
    expect(isAlive(identity)).toBe(true);
  });

  it('that cannot be started are refused', async () => {
    const request = {
      command: ['/no/such/program'],
      role: 'agent',
      file: 'f',
      log: join(folder, 'l'),
    };
    await expect(launch(request)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a supervisor', () => {
  it('says of each process how it ended, also of two that end at one time', async () => {
    const cluster = `skt-${process.pid}`;
    const paths = placeOf({ cluster, stateRoot: folder });
    mkdirSync(paths.folder, { recursive: true });
    const { settings } = planSettings(
      undefined,
      {},
      {
        cluster,
        command: ['/bin/sh', '-c', 'sleep 0.2; exit 3', 'sh'],
        subnet: '10.90.2.0/24',
        dataplane: 'nftables',
        addressOf: () => '10.90.2.1',
      },
    );
    writeFileSync(paths.settingsFile, JSON.stringify(settings));
    let last: readonly SupervisedState[] = [];
    const supervisor = new Supervisor({
      paths,
      stateRoot: folder,
      logger: silentLogger,
      prepareNode: () => Promise.resolve(),
      onChange: (now) => (last = now),
      onSettings: () => undefined,
    });
    supervisor.start();
    const seen = async (isSo: (one: SupervisedState) => boolean): Promise<void> => {
      while (last.length < 2 || !last.every(isSo)) await pause(5);
    };
    await seen(({ pid }) => pid !== undefined);
    // Nothing is heard until both have ended.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    await seen(({ lastExit }) => lastExit !== undefined);
    const exits = last.map(({ lastExit }) => lastExit);
    await supervisor.stop();
    await endProcesses(processesIn(paths.folder), 0);
    expect(exits).toEqual(['ended with 3', 'ended with 3']);
  });
});

describe('what one process at a time may be', () => {
  it('is free again when the process ends, however it does', async () => {
    const name = `skt-${process.pid}-claim`;
    const program =
      `require('node:net').createServer()` +
      `.listen({ path: '\\0skep-${name}' }, () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', program]);
    children.push(child);
    await once(child.stdout, 'data');
    await expect(claim(name, 'another has it')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'another has it',
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const held = await claim(name, 'another has it');
    await expect(claim(name, 'this one has it')).rejects.toThrow('this one has it');
    await held.release();
    await (await claim(name, '')).release();
  });
});

describe('logs', () => {
  it('that are too large are put aside, while their writer goes on', () => {
    const path = join(folder, 'rotated.log');
    expect(rotateLog(path)).toBe(false);
    for (const text of ['first\n', 'second\n', 'third\n', 'fourth\n']) {
      appendFileSync(path, text);
      expect(rotateLog(path, { bytesMax: 10, filesMax: 2 })).toBe(false);
      appendFileSync(path, text);
      expect(rotateLog(path, { bytesMax: 10, filesMax: 2 })).toBe(true);
    }
    const texts = ['', '.1', '.2'].map((end) => readFileSync(`${path}${end}`, 'utf8'));
    expect(texts).toEqual(['', 'fourth\nfourth\n', 'third\nthird\n']);
    expect(() => readFileSync(`${path}.3`)).toThrow('ENOENT');
    mkdirSync(join(folder, 'd'), { recursive: true });
    writeFileSync(join(folder, 'd', 'x'), '');
  });
});
