/**
 * The scheduler as it runs: store, watch, placement and commits, shaped as SwarmKit's own
 * benchmark (manager/scheduler/scheduler_test.go). A store holds nodes that are ready, every third
 * with a network plugin, and gets pending tasks, each of a service of its own and without a spec
 * version. Measured is the time from the end of the commit of the tasks until a watcher has
 * received every assignment; `pure …` is placement alone, without store and watch.
 *
 * Runs are warm, as those of a compiled language are: see {@link runsOf}; `first run` is that of a
 * new process, which is not. Ids are what a store or a wire gives, texts in one piece; a template
 * alone would leave pieces that the first look-up, which is the scheduler's, has to put together.
 *
 * The heap of the case with a million tasks is held to what is asked for: an engine that may take
 * more collects less, and holds twice as much. `memory` is the most that its process ever held,
 * with all that runs the benchmark.
 */
import { Network, Node, Service, Task, Volume, newObject } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import { systemClock } from '@skep/api/system';
import { startController } from '@skep/controller';
import { schedulerController } from '@skep/orchestrator';
import { ClusterState, groupTasks, placeGroup, swarmPolicy } from '@skep/scheduler';
import { memoryStore, type Store } from '@skep/store';
import { peakMemoryMiB, runAlone } from './support/alone.js';
import { growthResults, type CostPoint } from './support/growth.js';
import {
  medianOf,
  millisecondsOf,
  type Bench,
  type BenchResult,
  type MedianOptions,
} from './support/measure.js';

interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly tasks: number;
  readonly needsPlugin?: boolean;
  /** The heap of its process is held to so much. */
  readonly heapMiB?: number;
}

const CASES: readonly Case[] = [
  { name: '1k×1k', nodes: 1_000, tasks: 1_000 },
  { name: '1k×10k', nodes: 1_000, tasks: 10_000 },
  { name: '1k×100k', nodes: 1_000, tasks: 100_000 },
  { name: 'constraints 1k×10k', nodes: 1_000, tasks: 10_000, needsPlugin: true },
  { name: 'constraints 5k×100k', nodes: 5_000, tasks: 100_000, needsPlugin: true },
  { name: '100k×100k', nodes: 100_000, tasks: 100_000 },
  { name: '100k×1M', nodes: 100_000, tasks: 1_000_000, heapMiB: 1_360 },
];
const KINDS = [Node, Task, Network, Service, Volume];
/** Tasks made at a time: what the benchmark itself holds should not count. */
const SLICE = 10_000;
const NETWORK_ID = 'network';
const POLICY = swarmPolicy();
/** What may stand among the arguments besides names of cases. */
const PURE = 'pure';
const GROWTH = 'growth';
/** Argument of a process that measures one case. */
const ALONE = 'alone';

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

function taskOf(number: number, { needsPlugin = false }: Case): Task {
  return newObject(Task, {
    id: inOnePiece(`task-id-${number}`),
    spec: {
      serviceId: inOnePiece(`service-id-${number}`),
      serviceName: 'service',
      slot: number,
      desiredState: 'running',
      template: {},
      cause: 'scale',
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

function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function network(): Network {
  return newObject(Network, { id: NETWORK_ID, spec: { driver: { name: 'network' } } });
}

function objects<T>(count: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, number) => make(number));
}

async function createAll(store: Store, created: readonly (Node | Task | Network)[]): Promise<void> {
  const changes = created.map((object) => ({ type: 'create', object }) as const);
  const result = await store.batch({ actor: 'bench', changes });
  if (result.conflict !== undefined) throw new Error(result.conflict.message);
}

/** Resolves when so many tasks were seen to be assigned. */
function assignments(store: Store, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    store.subscribe(
      {
        commit: ({ events }) => {
          for (const { object, previous } of events) {
            const after = object as Task;
            const before = previous as Task | undefined;
            if (after.status.state === 'assigned' && before?.status.state === 'pending') left -= 1;
          }
          if (left === 0) resolve();
        },
        ended: reject,
      },
      { selector: { kinds: [Task.name] } },
    );
  });
}

/** The whole way: from the last commit of a task to the last assignment. */
async function throughTheStore(one: Case): Promise<number> {
  const clock = systemClock();
  const store = memoryStore({ clock, kinds: KINDS });
  await createAll(store, [network(), ...objects(one.nodes, nodeOf)]);
  const controller = await startController(schedulerController(), {
    store,
    clock,
    random: seededRandom(1),
  });
  const done = assignments(store, one.tasks);
  for (let from = 0; from < one.tasks; from += SLICE) {
    const count = Math.min(SLICE, one.tasks - from);
    await createAll(
      store,
      objects(count, (number) => taskOf(from + number, one)),
    );
  }
  const time = await millisecondsOf(() => done);
  await controller.stop();
  await store.close();
  return time;
}

