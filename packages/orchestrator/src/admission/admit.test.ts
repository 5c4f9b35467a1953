import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  Config,
  Network,
  Node,
  Secret,
  Service,
  Volume,
  newObject,
  withMeta,
  withSpec,
  type NetworkSpec,
  type ServiceSpec,
  type StoredObject,
} from '@skep/api';
import { World } from '../service/__fixtures__/world.js';
import { admit } from './admit.js';
import { admissionError, describeComplaint } from './complaint.js';

const base64 = (bytes: number): string => Buffer.alloc(bytes, 1).toString('base64');

function world(): World {
  const made = new World();
  made.node('n1', { role: 'manager' });
  const network = (id: string, spec: NetworkSpec): StoredObject =>
    newObject(Network, { id, name: id, spec });
  made.put(network('ingress', { isIngress: true }));
  made.put(network('net', { ipam: { configs: [{ subnet: '10.5.0.0/24' }] } }));
  made.put(newObject(Secret, { id: 'sid', name: 'secret', spec: { data: 'AA==' } }));
  made.put(newObject(Config, { id: 'cid', name: 'config', spec: { data: 'AA==' } }));
  made.service({ endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] } }, 'web');
  made.service(
    { endpoint: { ports: [{ targetPort: 53, publishedPort: 53, publishMode: 'host' }] } },
    'dns',
  );
  return made;
}

const CONTAINER = { image: 'nginx:1.27' };

/** Fields that a new service with this spec is refused for. */
function faults(spec: Partial<ServiceSpec>, name = 'new'): readonly string[] {
  const object = newObject(Service, {
    id: 'new',
    name,
    spec: { task: { container: CONTAINER }, ...spec },
  });
  return admit(world().view(), { type: 'create', object }).map(({ field }) => field);
}

const task = (more: ServiceSpec['task']): Partial<ServiceSpec> => ({
  task: { container: CONTAINER, ...more },
});
const container = (more: object): Partial<ServiceSpec> =>
  task({ container: { ...CONTAINER, ...more } });
const ports = (...list: NonNullable<NonNullable<ServiceSpec['endpoint']>['ports']>) => ({
  endpoint: { ports: list },
});
const file = (name: string): { name: string; uid: string; gid: string; mode: number } => {
  return { name, uid: '0', gid: '0', mode: 292 };
};

describe('services that are let in', () => {
  it.each<[string, Partial<ServiceSpec>]>([
    ['nothing but an image', {}],
    ['no tasks', { mode: { type: 'replicated', replicas: 0 } }],
    ['a digest', container({ image: `reg.io:5000/a/b_c@sha256:${'0'.repeat(64)}` })],
    ['a host and a tag', container({ image: 'localhost/x:RELEASE.2023-12-20T01-00-02Z' })],
    [
      'the least resources',
      task({ resources: { limits: { cpuNanos: 1e6, memoryBytes: 4194304 } } }),
    ],
    ['no limits', task({ resources: { limits: { cpuNanos: 0, memoryBytes: 0 } } })],
    ['a network by name', task({ networks: [{ target: 'NET' }] })],
    [
      'host ports beside host ports',
      ports({ targetPort: 53, publishedPort: 53, publishMode: 'host' }),
    ],
    [
      'the same number in another protocol',
      ports({ targetPort: 1, publishedPort: 8080, protocol: 'udp' }),
    ],
    ['dynamic ports', ports({ targetPort: 1 }, { targetPort: 1 })],
    [
      'dnsrr with host ports',
      { endpoint: { mode: 'dnsrr', ports: [{ targetPort: 1, publishMode: 'host' }] } },
    ],
    ['a job', { mode: { type: 'replicated-job', maxConcurrent: 2, totalCompletions: 5 } }],
    [
      'a mount without target, as Docker does',
      container({ mounts: [{ type: 'volume', target: '' }] }),
    ],
    [
      'files',
      container({
        secrets: [{ secretId: 'sid', secretName: 'secret', file: file('a') }],
        configs: [{ configId: '', configName: 'CONFIG', file: file('a') }],
      }),
    ],
    ['a plugin', { task: { runtime: 'plugin', plugin: { remote: 'vendor/plugin' } } }],
  ])('%s', (_name, spec) => {
    expect(faults(spec)).toEqual([]);
  });
});

