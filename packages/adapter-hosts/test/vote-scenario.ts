/**
 * The main job on real hosts: a service behind a virtual address and a published port, asked from
 * inside and outside, at 2, 3 and 20 replicas, while another service is under load; and no request
 * lost in between. The same tests for every runtime.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { tracesOf } from './left-behind.js';
import { killLoads, startWrk, type Load } from './load.js';
import { KernelCluster, machineState } from './kernel-cluster.js';
import { BUSY_PORT, fixture, VOTE_PORT, type RealRuntime } from './real-runtimes.js';
import { declareVote, replaceAll, startLoads, type RealCluster } from './zero-loss.js';

/** What the scenario is played on. */
export interface VoteScenario {
  readonly mark: string;
  readonly isContainer: boolean;
  /** Called once, before the cluster starts. */
  readonly runtime: () => Promise<RealRuntime>;
}

/** Own ports of clients: below those that the kernel gives out, and no two the same. */
const FIRST_OWN_PORT = 10_000;
const OUTSIDE = '10.90.0.99';

/** What tests of their own, which follow, may use. */
export interface VotePlay {
  readonly cluster: () => RealCluster;
  /** Asks every replica so often by every way, and expects that it answered so often. */
  readonly expectInTurn: (replicas: number, rounds: number) => Promise<void>;
}

