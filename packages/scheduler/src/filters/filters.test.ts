import { describe, expect, it } from '@jest/globals';
import type { EnginePlugin, TaskTemplate } from '@skep/api';
import {
  group,
  network,
  node,
  running,
  task,
  volume,
  type NodeInput,
  type TaskInput,
} from '../__fixtures__/builders.js';
import { ClusterState, type ClusterObjects } from '../cluster-state.js';
import type { Filter, Lack } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import { swarmPolicy } from '../swarm-policy.js';
import { constraintFilter } from './constraint-filter.js';
import { hostPortFilter } from './host-port-filter.js';
import { maxReplicasFilter } from './max-replicas-filter.js';
import { platformFilter } from './platform-filter.js';
import { pluginFilter } from './plugin-filter.js';
import { readyFilter } from './ready-filter.js';
import { resourceFilter } from './resource-filter.js';
import { volumeFilter } from './volume-filter.js';

/** What the filter says about one node; 'inactive' when it has nothing to say about the task. */
function verdict(
  filter: Filter,
  input: {
    readonly task?: TaskInput;
    readonly node?: NodeInput;
    readonly objects?: ClusterObjects;
  },
): readonly Lack[] | 'passes' | 'inactive' {
  const state = new ClusterState({ ...input.objects, nodes: [node(input.node)] });
  const prepared = filter.prepare(group([task(input.task)]), state);
  if (prepared === undefined) return 'inactive';
  return prepared.check(state.node('n1') as NodeInfo) ?? 'passes';
}

const isRefused = (said: ReturnType<typeof verdict>): boolean => Array.isArray(said);

describe('the wording of each filter', () => {
  it.each([
    ['ready', '1 node not available for new tasks', '3 nodes not available for new tasks'],
    ['resource', 'insufficient resources on 1 node', 'insufficient resources on 3 nodes'],
    ['plugin', 'missing plugin on 1 node', 'missing plugin on 3 nodes'],
    [
      'constraint',
      'scheduling constraints not satisfied on 1 node',
      'scheduling constraints not satisfied on 3 nodes',
    ],
    ['platform', 'unsupported platform on 1 node', 'unsupported platform on 3 nodes'],
    [
      'host-port',
      'host-mode port already in use on 1 node',
      'host-mode port already in use on 3 nodes',
    ],
    ['max-replicas', 'max replicas per node limit exceed', 'max replicas per node limit exceed'],
    [
      'volume',
      'cannot fulfill requested CSI volume mounts on 1 node',
      'cannot fulfill requested CSI volume mounts on 3 nodes',
    ],
  ])('%s, in the order of the pipeline', (name, one, three) => {
    const filter = swarmPolicy().filters.find((candidate) => candidate.name === name);
    expect([filter?.describe(1), filter?.describe(3)]).toEqual([one, three]);
  });

  it('comes in a fixed order', () => {
    expect(
      swarmPolicy()
        .filters.map((filter) => filter.name)
        .join(' '),
    ).toBe('ready resource plugin constraint platform host-port max-replicas volume');
  });
});

describe('ready filter', () => {
  it.each([
    ['ready', 'active', true],
    ['ready', 'pause', false],
    ['ready', 'drain', false],
    ['down', 'active', false],
    ['unknown', 'active', false],
    ['disconnected', 'active', false],
  ] as const)('state %s, availability %s: passes %s', (state, availability, expected) => {
    const said = verdict(readyFilter, { node: { state, availability } });
    expect(isRefused(said)).toBe(!expected);
  });

  it('names everything that is wrong', () => {
    expect(verdict(readyFilter, { node: { state: 'down', availability: 'drain' } })).toEqual([
      { what: 'state', needed: 'ready', available: 'down' },
      { what: 'availability', needed: 'active', available: 'drain' },
    ]);
  });
});

