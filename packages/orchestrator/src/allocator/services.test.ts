import { describe, expect, it } from '@jest/globals';
import { Cluster, Network, Service, Task, withSpec, type PortSpec } from '@skep/api';
import { AllocatorRig } from './__fixtures__/rig.js';

/** A network of two addresses beside the gateway: 10.7.0.2 … 10.7.0.`2 + room - 1`. */
function small(room: number): { readonly ipam: { readonly configs: [{ subnet: string }] } } {
  const length = { 1: 30, 5: 29 }[room] ?? 28;
  return { ipam: { configs: [{ subnet: `10.7.0.0/${length}` }] } };
}

const HTTP: PortSpec = { targetPort: 80, publishedPort: 8080 };

describe('virtual addresses', () => {
  it('one in each overlay network, and one in ingress for published ports', () => {
    const rig = new AllocatorRig().ingress().network('a').network('b').settle();
    rig.service('web', ['a', 'b'], [HTTP]).service('db', ['b']).settle();
    expect(rig.virtual('web')).toEqual(['ingress=10.0.0.2/24', 'a=10.0.1.2/24', 'b=10.0.2.3/24']);
    expect(rig.virtual('db')).toEqual(['b=10.0.2.2/24']);
    expect(rig.condition(Service, 'web')).toMatchObject({ status: 'true', message: '' });
  });

  it('none for dnsrr, for host ports and for node-local networks', () => {
    const rig = new AllocatorRig().ingress().network('a').settle();
    rig.serviceOf('dns', {
      task: { networks: [{ target: 'a' }] },
      endpoint: { mode: 'dnsrr', ports: [{ targetPort: 1, publishMode: 'host' }] },
    });
    rig.service('local', ['host', 'bridge'], [{ targetPort: 53, publishMode: 'host' }]);
    rig.settle();
    expect(rig.virtual('dns')).toEqual([]);
    expect(rig.get(Service, 'dns').status.endpoint?.mode).toBe('dnsrr');
    expect(rig.virtual('local')).toEqual([]);
  });

  it('of both families in a dual-stack network', () => {
    const rig = new AllocatorRig({ addressPools: ['10.0.0.0/8', 'fd00::/48'] });
    rig.network('a', { enablesIpv6: true }).settle().service('web', ['a']).settle();
    expect(rig.virtual('web')).toEqual(['a=10.0.0.2/24', 'a=fd00::2/64']);
  });

  it('of the network by name or id, compared without case, and once only', () => {
    const rig = new AllocatorRig().network('Front').settle();
    rig.service('web', ['front', 'Front']).settle();
    expect(rig.virtual('web')).toEqual(['Front=10.0.0.2/24']);
  });

  it('stay when the spec changes, whatever else it wants', () => {
    const rig = new AllocatorRig().network('a').network('b').settle();
    rig.service('web', ['a']).settle().service('other', ['a']).settle();
    rig.respec('web', () => ({ task: { networks: [{ target: 'b' }, { target: 'a' }] } })).settle();
    expect(rig.virtual('web')).toEqual(['b=10.0.1.2/24', 'a=10.0.0.2/24']);
    expect(rig.get(Service, 'web').status.endpoint?.observedGeneration).toBe(2);
    expect(rig.quarantine('a')).toEqual([]);
  });

  it('wait for their network without complaint, and are given when it is there', () => {
    const rig = new AllocatorRig().service('web', ['a']).settle();
    expect(rig.condition(Service, 'web')).toMatchObject({
      reason: 'NetworkNotFound',
      message: "network 'a' does not exist",
    });
    rig.network('a').settle();
    expect(rig.virtual('web')).toEqual(['a=10.0.0.2/24']);
    expect(rig.condition(Service, 'web')?.status).toBe('true');
  });

  it.each([
    {
      about: 'no ingress network',
      ports: [HTTP],
      networks: [],
      reason: 'NetworkNotFound',
      message: 'ports are published in ingress mode, and there is no ingress network',
    },
    {
      about: 'network without addresses',
      ports: [],
      networks: ['bad'],
      reason: 'NetworkNotAllocated',
      message: "network 'bad' has no addresses: subnet 'x' is not a range such as 10.0.9.0/24",
    },
    {
      about: 'config-only network',
      ports: [],
      networks: ['template'],
      reason: 'NetworkNotAttachable',
      message: "network 'template' is a configuration only; attach to a network made from it",
    },
  ])('cannot be had: $about', ({ ports, networks, reason, message }) => {
    const rig = new AllocatorRig().network('template', { isConfigOnly: true });
    rig.network('bad', { ipam: { configs: [{ subnet: 'x' }] } }).settle();
    rig.service('web', networks, ports).settle();
    expect(rig.condition(Service, 'web')).toMatchObject({ status: 'false', reason, message });
    expect(rig.get(Service, 'web').status.endpoint).toBeUndefined();
  });

  it('and ingress ports cannot be had with dnsrr', () => {
    const rig = new AllocatorRig().ingress().settle();
    rig.serviceOf('web', { task: {}, endpoint: { mode: 'dnsrr', ports: [HTTP] } }).settle();
    expect(rig.condition(Service, 'web')).toMatchObject({
      reason: 'InvalidEndpoint',
      message: 'port 80 is published in ingress mode, which needs endpoint mode vip, not dnsrr',
    });
  });
});

