import { describe, expect, it } from '@jest/globals';
import {
  Config,
  Network,
  Node,
  Secret,
  Service,
  newObject,
  withStatus,
  type AssignmentItem,
  type AssignmentItems,
  type AssignmentKind,
  type ContainerSpec,
  type DesiredTaskState,
  type TaskState,
} from '@skep/api';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { assignmentItems } from './assignment.js';

const keysOf = (items: readonly AssignmentItem[]): readonly string[] =>
  items.map(({ kind, key }) => `${kind} ${key}`);

const keys = (cluster: TestCluster, nodeId: string): readonly string[] =>
  keysOf(assignmentItems(cluster.view, nodeId));

function value<K extends AssignmentKind>(
  cluster: TestCluster,
  nodeId: string,
  kind: K,
  key: string,
): AssignmentItems[K] | undefined {
  const item = assignmentItems(cluster.view, nodeId).find(
    (one) => one.kind === kind && one.key === key,
  );
  return item?.value as AssignmentItems[K] | undefined;
}

/** Two nodes in `net`, a third one outside; service `web` with a task on each of the two. */
async function vote(): Promise<TestCluster> {
  const cluster = new TestCluster();
  await cluster.network('net', { driver: { name: 'overlay', options: { encrypted: '' } } });
  await cluster.node('1', { net: '10.0.1.254/24' });
  await cluster.node('2', { net: '10.0.1.253/24' });
  await cluster.node('3');
  const networks = [{ target: 'net-name', aliases: ['db'] }];
  await cluster.service('web', { task: { networks } }, { net: '10.0.1.2/24' });
  await cluster.task('a', { serviceId: 'web', nodeId: '1' }, { net: '10.0.1.3/24' });
  await cluster.task('b', { serviceId: 'web', nodeId: '2' }, { net: '10.0.1.4/24' });
  await cluster.endpoints('web');
  return cluster;
}

describe('the assignment of a node', () => {
  it('holds the node, its tasks and networks, and what the network shares', async () => {
    const cluster = await vote();
    const slice = keys(cluster, '1').find((key) => key.startsWith('slice'));
    expect(keys(cluster, '1')).toEqual([
      'node 1',
      'network net',
      'peer net/10.0.1.253',
      'peer net/10.0.1.4',
      'service web/net',
      slice,
      'task a',
    ]);
    expect(keys(cluster, '3')).toEqual(['node 3']);
    expect(keys(cluster, 'nobody')).toEqual([]);
  });

  it('says about the node and the network what they need to know', async () => {
    const cluster = await vote();
    await cluster.cluster({ dnsTtlMs: 1_000 });
    expect(value(cluster, '1', 'node', '1')).toEqual({
      id: '1',
      name: 'node-1',
      role: 'worker',
      availability: 'active',
      dnsTtlMs: 1_000,
      dataPathPort: 4789,
    });
    expect(value(cluster, '1', 'network', 'net')).toEqual({
      id: 'net',
      name: 'net-name',
      driver: 'overlay',
      isIngress: false,
      isInternal: false,
      isEncrypted: true,
      subnets: [{ subnet: '10.0.1.0/24', gateway: '10.0.1.1', vxlanId: 4097 }],
      loadBalancerAddress: '10.0.1.254/24',
    });
    expect(value(cluster, '1', 'peer', 'net/10.0.1.4')).toEqual({
      networkId: 'net',
      address: '10.0.1.4',
      nodeId: '2',
      tunnelAddress: '192.0.2.2',
    });
  });

  it.each<[Readonly<Record<string, string>>, boolean, number | undefined]>([
    [{}, false, undefined],
    [{ encrypted: 'true' }, true, undefined],
    [{ encrypted: 'false', 'com.docker.network.driver.mtu': '1400' }, false, 1400],
    [{ 'com.docker.network.driver.mtu': 'large' }, false, undefined],
  ])('reads driver options %j', async (options, isEncrypted, mtu) => {
    const cluster = await vote();
    await cluster.network('opt', { driver: { name: 'overlay', options } }, '10.0.7.0/24');
    await cluster.node('4', { opt: '10.0.7.4/24' });
    const network = value(cluster, '4', 'network', 'opt');
    expect([network?.isEncrypted, network?.mtu]).toEqual([isEncrypted, mtu]);
  });

  it('gives a task its networks before the node has an address in them', async () => {
    const cluster = await vote();
    await cluster.network('new', {}, '10.0.5.0/24');
    await cluster.task('c', { nodeId: '3' }, { new: '10.0.5.3/24' });
    expect(keys(cluster, '3')).toEqual(['node 3', 'network new', 'task c']);
    expect(value(cluster, '3', 'network', 'new')).not.toHaveProperty('loadBalancerAddress');
  });
});

