import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { FakeManager } from './__fixtures__/fake-manager.js';
import { completeAssignment, port, type SmallCluster } from './__fixtures__/small-cluster.js';
import type { BehaviourOf } from './behaviour.js';
import { Simulator } from './simulator.js';

const VOTE: SmallCluster = {
  services: [
    {
      number: 1,
      ports: [port(8_080), port(5_353, { protocol: 'udp', targetPort: 53 })],
      tasks: [
        { id: 't1', node: 'node1' },
        { id: 't2', node: 'node2' },
      ],
    },
    { number: 2, tasks: [{ id: 't3', node: 'node1' }] },
    { number: 3, tasks: [{ id: 't4', node: 'node2', state: 'draining' }] },
  ],
};

async function setUp(cluster: SmallCluster = VOTE, behaviour?: BehaviourOf) {
  const clock = new VirtualClock();
  const manager = new FakeManager();
  const simulator = new Simulator({
    clock,
    random: seededRandom(1),
    link: manager,
    ...(behaviour === undefined ? {} : { behaviour }),
  });
  for (const name of ['node1', 'node2']) await simulator.addHost({ id: name, name });
  await simulator.start();
  await clock.advance(10);
  for (const name of ['node1', 'node2']) {
    manager.send(name, completeAssignment(cluster, name, 1));
  }
  await clock.advance(3_000);
  const codeOf = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      if (isSkepError(error)) return error.code;
    }
    return 'nothing thrown';
  };
  return { clock, manager, simulator, codeOf };
}

describe('Simulator', () => {
  it('finds hosts by id and by name, in the order in which they were added', async () => {
    const { clock, simulator, codeOf } = await setUp();
    const third = await simulator.addHost({ id: 'n3', name: 'node3' });
    await clock.advance(10);
    expect(simulator.hosts.map(({ name }) => name)).toEqual(['node1', 'node2', 'node3']);
    expect([simulator.host('n3'), simulator.host('node3')]).toEqual([third, third]);
    expect(third.agent).toBeDefined();
    expect(simulator.hosts.map(({ address }) => address)).toEqual([
      '192.168.50.11',
      '192.168.50.12',
      '192.168.50.13',
    ]);
    expect(codeOf(() => simulator.host('node9'))).toBe('not-found');
  });

  it.each([
    { id: 'node1', name: 'other' },
    { id: 'other', name: 'node1' },
  ])('takes no second host of the same id or name: %j', async (options) => {
    const { simulator } = await setUp();
    const thrown = await simulator.addHost(options).catch((error: unknown) => error);
    expect(isSkepError(thrown, 'already-exists')).toBe(true);
    expect(simulator.hosts).toHaveLength(2);
  });

  it('takes a host away with all that it held, and reuses its name but not its address', async () => {
    const { clock, simulator, codeOf } = await setUp();
    await simulator.removeHost('node2');
    expect(codeOf(() => simulator.host('node2'))).toBe('not-found');
    expect(codeOf(() => simulator.world.node('node2'))).toBe('not-found');
    expect(simulator.request('node2:8080').outcome).toBe('unresolved');
    const again = await simulator.addHost({ id: 'n2', name: 'node2' });
    expect(again.address).toBe('192.168.50.13');
    await clock.advance(10_000);
    expect(again.agent).toBeDefined();
  });

  it('starts no agent before it is started', async () => {
    const clock = new VirtualClock();
    const manager = new FakeManager();
    const simulator = new Simulator({ clock, random: seededRandom(1), link: manager });
    const host = await simulator.addHost({ id: 'node1', name: 'node1' });
    await clock.advance(10_000);
    expect([host.agent, manager.hellos.length]).toEqual([undefined, 0]);
  });

  it('leaves no timer behind when it has stopped', async () => {
    const { clock, simulator } = await setUp();
    const stopped = simulator.stop();
    await clock.advance(10_000);
    await stopped;
    expect(clock.pending()).toEqual([]);
  });
});