describe('defect 22: a failed update leaves the service what it has', () => {
  it('keeps VIPs and ports, gives them to nobody else, and goes on when it can', () => {
    const rig = new AllocatorRig().ingress().network('a').network('full', small(1)).settle();
    rig.service('hog', ['full']).service('web', ['a'], [HTTP]).settle();
    const before = rig.get(Service, 'web').status.endpoint;
    rig.respec('web', () => ({
      task: { networks: [{ target: 'full' }] },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 9090 }] },
    }));
    rig.settle();
    expect(rig.get(Service, 'web').status.endpoint).toEqual(before);
    expect(rig.condition(Service, 'web')).toMatchObject({
      status: 'false',
      reason: 'AddressesExhausted',
      observedGeneration: 2,
    });
    expect(rig.condition(Service, 'web')?.message).toContain(
      "no free address in network 'full' (10.7.0.0/30)",
    );
    rig.service('thief', ['a'], [HTTP]).settle();
    expect(rig.condition(Service, 'thief')).toMatchObject({
      reason: 'PortConflict',
      message: "port 8080/tcp (ingress) is published by service 'web' already",
    });
    rig.service('honest', ['a'], [{ targetPort: 80, publishedPort: 9090 }]).settle();
    expect(rig.virtual('honest')).toEqual(['ingress=10.0.0.3/24', 'a=10.0.1.3/24']);

    rig.remove(Service, 'hog').remove(Service, 'honest');
    rig.dropOrchestrator('hog').dropOrchestrator('honest').settle().passTime(5_000).settle();
    expect(rig.virtual('web')).toEqual(['ingress=10.0.0.2/24', 'full=10.7.0.2/30']);
    expect(rig.ports('web')).toEqual([9090]);
    expect(rig.ports('thief')).toEqual([8080]);
  });
});

describe('defect 22: what a failed service took for a moment', () => {
  it('goes to the next in the same pass', () => {
    const rig = new AllocatorRig().ingress().network('a').network('full', small(1)).settle();
    rig.service('hog', ['full']).settle();
    rig.service('app', ['a', 'full'], [{ targetPort: 1 }]);
    rig.service('db', ['a'], [{ targetPort: 1 }]).settle();
    expect(rig.get(Service, 'app').status.endpoint).toBeUndefined();
    expect(rig.virtual('db')).toEqual(['ingress=10.0.0.2/24', 'a=10.0.1.2/24']);
    expect(rig.ports('db')).toEqual([30000]);
  });
});