describe('tasks of an assignment', () => {
  it.each<[TaskState, DesiredTaskState, boolean]>([
    ['new', 'running', false],
    ['pending', 'shutdown', false],
    ['assigned', 'running', true],
    ['assigned', 'remove', true],
    ['running', 'shutdown', true],
    ['running', 'remove', true],
    ['failed', 'running', true],
    ['complete', 'complete', true],
    ['failed', 'shutdown', false],
    ['shutdown', 'remove', false],
    ['orphaned', 'running', true],
  ])('%s, wanted %s: %s', async (state, desiredState, isThere) => {
    const cluster = await vote();
    await cluster.task('t', { nodeId: '3', spec: { desiredState }, status: { state } });
    expect(keys(cluster, '3').includes('task t')).toBe(isThere);
  });

  it('does not hold what is only preassigned', async () => {
    const cluster = await vote();
    await cluster.task('t', { spec: { nodeId: '3' }, status: { state: 'assigned' } });
    expect(keys(cluster, '3')).toEqual(['node 3']);
  });

  it.each<[string, object, object, boolean]>([
    ['of a service, with addresses', { serviceId: 'web' }, {}, false],
    ['that is drained', { serviceId: 'web' }, { drainedAt: 5 }, true],
    ['without a service', {}, {}, true],
    ['without addresses', { serviceId: 'web' }, { networks: [] }, true],
  ])(
    'may be stopped at once if nothing routes to it: a task %s',
    async (_, of, status, drained) => {
      const cluster = await vote();
      const input = { nodeId: '1', spec: { stopBy: 99 }, status, ...of };
      await cluster.task('t', input, { net: '10.0.1.9/24' });
      expect(value(cluster, '1', 'task', 't')).toMatchObject({ isDrained: drained, stopBy: 99 });
    },
  );
});

describe('secrets and configs of an assignment', () => {
  const container: ContainerSpec = {
    image: 'web',
    secrets: [
      { secretId: 's1', secretName: 'one', file: { name: 'one', uid: '0', gid: '0', mode: 292 } },
      { secretId: '', secretName: 'two', file: { name: 'two', uid: '0', gid: '0', mode: 292 } },
      { secretId: '', secretName: 'held', file: { name: 'h', uid: '0', gid: '0', mode: 292 } },
    ],
    configs: [{ configId: 'c1', configName: 'conf' }],
  };

  async function withFiles(): Promise<TestCluster> {
    const cluster = await vote();
    await cluster.create(newObject(Secret, { id: 's1', name: 'one', spec: { data: 'MQ==' } }));
    await cluster.create(newObject(Secret, { id: 's2', name: 'two', spec: { data: 'Mg==' } }));
    const driver = { name: 'vault' };
    await cluster.create(newObject(Secret, { id: 's3', name: 'held', spec: { driver } }));
    const spec = { data: 'Yw==', templating: { name: 'golang' } };
    await cluster.create(newObject(Config, { id: 'c1', name: 'conf', spec }));
    return cluster;
  }

  it('come with the tasks that name them, by id or by name, and stay with no others', async () => {
    const cluster = await withFiles();
    expect(keys(cluster, '3')).toEqual(['node 3']);
    await cluster.task('t', { nodeId: '3', spec: { template: { container } } });
    // A driver's secret has no content here.
    expect(keys(cluster, '3')).toEqual(['node 3', 'secret s1', 'secret s2', 'config c1', 'task t']);
    expect(value(cluster, '3', 'config', 'c1')).toEqual({
      id: 'c1',
      name: 'conf',
      data: 'Yw==',
      templating: 'golang',
    });
    expect(keys(cluster, '1')).not.toContain('secret s1');
    await cluster.setTask('t', { state: 'failed' });
    expect(keys(cluster, '3')).toEqual(['node 3', 'task t']);
  });
});

