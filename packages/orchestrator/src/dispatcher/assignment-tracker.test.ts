import { describe, expect, it } from '@jest/globals';
import {
  Config,
  EndpointSlice,
  Network,
  Node,
  Secret,
  Service,
  Task,
  deriveId,
  newObject,
  withMeta,
  withSpec,
  withStatus,
  type Assignment,
  type StoredObject,
  type TaskState,
} from '@skep/api';
import fc from 'fast-check';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { assignmentItems } from './assignment.js';
import { ASSIGNMENT_DELAY_MS, AssignmentTracker } from './assignment-tracker.js';

/** A node's end: applies what it gets, and knows when it got it. */
class Receiver {
  readonly items = new Map<string, unknown>();
  readonly messages: Assignment[] = [];
  readonly times: number[] = [];

  constructor(cluster: TestCluster, tracker: AssignmentTracker, nodeId: string) {
    tracker.open(nodeId, (assignment) => {
      this.messages.push(assignment);
      this.times.push(cluster.now);
      this.#apply(assignment);
    });
  }

  get last(): Assignment {
    return this.messages.at(-1) as Assignment;
  }

  #apply({ type, upserts, removals }: Assignment): void {
    if (type === 'complete') this.items.clear();
    for (const { kind, key, value } of upserts) this.items.set(`${kind} ${key}`, value);
    for (const { kind, key } of removals) this.items.delete(`${kind} ${key}`);
  }
}

function track(cluster: TestCluster): AssignmentTracker {
  const tracker = new AssignmentTracker({ clock: cluster.clock, view: () => cluster.view });
  cluster.store.subscribe({ commit: (event) => tracker.observe(event), ended: () => undefined });
  return tracker;
}

/** What a node should have; the state of tasks is not told back to it. */
function wanted(cluster: TestCluster, nodeId: string): ReadonlyMap<string, unknown> {
  return new Map(
    assignmentItems(cluster.view, nodeId).map(({ kind, key, value }) => [`${kind} ${key}`, value]),
  );
}

function withoutState(items: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const strip = (value: unknown) => ({ ...(value as object), knownState: undefined });
  return new Map([...items].map(([key, value]) => [key, strip(value)]));
}

const STATES: readonly TaskState[] = ['pending', 'assigned', 'running', 'failed', 'shutdown'];
const DESIRED = ['running', 'shutdown', 'remove'] as const;

function put<T extends StoredObject>(
  cluster: TestCluster,
  object: T | undefined,
  make: () => StoredObject,
  change: (object: T) => StoredObject,
): Promise<unknown> {
  if (object === undefined) return cluster.create(make());
  return cluster.commit('user', { type: 'update', object: change(object) });
}

const net = (n: number): string => `net${n % 3}`;
const nodeOf = (n: number): string => `n${n % 4}`;

const address = (n: number): string => `10.0.1.${n % 6}/24`;
const container = (n: number) => ({
  image: 'x',
  secrets: [
    {
      secretId: n % 2 === 0 ? `s${n % 3}` : '',
      secretName: `secret-${n % 3}`,
      file: { name: 'f', uid: '0', gid: '0', mode: 292 },
    },
  ],
  configs: n % 4 === 0 ? [] : [{ configId: `c${n % 2}`, configName: '' }],
});