describe('services that are refused', () => {
  const update = (config: object): Partial<ServiceSpec> => ({ update: config });
  it.each<[string, Partial<ServiceSpec>, readonly string[]]>([
    ['replicas below zero', { mode: { type: 'replicated', replicas: -1 } }, ['spec.mode.replicas']],
    ['half a replica', { mode: { type: 'replicated', replicas: 1.5 } }, ['spec.mode.replicas']],
    ['an unknown mode', { mode: { type: 'daemon' } as never }, ['spec.mode.type']],
    [
      'a job that asks for less than nothing',
      { mode: { type: 'replicated-job', maxConcurrent: -1, totalCompletions: -2 } },
      ['spec.mode.maxConcurrent', 'spec.mode.totalCompletions'],
    ],
    ['a job with update settings', { mode: { type: 'global-job' }, update: {} }, ['spec.update']],
    ['no container', { task: {} }, ['spec.task.container']],
    ['an empty image', container({ image: '' }), ['spec.task.container.image']],
    ['an image with capitals', container({ image: 'Nginx' }), ['spec.task.container.image']],
    ['an image with blanks', container({ image: 'a b' }), ['spec.task.container.image']],
    ['an attachment', { task: { runtime: 'attachment' } }, ['spec.task.runtime']],
    ['a nameless plugin', { task: { runtime: 'plugin' } }, ['spec.task.plugin']],
    [
      'too little',
      task({ resources: { limits: { cpuNanos: 1 }, reservations: { memoryBytes: 1024 } } }),
      ['spec.task.resources.limits.cpuNanos', 'spec.task.resources.reservations.memoryBytes'],
    ],
    [
      'defect 14: generic resources',
      task({
        resources: {
          reservations: {
            generic: [
              { kind: 'gpu', count: 0 },
              { kind: 'gpu', count: 1 },
              { kind: 'fpga', ids: ['f1'] },
              { kind: '', count: 1 },
            ],
          },
        },
      }),
      [
        'spec.task.resources.reservations.generic[0].count',
        'spec.task.resources.reservations.generic[1].kind',
        'spec.task.resources.reservations.generic[2]',
        'spec.task.resources.reservations.generic[3].kind',
      ],
    ],
    [
      'every constraint that is wrong',
      task({ placement: { constraints: ['node.role==manager', 'nodeabc', 'a ~ b'] } }),
      ['spec.task.placement.constraints[1]', 'spec.task.placement.constraints[2]'],
    ],
    [
      'a negative limit per node',
      task({ placement: { maxReplicasPerNode: -1 } }),
      ['spec.task.placement.maxReplicasPerNode'],
    ],
    [
      'a restart policy out of range',
      task({
        restartPolicy: { delayMs: -1, windowMs: -1, maxAttempts: -1, condition: 'x' as 'any' },
      }),
      [
        'spec.task.restartPolicy.condition',
        'spec.task.restartPolicy.delayMs',
        'spec.task.restartPolicy.windowMs',
        'spec.task.restartPolicy.maxAttempts',
      ],
    ],
    [
      'update settings out of range',
      update({
        parallelism: -1,
        delayMs: -1,
        monitorMs: -1,
        maxFailureRatio: 1.1,
        progressDeadlineMs: 0,
      }),
      [
        'spec.update.parallelism',
        'spec.update.delayMs',
        'spec.update.monitorMs',
        'spec.update.progressDeadlineMs',
        'spec.update.maxFailureRatio',
      ],
    ],
    [
      'unknown words',
      update({ order: 'x', failureAction: 'y' }),
      ['spec.update.failureAction', 'spec.update.order'],
    ],
    [
      'defect 12: rollback settings',
      { rollback: { maxFailureRatio: 2 } },
      ['spec.rollback.maxFailureRatio'],
    ],
    [
      'mounts',
      container({
        mounts: [
          { type: 'volume', target: '/a' },
          { type: 'tmpfs', target: '/a', source: 'x' },
          { type: 'bind', target: '/b' },
        ],
      }),
      [
        'spec.task.container.mounts[1].target',
        'spec.task.container.mounts[1].source',
        'spec.task.container.mounts[2].source',
      ],
    ],
    [
      'health check times',
      container({ healthCheck: { test: [], intervalMs: 0.5, timeoutMs: -1, retries: -1 } }),
      [
        'spec.task.container.healthCheck.intervalMs',
        'spec.task.container.healthCheck.timeoutMs',
        'spec.task.container.healthCheck.retries',
      ],
    ],
    [
      'files that are not there, or collide',
      container({
        secrets: [
          { secretId: '', secretName: 'none', file: file('a') },
          { secretId: 'sid', secretName: 'secret', file: file('a') },
        ],
        configs: [{ configId: 'gone', configName: 'config', file: file('b') }],
      }),
      [
        'spec.task.container.secrets[0]',
        'spec.task.container.secrets[1].file.name',
        'spec.task.container.configs[0]',
      ],
    ],
    [
      'networks',
      task({
        networks: [
          { target: 'none' },
          { target: 'ingress' },
          { target: 'net' },
          { target: 'net', addresses: ['10.5.0.9'] },
        ],
      }),
      [
        'spec.task.networks[0].target',
        'spec.task.networks[1].target',
        'spec.task.networks[3].target',
        'spec.task.networks[3].addresses',
      ],
    ],
    [
      'an ingress port that is taken',
      ports({ targetPort: 1, publishedPort: 8080 }),
      ['spec.endpoint.ports[0].publishedPort'],
    ],
    [
      'a host port that another service has in ingress',
      ports({ targetPort: 1, publishedPort: 8080, publishMode: 'host' }),
      ['spec.endpoint.ports[0].publishedPort'],
    ],
    [
      'an ingress port that another service has on its hosts',
      ports({ targetPort: 1, publishedPort: 53 }),
      ['spec.endpoint.ports[0].publishedPort'],
    ],
    [
      'a port twice',
      ports({ targetPort: 1, publishedPort: 81 }, { targetPort: 2, publishedPort: 81 }),
      ['spec.endpoint.ports[1]'],
    ],
    [
      'ports out of range',
      ports({ targetPort: 0 }, { targetPort: 1, publishedPort: 70_000 }),
      ['spec.endpoint.ports[0].targetPort', 'spec.endpoint.ports[1].publishedPort'],
    ],
    [
      'dnsrr with ingress ports',
      { endpoint: { mode: 'dnsrr', ports: [{ targetPort: 1 }] } },
      ['spec.endpoint.ports[0]'],
    ],
    [
      'endpoint numbers',
      {
        endpoint: {
          weights: [{ weight: -1 }],
          slowStartMs: -1,
          affinity: { type: 'client-ip', timeoutMs: 0 },
        },
      },
      [
        'spec.endpoint.weights[0].weight',
        'spec.endpoint.affinity.timeoutMs',
        'spec.endpoint.slowStartMs',
      ],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(faults(spec)).toEqual(expected);
  });

  it.each(['', '-a', 'a-', 'a.b', 'a b', 'x'.repeat(64)])('the name %j', (name) => {
    expect(faults({}, name)).toEqual(['meta.name']);
  });

  it('says what is wrong, where, and what would be right', () => {
    const object = newObject(Service, {
      id: 'new',
      name: 'new',
      spec: { task: { container: CONTAINER }, ...ports({ targetPort: 1, publishedPort: 8080 }) },
    });
    const complaints = admit(world().view(), { type: 'create', object });
    expect(complaints).toEqual([
      {
        code: 'already-exists',
        kind: 'Service',
        name: 'new',
        field: 'spec.endpoint.ports[0].publishedPort',
        message: "port 8080/tcp belongs to the service 'web'",
        hint: 'publish another port, or 0 to have one chosen',
      },
    ]);
    expect(describeComplaint(complaints[0]!)).toBe(
      'Service new: spec.endpoint.ports[0].publishedPort: ' +
        "port 8080/tcp belongs to the service 'web' " +
        '(publish another port, or 0 to have one chosen)',
    );
    const error = admissionError(complaints);
    expect([error.code, error.details]).toEqual(['already-exists', { complaints }]);
  });

  it('a number that another service got from the dynamic range', () => {
    const made = world();
    made.service({ endpoint: { ports: [{ targetPort: 80 }] } }, 'dynamic');
    const service = made.get(Service, 'dynamic');
    const port = {
      name: '',
      protocol: 'tcp' as const,
      targetPort: 80,
      publishMode: 'ingress' as const,
    };
    const endpoint = {
      observedGeneration: 1,
      mode: 'vip' as const,
      ports: [{ ...port, publishedPort: 30_000 }],
      virtualAddresses: [],
    };
    made.put({ ...service, status: { ...service.status, endpoint } });
    const spec = {
      task: { container: CONTAINER },
      ...ports({ targetPort: 1, publishedPort: 30_000 }),
    };
    const object = newObject(Service, { id: 'new', name: 'new', spec });
    expect(admit(made.view(), { type: 'create', object })).toHaveLength(1);
    made.requestRemoval('dynamic');
    expect(admit(made.view(), { type: 'create', object })).toEqual([]);
  });
});

/** Codes and fields that a change is refused for. */
function verdict(made: World, change: Parameters<typeof admit>[1]): readonly string[] {
  return admit(made.view(), change).map(({ code, field }) => `${code} ${field}`.trim());
}

describe('changing services', () => {
  it('neither name nor type of the mode', () => {
    const made = world();
    const web = made.get(Service, 'web');
    const renamed = withMeta(web, { name: 'site' });
    expect(verdict(made, { type: 'update', object: renamed })).toEqual(['unimplemented meta.name']);
    const global = withSpec(web, { ...web.spec, mode: { type: 'global' } });
    expect(verdict(made, { type: 'update', object: global })).toEqual(['unimplemented spec.mode']);
  });

  it('neither what is gone nor what is going, nor under a name that is taken', () => {
    const made = world();
    const web = made.get(Service, 'web');
    const unknown = withMeta(web, { id: 'none' });
    expect(verdict(made, { type: 'update', object: unknown })).toEqual(['not-found']);
    const twin = newObject(Service, {
      id: 'x',
      name: 'WEB',
      spec: { task: { container: CONTAINER } },
    });
    expect(verdict(made, { type: 'create', object: twin })).toEqual(['already-exists meta.name']);
    made.requestRemoval('web');
    expect(verdict(made, { type: 'update', object: web })).toEqual(['failed-precondition']);
    expect(verdict(made, { type: 'create', object: twin })).toEqual(['already-exists meta.name']);
    expect(verdict(made, { type: 'delete', kind: 'Service', id: 'none' })).toEqual(['not-found']);
  });
});

describe('secrets and configs', () => {
  it.each<[string, StoredObject, readonly string[]]>([
    ['an empty secret', newObject(Secret, { id: 'x', name: 'x', spec: {} }), ['spec.data']],
    [
      'an empty config, as Docker deploys it',
      newObject(Config, { id: 'x', name: 'x', spec: {} }),
      [],
    ],
    [
      '512000 bytes',
      newObject(Secret, { id: 'x', name: 'x', spec: { data: base64(512_000) } }),
      ['spec.data'],
    ],
    [
      '511999 bytes',
      newObject(Secret, { id: 'x', name: 'x', spec: { data: base64(511_999) } }),
      [],
    ],
    [
      '1024000 bytes',
      newObject(Config, { id: 'x', name: 'x', spec: { data: base64(1_024_000) } }),
      ['spec.data'],
    ],
    [
      '1023999 bytes',
      newObject(Config, { id: 'x', name: 'x', spec: { data: base64(1_023_999) } }),
      [],
    ],
    ['no base64', newObject(Config, { id: 'x', name: 'x', spec: { data: 'ä' } }), ['spec.data']],
    ['a dotted name', newObject(Config, { id: 'x', name: 'a.b-1', spec: {} }), []],
    ['a long name', newObject(Config, { id: 'x', name: 'x'.repeat(65), spec: {} }), ['meta.name']],
    ['a driver', newObject(Secret, { id: 'x', name: 'x', spec: { driver: { name: 'd' } } }), []],
    [
      'a driver and data',
      newObject(Secret, { id: 'x', name: 'x', spec: { data: 'AA==', driver: { name: '' } } }),
      ['spec.driver.name', 'spec.data'],
    ],
  ])('%s', (_name, object, expected) => {
    const complaints = admit(world().view(), { type: 'create', object });
    expect(complaints.map(({ field }) => field)).toEqual(expected);
  });

  it('change in their labels alone, and stay while they are used', () => {
    const made = world();
    const secret = made.get(Secret, 'sid');
    const labelled = withMeta(secret, { labels: { a: 'b' } });
    expect(verdict(made, { type: 'update', object: labelled })).toEqual([]);
    const changed = withSpec(secret, { data: 'AQ==' });
    expect(verdict(made, { type: 'update', object: changed })).toEqual([
      'failed-precondition spec',
    ]);
    const removal = { type: 'delete', kind: 'Secret', id: 'sid' } as const;
    expect(verdict(made, removal)).toEqual([]);
    const use = { secretId: 'sid', secretName: 'secret', file: file('a') };
    made.declare(
      (spec) => ({ ...spec, task: { container: { ...CONTAINER, secrets: [use] } } }),
      'web',
    );
    expect(admit(made.view(), removal)[0]?.message).toBe("the secret is used by 'web'");
    made.requestRemoval('web');
    expect(verdict(made, removal)).toEqual([]);
  });
});

describe('networks', () => {
  const network = (spec: NetworkSpec): StoredObject =>
    newObject(Network, { id: 'x', name: 'x', spec });
  const configs = (...list: NonNullable<NonNullable<NetworkSpec['ipam']>['configs']>) =>
    network({ ipam: { configs: list } });

  it.each<[string, StoredObject, readonly string[]]>([
    ['nothing said', network({}), []],
    ['a second ingress network', network({ isIngress: true }), ['spec.isIngress']],
    [
      'an ingress network of another kind',
      network({ isIngress: true, isAttachable: true, driver: { name: 'macvlan' } }),
      ['spec.driver', 'spec.isAttachable', 'spec.isIngress'],
    ],
    ['a nameless driver', network({ driver: { name: '' } }), ['spec.driver.name']],
    ['a subnet without length', configs({ subnet: '10.9.0.0' }), ['spec.ipam.configs[0].subnet']],
    [
      'what is not in the subnet',
      configs({
        subnet: '10.9.0.0/24',
        gateway: '10.8.0.1',
        ipRange: '10.9.0.0',
        auxiliaryAddresses: { a: 'x' },
      }),
      [
        'spec.ipam.configs[0].gateway',
        'spec.ipam.configs[0].ipRange',
        'spec.ipam.configs[0].auxiliaryAddresses.a',
      ],
    ],
    ['an overlap', configs({ subnet: '10.0.0.0/8' }), ['spec.ipam.configs[0].subnet']],
    ['a neighbour', configs({ subnet: '10.5.1.0/24' }), []],
    [
      'a bridge on the node',
      network({ driver: { name: 'bridge' }, ipam: { configs: [{ subnet: '10.5.0.0/16' }] } }),
      [],
    ],
  ])('%s', (_name, object, expected) => {
    const complaints = admit(world().view(), { type: 'create', object });
    expect(complaints.map(({ field }) => field)).toEqual(expected);
  });

  it('do not change, and stay while they are used', () => {
    const made = world();
    const net = made.get(Network, 'net');
    const changed = withSpec(net, { isInternal: true });
    expect(verdict(made, { type: 'update', object: changed })).toEqual([
      'failed-precondition spec',
    ]);
    const removal = { type: 'delete', kind: 'Network', id: 'net' } as const;
    expect(verdict(made, removal)).toEqual([]);
    made.declare(
      (spec) => ({ ...spec, task: { ...spec.task, networks: [{ target: 'net' }] } }),
      'web',
    );
    expect(verdict(made, removal)).toEqual(['failed-precondition']);
    made.declare((spec) => ({ ...spec, task: { container: CONTAINER } }), 'web');
    made.settle('web');
    const [live] = made.tasks('web');
    const networks = [{ networkId: 'net', addresses: ['10.5.0.2/24'], aliases: [] }];
    made.observe(live!.meta.id, 'running', { nodeId: 'n1', networks });
    expect(verdict(made, removal)).toEqual(['failed-precondition']);
    made.requestRemoval('web');
    expect(verdict(made, removal)).toEqual([]);
  });

  it.each([
    ['bridge', 'bridge', ['failed-precondition']],
    ['host', 'host', ['failed-precondition']],
    ['one that only has the driver', 'my-bridge', []],
  ])('that are predefined are not removed: %s', (driver, name, expected) => {
    const made = world();
    const spec = { driver: { name: driver === 'host' ? 'host' : 'bridge' } };
    made.commit('setup', [{ type: 'create', object: newObject(Network, { id: 'p', name, spec }) }]);
    expect(verdict(made, { type: 'delete', kind: 'Network', id: 'p' })).toEqual(expected);
  });

  it('the ingress network stays while ports are published', () => {
    const made = world();
    const removal = { type: 'delete', kind: 'Network', id: 'ingress' } as const;
    expect(verdict(made, removal)).toEqual(['failed-precondition']);
    made.requestRemoval('web');
    expect(verdict(made, removal)).toEqual([]);
  });
});

describe('nodes, volumes and the cluster', () => {
  it('a node goes when it is down or forced, and is no manager', () => {
    const made = world();
    const removal = { type: 'delete', kind: 'Node', id: 'n1' } as const;
    expect(verdict(made, removal)).toEqual([
      'failed-precondition spec.role',
      'failed-precondition',
    ]);
    made.setNode('n1', { role: 'worker' });
    expect(verdict(made, removal)).toEqual(['failed-precondition']);
    expect(admit(made.view(), removal, { isForced: true })).toEqual([]);
    made.setNode('n1', {}, { state: 'down' });
    expect(verdict(made, removal)).toEqual([]);
  });

  it('the last manager stays one', () => {
    const made = world();
    const node = made.get(Node, 'n1');
    const worker = withSpec(node, { ...node.spec, role: 'worker' });
    expect(verdict(made, { type: 'update', object: worker })).toEqual([
      'failed-precondition spec.role',
    ]);
    made.node('n2', { role: 'manager' });
    expect(verdict(made, { type: 'update', object: worker })).toEqual([]);
  });

  it('a volume keeps its driver and goes when it is nowhere', () => {
    const made = world();
    const access = { scope: 'single', sharing: 'all', type: 'mount' } as const;
    const volume = newObject(Volume, {
      id: 'v',
      name: 'v',
      spec: { driver: { name: 'd' }, access },
    });
    made.put(volume);
    const stored = made.get(Volume, 'v');
    const other = withSpec(stored, { ...stored.spec, driver: { name: '' } });
    expect(verdict(made, { type: 'update', object: other })).toEqual([
      'invalid-argument spec.driver.name',
      'failed-precondition spec',
    ]);
    const removal = { type: 'delete', kind: 'Volume', id: 'v' } as const;
    expect(verdict(made, removal)).toEqual([]);
    made.put({ ...stored, status: { published: [{ nodeId: 'n1', state: 'published' }] } });
    expect(verdict(made, removal)).toEqual(['failed-precondition']);
  });

  it.each<[Cluster['spec'], readonly string[]]>([
    [{}, []],
    [{ taskHistoryLimit: -1, subnetPrefix: 29, dataPathPort: 1024 }, []],
    [
      {
        taskHistoryLimit: 0.5,
        subnetPrefix: 30,
        dataPathPort: 80,
        heartbeatPeriodMs: 0,
        dnsTtlMs: -1,
      },
      [
        'spec.heartbeatPeriodMs',
        'spec.subnetPrefix',
        'spec.dataPathPort',
        'spec.dnsTtlMs',
        'spec.taskHistoryLimit',
      ],
    ],
    [
      { dynamicPorts: { first: 9, last: 8 }, addressPools: ['10.0.0.0', '10.0.0.0/28'] },
      ['spec.dynamicPorts', 'spec.addressPools[0]', 'spec.addressPools[1]'],
    ],
  ])('settings %j', (spec, expected) => {
    const object = newObject(Cluster, { id: 'c', name: 'default', spec });
    const complaints = admit(world().view(), { type: 'create', object });
    expect(complaints.map(({ field }) => field)).toEqual(expected);
  });

  it('the cluster cannot be removed; kinds of others are not judged', () => {
    const made = world();
    made.cluster({});
    expect(verdict(made, { type: 'delete', kind: 'Cluster', id: 'cluster' })).toEqual([
      'failed-precondition',
    ]);
    const custom = { ...newObject(Config, { id: 'x', name: '', spec: {} }), kind: 'Recipe' };
    expect(verdict(made, { type: 'create', object: custom })).toEqual([]);
    expect(verdict(made, { type: 'delete', kind: 'Recipe', id: 'x' })).toEqual([]);
  });
});