describe('resource filter', () => {
  const resources = {
    cpuNanos: 2e9,
    memoryBytes: 1000,
    generic: [
      { kind: 'apple', count: 2 },
      { kind: 'gpu', ids: ['a'] },
    ],
  };

  it.each([
    ['nothing', {}, 'inactive'],
    ['zero', { cpuNanos: 0, memoryBytes: 0 }, 'inactive'],
    ['all of it', { cpuNanos: 2e9, memoryBytes: 1000 }, 'passes'],
    ['all apples', { generic: [{ kind: 'apple', count: 2 }] }, 'passes'],
    ['a named one by count', { generic: [{ kind: 'gpu', count: 1 }] }, 'passes'],
  ])('%s', (_, reservations, expected) => {
    expect(verdict(resourceFilter, { task: { reservations }, node: { resources } })).toBe(expected);
  });

  it('says for each amount what is needed and what is left', () => {
    const reservations = {
      cpuNanos: 3e9,
      memoryBytes: 600,
      generic: [
        { kind: 'gpu', count: 2 },
        { kind: 'pear', count: 1 },
      ],
    };
    const tasks = running(1, { nodeId: 'n1', reservations: { memoryBytes: 500 } });
    const said = verdict(resourceFilter, {
      task: { reservations },
      node: { resources },
      objects: { tasks },
    });
    expect(said).toEqual([
      { what: 'cpuNanos', needed: 3e9, available: 2e9 },
      { what: 'memoryBytes', needed: 600, available: 500 },
      { what: 'generic gpu', needed: 2, available: 1 },
      { what: 'generic pear', needed: 1, available: 0 },
    ]);
  });

  it('limits do not count', () => {
    const template: TaskTemplate = { resources: { limits: { memoryBytes: 1e12 } } };
    expect(verdict(resourceFilter, { task: { template } })).toBe('inactive');
  });

  it('a node without description has nothing', () => {
    const said = verdict(resourceFilter, {
      task: { reservations: { cpuNanos: 1 } },
      node: { hasNoDescription: true },
    });
    expect(said).toEqual([{ what: 'cpuNanos', needed: 1, available: 0 }]);
  });
});

describe('plugin filter', () => {
  const overlay: EnginePlugin = { type: 'Network', name: 'overlay' };
  const mount = (name: string): TaskTemplate => ({
    container: {
      image: 'a',
      mounts: [{ type: 'volume', target: '/a', volume: { driver: { name } } }],
    },
  });
  const log = (name: string): TaskTemplate => ({ logDriver: { name } });

  it.each([
    ['no driver at all', {}, [], 'inactive'],
    ['the local volume driver', { template: mount('local') }, [], 'inactive'],
    ['a volume driver that is there', { template: mount('nfs') }, ['Volume/nfs'], 'passes'],
    ['a volume driver with a tag', { template: mount('nfs') }, ['Volume/nfs:latest'], 'passes'],
    ['a volume driver that is missing', { template: mount('nfs') }, ['Volume/local'], 'refused'],
    ['a plugin of another type', { template: mount('nfs') }, ['Network/nfs'], 'refused'],
    ['another tag', { template: mount('nfs') }, ['Volume/nfs:1'], 'refused'],
    ['a node that says nothing', { template: mount('nfs') }, undefined, 'passes'],
    ['a network driver that is there', { networks: ['net'] }, ['Network/overlay'], 'passes'],
    ['a network driver that is missing', { networks: ['net'] }, ['Network/bridge'], 'refused'],
    ['a network that is not known', { networks: ['gone'] }, [], 'inactive'],
    ['log driver none', { template: log('none') }, ['Log/json-file'], 'inactive'],
    ['log driver without name', { template: log('') }, ['Log/json-file'], 'inactive'],
    ['a log driver that is there', { template: log('syslog') }, ['Log/syslog'], 'passes'],
    ['a log driver that is missing', { template: log('syslog') }, ['Log/json-file'], 'refused'],
    ['no log plugins listed', { template: log('syslog') }, ['Network/overlay'], 'passes'],
  ])('%s', (_, input, listed, expected) => {
    const plugins = listed?.map((text): EnginePlugin => {
      const [type = '', name = ''] = text.split('/');
      return { type, name };
    });
    const said = verdict(pluginFilter, {
      task: input,
      node: plugins === undefined ? {} : { plugins },
      objects: { networks: [network('net', 'overlay')] },
    });
    expect(isRefused(said) ? 'refused' : said).toBe(expected);
  });

  it('names every plugin that is missing', () => {
    const said = verdict(pluginFilter, {
      task: { template: mount('nfs'), networks: ['net'] },
      node: { plugins: [] },
      objects: { networks: [network('net', overlay.name)] },
    });
    expect(said).toEqual([
      { what: 'plugin Volume/nfs', needed: 1, available: 0 },
      { what: 'plugin Network/overlay', needed: 1, available: 0 },
    ]);
  });
});

