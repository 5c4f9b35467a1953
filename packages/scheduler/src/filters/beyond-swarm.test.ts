import { describe, expect, it } from '@jest/globals';
import type {
  Node,
  NodeRequirement,
  NodeSpec,
  Placement,
  Taint,
  TaskTemplate,
  Toleration,
} from '@skep/api';
import { node, placeAll, placesOf, running, task, tasks } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import { explain } from '../explain.js';
import { matchesTerm, meets, requirementText } from '../label-match.js';
import { composePolicy } from '../policies/compose-policy.js';
import { STANDARD_FILTERS, kubernetesPolicy } from '../policies/standard-policies.js';
import { hostPortPlugins } from '../reserves/host-ports.js';
import { tolerates } from '../taints.js';

const filtersOnly = composePolicy({ name: 'filters only', filters: STANDARD_FILTERS });

/** Names of the candidates of a task with this placement. */
function fits(state: ClusterState, placement: Placement, service = 'web'): readonly string[] {
  const one = task({ service, template: { placement } });
  return explain(state, one, { policy: filtersOnly, now: 0 })
    .nodes.filter(({ isCandidate }) => isCandidate)
    .map(({ nodeId }) => nodeId)
    .sort();
}

function withSpec(base: Node, spec: Partial<NodeSpec>): Node {
  return { ...base, spec: { ...base.spec, ...spec } };
}

// The cases of Kubernetes' nodeaffinity tests.
describe('requirements on labels', () => {
  const info = new ClusterState({
    nodes: [node({ id: 'n1', labels: { zone: 'a', gen: '17', odd: '1x' } })],
  }).nodes[0] as never;

  it.each<[NodeRequirement['operator'], string, string[], boolean]>([
    ['In', 'zone', ['b', 'a'], true],
    ['In', 'zone', ['b'], false],
    ['In', 'none', ['a'], false],
    ['In', 'node.labels.zone', ['a'], true],
    ['In', 'node.hostname', ['n1'], true],
    ['In', 'node.platform.os', ['linux'], true],
    ['NotIn', 'zone', ['b'], true],
    ['NotIn', 'zone', ['a'], false],
    ['NotIn', 'none', ['a'], true],
    ['Exists', 'zone', [], true],
    ['Exists', 'none', [], false],
    ['Exists', 'engine.labels.zone', [], false],
    ['DoesNotExist', 'none', [], true],
    ['DoesNotExist', 'zone', [], false],
    ['Gt', 'gen', ['16'], true],
    ['Gt', 'gen', ['17'], false],
    ['Gt', 'none', ['1'], false],
    ['Gt', 'odd', ['0'], false],
    ['Gt', 'gen', ['1', '2'], false],
    ['Lt', 'gen', ['100'], true],
    ['Lt', 'gen', ['17'], false],
    ['Lt', 'gen', ['x'], false],
  ])('%s: %s %j is %s', (operator, key, values, expected) => {
    expect(meets({ operator, key, values }, info)).toBe(expected);
  });

  it('are all to hold in a term; an empty term holds nowhere', () => {
    const zone = { key: 'zone', operator: 'In', values: ['a'] } as const;
    const gen = { key: 'gen', operator: 'Lt', values: ['3'] } as const;
    expect(matchesTerm({ match: [zone] }, info)).toBe(true);
    expect(matchesTerm({ match: [zone, gen] }, info)).toBe(false);
    expect(matchesTerm({ match: [] }, info)).toBe(false);
    expect([zone, gen].map(requirementText)).toEqual(['zone In (a)', 'gen Lt 3']);
  });
});

describe('node affinity', () => {
  const state = new ClusterState({
    nodes: ['a', 'b', 'c'].map((zone, at) => node({ id: `n${at}`, labels: { zone } })),
  });
  const inZone = (...values: string[]) => ({
    match: [{ key: 'zone', operator: 'In' as const, values }],
  });

  it('requires one of the terms', () => {
    expect(fits(state, { nodeAffinity: { required: [inZone('a'), inZone('b')] } })).toEqual([
      'n0',
      'n1',
    ]);
    expect(fits(state, { nodeAffinity: { required: [] } })).toHaveLength(3);
  });

  it('says what is missing', () => {
    const one = task({ template: { placement: { nodeAffinity: { required: [inZone('z')] } } } });
    const { pending, nodes } = explain(state, one, { policy: filtersOnly, now: 0 });
    expect(pending?.message).toBe(
      'no suitable node (required node affinity not satisfied on 3 nodes)',
    );
    expect(nodes[0]?.verdicts.find(({ lacks }) => lacks !== undefined)?.lacks).toEqual([
      { what: 'node affinity', needed: 'zone In (z)', available: 'a' },
    ]);
  });

  it('prefers nodes by the weights of the terms that hold', () => {
    const preferred = [
      { weight: 10, term: inZone('b') },
      { weight: 30, term: inZone('c') },
    ];
    const one = task({ template: { placement: { nodeAffinity: { preferred } } } });
    const { nodes } = explain(state, one, { policy: kubernetesPolicy(), now: 0 });
    expect(
      nodes.map(({ nodeId, scores }) => [
        nodeId,
        scores?.find(({ score }) => score === 'node-affinity')?.value,
      ]),
    ).toEqual([
      ['n2', 75],
      ['n1', 25],
      ['n0', 0],
    ]);
  });
});

