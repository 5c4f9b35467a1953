import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Taint, Task } from '@skep/api';
import { node, placeAll, task, volume } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import { explain } from '../explain.js';
import { composePolicy } from '../policies/compose-policy.js';
import { STANDARD_FILTERS } from '../policies/standard-policies.js';
import type { Filter, Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { applyCounterfactual, type Situation } from './apply.js';
import { counterfactuals } from './counterfactual.js';
import type { Remedy } from './remedy.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 25) };

const aNode = fc.record({
  memory: fc.nat(4),
  cpu: fc.nat(3),
  gpus: fc.nat(2),
  zone: fc.constantFrom('a', 'b', undefined),
  disk: fc.constantFrom('ssd', undefined),
  state: fc.constantFrom('ready' as const, 'ready' as const, 'down' as const),
  availability: fc.constantFrom('active' as const, 'active' as const, 'drain' as const),
  os: fc.constantFrom('linux', 'windows'),
  plugins: fc.constantFrom(undefined, [], [{ type: 'Log', name: 'x' }]),
  hasNoDescription: fc.constantFrom(false, false, false, true),
  isTainted: fc.constantFrom(false, false, true),
  devices: fc.nat(2),
});
const clusters = fc.array(aNode, { maxLength: 5 });

const aTask = fc.record({
  service: fc.constantFrom('s1', 's2'),
  memory: fc.nat(4),
  cpu: fc.nat(3),
  gpus: fc.nat(2),
  port: fc.boolean(),
  most: fc.nat(2),
  constraints: fc.subarray([
    'node.labels.zone == a',
    'node.labels.zone != b',
    'engine.labels.disk == ssd',
    'node.role == manager',
  ]),
  os: fc.constantFrom(undefined, 'linux', 'windows'),
  log: fc.constantFrom(undefined, 'x', 'y'),
  devices: fc.nat(2),
  milli: fc.constantFrom(undefined, 300, 1500),
  beyond: fc.subarray(['spread', 'near', 'far', 'affinity'] as const, { maxLength: 2 }),
});
const runnings = fc.array(fc.tuple(aTask, fc.nat(4)), { maxLength: 6 });

type NodeInputs = typeof aNode extends fc.Arbitrary<infer T> ? T : never;
type TaskInputs = typeof aTask extends fc.Arbitrary<infer T> ? T : never;

function nodesOf(inputs: readonly NodeInputs[]): readonly Node[] {
  return inputs.map(({ memory, cpu, gpus, zone, disk, os, plugins, isTainted, ...rest }, at) => {
    const { devices, ...plain } = rest;
    const base = node({
      ...plain,
      id: `n${at}`,
      labels: zone === undefined ? {} : { zone },
      engineLabels: disk === undefined ? {} : { disk },
      platform: { os, architecture: 'amd64' },
      resources: {
        memoryBytes: memory,
        cpuNanos: cpu,
        generic: [{ kind: 'gpu', ids: Array.from({ length: gpus }, (_, n) => `g${n}`) }],
        devices: Array.from({ length: devices }, () => ({ kind: 'card' })),
      },
      ...(plugins === undefined ? {} : { plugins }),
    });
    const taints: readonly Taint[] = isTainted ? [{ key: 'k', effect: 'NoSchedule' }] : [];
    return { ...base, spec: { ...base.spec, taints } };
  });
}

function taskOf(id: string, input: TaskInputs, nodeId?: string): Task {
  const { service, memory, cpu, gpus, port, most, constraints, os, log, beyond } = input;
  const term = { service: 's2', topologyKey: 'zone' };
  const requests =
    input.devices === 0
      ? []
      : [
          {
            kind: 'card',
            count: input.devices,
            ...(input.milli === undefined ? {} : { milli: input.milli }),
          },
        ];
  return task({
    id,
    service,
    ...(nodeId === undefined ? {} : { nodeId }),
    template: {
      resources: {
        reservations: {
          memoryBytes: memory,
          cpuNanos: cpu,
          generic: [{ kind: 'gpu', count: gpus }],
          devices: requests,
        },
      },
      placement: {
        ...(beyond.includes('spread')
          ? { topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] }
          : {}),
        ...(beyond.includes('near') ? { serviceAffinity: { required: [term] } } : {}),
        ...(beyond.includes('far') ? { serviceAntiAffinity: { required: [term] } } : {}),
        ...(beyond.includes('affinity')
          ? {
              nodeAffinity: {
                required: [{ match: [{ key: 'zone', operator: 'In', values: ['b'] }] }],
              },
            }
          : {}),
        constraints,
        maxReplicasPerNode: most,
        platforms: os === undefined ? [] : [{ os, architecture: '' }],
      },
      ...(log === undefined ? {} : { logDriver: { name: log } }),
    },
    ports: port ? [{ targetPort: 1, publishedPort: 80, publishMode: 'host' }] : [],
  });
}

