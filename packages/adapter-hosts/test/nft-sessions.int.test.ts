/**
 * Programs `nft` that stay, in this kernel: what they say, how they end, and what becomes of a
 * change when they do.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { runCommands, type NamespaceCommand } from '../src/namespace/command-runner.js';
import { NftSessions } from '../src/namespace/nft-sessions.js';

const { suite, lack } = suiteThatNeeds(missingPrograms(['sh', 'nsenter', 'ip', 'nft']));
const MARK = `skt-${process.pid}`;
const [HOUSE, OTHER] = [`${MARK}.house`, `${MARK}.other`];
const TABLE = 'table inet x {\n\tmap m {\n\t\ttype ipv4_addr : mark\n\t}\n}\n';

const machine = (...command: string[]): NamespaceCommand => ({ namespace: undefined, command });
const nft = (namespace: string, input: string): NamespaceCommand => ({
  namespace,
  command: ['nft', '-f', '-'],
  input,
});
const list = (namespace: string): NamespaceCommand => ({
  namespace,
  command: ['nft', '-j', 'list', 'ruleset'],
});

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${isSo}`);
    await sleep(5);
  }
}

suite(`programs nft that stay${lack}`, () => {
  let sessions: NftSessions;
  const pids = (): readonly number[] => sessions.processes.map(([, pid]) => pid);
  /** What the kernel holds, as another program says. */
  const elements = async (namespace = HOUSE): Promise<string> => {
    const [listed] = await runCommands([
      { namespace, command: ['nft', 'list', 'map', 'inet', 'x', 'm'] },
    ]);
    const found = /elements = \{ (.*?) \}/s.exec(listed?.output ?? '')?.[1];
    return found?.replace(/\s+/g, ' ') ?? listed?.errors ?? '';
  };

  beforeAll(async () => {
    await runCommands([HOUSE, OTHER].map((name) => machine('ip', 'netns', 'add', name)));
    sessions = new NftSessions();
    for (const name of [HOUSE, OTHER]) await sessions.run([nft(name, TABLE)]);
  });

  afterEach(async () => {
    const left = pids();
    await sessions.close();
    expect([left.filter(isAlive), sessions.processes]).toEqual([[], []]);
  });

  afterAll(async () => {
    await runCommands([HOUSE, OTHER].map((name) => machine('ip', 'netns', 'delete', name)));
  });

  it('a namespace that is changed again gets one, which takes all that follow', async () => {
    expect(sessions.processes).toEqual([]);
    await sessions.run([nft(HOUSE, 'add element inet x m { 10.0.0.1 : 1 }')]);
    const [first] = pids();
    await sessions.run([nft(HOUSE, 'delete element inet x m { 10.0.0.1 }\n')]);
    const many = Array.from({ length: 5_000 }, (_, at) => `10.1.${at >> 8}.${at & 255} : ${at}`);
    await sessions.run([nft(HOUSE, `add element inet x m { ${many.join(', ')} }\n`)]);
    expect([pids(), (await elements()).split(', ').length]).toEqual([[first], 5_000]);
    await sessions.run([nft(HOUSE, 'flush map inet x m\nadd element inet x m { 10.0.0.9 : 9 }\n')]);
    expect(await elements()).toBe('10.0.0.9 : 0x00000009');
  });

  it('several in a row are one’s: given, listed, emptied', async () => {
    const results = await sessions.run([
      nft(OTHER, 'table ip one {\n}\n'),
      list(OTHER),
      { namespace: OTHER, command: ['nft', 'flush', 'ruleset'] },
      list(OTHER),
      nft(OTHER, TABLE),
    ]);
    expect(results.map(({ status, errors }) => [status, errors])).toEqual(
      results.map(() => [0, '']),
    );
    const [, full, , empty] = results.map(({ output }) => output);
    expect([full?.includes('"name": "one"'), empty?.includes('"name"')]).toEqual([true, false]);
    expect(pids()).toHaveLength(1);
  });

  it('a text that is refused in its middle changes nothing, and its line is named', async () => {
    await sessions.run([nft(HOUSE, 'flush map inet x m')]);
    const text =
      'add element inet x m { 10.0.0.2 : 2 }\nadd element inet x nobody { 10.0.0.3 : 3 }\n';
    const commands = [nft(HOUSE, text), nft(HOUSE, 'add element inet x m { 10.0.0.4 : 4 }')];
    const stopped = await sessions.run(commands, { isStopping: true });
    expect(stopped).toHaveLength(1);
    expect(stopped[0]).toMatchObject({ status: 1, output: '' });
    expect(stopped[0]?.errors).toMatch(/:2:20-25: Error: No such file or directory/);
    // It is the first place that the text names, as it is for a program that reads it all.
    expect(/:(\d+):\d+/.exec(stopped[0]?.errors ?? '')?.[1]).toBe('2');
    expect(await elements()).toBe('');
    expect((await sessions.run(commands)).map(({ status }) => status)).toEqual([1, 0]);
    const syntax = await sessions.run([nft(HOUSE, 'flush map inet x m\n\nad element\n')]);
    expect(syntax[0]?.errors).toMatch(/:3:.*Error: syntax error/);
    expect(await elements()).toBe('10.0.0.4 : 0x00000004');
  });

  it('one that was killed is followed by another', async () => {
    await sessions.run([nft(HOUSE, 'flush map inet x m')]);
    const [first = 0] = pids();
    process.kill(first, 'SIGKILL');
    await until(() => !isAlive(first));
    await sessions.run([nft(HOUSE, 'add element inet x m { 10.0.0.5 : 5 }')]);
    expect([await elements(), pids().includes(first)]).toEqual(['10.0.0.5 : 0x00000005', false]);
  });

  it('one that is killed in the middle: it is said that nobody knows', async () => {
    await sessions.run([nft(HOUSE, 'flush map inet x m')]);
    const [first = 0] = pids();
    process.kill(first, 'SIGSTOP');
    const change = sessions.run([nft(HOUSE, 'add element inet x m { 10.0.0.6 : 6 }')]);
    const refused = expect(change).rejects.toMatchObject({ code: 'aborted' });
    process.kill(first, 'SIGKILL');
    await refused;
    await sessions.run([nft(HOUSE, 'add element inet x m { 10.0.0.7 : 7 }')]);
    expect(await elements()).toContain('10.0.0.7');
  });

  it('a namespace goes at once when we remove it, and is not mistaken for its successor', async () => {
    const name = `${MARK}.short`;
    const make = machine('ip', 'netns', 'add', name);
    const drop = { ...machine('ip', '-batch', '-'), input: `netns delete ${name}\n` };
    await sessions.run([make, nft(name, TABLE), nft(name, 'flush map inet x m')]);
    const [first = 0] = pids();
    await sessions.run([drop]);
    expect([isAlive(first), sessions.processes]).toEqual([false, []]);
    await sessions.run([make, nft(name, TABLE), nft(name, 'flush map inet x m')]);
    // Somebody else removes it, and makes one of the same name.
    await runCommands([drop, make, nft(name, TABLE)]);
    await sessions.run([nft(name, 'add element inet x m { 10.0.0.8 : 8 }')]);
    expect(await elements(name)).toBe('10.0.0.8 : 0x00000008');
    await runCommands([drop]);
    const [gone] = await sessions.run([nft(name, 'flush map inet x m')]);
    expect(gone?.status).not.toBe(0);
    expect(sessions.processes).toEqual([]);
  });

  it('there are never more than so many, and none that is not needed', async () => {
    const few = new NftSessions({ sessionsMax: 1, idleMs: 50 });
    try {
      const flush = (name: string) => nft(name, 'flush map inet x m');
      await few.run([flush(HOUSE), flush(HOUSE)]);
      const [house = 0] = few.processes.map(([, pid]) => pid);
      await few.run([flush(OTHER), flush(OTHER)]);
      expect(few.processes.map(([name]) => name)).toEqual([OTHER]);
      await until(() => !isAlive(house) && few.processes.length === 0);
    } finally {
      await few.close();
    }
  });

  it('without an nft that can be kept, each text has a process of its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), `${MARK}-`));
    const path = process.env['PATH'];
    const poor = new NftSessions();
    try {
      const program = join(folder, 'nft');
      const body = `case "$*" in *-i*) echo no interactive CLI support; exit 1;; esac`;
      writeFileSync(program, `#!/bin/sh\n${body}\nPATH=${path}\nexec nft "$@"\n`);
      chmodSync(program, 0o755);
      process.env['PATH'] = `${folder}:${path}`;
      await poor.run([nft(HOUSE, 'flush map inet x m')]);
      const texts = ['10.0.1.1 : 1', '10.0.1.2 : 2'].map((one) =>
        nft(HOUSE, `add element inet x m { ${one} }`),
      );
      expect((await poor.run(texts)).map(({ status }) => status)).toEqual([0, 0]);
      expect(poor.processes).toEqual([]);
      expect(await elements()).toMatch(/10.0.1.1.*10.0.1.2|10.0.1.2.*10.0.1.1/);
    } finally {
      process.env['PATH'] = path;
      await poor.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('commands of one namespace enter it together, and keep apart what each says', async () => {
    const inside = (namespace: string, ...command: string[]) => ({ namespace, command });
    const show = (namespace: string) => [
      inside(namespace, 'readlink', '/proc/self/ns/net'),
      { ...inside(namespace, 'cat'), input: 'two\nlines' },
      { ...inside(namespace, 'sh', '-c', 'echo wrong >&2; exit 3'), goodStatus: 3 },
      inside(namespace, 'false'),
      inside(namespace, 'echo', "it's", '$HOME'),
    ];
    const both = await runCommands([...show(HOUSE), ...show(OTHER)]);
    const [own] = both;
    expect(both.map(({ status }) => status)).toEqual([0, 0, 3, 1, 0, 0, 0, 3, 1, 0]);
    expect(both[5]?.output).not.toBe(own?.output);
    expect(both.slice(1, 5)).toEqual([
      { status: 0, output: 'two\nlines\n', errors: '' },
      { status: 3, output: '', errors: 'wrong\n' },
      { status: 1, output: '', errors: '' },
      { status: 0, output: "it's $HOME\n", errors: '' },
    ]);
    expect(await runCommands(show(HOUSE), { isStopping: true })).toHaveLength(4);
    const nowhere = [...show(`${MARK}.none`), inside(HOUSE, 'echo', 'next')];
    const failed = await runCommands(nowhere);
    expect(failed.map(({ status }) => status)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(failed[0]?.errors).toMatch(/cannot open .*none/);
    expect(await runCommands(nowhere, { isStopping: true })).toHaveLength(1);
  });

  it('it ends with the process that started it, however that ends', async () => {
    const script = `
      const { NftSessions } = require('./packages/adapter-hosts/src/namespace/nft-sessions.ts');
      const sessions = new NftSessions();
      const command = ['nft', '-f', '-'];
      const text = { namespace: ${JSON.stringify(HOUSE)}, command, input: 'list tables' };
      sessions.run([text, text]).then(() => {
        console.log(sessions.processes[0][1]);
        setInterval(() => undefined, 1000);
      });`;
    const words = ['--conditions=@skep/source', '--require', 'tsx/cjs', '-e', script];
    const owner = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    owner.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => said.includes('\n'));
    const pid = Number(said);
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await until(() => !isAlive(pid));
  }, 60_000);
});
