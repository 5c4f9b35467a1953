import { describe, expect, it } from '@jest/globals';
import type { Node, Placement, Taint, Task } from '@skep/api';
import {
  network,
  node,
  nodes,
  placeAll,
  running,
  task,
  volume,
  type TaskInput,
} from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { ClusterObjects } from '../cluster-view.js';
import { composePolicy } from '../policies/compose-policy.js';
import { STANDARD_FILTERS } from '../policies/standard-policies.js';
import type { Filter, Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { applyCounterfactual } from './apply.js';
import { counterfactuals, type CounterfactualOptions } from './counterfactual.js';

const policy = swarmPolicy();
const MIB = 2 ** 20;
const port = { targetPort: 80, publishedPort: 8080, publishMode: 'host' } as const;

/** The texts of the counterfactuals; each is applied, and has to place the task. */
function texts(
  objects: ClusterObjects,
  one: Task,
  options: Partial<CounterfactualOptions> = {},
): readonly string[] {
  const asked = { policy, now: 0, countMax: 100, ...options };
  const found = counterfactuals(new ClusterState(objects), one, asked);
  for (const counterfactual of found) {
    const applied = applyCounterfactual(
      { objects, task: one, policy: asked.policy },
      counterfactual,
    );
    const placed = placeAll(new ClusterState(applied.objects), [applied.task], {
      policy: applied.policy,
    });
    if (one.spec.nodeId === undefined) expect(placed.placements).toHaveLength(1);
  }
  return found.map(({ text }) => text.replace('would fit ', ''));
}

const memory = (amount: number): TaskInput => ({ reservations: { memoryBytes: amount } });

describe('counterfactuals of one change', () => {
  const cases: readonly (readonly [string, ClusterObjects, Task, readonly string[]])[] = [
    ['none when it fits', { nodes: nodes(1) }, task(), []],
    [
      'memory: less of it, or more on the node that lacks least',
      {
        nodes: [
          node({ id: 'n3', resources: { memoryBytes: 256 * MIB } }),
          node({ id: 'n4', resources: { memoryBytes: 512 * MIB } }),
        ],
      },
      task(memory(1024 * MIB)),
      [
        'with a reservation of 512 MiB of memory',
        'if node n4 had 512 MiB more memory',
        'if node n3 had 768 MiB more memory',
      ],
    ],
    [
      'cpu, with the node in use',
      {
        nodes: nodes(1, { resources: { cpuNanos: 2e9 } }),
        tasks: running(1, { nodeId: 'n1', service: 'db', reservations: { cpuNanos: 2e9 } }),
      },
      task({ reservations: { cpuNanos: 15e8 } }),
      [
        'without a reservation of cpu',
        'if node n1 had 1.5 cores more',
        'with one more node like n1',
      ],
    ],
    [
      'generic resources',
      { nodes: nodes(1, { resources: { generic: [{ kind: 'gpu', ids: ['a'] }] } }) },
      task({ reservations: { generic: [{ kind: 'gpu', count: 3 }] } }),
      ['with a reservation of 1 gpu', 'if node n1 had 2 more gpu'],
    ],
    [
      'a label, or no constraint',
      { nodes: [node({ id: 'n1', labels: { zone: 'b' } })] },
      task({ template: { placement: { constraints: ['node.labels.zone == a'] } } }),
      ['if node n1 had the label zone=a', 'without the constraint node.labels.zone == a'],
    ],
    [
      'no label, of the engine',
      { nodes: [node({ id: 'n1', engineLabels: { disk: 'slow' } })] },
      task({ template: { placement: { constraints: ['engine.labels.disk != slow'] } } }),
      ['if node n1 had no engine label disk', 'without the constraint engine.labels.disk != slow'],
    ],
    [
      'a constraint that is no label',
      { nodes: nodes(1) },
      task({ template: { placement: { constraints: ['node.role == manager'] } } }),
      ['without the constraint node.role == manager'],
    ],
    [
      'a port, and who holds it',
      { nodes: nodes(1), tasks: running(1, { nodeId: 'n1', service: 'web', ports: [port] }) },
      task({ service: 'proxy', ports: [port] }),
      ['if port tcp/8080 were free on node n1 (held by web)', 'with one more node like n1'],
    ],
    [
      'replicas on a node',
      { nodes: nodes(1), tasks: running(2, { nodeId: 'n1' }) },
      task({ template: { placement: { maxReplicasPerNode: 2 } } }),
      ['with at most 3 replicas per node', 'with one more node like n1'],
    ],
    [
      'nodes that are drained or down',
      {
        nodes: [node({ id: 'n1', state: 'down' }), node({ id: 'n2', availability: 'drain' })],
      },
      task(),
      ['if node n2 were active', 'if node n1 were ready'],
    ],
    [
      'a plugin',
      { nodes: nodes(1, { plugins: [] }), networks: [network('net', 'weave')] },
      task({ networks: ['net'] }),
      ['if node n1 had the plugin Network/weave'],
    ],
    [
      'a platform',
      { nodes: [node(), node({ id: 'n2', hasNoDescription: true })] },
      task({ template: { placement: { platforms: [{ os: 'linux', architecture: 's390x' }] } } }),
      ['if it ran on linux/amd64', 'if it ran on any platform'],
    ],
    [
      'a volume',
      { nodes: nodes(1), volumes: [volume('data', { status: {} })] },
      task({
        template: {
          container: {
            image: 'x',
            mounts: [{ type: 'cluster', source: 'data', target: '/data' }],
          },
        },
      }),
      ['without the volume data at /data'],
    ],
    [
      'a preassigned task: only its own node',
      { nodes: [node({ id: 'n1', availability: 'pause' }), node({ id: 'n2' })] },
      task({ preassignedTo: 'n1' }),
      ['if node n1 were active'],
    ],
    ['a node that does not exist', { nodes: nodes(1) }, task({ preassignedTo: 'n7' }), []],
    ['no node at all', {}, task(), []],
  ];

  it.each(cases)('%s', (_, objects, one, expected) => {
    expect(texts(objects, one)).toEqual(expected);
  });
});

describe('counterfactuals beyond Swarm', () => {
  const standard = composePolicy({ name: 'standard', filters: STANDARD_FILTERS });
  const placement = (wish: Placement): TaskInput => ({ template: { placement: wish } });
  const tainted = (one: Node, taints: readonly Taint[]): Node => ({
    ...one,
    spec: { ...one.spec, taints },
  });
  const devices = [{ kind: 'gpu', count: 2, models: ['V100'] }];
  const term = { service: 'db', topologyKey: 'zone' };
  const a = node({ id: 'a', labels: { zone: 'a' } });
  const b = node({ id: 'b', labels: { zone: 'b' }, resources: { memoryBytes: 1 } });
  const cases: readonly (readonly [string, ClusterObjects, Task, readonly string[]])[] = [
    [
      'a taint',
      { nodes: [tainted(node(), [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }])] },
      task(),
      [
        'if node n1 had no taint gpu=yes:NoSchedule',
        'if it tolerated the taint gpu=yes:NoSchedule',
      ],
    ],
    [
      'devices',
      { nodes: nodes(1, { resources: { devices: [{ kind: 'gpu', model: 'V100' }] } }) },
      task({ template: { resources: { reservations: { devices } } } }),
      ['with a reservation of 1 gpu devices', 'if node n1 had 1 more gpu devices (V100)'],
    ],
    [
      'node affinity',
      { nodes: nodes(1) },
      task(
        placement({
          nodeAffinity: { required: [{ match: [{ key: 'disk', operator: 'Exists' }] }] },
        }),
      ),
      ['without its required node affinity'],
    ],
    [
      'a service to be near to',
      { nodes: [a] },
      task(placement({ serviceAffinity: { required: [term] } })),
      ['without having to be near db by zone'],
    ],
    [
      'a service to be away from',
      { nodes: [a], tasks: running(1, { nodeId: 'a', service: 'db' }) },
      task(placement({ serviceAntiAffinity: { required: [term] } })),
      ['without having to be away from db by zone'],
    ],
    [
      'a skew',
      { nodes: [a, b], tasks: running(2, { nodeId: 'a' }) },
      task({
        template: {
          resources: { reservations: { memoryBytes: 2 } },
          placement: { topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] },
        },
      }),
      [
        'with a reservation of 1 bytes of memory',
        'with a skew of at most 3 over zone',
        'if node b had 1 bytes more memory',
      ],
    ],
    [
      'a place that has no value',
      { nodes: nodes(1) },
      task(placement({ topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] })),
      ['without the spread over zone'],
    ],
  ];

  it.each(cases)('%s', (_, objects, one, expected) => {
    expect(texts(objects, one, { policy: standard })).toEqual(expected);
  });
});