describe('ports of services', () => {
  it('are sticky, and come in turn', () => {
    const rig = new AllocatorRig().ingress().settle();
    rig.service('a', [], [{ targetPort: 80 }]).settle();
    rig.service('b', [], [{ targetPort: 80 }]).settle();
    expect([...rig.ports('a'), ...rig.ports('b')]).toEqual([30000, 30001]);
    rig.respec('a', ({ task }) => ({
      task,
      endpoint: { ports: [{ targetPort: 443 }, { targetPort: 80 }] },
    }));
    rig.settle();
    expect(rig.ports('a')).toEqual([30002, 30000]);
  });

  it('follow another range of dynamic numbers, and what is published stays so', () => {
    const rig = new AllocatorRig().ingress().settle();
    rig.service('a', [], [{ targetPort: 80 }]).settle();
    rig.isLate = true;
    rig.update(Cluster, 'cluster', 'user', (cluster) =>
      withSpec(cluster, { dynamicPorts: { first: 29_999, last: 30_000 } }),
    );
    rig.service('b', [], [{ targetPort: 80 }]).settle();
    expect(rig.ports('b')).toEqual([29999]);
    rig.service('c', [], [{ targetPort: 80 }]).settle();
    expect(rig.condition(Service, 'c')?.reason).toBe('PortsExhausted');
    rig.respec('a', ({ task }) => ({ task })).settle();
    expect(rig.ports('c')).toEqual([30000]);
  });

  it('conflict with host ports of others, and go on when those are gone', () => {
    const rig = new AllocatorRig().ingress().settle();
    const host: PortSpec = { targetPort: 1, publishedPort: 8080, publishMode: 'host' };
    rig.service('a', [], [host]).service('b', [], [host]).settle();
    rig.service('c', [], [HTTP]).settle();
    expect(rig.condition(Service, 'c')?.message).toBe(
      "port 8080/tcp (ingress) is published by service 'a' already",
    );
    rig.respec('a', ({ task }) => ({ task })).settle();
    expect(rig.condition(Service, 'c')?.message).toBe(
      "port 8080/tcp (ingress) is published by service 'b' already",
    );
    rig.respec('b', ({ task }) => ({ task })).settle();
    expect(rig.ports('c')).toEqual([8080]);
    rig.service('d', [], [host]).settle();
    expect(rig.condition(Service, 'd')?.message).toBe(
      "port 8080/tcp (host) is published by service 'c' already",
    );
  });

  it.each([
    {
      about: 'twice',
      ports: [HTTP, { targetPort: 81, publishedPort: 8080 }],
      reason: 'PortConflict',
      message: 'port 8080/tcp is asked for twice',
    },
    {
      about: 'no port',
      ports: [{ targetPort: 81, publishedPort: 70_000 }],
      reason: 'InvalidEndpoint',
      message: 'port 70000 is not between 1 and 65535',
    },
    {
      about: 'too many',
      ports: [1, 2, 3].map((targetPort): PortSpec => ({ targetPort, protocol: 'udp' })),
      reason: 'PortsExhausted',
      message: 'no udp port from 30000 to 30001 is free',
    },
  ])('are refused: $about', ({ ports, reason, message }) => {
    const rig = new AllocatorRig({ dynamicPorts: { first: 30_000, last: 30_001 } });
    rig.ingress().settle().service('web', [], ports).settle();
    expect(rig.condition(Service, 'web')).toMatchObject({ reason, message });
    rig.service('next', [], [{ targetPort: 1, protocol: 'udp' }]).settle();
    expect(rig.ports('next')).toEqual([30000]);
  });
});

