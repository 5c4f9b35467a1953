import { describe, expect, it } from '@jest/globals';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import { cluster, node } from './build/node.js';
import { service, task } from './build/service.js';
import { comparePolicies } from './compare/compare-policies.js';
import { policyLaws } from './laws/policy-laws.js';
import { place } from './place.js';
import { replay } from './replay/replay.js';

const policy = swarmPolicy();

describe('place', () => {
  it('needs nothing but a policy: three nodes, and nothing to place', () => {
    const { cluster: of, decisions, places } = place(policy);
    expect(of.nodes.map(({ meta }) => meta.name)).toEqual(['n1', 'n2', 'n3']);
    expect([decisions, places]).toEqual([[], {}]);
  });

  it('tells where each task went, and which waits', () => {
    const result = place(policy, {
      nodes: [node('n1', { cpus: 1 }), node('n2', { cpus: 2 })],
      services: [service('web', { replicas: 4, cpus: 1 })],
    });
    expect(result.places).toEqual({ 'web.1': 'n1', 'web.2': 'n2', 'web.3': 'n2', 'web.4': null });
    expect(result.nodeOf('web.3')).toBe('n2');
    expect(result.nodeOf('web.4')).toBeUndefined();
    expect(result.tasksOn('n2')).toEqual(['web.2', 'web.3']);
    expect(result.placements).toHaveLength(3);
    expect(result.pending.map(({ taskId }) => taskId)).toEqual(['web.4']);
    expect(result.state.node('n2')?.availableCpuNanos).toBe(0);
  });

  it('places services and tasks in the order in which they stand', () => {
    const { places } = place(policy, {
      nodes: 1,
      services: [service('z', { cpus: 3 }), service('a', { cpus: 1 })],
      tasks: [task('last', { cpus: 1 })],
    });
    expect(places).toEqual({ 'z.1': 'n1', 'a.1': 'n1', last: null });
  });

  it('counts what runs, given as tasks or by node', () => {
    const byNode = place(policy, {
      nodes: 2,
      services: [service('web')],
      running: { n1: [service('db', { replicas: 2 }), task('cron')] },
    });
    expect(byNode.cluster.running.map(({ meta }) => meta.id)).toEqual([
      'db@n1.1',
      'db@n1.2',
      'cron',
    ]);
    expect(byNode.places).toEqual({ 'web.1': 'n2' });
    const asTasks = place(policy, {
      nodes: 2,
      services: [service('web')],
      running: [task('cron', { on: 'n1' })],
    });
    expect(asTasks.places).toEqual({ 'web.1': 'n2' });
  });

  it('knows nodes by their names, whatever their ids', () => {
    const result = place(policy, {
      nodes: [node('n1', { id: 'x1' }), node('n2', { id: 'x2' })],
      tasks: [task('there', { preassignedTo: 'n2' }), task('free')],
      running: { n1: [task('busy')] },
    });
    expect(result.places).toEqual({ there: 'n2', free: 'n1' });
    expect(result.cluster.running[0]?.status.nodeId).toBe('x1');
  });

  it('confirms tasks whose node is given, before all others', () => {
    const { places, pending } = place(policy, {
      nodes: [node('n1', { cpus: 1 })],
      tasks: [
        task('free', { cpus: 1 }),
        task('given', { cpus: 1, preassignedTo: 'n1' }),
        task('lost', { preassignedTo: 'n9' }),
      ],
    });
    expect(places).toEqual({ given: 'n1', lost: null, free: null });
    expect(pending[0]?.explanation.code).toBe('node-not-found');
  });

  it('keeps failures in mind', () => {
    const { places } = place(policy, {
      nodes: 2,
      services: [service('web', { faults: { n1: 5 } })],
    });
    expect(places).toEqual({ 'web.1': 'n2' });
  });

  it('gives devices by index', () => {
    const { placements } = place(policy, {
      nodes: [node('n1', { gpus: 2 })],
      services: [service('train', { gpus: 1 }), service('serve', { replicas: 2, gpus: 0.5 })],
    });
    const whole = { kind: 'gpu', index: 0, milli: 1000 };
    const half = { kind: 'gpu', index: 1, milli: 500 };
    expect(placements.map(({ devices }) => devices)).toEqual([[whole], [half], [half]]);
  });

  it('explains each task as of its own moment', () => {
    const result = place(policy, { nodes: 2, services: [service('web', { replicas: 3 })] });
    const ranksOf = (name: string) =>
      result
        .explain(name)
        .nodes.map(({ nodeName, ranks }) => [nodeName, ranks.map(({ value }) => value)]);
    expect(ranksOf('web.1')).toEqual([
      ['n1', [0, 0, 0]],
      ['n2', [0, 0, 0]],
    ]);
    expect(ranksOf('web.3')).toEqual([
      ['n1', [0, 1, 1]],
      ['n2', [0, 1, 1]],
    ]);
    expect(result.why('web.2')).toContain(
      'web.2 → n2: fewer active tasks of the service (0, n1 1)',
    );
    expect([...result.explanations.keys()]).toEqual(['web.1', 'web.2', 'web.3']);
  });

  it('says what would help a task that waits', () => {
    const result = place(policy, {
      nodes: [node('n1', { memory: '1GiB' }), node('n2', { memory: '2GiB' })],
      services: [service('web', { replicas: 2, memory: '1.5GiB' })],
    });
    const texts = result.remedies('web.2').map(({ text }) => text);
    expect(texts).toContain('would fit if node n1 had 512 MiB more memory');
    for (const text of texts) expect(result.why('web.2')).toContain(`\n  ${text}`);
    expect(result.remedies('web.1')).toEqual([]);
  });

  it('says which tasks there are when one is not found', () => {
    const result = place(policy, { services: [service('web', { replicas: 2 })] });
    expect(() => result.nodeOf('web.9')).toThrow('no task web.9 was to be placed; there are web.1');
    expect(() => result.service('db')).toThrow('no task of a service db was placed; there are web');
  });

  it('refuses twins, and tasks that run nowhere', () => {
    const twice = [node('n1'), node('n1')];
    expect(() => place(policy, { nodes: twice })).toThrow('two nodes of the name n1');
    const services = [service('web'), service('web')];
    expect(() => place(policy, { services })).toThrow('two services of the name web');
    expect(() => place(policy, { running: [task('t')] })).toThrow(
      'task t is on no node; say which',
    );
    expect(() => place(policy, { running: { n9: [task('t')] } })).toThrow(
      't is on n9, which is not among the nodes n1, n2, n3',
    );
  });
});