describe('taints', () => {
  const taint: Taint = { key: 'gpu', value: 'a', effect: 'NoSchedule' };
  it.each<[string, Toleration, boolean]>([
    ['same key and value', { key: 'gpu', value: 'a' }, true],
    ['same key, other value', { key: 'gpu', value: 'b' }, false],
    ['other key', { key: 'x', value: 'a' }, false],
    ['exists', { key: 'gpu', operator: 'Exists' }, true],
    ['every key', { operator: 'Exists' }, true],
    ['every key needs Exists', {}, false],
    ['same effect', { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }, true],
    ['other effect', { key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false],
  ])('%s', (_name, toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });

  it('keep tasks away, or only make nodes worse', () => {
    const state = new ClusterState({
      nodes: [
        withSpec(node({ id: 'n1' }), { taints: [taint] }),
        withSpec(node({ id: 'n2' }), { taints: [{ key: 'old', effect: 'NoExecute' }] }),
        withSpec(node({ id: 'n3' }), { taints: [{ key: 'slow', effect: 'PreferNoSchedule' }] }),
        node({ id: 'n4' }),
      ],
    });
    expect(fits(state, {})).toEqual(['n3', 'n4']);
    expect(fits(state, { tolerations: [{ key: 'gpu', value: 'a' }] })).toEqual(['n1', 'n3', 'n4']);
    expect(fits(state, { tolerations: [{ operator: 'Exists' }] })).toHaveLength(4);
    const { chosen } = explain(state, task(), { policy: kubernetesPolicy(), now: 0 });
    expect(chosen?.nodeId).toBe('n4');
  });
});

const zones = (labels: readonly string[]): Node[] =>
  labels.map((zone, at) => node({ id: `n${at}`, labels: zone === '' ? {} : { zone } }));

describe('topology spread', () => {
  const hard = (maxSkew: number): TaskTemplate => ({
    placement: { topologySpread: [{ topologyKey: 'zone', maxSkew }] },
  });

  it('takes turns over places within the skew', () => {
    const state = new ClusterState({ nodes: zones(['a', 'a', 'b', 'c']) });
    const result = placeAll(state, tasks(7, { template: hard(1) }), { policy: filtersOnly });
    const perZone = Object.values(placesOf(result)).map((id) => 'aabc'[Number(id.slice(1))]);
    expect(perZone.toSorted().join('')).toBe('aaabbcc');
  });

  // As in kube-scheduler's filtering tests: two nodes in each of two zones, 2 and 1 pods.
  it.each([
    [1, ['n2', 'n3']],
    [2, ['n0', 'n1', 'n2', 'n3']],
  ])('with 2 and 1 tasks and a skew of %s leaves %j', (maxSkew, expected) => {
    const state = new ClusterState({
      nodes: zones(['a', 'a', 'b', 'b']),
      tasks: [...running(2, { nodeId: 'n0' }), ...running(1, { nodeId: 'n2' })],
    });
    expect(fits(state, hard(maxSkew).placement ?? {})).toEqual(expected);
  });

  it('refuses nodes without the key', () => {
    const state = new ClusterState({ nodes: zones(['a', '']) });
    expect(fits(state, hard(1).placement ?? {})).toEqual(['n0']);
  });

  it('is not held up by places that can take nothing', () => {
    const [first, second, third] = zones(['a', 'b', 'c']) as [Node, Node, Node];
    const state = new ClusterState({
      nodes: [first, withSpec(second, { availability: 'drain' }), third],
      tasks: [...running(1, { nodeId: 'n0' }), ...running(1, { nodeId: 'n2' })],
    });
    expect(fits(state, hard(1).placement ?? {})).toEqual(['n0', 'n2']);
    const elsewhere = { ...hard(1).placement, constraints: ['node.labels.zone == c'] };
    expect(fits(state, elsewhere)).toEqual(['n2']);
  });

  it('prefers emptier places when it may be broken', () => {
    const template: TaskTemplate = {
      placement: { topologySpread: [{ topologyKey: 'zone', maxSkew: 1, otherwise: 'prefer' }] },
    };
    const state = new ClusterState({
      nodes: zones(['a', 'a', 'b']),
      tasks: running(3, { nodeId: 'n2' }),
    });
    const result = placeAll(state, tasks(4, { template }), { policy: kubernetesPolicy() });
    // The fourth makes place a fuller than place b; until then a is the emptier one.
    const places = Object.values(placesOf(result));
    expect(places).toHaveLength(4);
    expect(places.slice(0, 3).filter((place) => place === 'n2')).toEqual([]);
  });
});

describe('service affinity', () => {
  const near = (service: string): Placement => ({
    serviceAffinity: { required: [{ service, topologyKey: 'zone' }] },
  });
  const far = (service: string, topologyKey = 'zone'): Placement => ({
    serviceAntiAffinity: { required: [{ service, topologyKey }] },
  });
  const state = new ClusterState({
    nodes: zones(['a', 'a', 'b', '']),
    tasks: running(1, { nodeId: 'n0', service: 'db' }),
  });

  it('requires the place of the other service', () => {
    expect(fits(state, near('db'))).toEqual(['n0', 'n1']);
    expect(fits(state, near('cache'))).toEqual([]);
    expect(fits(state, far('db'))).toEqual(['n2', 'n3']);
    expect(fits(state, far('db', 'node.id'))).toEqual(['n1', 'n2', 'n3']);
  });

  it('lets the first task of a service go anywhere, and the others after it', () => {
    const fresh = new ClusterState({ nodes: zones(['', 'a', 'a', 'b']) });
    const template = { placement: near('web') };
    const result = placeAll(fresh, tasks(4, { template }), { policy: filtersOnly });
    expect(new Set(Object.values(placesOf(result)))).toEqual(new Set(['n1']));
    const apart = { placement: { ...near('web'), ...far('web', 'node.id') } };
    const spread = new ClusterState({ nodes: zones(['', 'a', 'a', 'b']) });
    const second = placeAll(spread, tasks(3, { template: apart }), { policy: filtersOnly });
    expect(Object.values(placesOf(second))).toEqual(['n1', 'n2']);
    expect(second.unplaced).toHaveLength(1);
  });

  it('keeps the distance that tasks on nodes require', () => {
    const shy = new ClusterState({
      nodes: zones(['a', 'a', 'b']),
      tasks: running(1, { nodeId: 'n0', service: 'shy', template: { placement: far('web') } }),
    });
    expect(fits(shy, {}, 'web')).toEqual(['n2']);
    expect(fits(shy, {}, 'other')).toEqual(['n0', 'n1', 'n2']);
    shy.release('shy.n0.0');
    expect(fits(shy, {}, 'web')).toHaveLength(3);
  });

  it('prefers places near to one and away from another', () => {
    const term = (service: string) => ({ weight: 1, term: { service, topologyKey: 'zone' } });
    const prefer = (placement: Placement): string | undefined => {
      const one = task({ service: 'new', template: { placement } });
      return explain(state, one, { policy: kubernetesPolicy(), now: 0 }).chosen?.nodeId;
    };
    expect(['n0', 'n1']).toContain(prefer({ serviceAffinity: { preferred: [term('db')] } }));
    expect(['n2', 'n3']).toContain(prefer({ serviceAntiAffinity: { preferred: [term('db')] } }));
  });
});

describe('dynamic host ports', () => {
  it('are the lowest that are free, within the range, and are replayed from the status', () => {
    const { filter, reserve } = hostPortPlugins({ first: 30_000, last: 30_001 });
    const policy = composePolicy({
      name: 'ports',
      base: filtersOnly,
      moreFilters: [filter],
      reserves: [reserve],
    });
    const ports = [{ targetPort: 80, publishMode: 'host' as const }];
    const state = new ClusterState({ nodes: [node({ id: 'n1' })] });
    const fixed = [{ targetPort: 1, publishedPort: 30_000, publishMode: 'host' as const }];
    state.place(task({ id: 'fixed', service: 'fixed', ports: fixed }), 'n1');
    const { placements, unplaced } = placeAll(state, tasks(2, { ports }), { policy });
    const given = [{ protocol: 'tcp', targetPort: 80, publishedPort: 30_001 }] as const;
    expect(placements.map((one) => one.ports)).toEqual([given]);
    expect(unplaced[0]?.explanation.message).toBe('no suitable node (no free host port on 1 node)');
    const stored = task({ id: 'web.1', ports, nodeId: 'n1', state: 'running' });
    const again = new ClusterState({ nodes: [node({ id: 'n1' })] });
    again.upsertTask({ ...stored, status: { ...stored.status, reservedPorts: given } });
    expect(again.nodes[0]?.hostPortUses('tcp/30001')).toBe(1);
  });
});