describe('counterfactuals of several changes', () => {
  it('are told of a node where one change does not suffice', () => {
    const objects = {
      nodes: [
        node({ id: 'n1', labels: { zone: 'b' }, resources: { memoryBytes: MIB } }),
        node({ id: 'n2', availability: 'drain', resources: { memoryBytes: MIB } }),
      ],
    };
    const one = task({
      reservations: { memoryBytes: 2 * MIB },
      template: { placement: { constraints: ['node.labels.zone == b'] } },
    });
    expect(texts(objects, one)).toEqual([
      'with a reservation of 1 MiB of memory',
      'if node n1 had 1 MiB more memory',
      'if node n2 had 1 MiB more memory, had the label zone=b and were active',
      'if node n2 had 1 MiB more memory and were active, ' +
        'and without the constraint node.labels.zone == b',
    ]);
    const other = task({
      reservations: { memoryBytes: 2 * MIB },
      template: { placement: { constraints: ['node.labels.zone == c'] } },
    });
    expect(texts(objects, other).slice(0, 2)).toEqual([
      'if node n1 had the label zone=c, and with a reservation of 1 MiB of memory',
      'with a reservation of 1 MiB of memory, and without the constraint node.labels.zone == c',
    ]);
  });

  it('one label may satisfy two constraints, and is named once', () => {
    const one = task({
      template: {
        placement: { constraints: ['node.labels.zone == a', 'node.labels.zone == A'] },
      },
    });
    expect(texts({ nodes: nodes(1) }, one)[0]).toBe('if node n1 had the label zone=A');
  });

  it('where no four changes help, a filter can be left out', () => {
    const constraints = ['a1', 'b1', 'c1', 'd1', 'e1'].map((key) => `node.labels.${key} == x`);
    const one = task({ template: { placement: { constraints } } });
    expect(texts({ nodes: nodes(1) }, one)).toEqual(['without the filter constraint']);
  });
});