describe('constraint filter', () => {
  const asked: NodeInput = {
    name: 'Alpha',
    role: 'manager',
    address: '192.168.1.7',
    labels: { zone: 'A1' },
    engineLabels: { storage: 'ssd' },
    platform: { os: 'linux', architecture: 'x86_64' },
  };

  it.each([
    ['node.id == N1', true],
    ['node.hostname == alpha', true],
    ['node.hostname != alpha', false],
    ['node.role==manager', true],
    ['node.role != manager', false],
    ['node.ip == 192.168.0.0/16', true],
    ['node.ip == 10.0.0.0/8', false],
    ['node.ip == not-an-address', false],
    ['node.ip != not-an-address', false],
    ['node.platform.os == Linux', true],
    ['node.platform.arch == x86_64', true],
    ['node.platform.arch == amd64', false],
    ['NODE.LABELS.zone == a1', true],
    ['node.labels.Zone == a1', false],
    ['node.labels.rack != r1', true],
    ['node.labels.rack == r1', false],
    ['engine.labels.storage == ssd', true],
    ['node.colour != red', false],
  ])('%s: passes %s', (constraint, expected) => {
    const template: TaskTemplate = { placement: { constraints: [constraint] } };
    expect(verdict(constraintFilter, { task: { template }, node: asked }) === 'passes').toBe(
      expected,
    );
  });

  it('all must hold; each that does not is named with what the node has', () => {
    const constraints = ['node.role == worker', 'node.labels.zone == B', 'node.id == n1'];
    const template: TaskTemplate = { placement: { constraints } };
    expect(verdict(constraintFilter, { task: { template }, node: asked })).toEqual([
      { what: 'constraint', needed: 'node.role == worker', available: 'manager' },
      { what: 'constraint', needed: 'node.labels.zone == B', available: 'A1' },
    ]);
  });

  it('a text that does not parse holds nowhere', () => {
    const template: TaskTemplate = { placement: { constraints: ['node ~ abc'] } };
    expect(verdict(constraintFilter, { task: { template } })).toEqual([
      { what: 'constraint', needed: 'node ~ abc', available: 'not a valid constraint' },
    ]);
  });

  it('is inactive without constraints', () => {
    const template: TaskTemplate = { placement: { constraints: [] } };
    expect(verdict(constraintFilter, { task: { template } })).toBe('inactive');
  });
});

