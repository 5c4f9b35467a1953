/**
 * What tests of the kernel could leave behind on this machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { searchPath } from '../src/namespace/command-runner.js';

/** Interfaces that nodes make, had they been made outside of their namespaces. */
const OWN_LINK = /^(?:(?:gw|up)[0-9a-f]{8}|(?:br|vxlan|veth)\d{1,3})\b/;

/** What a test could leave behind: interfaces, rules and namespaces of the machine, processes. */
export function machineState(mark: string): unknown {
  const text = (command: string, ...words: string[]): string =>
    spawnSync(command, words, { encoding: 'utf8', env: { ...process.env, PATH: searchPath() } })
      .stdout;
  return {
    // Others may work on this machine meanwhile: only what has names as ours counts.
    links: text('ip', '-br', 'link')
      .split('\n')
      .filter((line) => line.startsWith(mark) || OWN_LINK.test(line)),
    tables: text('nft', 'list', 'tables')
      .split('\n')
      .filter((line) => line.includes('skep')),
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns').filter(isOf(mark)) : [],
    files: readdirSync(tmpdir()).filter(isOf(mark)),
    processes: readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
      } catch {
        return false;
      }
    }),
  };
}

function isOf(mark: string): (name: string) => boolean {
  return (name) => name.startsWith(mark);
}
