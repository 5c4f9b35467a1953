/**
 * The whole of a real node but its containers, on this machine's kernel: manager, agents,
 * dataplane with nftables, resolver; requests through the mesh and through virtual addresses.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Network, Service, type ServiceSpec } from '@skep/api';
import { decode, encode } from 'dns-packet';
import { HOST_NAMESPACE } from '@skep/network';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { openNameSockets } from '../src/resolver/name-sockets.js';
import { KernelCluster, machineState, missingForKernel } from './kernel-cluster.js';

const missing = missingForKernel();
const { suite, lack } = suiteThatNeeds(missing);
const MARK = `skt-${process.pid}`;

const template = (...networks: string[]): ServiceSpec['task'] => ({
  container: { image: 'answers' },
  networks: networks.map((target) => ({ target })),
});

const VOTE: ServiceSpec = {
  mode: { type: 'replicated', replicas: 2 },
  task: template('net'),
  endpoint: {
    ports: [
      { targetPort: 80, publishedPort: 8080 },
      { targetPort: 81, publishedPort: 8081 },
      { targetPort: 81, publishedPort: 8081, protocol: 'udp' },
    ],
  },
};

interface Upstream {
  readonly port: number;
  /** Names that it was asked for. */
  readonly asked: string[];
  close(): void;
}

/** A name server outside of the cluster: every name is 192.0.2.7, over tcp too. */
async function startUpstream(): Promise<Upstream> {
  const asked: string[] = [];
  const answer = (bytes: Buffer): Buffer => {
    const { id, questions = [] } = decode(bytes);
    const name = questions[0]?.name ?? '';
    asked.push(name);
    const answers = [{ type: 'A', name, ttl: 60, data: '192.0.2.7' } as const];
    return encode({ type: 'response', ...(id === undefined ? {} : { id }), questions, answers });
  };
  const udp = createSocket('udp4');
  udp.on('message', (bytes, { address, port }) => udp.send(answer(bytes), port, address));
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  const { port } = udp.address();
  const tcp = createServer((socket) => {
    socket.on('data', (chunk) => {
      const response = answer(chunk.subarray(2));
      socket.end(
        Buffer.concat([Buffer.from([response.length >> 8, response.length & 255]), response]),
      );
    });
  });
  await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve));
  return {
    port,
    asked,
    close: () => {
      udp.close();
      tcp.close();
    },
  };
}