/** Wants as many free letters in the node's name as the task has cpu; suggests, sometimes. */
function ownFilter(name: string, isSuggesting: boolean): Filter {
  return {
    name,
    prepare: ({ requirements }) => ({
      check: ({ node: { meta } }) =>
        Number(meta.labels['letters'] ?? 0) >= requirements.cpuNanos
          ? undefined
          : [{ what: 'letters', needed: requirements.cpuNanos, available: 0 }],
      ...(isSuggesting
        ? {
            suggest: ({ name: nodeName }) => [
              {
                text: `if ${nodeName} had letters`,
                node: { meta: { labels: { letters: String(requirements.cpuNanos) } } },
              },
            ],
          }
        : {}),
    }),
    describe: (count) => `letters on ${count}`,
  };
}

const swarm = swarmPolicy();
const policies: readonly Policy[] = [
  swarm,
  { ...swarm, name: 'own', filters: [...swarm.filters, ownFilter('letters', false)] },
  { ...swarm, name: 'suggesting', filters: [ownFilter('letters', true), ...swarm.filters] },
  composePolicy({ name: 'beyond Swarm', filters: STANDARD_FILTERS }),
  { name: 'impostor', filters: [ownFilter('ready', false)], rank: [] },
];

function isPlaced({ objects, task: one, policy }: Situation): boolean {
  return placeAll(new ClusterState(objects), [one], { policy }).placements.length === 1;
}

/** Lacks of the node that lacks least. */
function leastLacks(state: ClusterState, one: Task, policy: Policy): number {
  const { nodes } = explain(state, one, { policy, now: 0 });
  return Math.min(
    ...nodes.map(({ verdicts }) => verdicts.flatMap(({ lacks = [] }) => lacks).length),
  );
}

/** The same remedy, a little less; undefined where there is no less. */
function less(remedy: Remedy): Remedy | undefined {
  switch (remedy.type) {
    case 'node-capacity':
      return { ...remedy, amount: remedy.amount - 1 };
    case 'node-generic':
      return { ...remedy, count: remedy.count - 1 };
    case 'reservation':
      return { ...remedy, amount: remedy.amount + 1 };
    case 'node-device':
      return { ...remedy, count: remedy.count - 1 };
    case 'generic-reservation':
    case 'device-reservation':
      return { ...remedy, count: remedy.count + 1 };
    case 'max-skew':
    case 'max-replicas':
      return { ...remedy, value: remedy.value - 1 };
    case 'port-free':
      return { ...remedy, holders: remedy.holders.slice(1) };
    default:
      return undefined;
  }
}

/** The law itself: every one, applied, places the task; no part of it and nothing less does. */
function check(situation: Situation): ReadonlySet<Remedy['type']> {
  const { objects, task: one, policy } = situation;
  const state = new ClusterState(objects);
  const found = counterfactuals(state, one, { policy, now: 0, countMax: 15 });
  const wasPlaced = isPlaced(situation);
  if (wasPlaced || state.nodes.length === 0) expect(found).toEqual([]);
  else if (found.length === 0) expect(leastLacks(state, one, policy)).toBeGreaterThan(4);
  const helps = (remedies: readonly Remedy[]): boolean =>
    isPlaced(applyCounterfactual(situation, { remedies }));
  for (const { remedies } of found) {
    expect(helps(remedies)).toBe(true);
    for (const [at, remedy] of remedies.entries()) {
      if (remedies.length > 1) expect(helps(remedies.filter((__, i) => i !== at))).toBe(false);
      const lesser = less(remedy);
      if (lesser === undefined) continue;
      expect(helps(remedies.with(at, lesser))).toBe(false);
    }
  }
  return new Set(found.flatMap(({ remedies }) => remedies.map(({ type }) => type)));
}