describe('the cluster as a table', () => {
  it('shows what each node has, what is used, and who is there', () => {
    const result = place(policy, {
      nodes: [
        node('n1', { labels: { zone: 'a' }, gpus: 2, generic: { ssd: 2 } }),
        node('big', { cpus: 64, memory: '1.5TiB', availability: 'drain' }),
      ],
      services: [
        service('web', {
          replicas: 2,
          cpus: 0.5,
          memory: '512MiB',
          gpus: 0.3,
          generic: { ssd: 1 },
        }),
        service('db', { memory: '9GiB' }),
      ],
      running: { big: [service('old', { cpus: 1 })] },
    });
    expect(result.toString().split('\n')).toEqual([
      'node  state  labels  cpus         memory  ssd  free gpu  tasks',
      'big   drain          1/64  0 B / 1.5 TiB                 old@big.1',
      'n1           zone=a   1/4  1 GiB / 8 GiB  2/2  400 1000  +web.1 +web.2',
      'waiting: db.1: no suitable node (1 node not available for new tasks; insufficient ' +
        'resources on 1 node)',
    ]);
  });

  it('stays small', () => {
    const { nodes } = cluster({ nodes: 30 });
    const services = [service('web', { replicas: 600 })];
    const text = place(policy, { nodes, services }).toString();
    expect(text.split('\n')).toHaveLength(26);
    expect(text).toContain('and 6 more nodes');
    expect(text).toMatch(/^n1 .*\+web\.1 .* … \(20\)$/m);
    expect(place(policy, { nodes: [] }).toString()).toBe('no nodes');
  });
});

describe('what is no policy', () => {
  const wrong = [undefined, {}, { name: 'x', filters: [] }] as unknown as readonly Policy[];

  it.each(wrong)('%j is refused wherever one is asked for', (policy) => {
    const trace = { name: 't', nodes: [node('n1')], events: [] };
    for (const use of [
      () => place(policy),
      () => replay(trace, policy),
      () => comparePolicies(trace, [policy]),
      () => policyLaws(policy),
    ]) {
      expect(use).toThrow(/this is no policy but \w+; a policy is \{ name, filters/);
    }
  });

  it('laws that would try nothing are refused', () => {
    expect(() => policyLaws(swarmPolicy(), { runs: 0 })).toThrow('runs is 0; nothing would be');
    expect(() => policyLaws(swarmPolicy(), { only: [] })).toThrow('no law is left; nothing');
  });
});
