import { describe, expect, it } from '@jest/globals';
import { requirementsOf } from '@skep/scheduler';
import { cpuNanos, memoryBytes, renderBytes } from './amount.js';
import { cluster, node } from './node.js';
import type { NodeOptions, ServiceOptions, TaskOptions } from './options.js';
import { labelKey, runningTasksOf, service, task, tasksOf } from './service.js';

const GIB = 2 ** 30;

describe('amounts', () => {
  it.each([
    [0, 0],
    [4096, 4096],
    ['512', 512],
    ['512B', 512],
    ['64k', 65_536],
    ['512MiB', 512 * 2 ** 20],
    ['512mb', 512 * 2 ** 20],
    ['8GiB', 8 * GIB],
    ['1.5 GiB', 1.5 * GIB],
    ['2t', 2 * 2 ** 40],
  ])('%p of memory is %p bytes', (amount, bytes) => {
    expect(memoryBytes(amount, 'here')).toBe(bytes);
  });

  it.each(['8 gigs', '', 'GiB', '-1GiB', '1..5g', -1, 0.5, NaN])('%p is no memory', (amount) => {
    expect(() => memoryBytes(amount, "node('n1')")).toThrow(/^node\('n1'\): memory .*; write /);
  });

  it('counts cores in billionths', () => {
    expect([4, 0.5, 0, 0.1].map((cores) => cpuNanos(cores, ''))).toEqual([4e9, 5e8, 0, 1e8]);
    expect(() => cpuNanos(-1, 'here')).toThrow('here: cpus -1 is no number of cores');
    expect(() => cpuNanos('4' as unknown as number, 'here')).toThrow('write 4 or 0.5');
  });

  it('renders bytes in the unit that fits', () => {
    expect([0, 1023, 1536, 8 * GIB].map(renderBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.5 KiB',
      '8 GiB',
    ]);
  });
});

describe('node', () => {
  it('is ready, active and ordinary when nothing is said', () => {
    const { meta, spec, status } = node('n1');
    expect(meta).toMatchObject({ id: 'n1', name: 'n1', labels: {} });
    expect(spec).toEqual({ role: 'worker', availability: 'active' });
    expect(status.state).toBe('ready');
    expect(status.description).toMatchObject({
      hostname: 'n1',
      platform: { os: 'linux', architecture: 'amd64' },
      resources: { cpuNanos: 4e9, memoryBytes: 8 * GIB },
    });
    expect(status.description?.engine.plugins).toBeUndefined();
  });

  it('is overridden in one line', () => {
    const options: NodeOptions = {
      id: 'id1',
      cpus: 2,
      memory: '1GiB',
      gpus: { count: 2, model: 'T4' },
      devices: [{ kind: 'nic', capacityMilli: 500 }],
      generic: { ssd: 3, fpga: ['a', 'b'] },
      labels: { zone: 'a' },
      engineLabels: { disk: 'ssd' },
      role: 'manager',
      availability: 'drain',
      state: 'down',
      os: 'windows',
      architecture: 'arm64',
      address: '10.9.9.9',
      taints: [{ key: 'gpu', effect: 'NoSchedule' }],
      plugins: [{ type: 'Volume', name: 'csi' }],
      images: [{ names: ['nginx'], sizeBytes: 1 }],
      topology: { rack: 'r1' },
    };
    const { meta, spec, status } = node('n1', options);
    expect(meta).toMatchObject({ id: 'id1', name: 'n1', labels: { zone: 'a' } });
    expect(spec).toEqual({
      role: 'manager',
      availability: 'drain',
      taints: [{ key: 'gpu', effect: 'NoSchedule' }],
    });
    expect(status).toEqual({
      state: 'down',
      message: '',
      address: '10.9.9.9',
      description: {
        hostname: 'n1',
        platform: { os: 'windows', architecture: 'arm64' },
        resources: {
          cpuNanos: 2e9,
          memoryBytes: GIB,
          generic: [
            { kind: 'ssd', count: 3 },
            { kind: 'fpga', ids: ['a', 'b'] },
          ],
          devices: [
            { kind: 'gpu', model: 'T4' },
            { kind: 'gpu', model: 'T4' },
            { kind: 'nic', capacityMilli: 500 },
          ],
        },
        engine: {
          version: '28.2.2',
          labels: { disk: 'ssd' },
          plugins: [{ type: 'Volume', name: 'csi' }],
        },
        topology: { rack: 'r1' },
        images: [{ names: ['nginx'], sizeBytes: 1 }],
      },
    });
  });

  it('refuses what nothing reads, and amounts that are none', () => {
    const typo = { cpu: 4 } as NodeOptions;
    expect(() => node('n1', typo)).toThrow(/node\('n1'\): there is no option 'cpu'; .* cpus/);
    expect(() => node('n1', { gpus: -1 })).toThrow("node('n1'): gpus is -1");
    expect(() => node('n1', { generic: { ssd: 0.5 } })).toThrow("node('n1'): generic.ssd is 0.5");
  });
});