describe('laws of counterfactuals', () => {
  it('each of them, applied, places the task; no part of it and nothing smaller does', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(clusters, runnings, aTask, fc.nat(4), (inputs, runs, wanted, which) => {
        const nodes = nodesOf(inputs);
        const tasks = runs.map(([input, at], index) =>
          taskOf(`t${index}`, input, `n${at % Math.max(1, nodes.length)}`),
        );
        const policy = policies[which] ?? swarm;
        const situation = { objects: { nodes, tasks }, task: taskOf('one', wanted), policy };
        for (const type of check(situation)) seen.add(type);
      }),
      RUNS,
    );
    expect([...seen].sort()).toEqual(
      expect.arrayContaining(['node-capacity', 'without-constraint']),
    );
  });

  it('so with spreads over places that are full, and with volumes', () => {
    const seen = new Set<string>();
    const places = fc.array(
      fc.record({ memory: fc.integer({ min: 1, max: 6 }), zone: fc.constantFrom('a', 'b', 'c') }),
      { minLength: 2, maxLength: 5 },
    );
    const holders = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 });
    const wishes = fc.record({
      memory: fc.nat(3),
      skew: fc.constantFrom(undefined, 1, 1, 2),
      volume: fc.constantFrom(undefined, 'here', 'nowhere'),
    });
    const objectsOf = (
      inputs: readonly { readonly memory: number; readonly zone: string }[],
      on: readonly number[],
    ) => ({
      nodes: inputs.map(({ memory, zone }, at) =>
        node({
          id: `n${at}`,
          labels: { zone },
          resources: { memoryBytes: memory },
          topology: { zone },
        }),
      ),
      tasks: on.map((at, index) => {
        const nodeId = `n${at % inputs.length}`;
        return task({ id: `t${index}`, nodeId, reservations: { memoryBytes: 1 } });
      }),
      volumes: [
        volume('here', { status: { volumeId: 'x', accessibleTopology: [{ zone: 'c' }] } }),
        volume('nowhere', { status: {} }),
      ],
    });
    fc.assert(
      fc.property(places, holders, wishes, (inputs, on, { memory, skew, volume: source }) => {
        const one = task({
          id: 'one',
          template: {
            resources: { reservations: { memoryBytes: memory } },
            placement:
              skew === undefined
                ? {}
                : { topologySpread: [{ topologyKey: 'zone', maxSkew: skew }] },
            ...(source === undefined
              ? {}
              : { container: { image: '', mounts: [{ type: 'cluster', source, target: '/v' }] } }),
          },
        });
        const policy = policies[3] ?? swarm;
        const situation = { objects: objectsOf(inputs, on), task: one, policy };
        for (const type of check(situation)) seen.add(type);
      }),
      { numRuns: 3 * RUNS.numRuns },
    );
    expect([...seen].sort()).toEqual(expect.arrayContaining(['max-skew', 'without-mount']));
  });

  it('same question, same answer; neither order of objects nor the asking matters', () => {
    fc.assert(
      fc.property(clusters, runnings, aTask, (inputs, runs, wanted) => {
        const nodes = nodesOf(inputs);
        const tasks = runs.map(([input, at], index) => taskOf(`t${index}`, input, `n${at}`));
        const one = taskOf('one', wanted);
        const options = { policy: swarm, now: 0 };
        const state = new ClusterState({ nodes, tasks });
        const found = counterfactuals(state, one, options);
        expect(counterfactuals(state, one, options)).toEqual(found);
        const turned = new ClusterState({
          nodes: [...nodes].reverse(),
          tasks: [...tasks].reverse(),
        });
        expect(counterfactuals(turned, one, options)).toEqual(found);
      }),
      RUNS,
    );
  });
});