const OPS: readonly ((
  cluster: TestCluster,
  a: number,
  b: number,
  c: number,
) => Promise<unknown>)[] = [
  // A task changes its state, its wishes, its node, its addresses.
  (cluster, a, b, c) => {
    const id = `t${a % 6}`;
    const status = {
      state: STATES[b % 5] as TaskState,
      timestamp: 0,
      appliedAt: 0,
      message: '',
      nodeId: nodeOf(c),
      networks: [{ networkId: net(a + c), addresses: [address(b + c)], aliases: [] }],
      ...(c % 7 === 0 ? { drainedAt: 1 } : {}),
      ...(c % 11 === 0 ? { releasedAt: 1 } : {}),
    };
    const spec = {
      serviceId: `v${a % 3}`,
      serviceName: 'v',
      slot: 1,
      desiredState: DESIRED[(b + c) % 3] ?? 'running',
      template: { container: container(b) },
      cause: 'scale',
    } as const;
    return put(
      cluster,
      cluster.view.get(Task, id),
      () => newObject(Task, { id, spec, status }),
      (task) => {
        // Often only one thing changes.
        if (c % 3 === 0)
          return withStatus(task, { ...status, networks: task.status.networks ?? [] });
        if (c % 3 === 1) return withStatus(task, { ...task.status, nodeId: status.nodeId });
        if (c % 4 === 0) return withStatus(task, { ...task.status, releasedAt: 1 });
        return withStatus(b % 2 === 0 ? withSpec(task, spec) : task, status);
      },
    );
  },
  (cluster, a) => remove(cluster, Task, `t${a % 6}`),
  // Only the state, as a node reports it.
  (cluster, a, b) => {
    const task = cluster.view.get(Task, `t${a % 6}`);
    if (task === undefined) return Promise.resolve();
    return cluster.setTask(task.meta.id, { state: STATES[b % 5] as TaskState });
  },
  // A node gets or loses addresses, moves, or is drained.
  (cluster, a, b, c) => {
    const node = cluster.get(Node, nodeOf(a));
    const networks = [0, 1, 2]
      .filter((n) => ((b >> n) & 1) === 1)
      .map((n) => ({ networkId: net(n), address: address(a + n) }));
    const status = { ...node.status, networks, address: c % 5 === 0 ? '' : `192.0.2.${c % 3}` };
    const availability = c % 2 === 0 ? 'active' : 'drain';
    const object = withStatus(withSpec(node, { ...node.spec, availability }), status);
    return cluster.commit('user', { type: 'update', object });
  },
  // A service names networks, gets addresses, labels, another way of balancing.
  (cluster, a, b, c) => {
    const id = `v${a % 3}`;
    const isVip = c % 2 === 0;
    const spec = {
      task: {
        networks: [{ target: b % 2 === 0 ? net(b) : `${net(b)}-name`, aliases: [`a${c % 2}`] }],
      },
      endpoint: { mode: isVip ? 'vip' : 'dnsrr' },
    } as const;
    const virtualAddresses = isVip ? [{ networkId: net(b + c), address: address(a) }] : [];
    const endpoint = {
      observedGeneration: 1,
      mode: spec.endpoint.mode,
      ports: [],
      virtualAddresses,
    };
    const status = {
      observedGeneration: 1,
      createdTasks: c,
      ...(c % 5 === 0 ? {} : { endpoint }),
    };
    return put(
      cluster,
      cluster.view.get(Service, id),
      () => newObject(Service, { id, name: `${id}-name`, finalizers: ['f'], spec, status }),
      (service) => {
        const next = withStatus(b % 3 === 0 ? service : withSpec(service, spec), status);
        return c % 4 === 0 ? withMeta(next, { labels: { n: `${c % 3}` } }) : next;
      },
    );
  },
  // A service is asked to go, or goes.
  (cluster, a, b) => {
    const service = cluster.view.get(Service, `v${a % 3}`);
    if (service === undefined) return Promise.resolve();
    if (b % 2 === 0) return cluster.remove(Service, service.meta.id);
    const object = withMeta(service, { finalizers: [] });
    return cluster.commit('user', { type: 'update', object });
  },
  // A slice.
  (cluster, a, b, c) => {
    const spec = {
      serviceId: `v${a % 3}`,
      networkId: net(b),
      index: 0,
      backends:
        c % 3 === 0
          ? []
          : [
              {
                taskId: `t${c % 6}`,
                taskName: 't',
                nodeId: 'n0',
                address: '10.0.1.1',
                weight: 1,
                state: 'serving' as const,
                aliases: [],
              },
            ],
    };
    const id = deriveId('slice', spec.serviceId, spec.networkId, 0);
    return put(
      cluster,
      cluster.view.get(EndpointSlice, id),
      () => newObject(EndpointSlice, { id, spec }),
      (slice) => withSpec(slice, spec),
    );
  },
  (cluster, a, b) => remove(cluster, EndpointSlice, deriveId('slice', `v${a % 3}`, net(b), 0)),
  // A network comes, gets a subnet, goes.
  (cluster, a, b) => {
    const id = net(a);
    const subnet = {
      subnet: `10.${b % 3}.0.0/24`,
      gateway: '',
      vxlanId: b % 3,
      lastAddress: `${b}`,
    };
    const status = { observedGeneration: 1, subnets: [subnet], quarantine: [] };
    return put(
      cluster,
      cluster.view.get(Network, id),
      () => newObject(Network, { id, name: `${id}-name`, spec: {}, status }),
      (network) => withStatus(withSpec(network, { isInternal: b % 2 === 0 }), status),
    );
  },
  (cluster, a, b) => (b % 3 === 0 ? remove(cluster, Network, net(a)) : Promise.resolve()),
  // A secret or a config comes, changes its labels, goes.
  (cluster, a, b) => {
    const id = `s${a % 3}`;
    if (b % 3 === 0) return remove(cluster, Secret, id);
    return put(
      cluster,
      cluster.view.get(Secret, id),
      () => newObject(Secret, { id, name: `secret-${a % 3}`, spec: { data: `${b}` } }),
      (secret) => withSpec(secret, { data: `${b}` }),
    );
  },
  (cluster, a, b) => {
    const id = `c${a % 2}`;
    if (b % 3 === 0) return remove(cluster, Config, id);
    return put(
      cluster,
      cluster.view.get(Config, id),
      () => newObject(Config, { id, name: id, spec: { data: `${b}` } }),
      (config) => withMeta(config, { labels: { b: `${b}` } }),
    );
  },
];

