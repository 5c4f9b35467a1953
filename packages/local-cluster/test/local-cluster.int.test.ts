/** A cluster of real processes on this machine's kernel, and what may happen to it. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { isAlive } from '@skep/adapter-hosts';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import {
  ClusterProgram,
  fetched,
  freePort,
  LocalCluster,
  newRoot,
  noTraces,
  until,
} from './local-cluster.js';

const PROGRAMS = ['sh', 'nsenter', 'ip', 'bridge', 'sysctl', 'nft', 'conntrack', 'busybox'];
const { suite, lack } = suiteThatNeeds(missingPrograms(PROGRAMS));
const NODES = ['node1', 'node2', 'node3'];

// Processes that start, on a machine that may have much else to do.
jest.setTimeout(120_000);

suite(`a cluster of processes on this machine${lack}`, () => {
  let root: string;
  let program: ClusterProgram;
  let cluster: LocalCluster;
  let other: LocalCluster;
  let url: string;
  let port: number;

  beforeAll(async () => {
    root = newRoot();
    program = new ClusterProgram();
    cluster = new LocalCluster(`skt-${process.pid}`, program, root);
    other = new LocalCluster(`skt-${process.pid}b`, program, root);
    port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    await cluster.up({ nodes: 2 });
    // An agent that takes long to start, since others load the machine, is no node that is down.
    const spec = { dataplane: 'nftables', heartbeatGrace: 60 };
    await cluster.ask((client) => client.declare([{ kind: 'Cluster', name: 'default', spec }]));
    await cluster.declareVote(2, port);
    await cluster.answered(url, 2);
  });

  afterAll(async () => {
    await cluster.down({ timeoutMs: 100 });
    await other.down({ timeoutMs: 100 });
    rmSync(root, { recursive: true, force: true });
    program.remove();
  });

  it('answers its published ports on the machine, in both families', async () => {
    expect(await fetched(`http://[::1]:${port}/`)).toMatch(/^[0-9a-z]{12}$/);
    const { state, ports, processes } = await cluster.status();
    expect(state).toBe('running');
    expect(ports.map(({ address, isOpen }) => [address, isOpen])).toEqual([
      ['127.0.0.1', true],
      ['::1', true],
    ]);
    expect(processes.map(({ role, node }) => [role, node])).toEqual([
      ['supervisor', undefined],
      ['manager', undefined],
      ['agent', 'node1'],
      ['agent', 'node2'],
    ]);
  });

  it('brought up again, is left as it is', async () => {
    const [before, tasks] = [cluster.processes(), await cluster.tasks()];
    const { wasRunning, changes } = await cluster.up();
    expect({ wasRunning, changes }).toEqual({ wasRunning: true, changes: [] });
    expect(cluster.processes()).toEqual(before);
    expect(await cluster.tasks()).toEqual(tasks);
  });

  it('refuses to become another, and two changes at a time', async () => {
    await expect(cluster.up({ nodes: 1 })).rejects.toMatchObject({ code: 'failed-precondition' });
    const two = await Promise.allSettled([cluster.up(), cluster.up()]);
    const refused = two.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'unavailable' } }]);
    const namesake = new LocalCluster(cluster.place.cluster, program);
    await expect(namesake.up()).rejects.toMatchObject({ code: 'already-exists' });
    rmSync(namesake.place.stateRoot, { recursive: true });
  });

  it('kill -9 of the agents: tasks go on, and others take them over', async () => {
    const tasks = await cluster.tasks();
    const killed = cluster.kill('agent');
    expect(await fetched(url)).toMatch(/^[0-9a-z]{12}$/);
    await cluster.replaced('agent', killed);
    await cluster.up();
    expect(await cluster.answered(url, 2)).toEqual(tasks);
  });

  it('kill -9 of the manager: the store is as it was, and the cluster goes on', async () => {
    const tasks = await cluster.tasks();
    const killed = cluster.kill('manager');
    expect(await fetched(url)).toMatch(/^[0-9a-z]{12}$/);
    await cluster.replaced('manager', killed);
    await cluster.up();
    expect(await cluster.tasks()).toEqual(tasks);
    await cluster.ask((client) => client.scale('vote', 3));
    const more = await cluster.answered(url, 3);
    expect([...more.keys()]).toEqual(expect.arrayContaining([...tasks.keys()]));
  });

  it('kill -9 of the supervisor: up again finds what runs', async () => {
    const others = cluster.processes().filter(({ role }) => role !== 'supervisor');
    cluster.kill('supervisor');
    expect((await cluster.status()).state).toBe('degraded');
    const { wasRunning, changes } = await cluster.up();
    expect([wasRunning, changes]).toEqual([false, ['started the supervisor']]);
    const now = cluster.processes().filter(({ role }) => role !== 'supervisor');
    expect(now).toEqual(others);
    await until('the port', async () => ((await fetched(url)).length === 12 ? true : undefined));
    // And it looks after them as if it had started them.
    await cluster.replaced('manager', cluster.kill('manager'));
  });

  it('kill -9 of all: tasks and tables stay, and up again goes on where it was', async () => {
    const tasks = await cluster.answered(url, 3);
    const killed = cluster.kill('supervisor', 'manager', 'agent');
    await until('all to end', () => Promise.resolve(killed.some(isAlive) ? undefined : true));
    expect((await cluster.status()).state).toBe('stopped');
    const { nodes } = await cluster.up();
    for (const { address } of nodes) {
      expect(await fetched(`http://${address}:${port}/`)).toMatch(/^[0-9a-z]{12}$/);
    }
    expect(await cluster.answered(url, 3)).toEqual(tasks);
  });

  it('takes another node, and says which ports of the machine others have', async () => {
    const taken = createServer((_, response) => response.end('not ours'));
    const number = await freePort();
    await new Promise<void>((resolve) => taken.listen(number, '127.0.0.1', resolve));
    await cluster.declareVote(1, number, 'second');
    const { nodes, changes } = await cluster.up({ nodes: 3 });
    expect([nodes.length, changes]).toEqual([3, ['added node3']]);
    const ports = await until('the port in the report', async () => {
      const found = (await cluster.status()).ports.filter((one) => one.port === number);
      return found.length === 2 ? found : undefined;
    });
    const reason = 'another program has the port';
    expect(ports).toMatchObject([{ isOpen: false, reason }, { isOpen: true }]);
    const own = `http://127.0.0.1:${number}/`;
    expect(await fetched(own)).toBe('not ours');
    await new Promise((resolve) => taken.close(resolve));
    await until('the port', async () => ((await fetched(own)).length === 12 ? true : undefined));
  });

  it('stands beside another cluster, which does not touch it', async () => {
    const [processes, tasks] = [cluster.processes(), await cluster.tasks()];
    const beside = await other.up({ nodes: 1 });
    const { subnet } = await cluster.status();
    expect(beside.subnet).not.toBe(subnet);
    const number = await freePort();
    await other.declareVote(2, number);
    await other.answered(`http://127.0.0.1:${number}/`, 2);
    expect((await other.down({ timeoutMs: 200 })).removed).toContain('2 tasks');
    expect(await other.traces(NODES)).toEqual(noTraces(NODES));
    expect(cluster.processes()).toEqual(processes);
    expect(await cluster.tasks()).toEqual(tasks);
    expect(await fetched(url)).toMatch(/^[0-9a-z]{12}$/);
  });

  it('that cannot come up says why, and is taken down all the same', async () => {
    mkdirSync(other.folder, { recursive: true });
    writeFileSync(join(other.folder, 'store'), 'no folder');
    await expect(other.up()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/the manager ends again and again(.|\n)*"process failed"/),
    });
    const { processes } = await other.status();
    expect(processes.find(({ role }) => role === 'manager')?.lastExit).toBe('ended with 1');
    expect((await other.down({ timeoutMs: 200 })).wasThere).toBe(true);
    expect(await other.traces(NODES)).toEqual(noTraces(NODES));
  });

  it('taken down with its state kept, comes back as it was declared', async () => {
    expect((await cluster.down({ keepState: true, timeoutMs: 200 })).removed).toContain('4 tasks');
    expect((await cluster.status()).state).toBe('stopped');
    expect(readdirSync(cluster.folder).sort()).toEqual(['cluster.json', 'log', 'nodes', 'store']);
    await cluster.up();
    const tasks = await until('four tasks', async () => {
      const running = await cluster.tasks();
      return running.size === 4 ? running : undefined;
    });
    expect([...tasks.values()].every((pid) => pid > 0)).toBe(true);
    await until('the port', async () => ((await fetched(url)).length === 12 ? true : undefined));
  });

  it('taken down after kill -9 of all, leaves nothing; and again, there is nothing', async () => {
    cluster.kill('supervisor', 'manager', 'agent');
    const { wasThere, removed } = await cluster.down({ timeoutMs: 200 });
    expect([wasThere, removed]).toEqual([true, expect.arrayContaining(['4 tasks'])]);
    expect(await cluster.traces(NODES)).toEqual(noTraces(NODES));
    expect(await cluster.down()).toEqual({ wasThere: false, removed: [] });
    expect(await cluster.status()).toMatchObject({ exists: false, state: 'absent' });
  });
});