describe('fronts of services', () => {
  const front = (cluster: TestCluster) => value(cluster, '1', 'service', 'web/net');

  it('hold the address, the aliases in this network and the way of balancing', async () => {
    const cluster = await vote();
    const affinity = { type: 'client-ip', timeoutMs: 9 } as const;
    await cluster.setService('web', {
      endpoint: { algorithm: 'maglev', affinity, isLocalOnly: true },
    });
    expect(front(cluster)).toEqual({
      serviceId: 'web',
      serviceName: 'web-name',
      networkId: 'net',
      order: cluster.now,
      virtualAddress: '10.0.1.2/24',
      aliases: ['db'],
      ports: [],
      algorithm: 'maglev',
      affinity,
      isLocalOnly: true,
    });
  });

  it('have ports only in the ingress network, and only those published there', async () => {
    const cluster = await vote();
    await cluster.network('ingress', { isIngress: true }, '10.0.0.0/24');
    await cluster.setNode(
      '1',
      { networks: [{ networkId: 'ingress', address: '10.0.0.9/24' }] },
      'allocator',
    );
    const port = { name: '', protocol: 'tcp', targetPort: 80 } as const;
    const ports = [
      { ...port, publishedPort: 8080, publishMode: 'ingress' },
      { ...port, publishedPort: 8081, publishMode: 'host' },
    ] as const;
    const endpoint = {
      observedGeneration: 1,
      mode: 'vip',
      ports,
      virtualAddresses: [{ networkId: 'ingress', address: '10.0.0.2/24' }],
    } as const;
    const service = cluster.get(Service, 'web');
    const object = withStatus(service, { ...service.status, endpoint });
    await cluster.commit('allocator', { type: 'update', object });
    expect(value(cluster, '1', 'service', 'web/ingress')?.ports).toEqual([ports[0]]);
  });

  it('exist for dnsrr without an address, and not before a service is allocated', async () => {
    const cluster = await vote();
    const networks = [{ target: 'net' }];
    await cluster.service('rr', { task: { networks }, endpoint: { mode: 'dnsrr' } });
    await cluster.service('vip', { task: { networks } });
    expect(value(cluster, '1', 'service', 'rr/net')).not.toHaveProperty('virtualAddress');
    expect(keys(cluster, '1')).toContain('service rr/net');
    expect(keys(cluster, '1')).not.toContain('service vip/net');
  });

  it('of a service that is being deleted go with the last backend', async () => {
    const cluster = await vote();
    await cluster.setMeta(Service, 'web', { finalizers: ['allocator'] });
    await cluster.remove(Service, 'web');
    expect(front(cluster)).toBeDefined();
    await cluster.setTask('a', { state: 'failed' });
    await cluster.endpoints('web');
    expect(front(cluster)).toBeDefined();
    await cluster.setTask('b', { state: 'failed' });
    await cluster.endpoints('web');
    expect(front(cluster)).toBeUndefined();
  });
});

