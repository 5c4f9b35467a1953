/** The machine itself as the node: a network namespace of the test's own is the machine. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { ClusterProgram, newRoot } from './local-cluster.js';

const PROGRAMS = ['unshare', 'sh', 'nsenter', 'ip', 'bridge', 'nft', 'conntrack', 'busybox'];
const { suite, lack } = suiteThatNeeds(missingPrograms(PROGRAMS));

jest.setTimeout(120_000);

suite(`a cluster whose node is this machine${lack}`, () => {
  let program: ClusterProgram;
  let machine: ClusterProgram;
  let root: string;

  beforeAll(() => {
    root = newRoot();
    program = new ClusterProgram();
    machine = new ClusterProgram('own-machine');
  });

  afterAll(() => {
    program.remove();
    machine.remove();
    rmSync(root, { recursive: true, force: true });
  });

  it('answers on its address and its loopback, and leaves it as it was', async () => {
    const cluster = `skt-${process.pid}m`;
    const { stdout } = await promisify(execFile)('unshare', [
      ...['--net', '--mount', '--propagation', 'private', '--'],
      ...[...machine.command, root, cluster, ...program.command],
    ]);
    const { before, after, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect(rest).toEqual({
      nodes: [{ name: 'node1', address: '192.0.2.10' }],
      answers: [true, true, true],
      state: 'running',
      roles: 3,
      removed: expect.arrayContaining(['2 tasks', 'the rules of 1 node']),
      left: [],
    });
    expect(before).toEqual({ links: ['lo', 'far0', 'eth0'], tables: [], namespaces: [] });
    expect(after).toEqual(before);
  });
});