async function placementAlone(one: Case): Promise<number> {
  const nodes = objects(one.nodes, nodeOf);
  const tasks = objects(one.tasks, (number) => taskOf(number, one));
  const state = new ClusterState({ nodes, networks: [network()] });
  let placed = 0;
  const time = await millisecondsOf(() => {
    for (const group of groupTasks(tasks)) {
      placed += placeGroup(state, group, { policy: POLICY, now: 0 }).placements.length;
    }
  });
  if (placed !== one.tasks) throw new Error(`placed ${placed} of ${one.tasks}`);
  return time;
}

/** Tasks that are placed before anything is measured: by then the engine has compiled all of it. */
const WARM_UP_TASKS = 400_000;

/**
 * A machine that others share is slower for seconds at a time: a case is measured for longer than
 * that, so that its median is not of such a time alone.
 */
function runsOf({ tasks }: Case): Required<MedianOptions> {
  const warmUps = Math.max(1, Math.ceil(WARM_UP_TASKS / tasks));
  if (tasks >= 1_000_000) return { warmUps, runs: 3 };
  return { warmUps, runs: Math.min(201, Math.max(21, Math.ceil(1_000_000 / tasks))) };
}

/** Doubling one of the two numbers, the other as it is. */
async function* growth(): AsyncIterable<BenchResult> {
  for (let tasks = 0; tasks < WARM_UP_TASKS; tasks += 100_000) {
    await throughTheStore({ name: '', nodes: 1_000, tasks: 100_000 });
  }
  const costOf = async (nodes: number, tasks: number): Promise<number> =>
    medianOf(() => throughTheStore({ name: '', nodes, tasks }), { warmUps: 1, runs: 3 });
  const byTasks: CostPoint[] = [];
  for (const size of [12_500, 25_000, 50_000, 100_000]) {
    byTasks.push({ size, cost: await costOf(1_000, size) });
  }
  yield* growthResults('growth with tasks, 1k nodes', byTasks);
  const byNodes: CostPoint[] = [];
  for (const size of [1_000, 2_000, 4_000, 8_000]) {
    byNodes.push({ size, cost: await costOf(size, 20_000) });
  }
  yield* growthResults('growth with nodes, 20k tasks', byNodes);
}

/** Each case in a process of its own: what one leaves behind slows the next down by a third. */
async function* run({ args }: { readonly args: readonly string[] }): AsyncIterable<BenchResult> {
  const isPure = args.includes(PURE);
  const names = args.filter((arg) => arg !== PURE && arg !== ALONE);
  if (args.includes(ALONE)) {
    yield* measured(names.join(' '), isPure);
    return;
  }
  const known = [...CASES.map(({ name }) => name), ...(isPure ? [] : [GROWTH])];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`no case is named '${unknown}'; there are: ${known.join(', ')}`);
  }
  for (const name of known.filter((one) => names.length === 0 || names.includes(one))) {
    const heapMiB = isPure ? undefined : CASES.find((one) => one.name === name)?.heapMiB;
    const flags = heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`];
    const words = isPure ? [name, PURE, ALONE] : [name, ALONE];
    yield* await runAlone('scheduler', { flags, args: words });
  }
}

/** One case in this process. */
async function* measured(name: string, isPure: boolean): AsyncIterable<BenchResult> {
  const one = CASES.find((known) => known.name === name);
  if (one === undefined) {
    yield* growth();
    return;
  }
  const measure = isPure ? placementAlone : throughTheStore;
  const { warmUps, runs } = runsOf(one);
  const first = await measure(one);
  const value = await medianOf(() => measure(one), { warmUps: warmUps - 1, runs });
  const title = isPure ? `${PURE} ${name}` : name;
  yield { case: title, metric: 'time', value, unit: 'ms' };
  yield { case: `${title}, first run`, metric: 'time', value: first, unit: 'ms' };
  if (one.heapMiB !== undefined && !isPure) {
    yield { case: name, metric: 'memory', value: peakMemoryMiB(), unit: 'MiB' };
  }
}

/** Arguments: names of cases or `growth`, default all; `pure` for placement alone. */
export const bench: Bench = {
  name: 'scheduler',
  about: 'from pending tasks to assignments seen by a watcher, nodes × tasks; `pure`: no store',
  run,
};
