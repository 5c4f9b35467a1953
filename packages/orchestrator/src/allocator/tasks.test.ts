import { describe, expect, it } from '@jest/globals';
import { Network, Node, Service, Task, withSpec, withStatus, type PortSpec } from '@skep/api';
import { AllocatorRig } from './__fixtures__/rig.js';

const HTTP: PortSpec = { targetPort: 80, publishedPort: 8080 };
const TINY = { ipam: { configs: [{ subnet: '10.7.0.0/30' }] } };

describe('addresses of tasks', () => {
  it('one in each network, ingress first; node-local ones have none', () => {
    const rig = new AllocatorRig()
      .ingress()
      .network('a')
      .network('host', {
        driver: { name: 'host' },
      });
    rig.settle().serviceOf('web', {
      task: {
        networks: [
          { target: 'a', aliases: ['www'] },
          { target: 'host' },
          { target: 'bridge' },
          { target: 'A', aliases: ['www', 'again'] },
        ],
      },
      endpoint: { ports: [HTTP] },
    });
    rig.tasks('web', 1).settle();
    expect(rig.get(Task, 'web.1').status.networks).toEqual([
      { networkId: 'ingress', addresses: ['10.0.0.3/24'], aliases: [] },
      { networkId: 'a', addresses: ['10.0.1.3/24'], aliases: ['www', 'again'] },
      { networkId: 'host', addresses: [], aliases: [] },
      { networkId: 'bridge', addresses: [], aliases: [] },
    ]);
    expect(rig.get(Task, 'web.1').status.state).toBe('pending');
  });

  it('a task without networks goes on without', () => {
    const rig = new AllocatorRig().service('job', []).tasks('job', 1).settle();
    const { state, networks } = rig.get(Task, 'job.1').status;
    expect({ state, networks }).toEqual({ state: 'pending', networks: undefined });
  });

  it('networks of the service, as Docker said it once', () => {
    const rig = new AllocatorRig().network('a').settle();
    rig
      .serviceOf('web', { task: {}, networks: [{ target: 'a' }] })
      .tasks('web', 1)
      .settle();
    expect(rig.virtual('web')).toEqual(['a=10.0.0.2/24']);
    expect(rig.addresses('web.1')).toEqual({ a: ['10.0.0.3/24'] });
  });

  it('in the order of age, service, slot, whatever the order of events', () => {
    const rig = new AllocatorRig().network('a').settle().service('b', ['a']).service('a', ['a']);
    rig.settle().tasks('b', 2, 1).tasks('a', 3);
    rig.now += 1;
    rig.tasks('a', 1).settle();
    const given = ['a.3', 'b.1', 'b.2', 'a.1'].map((id) => rig.addresses(id)['a']?.[0]);
    expect(given).toEqual(['10.0.0.4/24', '10.0.0.5/24', '10.0.0.6/24', '10.0.0.7/24']);
  });

  it('both families in a dual-stack network, all or none', () => {
    const rig = new AllocatorRig().network('a', {
      enablesIpv6: true,
      ipam: { configs: [{ subnet: '10.7.0.0/29' }, { subnet: 'fd00::/126' }] },
    });
    rig.settle().service('web', ['a']).tasks('web', 1, 2).settle();
    expect(rig.addresses('web.1')).toEqual({ a: ['10.7.0.3/29', 'fd00::3/126'] });
    expect(rig.get(Task, 'web.2').status.pending?.code).toBe('addresses-exhausted');
    // The IPv4 address that it could have had is not lost.
    expect(rig.get(Network, 'a').status.subnets[0]?.lastAddress).toBe('10.7.0.3');
  });

  it('from the next subnet when one is full', () => {
    const rig = new AllocatorRig().network('a', {
      ipam: { configs: [{ subnet: '10.7.0.0/30' }, { subnet: '10.8.0.0/24' }] },
    });
    rig.settle().service('web', ['a']).tasks('web', 1).settle();
    expect(rig.virtual('web')).toEqual(['a=10.7.0.2/30']);
    expect(rig.addresses('web.1')).toEqual({ a: ['10.8.0.2/24'] });
  });

  it('not for a task that nobody wants any more', () => {
    const rig = new AllocatorRig().network('a').settle().service('web', ['a']).settle();
    rig.task('gone', { serviceId: 'web', serviceName: 'web', desiredState: 'remove' }).settle();
    expect(rig.get(Task, 'gone').status.state).toBe('new');
    expect(rig.get(Network, 'a').status.subnets[0]?.lastAddress).toBe('10.0.0.2');
  });
});