describe('Simulator.request', () => {
  it('is answered at the published port of any node, by one task after the other', async () => {
    const { simulator } = await setUp();
    for (const target of ['node1:8080', 'http://node2:8080/', '192.168.50.11:8080']) {
      const results = [1, 2, 3, 4].map(() => simulator.request(target));
      expect(results.map(({ outcome, status }) => [outcome, status])).toEqual(
        results.map(() => ['answered', 200]),
      );
      expect(new Set(results.map(({ taskId }) => taskId))).toEqual(new Set(['t1', 't2']));
      for (const { body, containerId, node, taskName, taskId, hops, replyHops } of results) {
        expect(containerId?.startsWith(body)).toBe(true);
        expect(body).toHaveLength(12);
        expect(node).toBe(taskId === 't1' ? 'node1' : 'node2');
        expect(taskName).toBe(taskId === 't1' ? 'web1.1.t1' : 'web1.2.t2');
        expect([hops.length, replyHops.length].every((length) => length > 2)).toBe(true);
      }
    }
  });

  it('is answered by name from a task of the same network', async () => {
    const { simulator } = await setUp();
    const results = [1, 2].map(() => simulator.request('http://web1/', { from: 't3' }));
    expect(results.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
    expect(new Set(results.map(({ taskId }) => taskId))).toEqual(new Set(['t1', 't2']));
    const direct = simulator.request('10.0.1.102', { from: 't3' });
    expect([direct.outcome, direct.taskId]).toEqual(['answered', 't2']);
    expect(direct.seenSource).toBe('10.0.1.103');
  });

  it('reaches by udp what is published by udp, and only that', async () => {
    const { simulator } = await setUp();
    expect(simulator.request('node1:5353', { protocol: 'udp' }).outcome).toBe('answered');
    expect(simulator.request('node1:5353').outcome).toBe('refused');
    expect(simulator.request('node1:8080', { protocol: 'udp' }).outcome).toBe('refused');
  });

  it('tells the container what was asked, and passes on what it says', async () => {
    const { simulator } = await setUp(VOTE, () => ({
      respond: ({ port: asked, path, protocol, source }, id) => ({
        status: path === '/teapot' ? 418 : 200,
        body: `${protocol} ${asked} ${path} ${source !== ''} ${id.length}`,
      }),
    }));
    const { status, body, seenSource } = simulator.request('http://node1:8080/teapot');
    expect([status, body]).toEqual([418, 'tcp 80 /teapot true 64']);
    expect(seenSource).toMatch(/^10\.0\.0\./);
  });

  it('is refused where nobody listens, and says so', async () => {
    const { simulator } = await setUp();
    const result = simulator.request('node1:9999');
    expect(result).toMatchObject({ outcome: 'refused', body: '' });
    expect(result.reason).toContain('nobody listens');
    expect(result.status).toBeUndefined();
  });

  it('is refused by a container that has ended', async () => {
    const { simulator } = await setUp();
    simulator.host('node1').crash('t1');
    const outcomes = [1, 2].map(() => simulator.request('node1:8080'));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['answered', 'refused']);
    const refused = outcomes.find(({ outcome }) => outcome === 'refused');
    expect([refused?.body, refused?.taskId]).toEqual(['', 't1']);
  });

  it('is dropped where no backend takes connections', async () => {
    const { simulator } = await setUp();
    const result = simulator.request('http://web3/', { from: 't3' });
    expect(result).toMatchObject({ outcome: 'dropped', body: '' });
    expect(result.reason).toBeDefined();
  });

  it('is dropped on its way to a node that is down', async () => {
    const { simulator } = await setUp();
    simulator.host('node2').powerOff();
    expect(simulator.request('node2:8080')).toMatchObject({ outcome: 'dropped', hops: [] });
    const outcomes = [1, 2].map(() => simulator.request('node1:8080').outcome);
    expect(outcomes.sort()).toEqual(['answered', 'dropped']);
  });

  it.each<[string, string | undefined]>([
    ['node9:8080', undefined],
    ['http://web1/', undefined],
    ['999.1.1.1:80', undefined],
    ['192.168.50:80', undefined],
    ['http://web9/', 't3'],
    ['http://example.org/', 't3'],
    ['10.0.1', 't3'],
  ])('is not resolved: %s from %s', async (target, from) => {
    const { simulator } = await setUp();
    const result = simulator.request(target, from === undefined ? {} : { from });
    expect(result).toMatchObject({ outcome: 'unresolved', body: '', hops: [], replyHops: [] });
    expect(result.reason).toContain('is not known');
  });

  it('does not reach the addresses of the other family', async () => {
    const { simulator } = await setUp();
    for (const options of [{}, { from: 't3' }]) {
      expect(simulator.request('[fd00::1]:80', options).outcome).not.toBe('answered');
    }
  });

  it.each(['t9', ''])('needs a container to come from: %j', async (from) => {
    const { simulator, codeOf } = await setUp();
    expect(codeOf(() => simulator.request('http://web1/', { from }))).toBe('not-found');
  });

  it('refuses a target that is none', async () => {
    const { simulator, codeOf } = await setUp();
    expect(codeOf(() => simulator.request('https://web1/'))).toBe('invalid-argument');
  });
});