describe('peers', () => {
  it('are tasks from assigned until they end, and load balancers, of other nodes', async () => {
    const cluster = await vote();
    const peers = () => keys(cluster, '1').filter((key) => key.startsWith('peer'));
    await cluster.task('c', { nodeId: '2', status: { state: 'pending' } }, { net: '10.0.1.5/24' });
    await cluster.task('d', { nodeId: '2', status: { state: 'assigned' } }, { net: '10.0.1.6/24' });
    expect(peers()).toEqual(['peer net/10.0.1.253', 'peer net/10.0.1.4', 'peer net/10.0.1.6']);
    await cluster.setTask('b', { state: 'failed' });
    expect(peers()).toEqual(['peer net/10.0.1.253', 'peer net/10.0.1.6']);
    await cluster.setNode('2', { address: '' });
    expect(peers()).toEqual([]);
  });

  it('have one owner even if two claim an address: the load balancer, then the lower id', async () => {
    const cluster = await vote();
    await cluster.task('0', { nodeId: '3' }, { net: '10.0.1.4/24' });
    await cluster.task('x', { nodeId: '3' }, { net: '10.0.1.253/24' });
    expect(value(cluster, '1', 'peer', 'net/10.0.1.4')?.nodeId).toBe('3');
    expect(value(cluster, '1', 'peer', 'net/10.0.1.253')?.nodeId).toBe('2');
  });

  it('need no network object', async () => {
    const cluster = await vote();
    await cluster.remove(Network, 'net');
    expect(keys(cluster, '1')).not.toContain('network net');
    expect(cluster.get(Node, '1').status.networks).toHaveLength(1);
  });
});

describe('both families', () => {
  /** `vote`, and everything in it has an IPv6 address besides. */
  async function dual(): Promise<TestCluster> {
    const cluster = await vote();
    for (const [node, four] of [
      ['1', '10.0.1.254/24'],
      ['2', '10.0.1.253/24'],
    ] as const) {
      const networks = [four, `fd00::${node}:1/64`].map((address) => ({
        networkId: 'net',
        address,
      }));
      await cluster.setNode(node, { networks }, 'allocator');
    }
    const networks = [
      { networkId: 'net', addresses: ['10.0.1.4/24', 'fd00::4/64'], aliases: [] },
    ] as const;
    await cluster.setTask('b', { networks }, 'allocator');
    const service = cluster.get(Service, 'web');
    const endpoint = {
      ...(service.status.endpoint ?? { observedGeneration: 1, mode: 'vip', ports: [] }),
      virtualAddresses: ['10.0.1.2/24', 'fd00::2/64'].map((address) => {
        return { networkId: 'net', address };
      }),
    } as const;
    const object = withStatus(service, { ...service.status, endpoint });
    await cluster.commit('allocator', { type: 'update', object });
    return cluster;
  }

  it('are named side by side', async () => {
    const cluster = await dual();
    expect(value(cluster, '1', 'network', 'net')).toMatchObject({
      loadBalancerAddress: '10.0.1.254/24',
      loadBalancerAddress6: 'fd00::1:1/64',
    });
    expect(value(cluster, '1', 'service', 'web/net')).toMatchObject({
      virtualAddress: '10.0.1.2/24',
      virtualAddress6: 'fd00::2/64',
    });
    expect(keys(cluster, '1').filter((key) => key.startsWith('network'))).toHaveLength(1);
  });

  it('of an endpoint on another node have its one MAC address', async () => {
    const cluster = await dual();
    const peer = { networkId: 'net', nodeId: '2', tunnelAddress: '192.0.2.2' };
    expect(value(cluster, '1', 'peer', 'net/fd00::4')).toEqual({
      ...peer,
      address: 'fd00::4',
      macAddress: '02:42:0a:00:01:04',
    });
    expect(value(cluster, '1', 'peer', 'net/fd00::2:1')).toEqual({
      ...peer,
      address: 'fd00::2:1',
      macAddress: '02:42:0a:00:01:fd',
      isBalancer: true,
    });
    expect(value(cluster, '1', 'peer', 'net/10.0.1.4')).toEqual({ ...peer, address: '10.0.1.4' });
  });

  it('may be IPv6 alone', async () => {
    const cluster = await vote();
    const networks = [{ networkId: 'net', address: 'fd00::1:1/64' }];
    await cluster.setNode('1', { networks }, 'allocator');
    const network = value(cluster, '1', 'network', 'net');
    expect(network?.loadBalancerAddress).toBe('fd00::1:1/64');
    expect(network).not.toHaveProperty('loadBalancerAddress6');
  });
});