function remove(
  cluster: TestCluster,
  kind: typeof Task | typeof EndpointSlice | typeof Network | typeof Secret | typeof Config,
  id: string,
): Promise<unknown> {
  return cluster.view.get(kind as typeof Task, id) === undefined
    ? Promise.resolve()
    : cluster.remove(kind, id);
}

async function emptyCluster(): Promise<TestCluster> {
  const cluster = new TestCluster({ checksOwnership: false });
  for (const id of ['n0', 'n1', 'n2', 'n3']) await cluster.node(id);
  return cluster;
}

describe('the law of differences', () => {
  const step = fc.tuple(fc.nat(OPS.length - 1), fc.nat(60), fc.nat(60), fc.nat(60));
  const history = fc.array(fc.tuple(step, fc.nat(60)), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  });

  it('holds after any history: applied one after the other, they give the whole', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const cluster = await emptyCluster();
        const tracker = track(cluster);
        const receivers = new Map<string, Receiver>();
        const open = (nodeId: string): void => {
          receivers.set(nodeId, new Receiver(cluster, tracker, nodeId));
        };
        open('n0');
        open('n1');
        for (const [[op, a, b, c], pauseMs] of steps) {
          await OPS[op]?.(cluster, a, b, c);
          // Some nodes come late, or again.
          if (a === 7) open(nodeOf(b));
          await cluster.clock.advance(pauseMs);
          for (const [nodeId, receiver] of receivers) checkWhenCurrent(cluster, nodeId, receiver);
        }
        await cluster.clock.advance(ASSIGNMENT_DELAY_MS);
        for (const [nodeId, receiver] of receivers) {
          expect(withoutState(receiver.items)).toEqual(withoutState(wanted(cluster, nodeId)));
          checkChain(receiver.messages);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** A message that has just come is exactly the picture of its revision. */
function checkWhenCurrent(cluster: TestCluster, nodeId: string, receiver: Receiver): void {
  if (receiver.messages.length === 0 || receiver.last.revision !== cluster.view.revision) return;
  expect(withoutState(receiver.items)).toEqual(withoutState(wanted(cluster, nodeId)));
}

function checkChain(messages: readonly Assignment[]): void {
  expect(messages[0]?.type).toBe('complete');
  expect(messages[0]).not.toHaveProperty('appliesTo');
  for (const [at, message] of messages.slice(1).entries()) {
    expect(message.type).toBe('incremental');
    expect(message.appliesTo).toBe(messages[at]?.revision);
    expect(message.revision).toBeGreaterThan(messages[at]?.revision ?? Infinity);
  }
}

const ADDRESS_IN_INGRESS = { networkId: 'ingress', address: '10.0.0.2/24' };
const HELD_PORT = {
  name: '',
  protocol: 'tcp',
  targetPort: 80,
  publishedPort: 8080,
  publishMode: 'ingress',
} as const;

describe('what is sent when', () => {
  async function pair() {
    const cluster = new TestCluster();
    await cluster.network('net');
    await cluster.node('1', { net: '10.0.1.254/24' });
    await cluster.node('2', { net: '10.0.1.253/24' });
    await cluster.service('web', {}, { net: '10.0.1.2/24' });
    const tracker = track(cluster);
    const one = new Receiver(cluster, tracker, '1');
    const two = new Receiver(cluster, tracker, '2');
    await cluster.clock.flush();
    return { cluster, tracker, one, two };
  }

  it('the complete assignment at once, changes 100 ms after the first of them', async () => {
    const { cluster, one, two } = await pair();
    expect(one.messages.map(({ type }) => type)).toEqual(['complete']);
    const start = cluster.now;
    for (let at = 0; at < 5; at += 1) {
      const net = `10.0.1.${10 + at}/24`;
      await cluster.task(`t${at}`, { serviceId: 'web', nodeId: '1' }, { net });
      await cluster.clock.advance(60);
    }
    await cluster.clock.advance(100);
    // A steady trickle does not put it off.
    expect(one.times).toEqual([start, start + 100, start + 220, start + 340]);
    expect(two.last.upserts.map(({ kind }) => kind)).toEqual(['peer']);
  });

  it('nothing for what the node itself reported', async () => {
    const { cluster, one, two } = await pair();
    await cluster.task('t', { nodeId: '1', status: { state: 'assigned' } }, { net: '10.0.1.9/24' });
    await cluster.clock.advance(200);
    const before = [one.messages.length, two.messages.length];
    for (const state of ['preparing', 'ready', 'running'] as const) {
      await cluster.setTask('t', { state, container: { containerId: state } });
      await cluster.clock.advance(200);
    }
    expect([one.messages.length, two.messages.length]).toEqual(before);
  });

  it('nothing for acknowledgements, and for addresses that a network gave last', async () => {
    const { cluster, one } = await pair();
    await cluster.acknowledge('2');
    const network = cluster.get(Network, 'net');
    const subnets = network.status.subnets.map((subnet) => ({
      ...subnet,
      lastAddress: '10.0.1.9',
    }));
    const object = withStatus(network, { ...network.status, subnets });
    await cluster.commit('allocator', { type: 'update', object });
    await cluster.clock.advance(200);
    expect(one.messages).toHaveLength(1);
  });

  it('an empty difference where the allocator waits for a revision', async () => {
    const { cluster, one } = await pair();
    const network = cluster.get(Network, 'net');
    const quarantine = [{ address: '10.0.1.7', until: 9e15, removedIn: 0 }];
    const object = withStatus(network, { ...network.status, quarantine });
    const revision = await cluster.commit('allocator', { type: 'update', object });
    await cluster.clock.advance(100);
    expect(one.last).toEqual({
      type: 'incremental',
      revision,
      appliesTo: one.messages[0]?.revision,
      upserts: [],
      removals: [],
    });
    await cluster.setMeta(Service, 'web', { finalizers: ['allocator'] });
    await cluster.clock.advance(100);
    expect(one.messages).toHaveLength(2);
    const deleting = await cluster.remove(Service, 'web');
    await cluster.clock.advance(100);
    expect(one.last).toMatchObject({ revision: deleting, upserts: [] });
    expect(one.last.removals).toEqual([{ kind: 'service', key: 'web/net' }]);
  });

  it('an empty difference where the addresses of a task that has ended wait for it', async () => {
    const { cluster, two } = await pair();
    const net = { net: '10.0.1.9/24' };
    await cluster.task('t', { nodeId: '1', serviceId: 'web' }, net);
    await cluster.setTask('t', { state: 'failed' });
    await cluster.want('t', { desiredState: 'shutdown' });
    await cluster.clock.advance(200);
    const before = two.messages.length;
    // Long after its end: the tables of some node were late.
    const revision = await cluster.setTask('t', { drainedAt: cluster.now }, 'endpoints');
    await cluster.clock.advance(100);
    expect(two.messages.slice(before)).toMatchObject([{ revision, upserts: [], removals: [] }]);
  });

  it('an empty difference where a service holds ports that it gave up', async () => {
    const { cluster, one } = await pair();
    await cluster.network('ingress', { isIngress: true }, '10.0.0.0/24');
    await cluster.setNode('1', { networks: [ADDRESS_IN_INGRESS] }, 'allocator');
    await cluster.clock.advance(100);
    const { status } = cluster.get(Service, 'web');
    const endpoint = { ...status.endpoint!, heldPorts: [HELD_PORT] };
    const held = withStatus(cluster.get(Service, 'web'), { ...status, endpoint });
    await cluster.commit('allocator', { type: 'update', object: held });
    await cluster.clock.advance(100);
    // Any later version has to be acknowledged as well: it is the one that is asked about.
    const revision = await cluster.setMeta(Service, 'web', { labels: { a: 'b' } });
    await cluster.clock.advance(100);
    expect(one.last).toMatchObject({ revision, upserts: [], removals: [] });
  });

  it('removals in the reverse order of dependencies', async () => {
    const { cluster, one } = await pair();
    await cluster.task('t', { nodeId: '1' }, { net: '10.0.1.9/24' });
    await cluster.task('u', { nodeId: '2' }, { net: '10.0.1.8/24' });
    await cluster.clock.advance(100);
    await cluster.want('t', { desiredState: 'shutdown' });
    await cluster.setTask('t', { state: 'shutdown' });
    await cluster.setNode('1', { networks: [] }, 'allocator');
    await cluster.clock.advance(100);
    expect(one.last.removals.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'task t',
      'service web/net',
      'peer net/10.0.1.253',
      'peer net/10.0.1.8',
      'network net',
    ]);
  });

  it('nothing to a node that is not served any more', async () => {
    const { cluster, tracker, one, two } = await pair();
    tracker.close('1');
    await cluster.task('t', { nodeId: '1' }, { net: '10.0.1.9/24' });
    await cluster.clock.advance(100);
    expect([one.messages.length, two.messages.length]).toEqual([1, 2]);
    tracker.stop();
    await cluster.remove(Task, 't');
    await cluster.clock.advance(200);
    expect(two.messages).toHaveLength(2);
    expect(cluster.clock.pending()).toEqual([]);
  });
});
