import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RenderedStep, Tool } from '@skep/network';
import { commandsOf, failureOf } from './tool-text.js';

const namespace = { name: 'c.n.1-net', kind: 'bridge' } as const;

function failure(tool: Tool, lines: readonly string[], errors: string, status = 1): string {
  const step: RenderedStep = { namespace, tool, lines };
  const [command] = commandsOf([step], () => 'c.n.1-net');
  if (command === undefined) throw new Error('no command');
  return failureOf(command, { status, output: '', errors }).message;
}

describe('complaints of tools', () => {
  it.each<[Tool, string, string]>([
    ['ip', 'Error: ipv4: Address already assigned.\nCommand failed -:2\n', 'line 2 ("two")'],
    ['bridge', 'RTNETLINK answers: No such device\nCommand failed -:1\n', 'line 1 ("one")'],
    ['nft', '/dev/stdin:3:16-16: Error: No such file or directory\n', 'line 3 ("three")'],
    ['iptables', 'iptables-restore: line 2 failed\n', 'line 2 ("two")'],
    ['ip6tables', 'Error occurred at line: 3\n', 'line 3 ("three")'],
    ['ipvs', 'Memory allocation problem\n', 'one of 3 lines'],
  ])('%s names the line', (tool, said, where) => {
    const message = failure(tool, ['one', 'two', 'three'], said);
    expect(message).toContain(where);
    expect(message).toContain('c.n.1-net');
    expect(message).toContain(said.trim());
  });

  it('sysctl names the key', () => {
    const lines = ['net.ipv4.ip_forward = 1', 'net.ipv4.foo = x'];
    const said = 'sysctl: setting key "net.ipv4.foo": Invalid argument';
    expect(failure('sysctl', lines, said)).toContain('line 2 ("net.ipv4.foo = x")');
  });

  it('a line of conntrack is a command, which may find nothing; more go in one', () => {
    const commands = (lines: readonly string[]) =>
      commandsOf([{ namespace, tool: 'conntrack', lines }], () => undefined);
    expect(commands(['-D -f ipv4']).map(({ command }) => command)).toEqual([
      { namespace: undefined, command: ['conntrack', '-D', '-f', 'ipv4'], goodStatus: 1 },
    ]);
    const [many, ...rest] = commands(['-D -f ipv4', '-D -f ipv6']);
    expect(rest).toEqual([]);
    expect(many?.command).toMatchObject({
      command: ['sh', '-c', expect.stringContaining('conntrack -R -'), 'conntrack'],
      input: '-D -f ipv4\n-D -f ipv6\n',
    });
    expect(failure('conntrack', ['-D', '-D'], 'sh: 1: conntrack: not found', 127)).toBe(
      'the program conntrack is not there: apt-get install conntrack',
    );
  });

  it.each([
    ['reads lines', 'cat >>"$0.said"'],
    ['reads none', '[ "$1" != -R ] || exit 2; echo "$*" >>"$0.said"; exit 1'],
  ])('a conntrack that %s gets them all', (_, program) => {
    const folder = mkdtempSync(join(tmpdir(), 'skt-conntrack-'));
    try {
      writeFileSync(join(folder, 'conntrack'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
      const step: RenderedStep = { namespace, tool: 'conntrack', lines: ['-D a', '-D b'] };
      const [{ command } = { command: undefined }] = commandsOf([step], () => undefined);
      const [word = '', ...words] = command?.command ?? [];
      const env = { PATH: `${folder}:${process.env['PATH']}` };
      const { status } = spawnSync(word, words, { input: command?.input ?? '', env });
      expect(status).toBe(0);
      expect(readFileSync(join(folder, 'conntrack.said'), 'utf8')).toBe('-D a\n-D b\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a program that is not there is told with how to get it', () => {
    expect(failure('nft', ['one'], 'sh: 1: nft: not found', 127)).toBe(
      'the program nft is not there: apt-get install nftables',
    );
    expect(failure('bridge', ['one'], 'nsenter: failed to execute bridge: No such file')).toBe(
      'the program bridge is not there: apt-get install iproute2',
    );
  });
});