describe('platform filter', () => {
  it.each([
    [['linux/amd64'], 'linux/amd64', true],
    [['linux/amd64'], 'linux/x86_64', true],
    [['linux/x86_64'], 'linux/amd64', true],
    [['linux/aarch64'], 'linux/arm64', true],
    [['linux/arm64'], 'linux/amd64', false],
    [['windows/amd64'], 'linux/amd64', false],
    [['windows/amd64', 'linux/amd64'], 'linux/amd64', true],
    [['/amd64'], 'windows/amd64', true],
    [['linux/'], 'linux/riscv64', true],
    [['/'], 'plan9/mips', true],
  ])('wants %j, node is %s: passes %s', (wanted, has, expected) => {
    const read = (text: string) => {
      const [os = '', architecture = ''] = text.split('/');
      return { os, architecture };
    };
    const said = verdict(platformFilter, {
      task: { template: { placement: { platforms: wanted.map(read) } } },
      node: { platform: read(has) },
    });
    expect(said === 'passes').toBe(expected);
  });

  it('refuses a node that does not say what it is', () => {
    const template = { placement: { platforms: [{ os: 'linux', architecture: '' }] } };
    const said = verdict(platformFilter, { task: { template }, node: { hasNoDescription: true } });
    expect(said).toEqual([{ what: 'platform', needed: 'linux/*', available: 'unknown' }]);
  });

  it('is inactive without platforms', () => {
    expect(verdict(platformFilter, {})).toBe('inactive');
  });
});

describe('host port filter', () => {
  const port = (
    publishedPort: number,
    protocol: 'tcp' | 'udp' = 'tcp',
    publishMode: 'host' | 'ingress' = 'host',
  ) => ({ targetPort: 80, publishedPort, protocol, publishMode });

  it.each([
    ['an ingress port', [port(80, 'tcp', 'ingress')], 'inactive'],
    ['a port that the node chooses', [port(0)], 'inactive'],
    ['the same port', [port(80)], 'refused'],
    ['one of two', [port(81), port(80)], 'refused'],
    ['the same number, another protocol', [port(80, 'udp')], 'passes'],
    ['another number', [port(81)], 'passes'],
  ])('%s: %s', (_, ports, expected) => {
    const tasks = running(1, { nodeId: 'n1', service: 'other', ports: [port(80)] });
    const said = verdict(hostPortFilter, { task: { ports }, objects: { tasks } });
    expect(isRefused(said) ? 'refused' : said).toBe(expected);
  });

  it('the default protocol is tcp', () => {
    const ports = [{ targetPort: 80, publishedPort: 80, publishMode: 'host' as const }];
    const tasks = running(1, { nodeId: 'n1', ports });
    expect(verdict(hostPortFilter, { task: { ports: [port(80)] }, objects: { tasks } })).toEqual([
      { what: 'host port tcp/80', needed: 'free', available: 'in use' },
    ]);
  });
});

describe('max replicas filter', () => {
  it.each([
    [0, 9, 'inactive'],
    [2, 1, 'passes'],
    [2, 2, 'refused'],
    [2, 3, 'refused'],
  ])('at most %i, %i there: %s', (maxReplicasPerNode, count, expected) => {
    const said = verdict(maxReplicasFilter, {
      task: { template: { placement: { maxReplicasPerNode } } },
      objects: {
        tasks: [
          ...running(count, { nodeId: 'n1' }),
          ...running(5, { nodeId: 'n1', service: 'other' }),
        ],
      },
    });
    expect(isRefused(said) ? 'refused' : said).toBe(expected);
  });
});

describe('volume filter', () => {
  const template: TaskTemplate = {
    container: {
      image: 'a',
      mounts: [
        { type: 'cluster', source: 'v', target: '/v' },
        { type: 'cluster', source: 'w', target: '/w', isReadOnly: true },
        { type: 'volume', source: 'x', target: '/x' },
      ],
    },
  };

  it('is inactive without cluster mounts', () => {
    expect(verdict(volumeFilter, {})).toBe('inactive');
  });

  it('defect 15: refuses where one of several mounts has no volume', () => {
    const objects = { volumes: [volume('v')] };
    expect(verdict(volumeFilter, { task: { template }, objects })).toEqual([
      { what: 'volume w at /w', needed: 'readable', available: 'none' },
    ]);
  });

  it('passes where all have one', () => {
    const objects = { volumes: [volume('v'), volume('w')] };
    expect(verdict(volumeFilter, { task: { template }, objects })).toBe('passes');
  });
});