describe('counterfactuals and filters of one’s own', () => {
  const power: Filter = {
    name: 'power',
    prepare: () => ({
      check: ({ node: { meta } }) =>
        meta.labels['power'] === 'yes'
          ? undefined
          : [{ what: 'power', needed: 'yes', available: meta.labels['power'] ?? 'no' }],
    }),
    describe: (count) => `no power on ${count} nodes`,
  };
  const withFilter = (filter: Filter): Policy => ({
    ...policy,
    name: 'own',
    filters: [...policy.filters, filter],
  });

  it('what is not known can only be left out', () => {
    expect(texts({ nodes: nodes(2) }, task(), { policy: withFilter(power) })).toEqual([
      'without the filter power',
    ]);
  });

  it('a filter may suggest changes of the node or of the task', () => {
    const suggesting: Filter = {
      ...power,
      prepare: (group, view) => {
        if (group.template.placement?.priority === -1) return undefined;
        const prepared = power.prepare(group, view);
        if (prepared === undefined) return undefined;
        return {
          ...prepared,
          suggest: ({ name }) => [
            {
              text: `if node ${name} had power`,
              cost: 1,
              node: { meta: { labels: { power: 'yes' } } },
            },
            {
              text: 'if it could do without',
              taskSpec: { template: { placement: { priority: -1 } } },
            },
            {
              text: 'if wishes were horses',
              cost: 0,
              node: { meta: { labels: { wish: 'horse' } } },
            },
          ],
        };
      },
    };
    const objects = { nodes: nodes(2) };
    expect(texts(objects, task(), { policy: withFilter(suggesting) })).toEqual([
      'if node n1 had power',
      'if node n2 had power',
      'if it could do without',
    ]);
    expect(objects.nodes[0]?.meta.labels).toEqual({});
  });

  it('a filter that only shares its name with a known one', () => {
    const impostor: Filter = {
      ...power,
      name: 'resource',
      prepare: () => ({ check: () => [{ what: 'memoryBytes', needed: 5, available: 1 }] }),
    };
    const own: Policy = { name: 'own', filters: [impostor], rank: [] };
    expect(texts({ nodes: nodes(1) }, task(), { policy: own })).toEqual([
      'without the filter resource',
    ]);
  });
});

describe('the list', () => {
  it('is bounded, as a whole and by kind', () => {
    const objects = { nodes: nodes(9, { resources: { memoryBytes: 1 } }) };
    const one = task(memory(2));
    expect(texts(objects, one, { countMax: 2 })).toHaveLength(2);
    expect(texts(objects, one)).toHaveLength(4);
    expect(texts(objects, one, { perKindMax: 9 })).toHaveLength(10);
  });

  it('is data: it survives JSON, and says the cost', () => {
    const state = new ClusterState({ nodes: nodes(1, { resources: { memoryBytes: 1 } }) });
    const before = state.node('n1')?.node;
    const found = counterfactuals(state, task(memory(2)), { policy, now: 0 });
    expect(state.node('n1')?.node).toBe(before);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    expect(found[1]).toEqual({
      remedies: [{ type: 'node-capacity', nodeId: 'n1', resource: 'memoryBytes', amount: 1 }],
      cost: 4.5,
      nodes: ['n1'],
      text: 'would fit if node n1 had 1 bytes more memory',
    });
  });
});
