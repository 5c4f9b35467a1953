/** Nodes as namespaces, made and removed on this machine's kernel. */
import { afterEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { namespacePath } from '../src/namespace/command-runner.js';
import { NamespacedCluster } from '../src/namespace/namespaced-cluster.js';
import { pickRenderer, probeDataplane } from '../src/dataplane/probe.js';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { machineState, missingForKernel } from './kernel-cluster.js';

const { suite, lack } = suiteThatNeeds(missingForKernel());
const ID = `skt-${process.pid}`;
const OTHER = `${ID}b`;

function ip(...words: string[]): string {
  return spawnSync('ip', words, { encoding: 'utf8' }).stdout;
}

suite(`nodes that are namespaces${lack}`, () => {
  const before = machineState(ID);
  const cluster = new NamespacedCluster({ clusterId: ID });
  const other = new NamespacedCluster({ clusterId: OTHER });
  const ping = (from: string, to: string): number | null =>
    spawnSync('ip', ['netns', 'exec', from, 'busybox', 'ping', '-c1', '-W2', to]).status;

  afterEach(async () => {
    await cluster.remove();
    await other.remove();
    expect(machineState(ID)).toEqual(before);
  });

  it('are made twice without harm, reach each other, and are listed', async () => {
    for (let times = 0; times < 2; times += 1) {
      await cluster.ensureNode('a', '10.90.0.11/24');
      await cluster.ensureNode('b', '10.90.0.12/24');
    }
    ip('netns', 'add', `${ID}.a.task_x`);
    expect(await cluster.list()).toEqual({
      hasUnderlay: true,
      nodes: [
        {
          name: 'a',
          namespace: `${ID}.a`,
          address: '10.90.0.11/24',
          sandboxes: [`${ID}.a.task_x`],
        },
        { name: 'b', namespace: `${ID}.b`, address: '10.90.0.12/24', sandboxes: [] },
      ],
    });
    expect(ip('netns', 'exec', `${ID}.a`, 'ip', '-br', 'addr')).toContain('10.90.0.11/24');
    expect(ping(`${ID}.a`, '10.90.0.12')).toBe(0);
    expect(ping(`${ID}.a`, '10.90.0.99')).toBe(1);
  });

  it('another cluster has the same addresses beside it, and is left alone', async () => {
    await cluster.ensureNode('a', '10.90.0.11/24');
    await other.ensureNode('a', '10.90.0.11/24');
    await cluster.remove();
    expect(await cluster.list()).toEqual({ hasUnderlay: false, nodes: [] });
    expect((await other.list()).nodes.map(({ namespace }) => namespace)).toEqual([`${OTHER}.a`]);
  });

  it('an address is given once; a node may get another', async () => {
    await cluster.ensureNode('a', '10.90.0.11/24');
    const taken = cluster.ensureNode('b', '10.90.0.11/24');
    await expect(taken).rejects.toMatchObject({ code: 'already-exists' });
    await cluster.ensureNode('a', '10.90.0.13/24');
    await cluster.ensureNode('b', '10.90.0.11/24');
    const { nodes } = await cluster.list();
    expect(nodes.map(({ address }) => address)).toEqual(['10.90.0.13/24', '10.90.0.11/24']);
  });

  it('what a crash left half made is made whole', async () => {
    await cluster.ensureNode('a', '10.90.0.11/24');
    ip('-n', `${ID}.a`, 'link', 'delete', 'eth0');
    ip('-n', `${ID}.underlay`, 'link', 'set', 'underlay', 'down');
    // `ip netns add` that was killed before it mounted.
    writeFileSync(namespacePath(`${ID}.b`), '');
    await cluster.ensureNode('a', '10.90.0.11/24');
    await cluster.ensureNode('b', '10.90.0.12/24');
    const { nodes } = await cluster.list();
    expect(nodes.map(({ address }) => address)).toEqual(['10.90.0.11/24', '10.90.0.12/24']);
    expect(ip('-n', `${ID}.underlay`, '-br', 'link', 'show', 'underlay')).toContain('UP');
  });

  it('an uplink leads from the machine to the nodes', async () => {
    const interfaceName = ID;
    const uplink = { interfaceName, address: '10.91.0.1/24' };
    const reached = new NamespacedCluster({ clusterId: ID, uplink });
    await reached.ensureNode('a', '10.91.0.11/24');
    await reached.ensureNode('a', '10.91.0.11/24');
    expect(ip('-br', 'addr', 'show', interfaceName)).toContain('10.91.0.1/24');
    const routes = ip('-n', `${ID}.a`, 'route');
    expect(routes).toContain('default via 10.91.0.1');
    await reached.remove();
    expect(ip('-br', 'link')).not.toContain(interfaceName);
  });

  it.each(['10.90.0.11', 'fd00::1/64', 'x/24'])('the address %s is refused', async (address) => {
    const made = cluster.ensureNode('a', address);
    await expect(made).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('the machine says what it offers', async () => {
    const needs = await probeDataplane('nftables', { namespace: `${ID}-probe` });
    expect(needs.filter(({ isThere }) => !isThere)).toEqual([]);
    expect(await pickRenderer({ namespace: `${ID}-probe` })).toBe('nftables');
    const ipvs = await probeDataplane('ipvs', { namespace: `${ID}-probe` });
    for (const { isThere, advice } of ipvs) expect(isThere).toBe(advice === undefined);
  });
});