/** Declares the tests. */
export function voteScenario(scenario: VoteScenario): VotePlay {
  const { mark, isContainer } = scenario;
  const before = machineState(mark);
  let cluster: RealCluster;
  let busy: Load | undefined;
  let ownPort = FIRST_OWN_PORT;
  const own = (times: number): number => {
    ownPort += times;
    return ownPort - times;
  };

  beforeAll(async () => {
    const runtime = await scenario.runtime();
    cluster = await KernelCluster.startReal({ id: mark, nodes: 2, ...runtime });
    await declareVote(cluster, { replicas: 2, isContainer });
    const address = cluster.hosts[0]?.address ?? '';
    const url = `http://${address}:${BUSY_PORT}/`;
    busy = startWrk(cluster.node('client'), url, { connections: 4, closes: true });
  }, 120_000);

  afterAll(async () => {
    killLoads();
    await cluster?.stop();
    expect(machineState(mark)).toEqual(before);
    for (const { name } of cluster?.hosts ?? []) {
      const nothing = { processes: [], mounts: [], cgroups: [], files: [] };
      expect(tracesOf(join(cluster.folder, name))).toEqual(nothing);
    }
  }, 120_000);

  const client = (): string => cluster.sandbox(cluster.manager.tasks('client')[0]?.meta.id ?? '');

  const get = (namespace: string, url: string, times: number): Promise<string[]> => {
    const port = own(times);
    const asking = Array.from({ length: times }, (_, number) => [
      ...['curl', '-s', '-S', '--max-time', '20', '--local-port', String(port + number), url],
    ]);
    return cluster.run(namespace, ...asking);
  };

  const ask = async (namespace: string, address: string, port: number, times: number) => {
    const words = [address, port, own(times), times].map(String);
    const [printed = ''] = await cluster.run(namespace, [
      process.execPath,
      fixture('udp-client.mjs'),
      ...words,
    ]);
    return printed.split('\n');
  };

  /** Who answers `times` requests by each way, and whom it sees: tcp, udp, both nodes, inside. */
  const everyWay = async (times: number): Promise<ReadonlyMap<string, readonly string[]>> => {
    const ways = new Map<string, readonly string[]>();
    for (const { name, address } of cluster.hosts) {
      const outside = cluster.node('client');
      ways.set(`${name} tcp`, await get(outside, `http://${address}:${VOTE_PORT}/`, times));
      ways.set(`${name} udp`, await ask(outside, address, VOTE_PORT, times));
    }
    const vip = cluster.vip('vote');
    ways.set('inside tcp', await get(client(), `http://${vip}/`, times));
    ways.set('inside udp', await ask(client(), vip, 80, times));
    return ways;
  };

  const expectInTurn = async (replicas: number, rounds: number): Promise<void> => {
    const inside = addressOf('client');
    const ids = cluster.manager.tasks('vote').map(({ meta }) => meta.id);
    expect(ids).toHaveLength(replicas);
    for (const [way, answers] of await everyWay(replicas * rounds)) {
      const seen = way.startsWith('inside') ? inside : OUTSIDE;
      const wanted = ids.flatMap((id) => Array.from({ length: rounds }, () => `${id} ${seen}`));
      expect([way, [...answers].sort()]).toEqual([way, wanted.sort()]);
    }
  };

  const answersInTurn = (replicas: number, rounds: number): void => {
    it(`${replicas} replicas answer in turn by every way, and see who asks`, async () => {
      await expectInTurn(replicas, rounds);
    }, 120_000);
  };

  const losesNothing = (what: string, change: () => Promise<void>): void => {
    it(`loses no request: ${what}`, async () => {
      const loads = startLoads(cluster);
      await change();
      for (const [name, { answered, failed, faults }] of await loads.stop()) {
        expect([name, failed, faults]).toEqual([name, 0, []]);
        expect(answered).toBeGreaterThan(0);
      }
    }, 240_000);
  };

  const scaled = async (replicas: number): Promise<void> => {
    await cluster.manager.scale('vote', replicas);
    await cluster.settled('vote', replicas);
  };

  /** Address of the first task of a service in the network of all. */
  const addressOf = (service: string): string => {
    const { networks } = cluster.manager.tasks(service)[0]?.status ?? {};
    return networks?.at(-1)?.addresses[0]?.split('/')[0] ?? '';
  };

  answersInTurn(2, 2);
  losesNothing('2 to 20 replicas', () => scaled(20));
  answersInTurn(20, 1);
  losesNothing('20 to 3 replicas, and all replaced, the new one first', async () => {
    await scaled(3);
    await replaceAll(cluster, 'vote');
  });
  answersInTurn(3, 2);

  it('answers a client through both nodes, whatever ports it uses', async () => {
    const [one, other] = cluster.hosts.map(({ address }) => address);
    const words = [one, other, VOTE_PORT, own(3)].map(String);
    const command = [process.execPath, fixture('one-port.mjs'), ...words];
    const [printed = ''] = await cluster.run(cluster.node('client'), command);
    const ids = cluster.manager.tasks('vote').map(({ meta }) => meta.id);
    const wanted = [...ids, ...ids].map((id) => `${id} ${OUTSIDE}`);
    expect(printed.split('\n').sort()).toEqual(wanted.sort());
  }, 90_000);

  it('stock clients resolve names, addresses and negatives', async () => {
    const dig = (...words: string[]): readonly string[] => ['dig', '@127.0.0.11', ...words];
    const lookup = (name: string): readonly string[] => ['busybox', 'nslookup', name, '127.0.0.11'];
    const tasks = cluster.manager.tasks('vote');
    const addresses = tasks.map(
      ({ status }) => status.networks?.at(-1)?.addresses[0]?.split('/')[0] ?? '',
    );
    const [vote, voteTasks, reverse, noAddress, stock, stockTasks] = await cluster.run(
      client(),
      dig('+short', 'vote'),
      dig('+short', 'tasks.vote'),
      dig('+short', '-x', addresses[0] ?? ''),
      dig('vote', 'AAAA'),
      lookup('vote'),
      lookup('tasks.vote'),
    );
    expect(vote).toBe(cluster.vip('vote'));
    expect(voteTasks?.split('\n').sort()).toEqual([...addresses].sort());
    expect(reverse).toMatch(new RegExp(`^vote\\.1\\.${tasks[0]?.meta.id}\\.`));
    expect(noAddress).toMatch(/status: NOERROR.* ANSWER: 0,/s);
    expect(stock).toContain(`Address: ${cluster.vip('vote')}`);
    for (const address of addresses) expect(stockTasks).toContain(`Address: ${address}`);
  }, 60_000);

  it('the service beside it was answered all the time', async () => {
    const result = await busy?.stop();
    expect([result?.failed, result?.faults]).toEqual([0, []]);
    expect(result?.answered).toBeGreaterThan(0);
  }, 60_000);

  return { cluster: () => cluster, expectInTurn };
}