describe('cluster', () => {
  it('numbers nodes, hands out zones in turn, and lets one of them differ', () => {
    const { nodes } = cluster({
      nodes: 4,
      zones: 3,
      cpus: 2,
      labels: { disk: 'ssd' },
      each: (index) => (index === 3 ? { cpus: 8, labels: { big: 'yes' } } : {}),
    });
    expect(nodes.map(({ meta }) => [meta.name, meta.labels])).toEqual([
      ['n1', { disk: 'ssd', zone: 'a' }],
      ['n2', { disk: 'ssd', zone: 'b' }],
      ['n3', { disk: 'ssd', zone: 'c' }],
      ['n4', { disk: 'ssd', zone: 'a', big: 'yes' }],
    ]);
    const cores = nodes.map(({ status }) => status.description?.resources.cpuNanos);
    expect(cores).toEqual([2e9, 2e9, 2e9, 8e9]);
    expect(cluster({ zones: ['x', 'y'] }).nodes.map(({ meta }) => meta.labels['zone'])).toEqual([
      'x',
      'y',
      'x',
    ]);
  });

  it('has at most as many lettered zones as there are letters', () => {
    expect(() => cluster({ zones: 27 })).toThrow('at most 26, or their names');
    expect(() => cluster({ nodes: 1.5 })).toThrow('cluster(): nodes is 1.5');
  });
});

describe('service', () => {
  it('wants one task that needs nothing when nothing is said', () => {
    const [first, ...others] = tasksOf(service('web'));
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      meta: { id: 'web.1', name: 'web.1' },
      spec: { serviceId: 'web', serviceName: 'web', slot: 1, specVersion: 1, template: {} },
      status: { state: 'pending' },
    });
  });

  it('is overridden in one line', () => {
    const options: ServiceOptions = {
      replicas: 2,
      version: 3,
      cpus: 0.5,
      memory: '1GiB',
      gpus: 0.25,
      devices: [{ kind: 'nic', count: 1 }],
      generic: { ssd: 1 },
      constraints: 'node.labels.zone == a',
      spread: ['zone', 'engine.labels.rack'],
      maxPerNode: 2,
      priority: 7,
      hostPorts: [8080, '53/udp'],
      placement: { tolerations: [{ operator: 'Exists' }] },
      template: { logDriver: { name: 'gelf' } },
      labels: { app: 'web' },
      faults: { n1: 2 },
    };
    const web = service('web', options);
    const wanted = tasksOf(web);
    expect(wanted.map(({ meta, spec }) => [meta.id, spec.slot, spec.specVersion])).toEqual([
      ['web.1', 1, 3],
      ['web.2', 2, 3],
    ]);
    expect(wanted[0]?.spec.template).toEqual({
      logDriver: { name: 'gelf' },
      resources: {
        reservations: {
          cpuNanos: 5e8,
          memoryBytes: GIB,
          generic: [{ kind: 'ssd', count: 1 }],
          devices: [
            { kind: 'gpu', count: 1, milli: 250 },
            { kind: 'nic', count: 1 },
          ],
        },
      },
      placement: {
        tolerations: [{ operator: 'Exists' }],
        constraints: ['node.labels.zone == a'],
        preferences: [{ spread: 'node.labels.zone' }, { spread: 'engine.labels.rack' }],
        maxReplicasPerNode: 2,
        priority: 7,
      },
    });
    expect(requirementsOf(wanted[0]!.spec).hostPorts).toEqual(['tcp/8080', 'udp/53']);
    expect(web.status.faults).toEqual([{ nodeId: 'n1', specVersion: 3, times: [0, 0] }]);
  });

  it('runs on a node under other names than the tasks that wait', () => {
    const running = runningTasksOf(service('web', { replicas: 2 }), 'n1');
    expect(running.map(({ meta, status }) => [meta.id, status.state, status.nodeId])).toEqual([
      ['web@n1.1', 'running', 'n1'],
      ['web@n1.2', 'running', 'n1'],
    ]);
  });

  it.each<[string, ServiceOptions, RegExp]>([
    ['an unknown option', { cpu: 1 } as ServiceOptions, /service\('web'\): .* no option 'cpu'/],
    ['half a replica', { replicas: 0.5 }, /replicas is 0.5; write a whole number, 0 or more/],
    ['no generation', { version: 0 }, /version is 0; write a whole number, 1 or more/],
    ['one and a half GPUs', { gpus: 1.5 }, /gpus 1.5 is neither .* write 2, 0.5 or/],
    ['no GPUs of something', { gpus: { count: 0 } }, /devices\[0\]\.count: must be a whole/],
    ['a port that is none', { hostPorts: ['http'] }, /hostPorts has 'http'; write 8080/],
    ['a port too high', { hostPorts: [70_000] }, /hostPorts has '70000'/],
  ])('refuses %s', (_what, options, text) => {
    expect(() => service('web', options)).toThrow(text);
  });
});

describe('task', () => {
  it('is alone, or of a service; waits, runs, or has its node given', () => {
    expect(task('one').spec).toMatchObject({ serviceName: 'one', slot: 0 });
    expect(task('one').spec.serviceId).toBeUndefined();
    const options: TaskOptions = { service: 'web', slot: 4, version: 2, on: 'n1', cpus: 1 };
    expect(task('web.4', options)).toMatchObject({
      spec: { serviceId: 'web', specVersion: 2, slot: 4 },
      status: { state: 'running', nodeId: 'n1' },
    });
    expect(task('g', { preassignedTo: 'n2' }).spec.nodeId).toBe('n2');
    const typo = { node: 'n1' } as unknown as TaskOptions;
    expect(() => task('t', typo)).toThrow(/task\('t'\): there is no option 'node'/);
  });
});

describe('labelKey', () => {
  it.each([
    ['zone', 'node.labels.zone'],
    ['topology.example/rack', 'node.labels.topology.example/rack'],
    ['node.labels.zone', 'node.labels.zone'],
    ['engine.labels.disk', 'engine.labels.disk'],
    ['node.hostname', 'node.hostname'],
  ])('%s is %s', (key, where) => expect(labelKey(key)).toBe(where));
});