describe('tasks that wait', () => {
  it('for the endpoint of their generation, and say why when it fails', () => {
    const rig = new AllocatorRig().ingress().settle();
    rig.service('first', [], [HTTP]).settle().service('web', [], [HTTP]).tasks('web', 1).settle();
    const conflict = "port 8080/tcp (ingress) is published by service 'first' already";
    expect(rig.get(Task, 'web.1').status).toMatchObject({
      state: 'new',
      pending: { code: 'service-not-allocated', message: `service 'web' waits: ${conflict}` },
    });
    rig.respec('first', ({ task }) => ({ task })).settle();
    const { state, pending } = rig.get(Task, 'web.1').status;
    expect({ state, pending }).toEqual({ state: 'pending', pending: undefined });
  });

  it('do not wait for a generation after their own', () => {
    const rig = new AllocatorRig().network('a').settle().service('web', ['a']).settle();
    rig.tasks('web', 1).respec('web', () => ({ task: { networks: [{ target: 'none-such' }] } }));
    rig.settle();
    expect(rig.addresses('web.1')).toEqual({ a: ['10.0.0.3/24'] });
    rig.tasks('web', 2).settle();
    expect(rig.get(Task, 'web.2').status.pending).toEqual({
      code: 'service-not-allocated',
      message: "service 'web' waits: network 'none-such' does not exist",
    });
  });

  it('for an address, and are woken by the one that is freed', () => {
    const rig = new AllocatorRig().network('a', TINY).settle();
    rig.task('t1', { template: { networks: [{ target: 'a' }] } }).settle();
    rig.task('t2', { template: { networks: [{ target: 'a' }] } }).settle();
    expect(rig.addresses('t1')).toEqual({ a: ['10.7.0.2/30'] });
    const { pending } = rig.get(Task, 't2').status;
    expect(pending?.code).toBe('addresses-exhausted');
    expect(pending?.message).toContain("no free address in network 'a' (10.7.0.0/30)");
    const { revision } = rig.store.view();
    rig.passTime(3_600_000).settle();
    expect(rig.store.view().revision).toBe(revision);
    rig.update(Task, 't1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle();
    expect(rig.get(Task, 't1').status.releasedAt).toBe(rig.now);
    expect(rig.get(Task, 't2').status.state).toBe('new');
    rig.passTime(5_000).settle();
    expect(rig.addresses('t2')).toEqual({ a: ['10.7.0.2/30'] });
  });

  it('for a network that does not exist yet', () => {
    const rig = new AllocatorRig();
    rig.task('t1', { template: { networks: [{ target: 'Late' }] } }).settle();
    expect(rig.get(Task, 't1').status.pending).toEqual({
      code: 'network-not-found',
      message: "network 'Late' does not exist",
    });
    rig.network('late').settle();
    expect(rig.addresses('t1')).toEqual({ late: ['10.0.0.2/24'] });
  });
});

describe('stand-alone attachments', () => {
  function attach(rig: AllocatorRig, id: string, ...addresses: readonly string[]): AllocatorRig {
    const attachment = { target: 'a', ...(addresses.length > 0 ? { addresses } : {}) };
    const template = { runtime: 'attachment' as const, networks: [attachment] };
    return rig.task(id, { template }).settle();
  }

  it('get the address they ask for', () => {
    const rig = new AllocatorRig().network('a', { isAttachable: true }).settle();
    attach(rig, 't1', '10.0.0.77');
    attach(rig, 't2');
    expect(rig.addresses('t1')).toEqual({ a: ['10.0.0.77/24'] });
    expect(rig.addresses('t2')).toEqual({ a: ['10.0.0.2/24'] });
  });

  it.each([
    ['10.0.0.2', 'address-in-use', "address 10.0.0.2 of network 'a' is used by service 'web'"],
    ['10.0.0.3', 'address-in-use', "address 10.0.0.3 of network 'a' is used by task 'web.1.web.1'"],
    ['10.0.0.4', 'address-in-use', "address 10.0.0.4 of network 'a' is used by node 'n1'"],
    ['10.0.0.1', 'address-in-use', "address 10.0.0.1 of network 'a' is reserved"],
    ['10.0.1.1', 'invalid-address', "address '10.0.1.1' is not in network 'a'"],
    ['ten', 'invalid-address', "address 'ten' is not in network 'a'"],
  ])('cannot have %s: %s', (address, code, message) => {
    const rig = new AllocatorRig().network('a', { isAttachable: true }).node('n1').settle();
    rig.service('web', ['a']).settle().tasks('web', 1).settle().runs('web.1', 'n1').settle();
    attach(rig, 't1', address);
    expect(rig.get(Task, 't1').status.pending).toEqual({ code, message });
  });

  it('need an attachable network', () => {
    const rig = attach(new AllocatorRig().network('a').settle(), 't1');
    expect(rig.get(Task, 't1').status.pending).toEqual({
      code: 'network-not-attachable',
      message: "network 'a' is not attachable",
    });
    rig.update(Network, 'a', 'user', (network) => withSpec(network, { isAttachable: true }));
    rig.settle();
    expect(rig.addresses('t1')).toEqual({ a: ['10.0.0.2/24'] });
  });

  it('free the address when they end, and it rests', () => {
    const rig = new AllocatorRig().network('a', { isAttachable: true }).node('n1').settle();
    attach(rig, 't1', '10.0.0.77').runs('t1', 'n1').settle();
    rig.ends('t1').applied().settle();
    attach(rig, 't2', '10.0.0.77');
    expect(rig.get(Task, 't2').status.pending?.message).toBe(
      "address 10.0.0.77 of network 'a' is in quarantine",
    );
    rig.passTime(5_000).settle();
    expect(rig.addresses('t2')).toEqual({ a: ['10.0.0.77/24'] });
  });
});

describe('load-balancer addresses of nodes', () => {
  it('in ingress for every node, in overlays from the first task to the last', () => {
    const rig = new AllocatorRig().ingress().network('a').settle().node('n1').node('n2').settle();
    const networks = (id: string): readonly string[] =>
      (rig.get(Node, id).status.networks ?? []).map((one) => `${one.networkId}=${one.address}`);
    expect(networks('n1')).toEqual(['ingress=10.0.0.2/24']);
    expect(networks('n2')).toEqual(['ingress=10.0.0.3/24']);
    rig.service('web', ['a']).tasks('web', 1, 2).settle().runs('web.1', 'n2').settle();
    rig.runs('web.2', 'n2').settle();
    expect(networks('n2')).toEqual(['a=10.0.1.5/24', 'ingress=10.0.0.3/24']);
    rig.ends('web.1').drained('web.1').applied().settle();
    expect(networks('n2')).toHaveLength(2);
    rig.ends('web.2').drained('web.2').settle();
    expect(networks('n2')).toHaveLength(2);
    rig.applied().settle();
    expect(networks('n2')).toEqual(['ingress=10.0.0.3/24']);
    expect(networks('n1')).toEqual(['ingress=10.0.0.2/24']);
  });

  it('defect 23: wait for an address like everything else, and say so', () => {
    const rig = new AllocatorRig().network('a', TINY).node('n1').settle();
    rig
      .task('t1', { template: { networks: [{ target: 'a' }] } })
      .settle()
      .runs('t1', 'n1')
      .settle();
    expect(rig.condition(Node, 'n1')).toMatchObject({ reason: 'AddressesExhausted' });
    rig.ends('t1').applied().settle();
    expect(rig.get(Task, 't1').status.releasedAt).toBe(rig.now);
    expect(rig.condition(Node, 'n1')?.status).toBe('true');
    rig
      .task('t2', { template: { networks: [{ target: 'host' }] } })
      .settle()
      .runs('t2', 'n1');
    rig.settle();
    expect(rig.get(Node, 'n1').status.networks ?? []).toEqual([]);
  });

  it('defect 23: an address that is freed goes to the node though the node did not change', () => {
    const rig = new AllocatorRig().network('a', {
      ipam: { configs: [{ subnet: '10.7.0.0/29' }] },
    });
    rig.node('n1').settle().service('web', ['a']).tasks('web', 1, 2, 3, 4).settle();
    rig.runs('web.1', 'n1').settle();
    expect(rig.condition(Node, 'n1')?.status).toBe('false');
    rig.update(Task, 'web.4', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle().passTime(5_000).settle();
    expect(rig.get(Node, 'n1').status.networks).toEqual([
      { networkId: 'a', address: '10.7.0.6/29' },
    ]);
    expect(rig.condition(Node, 'n1')?.status).toBe('true');
  });

  it('stay while the node is down and its tasks are not given up', () => {
    const rig = new AllocatorRig().network('a').node('n1').node('n2').settle();
    rig.service('web', ['a']).tasks('web', 1).settle().runs('web.1', 'n1').settle();
    rig.update(Node, 'n1', 'dispatcher', (node) =>
      withStatus(node, { ...node.status, state: 'down' }),
    );
    rig.update(Task, 'web.1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'shutdown' }),
    );
    rig.drained('web.1').settle().passTime(60_000).settle();
    expect(rig.get(Node, 'n1').status.networks).toHaveLength(1);
    expect(rig.get(Task, 'web.1').status.releasedAt).toBeUndefined();
    rig.update(Task, 'web.1', 'dispatcher', (task) =>
      withStatus(task, { ...task.status, state: 'orphaned' }),
    );
    rig.settle();
    expect(rig.get(Task, 'web.1').status.releasedAt).toBe(rig.now);
    expect(rig.get(Node, 'n1').status.networks).toEqual([]);
    rig.passTime(5_000).settle();
    expect(rig.quarantine('a')).toEqual([]);
    expect(rig.has(Service, 'web')).toBe(true);
  });
});
