/**
 * Pure placement, shaped as SwarmKit's own benchmark: nodes that are ready (every third with a
 * network plugin), tasks that are each of a service of their own. No store, no watch.
 */
import { Network, Node, Task, newObject, type Network as NetworkObject } from '@skep/api';
import { ClusterState, groupTasks, placeGroup, swarmPolicy } from '@skep/scheduler';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly tasks: number;
  /** Tasks of one service instead of a service each. */
  readonly isOneService?: boolean;
  readonly needsPlugin?: boolean;
}

const CASES: readonly Case[] = [
  { name: '1k×1k', nodes: 1_000, tasks: 1_000 },
  { name: '1k×10k', nodes: 1_000, tasks: 10_000 },
  { name: '1k×100k', nodes: 1_000, tasks: 100_000 },
  { name: '1k×100k, one service', nodes: 1_000, tasks: 100_000, isOneService: true },
  { name: 'constraints 1k×10k', nodes: 1_000, tasks: 10_000, needsPlugin: true },
  { name: 'constraints 5k×100k', nodes: 5_000, tasks: 100_000, needsPlugin: true },
  { name: '100k×100k', nodes: 100_000, tasks: 100_000 },
];

const NETWORK_ID = 'network';
const POLICY = swarmPolicy();

function nodeOf(number: number): Node {
  const hasPlugin = number % 3 === 0;
  return newObject(Node, {
    id: `node-id-${number}`,
    name: `node-${number}`,
    spec: { role: 'worker', availability: 'active' },
    status: {
      state: 'ready',
      message: '',
      address: '10.0.0.1',
      description: {
        hostname: `node-${number}`,
        platform: { os: 'linux', architecture: 'amd64' },
        resources: { cpuNanos: 4e9, memoryBytes: 8 * 2 ** 30 },
        engine: {
          version: '24',
          labels: {},
          plugins: hasPlugin ? [{ type: 'Network', name: 'network' }] : [],
        },
      },
    },
  });
}

function taskOf(number: number, { isOneService = false, needsPlugin = false }: Case): Task {
  return newObject(Task, {
    id: `task-id-${number}`,
    spec: {
      serviceId: isOneService ? 'service' : `service-id-${number}`,
      serviceName: 'service',
      slot: number,
      desiredState: 'running',
      template: {},
      cause: 'scale',
      ...(isOneService ? { specVersion: 1 } : {}),
    },
    status: {
      state: 'pending',
      timestamp: 0,
      appliedAt: 0,
      message: '',
      ...(needsPlugin ? { networks: [{ networkId: NETWORK_ID, addresses: [], aliases: [] }] } : {}),
    },
  });
}

function networks(): readonly NetworkObject[] {
  return [newObject(Network, { id: NETWORK_ID, spec: { driver: { name: 'network' } } })];
}

async function measure(one: Case): Promise<BenchResult> {
  const nodes = Array.from({ length: one.nodes }, (_, number) => nodeOf(number));
  const tasks = Array.from({ length: one.tasks }, (_, number) => taskOf(number, one));
  const value = await medianOf(async () => {
    const state = new ClusterState({ nodes, networks: networks() });
    let placed = 0;
    const time = await millisecondsOf(() => {
      for (const group of groupTasks(tasks)) {
        placed += placeGroup(state, group, { policy: POLICY, now: 0 }).placements.length;
      }
    });
    if (placed !== one.tasks) throw new Error(`placed ${placed} of ${one.tasks}`);
    return time;
  });
  return { case: one.name, metric: 'placement', value, unit: 'ms' };
}

async function* run({ args }: { readonly args: readonly string[] }): AsyncIterable<BenchResult> {
  const wanted = args.length === 0 ? CASES : CASES.filter(({ name }) => args.includes(name));
  for (const one of wanted) yield await measure(one);
}

/** Placement without a store. Arguments: names of cases; default all. */
export const bench: Bench = {
  name: 'scheduler',
  about: 'pure placement, nodes × tasks, one service each unless said otherwise',
  run,
};