describe('addresses that a service gives up', () => {
  function running(): AllocatorRig {
    const rig = new AllocatorRig().ingress().network('a').node('n1').node('n2').settle();
    rig.service('web', ['a'], [HTTP]).tasks('web', 1, 2).settle();
    rig.runs('web.1', 'n1').runs('web.2', 'n2').settle();
    return rig.applied().settle();
  }

  it('are held until every node has applied it, then rest for the time to live of names', () => {
    const rig = running();
    rig.respec('web', ({ task }) => ({ task, endpoint: { mode: 'dnsrr' } })).settle();
    expect(rig.virtual('web')).toEqual([]);
    const held = rig.get(Network, 'a').status.quarantine;
    expect(held).toEqual([
      { address: '10.0.1.2', until: Number.MAX_SAFE_INTEGER, removedIn: expect.any(Number) },
    ]);
    rig.passTime(60_000).settle();
    rig.applied('n1').settle();
    expect(rig.get(Network, 'a').status.quarantine).toEqual(held);
    rig.applied('n2').settle();
    expect(rig.get(Network, 'a').status.quarantine).toEqual([
      { address: '10.0.1.2', until: rig.now + 5_000 },
    ]);
    rig.passTime(4_999).settle();
    expect(rig.quarantine('a')).toEqual(['10.0.1.2']);
    rig.passTime(1).settle();
    expect(rig.quarantine('a')).toEqual([]);
    expect(rig.quarantine('ingress')).toEqual([]);
    expect(rig.times.size).toBe(0);
  });

  it('ports too: nobody else gets one before every node has applied it', () => {
    const rig = running();
    rig.respec('web', ({ task }) => ({
      task,
      endpoint: { ports: [{ ...HTTP, publishedPort: 1 }] },
    }));
    // In one pass: the one gives the port up that the other wants.
    rig.service('next', [], [HTTP]).settle();
    expect(rig.ports('web')).toEqual([1]);
    expect(rig.get(Service, 'web').status.endpoint?.heldPorts).toMatchObject([
      { publishedPort: 8080, publishMode: 'ingress' },
    ]);
    expect(rig.condition(Service, 'next')).toMatchObject({ status: 'false' });
    rig.service('other', [], [{ ...HTTP, targetPort: 3 }]).settle();
    expect(rig.condition(Service, 'other')?.message).toBe(
      "port 8080/tcp (ingress) was given up by service 'web', and tables still have it",
    );
    rig.applied('n1').settle();
    expect(rig.ports('next')).toEqual([]);
    rig.applied('n2').settle();
    expect(rig.ports('next')).toEqual([8080]);
    expect(rig.get(Service, 'web').status.endpoint?.heldPorts).toBeUndefined();
    expect(rig.condition(Service, 'next')?.status).toBe('true');
  });

  it('a dynamic port does not keep a number that another service was let in with', () => {
    const rig = running();
    rig.respec('web', ({ task }) => ({ task, endpoint: { ports: [] } }));
    // Let in while nobody declares the port; then the first wants any port again.
    rig.service('next', [], [HTTP]);
    rig.respec('web', ({ task }) => ({ task, endpoint: { ports: [{ targetPort: 80 }] } })).settle();
    rig.applied().settle();
    expect([rig.ports('web'), rig.ports('next')]).toEqual([[30_000], [8080]]);
  });

  it('ports come back to the service that gave them up, at any time', () => {
    const rig = running();
    rig.respec('web', ({ task }) => ({ task })).settle();
    expect(rig.ports('web')).toEqual([]);
    rig.respec('web', ({ task }) => ({ task, endpoint: { ports: [HTTP] } })).settle();
    expect(rig.ports('web')).toEqual([8080]);
    expect(rig.get(Service, 'web').status.endpoint?.heldPorts).toBeUndefined();
    rig.remove(Service, 'web').dropOrchestrator('web').settle();
    rig.service('next', [], [HTTP]).settle();
    expect(rig.ports('next')).toEqual([]);
    rig.applied().settle();
    expect(rig.ports('next')).toEqual([8080]);
  });

  it('go back when the service left one network', () => {
    const rig = running().network('b').settle();
    rig.respec('web', (spec) => ({ ...spec, task: { networks: [{ target: 'b' }] } })).settle();
    expect(rig.virtual('web')).toEqual(['ingress=10.0.0.4/24', 'b=10.0.2.2/24']);
    expect(rig.quarantine('a')).toEqual(['10.0.1.2']);
  });

  it('go back at the end of the service once that is in force, with its ports (defect 2)', () => {
    const rig = running().remove(Service, 'web').settle();
    for (const id of ['web.1', 'web.2']) rig.ends(id).drained(id);
    rig.applied().settle();
    expect([...rig.quarantine('a')].sort()).toEqual([
      '10.0.1.3',
      '10.0.1.4',
      '10.0.1.5',
      '10.0.1.6',
    ]);
    rig.remove(Task, 'web.1').remove(Task, 'web.2').dropOrchestrator('web').settle();
    expect(rig.has(Service, 'web')).toBe(true);
    rig.service('next', [], [HTTP]).settle();
    expect(rig.condition(Service, 'next')?.message).toContain("by service 'web' already");
    rig.applied('n1').settle();
    expect(rig.has(Service, 'web')).toBe(true);
    rig.applied('n2').settle();
    expect(rig.has(Service, 'web')).toBe(false);
    expect(rig.quarantine('ingress')).toContain('10.0.0.4');
    expect(rig.quarantine('a')).toContain('10.0.1.2');
    expect(rig.ports('next')).toEqual([8080]);
  });

  it('wait for other finalizers', () => {
    const rig = new AllocatorRig().network('a').settle().service('web', ['a']).settle();
    rig.remove(Service, 'web').settle();
    expect(rig.has(Service, 'web')).toBe(true);
    rig.dropOrchestrator('web').settle();
    expect(rig.has(Service, 'web')).toBe(false);
    expect(rig.quarantine('a')).toEqual(['10.0.0.2']);
  });
});