suite(`the dataplane in this kernel${lack}`, () => {
  const before = machineState(MARK);
  let cluster: KernelCluster;
  let upstream: Upstream;
  const tasks = (): string[] =>
    cluster.manager
      .tasks('vote')
      .map(({ meta }) => meta.id)
      .sort();
  const client = (): string => cluster.manager.tasks('client')[0]?.meta.id ?? '';
  const vip = (): string => {
    const networks = cluster.hosts[0]?.dataplane.tables?.networks.values() ?? [];
    const found = networks
      .filter(({ name }) => name === 'net')
      .flatMap(({ vips }) => vips.values())
      .find(({ services }) => services.some(({ serviceName }) => serviceName === 'vote'));
    return found?.address ?? '';
  };

  beforeAll(async () => {
    if (missing.length > 0) throw new Error(`missing on this machine: ${missing.join(', ')}`);
    upstream = await startUpstream();
    cluster = await KernelCluster.start(MARK, 2, [`127.0.0.1:${upstream.port}`]);
    await cluster.manager.apply(
      { kind: Network, name: 'net', spec: { ipam: { configs: [{ subnet: '10.0.9.0/24' }] } } },
      { kind: Service, name: 'vote', spec: VOTE },
      { kind: Service, name: 'client', spec: { task: template('net') } },
      { kind: Network, name: 'vault', spec: { isInternal: true } },
      { kind: Service, name: 'inner', spec: { task: template('vault') } },
    );
    await cluster.settled('vote', 2);
    await cluster.settled('client', 1);
    await cluster.settled('inner', 1);
  }, 120_000);

  afterAll(async () => {
    await cluster?.stop();
    upstream?.close();
    expect(machineState(MARK)).toEqual(before);
  }, 60_000);

  /** Who answered, sorted, as often as that; and what else was in the answers. */
  const turns = (answers: readonly string[]): string =>
    answers.map((answer) => tasks().indexOf(answer.split(' ')[0] ?? '')).join('');

  const inTurn = (answers: readonly string[], replicas: number): void => {
    const counts = Array.from(
      { length: replicas },
      (_, number) => [...turns(answers)].filter((turn) => turn === String(number)).length,
    );
    expect([turns(answers), counts]).toEqual([
      turns(answers),
      Array.from({ length: replicas }, () => answers.length / replicas),
    ]);
  };

  for (const replicas of [2, 3]) {
    it(`${replicas} replicas answer in turn, by the mesh and by the virtual address`, async () => {
      await cluster.manager.scale('vote', replicas);
      await cluster.settled('vote', replicas);
      const times = 2 * replicas;
      const task = cluster.sandbox(client());
      const outside = cluster.node('client');
      for (const { address } of cluster.hosts) {
        inTurn(await cluster.get(outside, `http://${address}:8080/`, times), replicas);
        inTurn(await cluster.ask(outside, address, 8081, times), replicas);
      }
      inTurn(await cluster.get(task, `http://${vip()}/`, times), replicas);
      inTurn(await cluster.ask(task, vip(), 81, times), replicas);
    }, 120_000);
  }

  it('servers see who asks, in the overlay and through the mesh', async () => {
    const own = cluster.hostOf(client()).dataplane.tables?.tasks.get(client())?.endpoints[0];
    const address = own?.address.split('/')[0];
    const task = cluster.sandbox(client());
    const sources = (answers: readonly string[]): readonly string[] => [
      ...new Set(answers.map((answer) => answer.split(' ')[1] ?? answer)),
    ];
    expect(sources(await cluster.get(task, `http://${vip()}:81/`, 3))).toEqual([address]);
    expect(sources(await cluster.ask(task, vip(), 81, 3))).toEqual([address]);
    for (const host of cluster.hosts) {
      const { address: node } = host;
      const outside = cluster.node('client');
      expect(sources(await cluster.get(outside, `http://${node}:8081/`, 3))).toEqual([
        '10.90.0.99',
      ]);
      expect(sources(await cluster.ask(outside, node, 8081, 3))).toEqual(['10.90.0.99']);
    }
  }, 60_000);

  const dig = async (namespace: string, ...words: string[]): Promise<readonly string[]> => {
    const [printed = ''] = await cluster.run(namespace, ['dig', '@127.0.0.11', '+short', ...words]);
    return printed.split('\n').sort();
  };
  const addressesOf = (service: string): readonly string[] =>
    cluster.manager
      .tasks(service)
      .map(({ status }) => status.networks?.at(-1)?.addresses[0]?.split('/')[0] ?? '')
      .sort();

  it('stock clients resolve names, addresses and negatives', async () => {
    const task = cluster.sandbox(client());
    expect(await dig(task, 'vote')).toEqual([vip()]);
    expect(await dig(task, '+tcp', 'vote')).toEqual([vip()]);
    expect(await dig(task, 'tasks.vote')).toEqual(addressesOf('vote'));
    const [own = ''] = addressesOf('client');
    expect((await dig(task, '-x', own)).join()).toMatch(/^client\.1\./);
    const [negative = ''] = await cluster.run(task, ['dig', '@127.0.0.11', 'vote', 'AAAA']);
    expect(negative).toMatch(/status: NOERROR.*ANSWER: 0/s);
    const [printed = ''] = await cluster.run(task, ['busybox', 'nslookup', 'vote', '127.0.0.11']);
    expect(printed).toContain(`Address: ${vip()}`);
  }, 60_000);

  it('what the cluster does not know is asked elsewhere, but not from internal networks', async () => {
    const task = cluster.sandbox(client());
    expect(await dig(task, 'example.org')).toEqual(['192.0.2.7']);
    expect(await dig(task, '+tcp', 'example.edu')).toEqual(['192.0.2.7']);
    const inner = cluster.sandbox(cluster.manager.tasks('inner')[0]?.meta.id ?? '');
    expect(await dig(inner, 'inner')).toHaveLength(1);
    expect(await dig(inner, 'vote')).toEqual(['']);
    const [refused = ''] = await cluster.run(inner, ['dig', '@127.0.0.11', 'example.com']);
    expect(refused).toContain('status: SERVFAIL');
    expect(upstream.asked).toEqual(['example.org', 'example.edu']);
  }, 60_000);

  /** What somebody does to a node, and what is told of it. */
  const HARM: readonly (readonly [string, () => readonly [string, readonly string[]], RegExp])[] = [
    ['rules flushed', () => [bridge(), ['nft', 'flush', 'ruleset']], /table inet skep is missing/],
    [
      'a slot deleted',
      () => [bridge(), ['nft', 'flush', 'map', 'inet', 'skep', 'slots4']],
      /slots4 element .* is missing/,
    ],
    ['a bridge down', () => [bridge(), ['ip', 'link', 'set', 'br0', 'down']], /br0 is down/],
    ['a tunnel removed', () => [bridge(), ['ip', 'link', 'del', 'vxlan0']], /vxlan0 is missing/],
    [
      'an interface of a task down',
      () => [cluster.sandbox(client()), ['ip', 'link', 'set', 'eth0', 'down']],
      /task_.*eth0 is down/,
    ],
    [
      'an interface of a task removed',
      () => [cluster.sandbox(client()), ['ip', 'link', 'del', 'eth0']],
      /veth\d+ is missing/,
    ],
    [
      'forwarding off',
      () => [bridge(), ['sysctl', '-qw', 'net.ipv4.ip_forward=0']],
      /ip_forward is 0/,
    ],
    [
      'rules of the ingress sandbox flushed',
      () => [`${host().dataplane.place(HOST_NAMESPACE)}.ingress_sbox`, ['nft', 'flush', 'ruleset']],
      /ingress_sbox: nft: table inet skep is missing/,
    ],
    [
      'the gateway bridge removed',
      () => [cluster.node(host().name), ['ip', 'link', 'del', 'docker_gwbridge']],
      /docker_gwbridge is missing/,
    ],
  ];
  const host = (): ReturnType<KernelCluster['hostOf']> => cluster.hostOf(client());
  const bridge = (): string => {
    const networks = host().dataplane.tables?.networks.values() ?? [];
    const id = networks.find(({ name }) => name === 'net')?.id ?? '';
    return `${cluster.node(host().name)}.1-${id}`;
  };

  for (const [what, harm, finding] of HARM) {
    it(`within a period it is repaired and told: ${what}`, async () => {
      const [namespace, command] = harm();
      expect(await cluster.run(namespace, command)).toEqual(['']);
      cluster.told.length = 0;
      const isTold = (): boolean => cluster.told.some((text) => finding.test(text));
      await cluster.until('the repair', isTold, 500);
      const task = cluster.sandbox(client());
      inTurn(await cluster.get(task, `http://${vip()}/`, 6), tasks().length);
      inTurn(
        await cluster.get(cluster.node('client'), `http://${host().address}:8080/`, 6),
        tasks().length,
      );
      expect(await dig(task, 'vote')).toEqual([vip()]);
    }, 60_000);
  }

  it('the namespace of a process becomes that of a task', async () => {
    const id = cluster.manager.tasks('inner')[0]?.meta.id ?? '';
    const { dataplane } = cluster.hostOf(id);
    const engine = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    try {
      const own = (): string => readlinkSync(`/proc/${engine.pid}/ns/net`);
      const ours = readlinkSync('/proc/self/ns/net');
      await cluster.until('a namespace of its own', () => own() !== ours);
      await dataplane.adoptTaskNamespace(id, engine.pid ?? 0);
      const [seen] = await cluster.run(cluster.sandbox(id), ['readlink', '/proc/self/ns/net']);
      expect(seen).toBe(own());
      expect(await dig(cluster.sandbox(id), 'inner')).toHaveLength(1);
      expect(await dataplane.repair()).toEqual([]);
      const missing = dataplane.adoptTaskNamespace('none', engine.pid ?? 0);
      await expect(missing).rejects.toMatchObject({ code: 'not-found' });
    } finally {
      engine.kill('SIGKILL');
    }
  }, 60_000);

  it('programs nft that are killed, at rest or in the middle of a change, cost nothing', async () => {
    const processes = (): readonly number[] =>
      cluster.hosts.flatMap(({ dataplane }) => dataplane.processes.map(([, pid]) => pid));
    const answers = (): Promise<string[]> =>
      cluster.get(cluster.sandbox(client()), `http://${vip()}/`, 6);
    const scale = async (replicas: number): Promise<void> => {
      await cluster.manager.scale('vote', replicas);
      await cluster.settled('vote', replicas);
    };
    await scale(2);
    await scale(3);
    cluster.told.length = 0;
    const atRest = processes();
    expect(atRest.length).toBeGreaterThan(0);
    for (const pid of atRest) process.kill(pid, 'SIGKILL');
    await scale(2);
    inTurn(await answers(), 2);
    const inUse = processes();
    expect(inUse.filter((pid) => atRest.includes(pid))).toEqual([]);
    // The text that a program was given last.
    const given = (pid: number): string => readFileSync(`/proc/${pid}/fd/3`, 'utf8');
    const before = inUse.map(given);
    for (const pid of inUse) process.kill(pid, 'SIGSTOP');
    await cluster.manager.scale('vote', 3);
    const isGiven = (): boolean => inUse.some((pid, at) => given(pid) !== before[at]);
    await cluster.until('a change that waits for its program', isGiven);
    for (const pid of inUse) process.kill(pid, 'SIGKILL');
    await cluster.settled('vote', 3);
    inTurn(await answers(), 3);
    expect(cluster.told).toEqual([]);
  }, 120_000);

  it('datagrams of clients that go on asking leave backends that are removed', async () => {
    await cluster.settled('vote', 3);
    const namespace = cluster.sandbox(client());
    const clients = await Promise.all(
      [1, 2, 3].map((port) => openNameSockets(namespace, '0.0.0.0', 5300 + port)),
    );
    const askAll = (): Promise<string[]> =>
      Promise.all(
        clients.map(({ client: socket }) => {
          const answer = once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
          socket.send('q', 81, vip());
          return answer.then(([message]) => (message as Buffer).toString());
        }),
      );
    try {
      inTurn(await askAll(), 3);
      await cluster.manager.scale('vote', 1);
      await cluster.settled('vote', 1);
      inTurn(await askAll(), 1);
    } finally {
      for (const { udp, tcp, client: socket } of clients) {
        for (const one of [udp, tcp, socket]) one.close();
      }
      await cluster.manager.scale('vote', 3);
      await cluster.settled('vote', 3);
    }
  }, 120_000);

  it('another agent on the same kernel changes nothing', async () => {
    const task = cluster.sandbox(client());
    const look = (): Promise<string[]> =>
      cluster.run(task, ['ip', '-4', '-o', 'addr'], ['nft', 'list', 'ruleset'], ['ip', 'route']);
    const seen = await look();
    const { told } = cluster;
    told.length = 0;
    await cluster.restartAgent(host().name);
    expect(await look()).toEqual(seen);
    expect(told).toEqual([]);
    inTurn(await cluster.get(task, `http://${vip()}/`, 6), tasks().length);
    expect(await dig(task, 'vote')).toEqual([vip()]);
  }, 60_000);
});
