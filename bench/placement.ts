/**
 * Placement by scores where nothing can be batched: every task asks for other amounts, and every
 * node is filtered and scored for each. Least allocated, balanced allocation and a soft topology
 * spread over zones, on cpu and memory; nodes in three sizes and ten zones, tasks of 100 services.
 *
 * kube-scheduler 1.26's core does 810 a second at 5,000 nodes and 1,130 at 1,000 on two cores, and
 * scores a tenth of the nodes.
 */
import { Node, Task, newObject } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import {
  ClusterState,
  STANDARD_FILTERS,
  balancedAllocationScore,
  composePolicy,
  groupOf,
  leastAllocatedScore,
  placeGroup,
  topologySpreadScore,
  type PlacementOptions,
} from '@skep/scheduler';
import { runAlone } from './support/alone.js';
import { growthResults, type CostPoint } from './support/growth.js';
import {
  medianOf,
  millisecondsOf,
  type Bench,
  type BenchResult,
  type MedianOptions,
} from './support/measure.js';

const TASKS = 10_000;
const SERVICES = 100;
const ZONES = 10;
const CORES = [8, 16, 32] as const;
const GIB = 2 ** 30;
const MIB = 2 ** 20;

const POLICY = composePolicy({
  name: 'placement-bench',
  filters: STANDARD_FILTERS,
  scores: [
    leastAllocatedScore(),
    balancedAllocationScore,
    topologySpreadScore({
      defaults: [{ topologyKey: 'zone', maxSkew: 1, otherwise: 'prefer' }],
    }),
  ],
});

/** Tasks are new, as to the scheduler: none counts on a node yet. */
const OPTIONS: PlacementOptions = { policy: POLICY, now: 0, areNew: true };

function nodeOf(number: number): Node {
  const name = `node-${number}`;
  const cores = CORES[number % CORES.length] ?? CORES[0];
  return newObject(Node, {
    id: name,
    name,
    labels: { zone: `zone-${number % ZONES}` },
    spec: { role: 'worker', availability: 'active' },
    status: {
      state: 'ready',
      message: '',
      address: '10.0.0.1',
      description: {
        hostname: name,
        platform: { os: 'linux', architecture: 'amd64' },
        resources: { cpuNanos: cores * 1e9, memoryBytes: 4 * cores * GIB },
        engine: { version: '24', labels: {} },
      },
    },
  });
}

/** No two tasks ask for the same: the number of the task is in the amounts. */
function tasksOf(count: number): readonly Task[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, number) => {
    const service = `service-${number % SERVICES}`;
    const reservations = {
      cpuNanos: (50 + random.int(150)) * 1e6 + number,
      memoryBytes: (100 + random.int(500)) * MIB + number,
    };
    return newObject(Task, {
      id: `task-${number}`,
      spec: {
        serviceId: service,
        serviceName: service,
        slot: number,
        desiredState: 'running',
        template: { resources: { reservations } },
        cause: 'scale',
      },
      status: { state: 'pending', timestamp: 0, appliedAt: 0, message: '' },
    });
  });
}

/** Argument of a process that measures one case. */
const ALONE = 'alone';
const GROWTH = 'growth';

/** Each case in a process of its own (D-098). */
async function* run({ args }: { readonly args: readonly string[] }): AsyncIterable<BenchResult> {
  if (args.includes(ALONE)) {
    for (const arg of args.filter((one) => one !== ALONE)) yield* measured(arg);
    return;
  }
  for (const one of args.length === 0 ? ['1000', '5000', GROWTH] : args) {
    yield* await runAlone('placement', { flags: [], args: [one, ALONE] });
  }
}

async function* measured(arg: string): AsyncIterable<BenchResult> {
  if (arg === GROWTH) {
    yield* growth();
    return;
  }
  const nodes = Number(arg);
  if (!(nodes >= 1)) throw new Error(`'${arg}' is no number of nodes, nor '${GROWTH}'`);
  const time = await timeOf({ nodes, tasks: TASKS }, LONG);
  const name = `${nodes / 1000}k nodes, ${TASKS / 1000}k different tasks`;
  yield { case: name, metric: 'time', value: time, unit: 'ms' };
  yield { case: name, metric: 'placements', value: TASKS / (time / 1000), unit: 'per s' };
}

async function* growth(): AsyncIterable<BenchResult> {
  const byNodes: CostPoint[] = [];
  for (const size of DOUBLED_NODES) {
    byNodes.push({ size, cost: await timeOf({ nodes: size, tasks: TASKS }, FEWER) });
  }
  yield* growthResults(`growth with nodes, ${TASKS / 1000}k tasks`, byNodes);
  const byTasks: CostPoint[] = [];
  for (const size of DOUBLED_TASKS) {
    byTasks.push({ size, cost: await timeOf({ nodes: 5_000, tasks: size }, FEWER) });
  }
  yield* growthResults('growth with tasks, 5k nodes', byTasks);
}

const DOUBLED_NODES = [1_250, 2_500, 5_000, 10_000];
const DOUBLED_TASKS = [5_000, 10_000, 20_000, 40_000];
const FEWER: MedianOptions = { warmUps: 1, runs: 3 };
/** Long enough that the median is not of one slow second of a machine that others share. */
const LONG: MedianOptions = { warmUps: 5, runs: 25 };

/** Milliseconds that placing takes, one task after the other on nodes that are empty at first. */
async function timeOf(
  counts: { readonly nodes: number; readonly tasks: number },
  options?: MedianOptions,
): Promise<number> {
  const nodes = Array.from({ length: counts.nodes }, (_, number) => nodeOf(number));
  const tasks = tasksOf(counts.tasks);
  return await medianOf(async () => {
    const state = new ClusterState({ nodes });
    let placed = 0;
    const elapsed = await millisecondsOf(() => {
      for (const task of tasks) {
        placed += placeGroup(state, groupOf([task]), OPTIONS).placements.length;
      }
    });
    if (placed !== counts.tasks) throw new Error(`placed ${placed} of ${counts.tasks}`);
    return elapsed;
  }, options);
}

/**
 * Placement without batching. Arguments: numbers of nodes, or `growth`: how cost grows when nodes
 * or tasks double. Default: 1000, 5000 and growth.
 */
export const bench: Bench = {
  name: 'placement',
  about: 'placement by scores, every task different, every node scored',
  run,
};
