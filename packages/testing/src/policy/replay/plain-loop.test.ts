/**
 * The published rules as one plain loop over arrays, without plugins, caches or columns: what the
 * engine decides through its public plugin interface has to be the same on any lists and orders.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openbColumns } from './openb-columns.js';
import { openbPolicy } from './openb-policies.js';
import { openbTrace } from './openb-trace.js';
import { parseOpenbNodes, parseOpenbPods } from './openb.js';
import { replay } from './replay.js';

interface PlainNode {
  readonly name: string;
  readonly model: string;
  cpu: number;
  memory: number;
  readonly free: number[];
  /** Classes of the tasks that run there: 0 for shares, else the number of GPUs. */
  readonly classes: Set<number>;
  readonly rank: number;
}

interface PlainPod {
  readonly cpu: number;
  readonly memory: number;
  readonly gpus: number;
  readonly milli: number;
  readonly spec: string;
}

type Typical = PlainPod & { readonly share: number };

const POLICIES = ['DotProd', 'GpuClustering', 'GpuPacking', 'BestFit', 'FGD'] as const;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const isAllowed = (spec: string, model: string): boolean =>
  spec === '' || spec.split('|').includes(model);

function fits(pod: PlainPod, node: PlainNode): boolean {
  const { cpu, memory, free, model } = node;
  if (cpu < pod.cpu || memory < pod.memory || !isAllowed(pod.spec, model)) return false;
  return free.filter((milli) => milli >= pod.milli).length >= pod.gpus;
}

function typicalOf(pods: readonly PlainPod[]): readonly Typical[] {
  const kinds = new Map<string, { readonly pod: PlainPod; times: number }>();
  for (const pod of pods) {
    const key = [pod.cpu, pod.milli, pod.gpus, pod.spec].join();
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { pod, times: 1 });
    else known.times += 1;
  }
  const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...kinds.values()].sort(
    (a, b) =>
      b.times - a.times ||
      b.pod.cpu - a.pod.cpu ||
      b.pod.milli - a.pod.milli ||
      b.pod.gpus - a.pod.gpus ||
      text(b.pod.spec, a.pod.spec),
  );
  const taken: typeof sorted = [];
  let covered = 0;
  for (const kind of sorted) {
    if (covered >= 0.95 * pods.length) break;
    covered += kind.times;
    taken.push(kind);
  }
  return taken.map(({ pod, times }) => {
    return { ...pod, share: times / pods.length / (covered / pods.length) };
  });
}

/** F of a node, in the six sums of the published experiments. */
function fragmentation(node: PlainNode, typical: readonly Typical[]): number {
  const all = sum(node.free);
  let [q1, q2, q4, xl, xr, na] = [0, 0, 0, 0, 0, 0];
  for (const { cpu, gpus, milli, spec, share } of typical) {
    const isCpuEnough = node.cpu >= cpu;
    const small = sum(node.free.filter((free) => free < milli));
    const areDevicesEnough = node.free.filter((free) => free >= milli).length >= gpus;
    if (gpus === 0 && isCpuEnough) xl += share * all;
    else if (gpus === 0) xr += share * all;
    else if (!isAllowed(spec, node.model)) na += share * all;
    else if (areDevicesEnough && isCpuEnough) q2 += share * small;
    else if (areDevicesEnough) q4 += share * all;
    else if (isCpuEnough) q2 += share * all;
    else q1 += share * all;
  }
  return q1 + q2 + q4 + xl + xr + na;
}

/** Indexes of the devices by rising free amount that the task would take. */
function tightest(pod: PlainPod, { free }: PlainNode): readonly number[] {
  return free
    .map((milli, index) => ({ milli, index }))
    .filter(({ milli }) => milli >= pod.milli)
    .sort((a, b) => a.milli - b.milli || a.index - b.index)
    .slice(0, pod.gpus)
    .map(({ index }) => index);
}

function afterTaking(node: PlainNode, pod: PlainPod, devices: readonly number[]): PlainNode {
  const free = node.free.map((milli, at) => (devices.includes(at) ? milli - pod.milli : milli));
  return { ...node, cpu: node.cpu - pod.cpu, free };
}

/** The score of FGD, and the devices that go with it. */
function gradient(pod: PlainPod, node: PlainNode, typical: readonly Typical[]) {
  const isShare = pod.gpus === 1 && pod.milli < 1000;
  const ways = isShare
    ? node.free.flatMap((free, at) => (free >= pod.milli ? [[at]] : []))
    : [tightest(pod, node)];
  const before = fragmentation(node, typical);
  let best = { score: -1, devices: [] as readonly number[] };
  for (const devices of ways) {
    const after = fragmentation(afterTaking(node, pod, devices), typical);
    const score = Math.trunc(100 / (1 + Math.exp(-(before - after) / 1000)));
    if (score > best.score) best = { score, devices };
  }
  return best;
}

function scoreOf(
  policy: (typeof POLICIES)[number],
  { pod, node, typical }: { pod: PlainPod; node: PlainNode; typical: readonly Typical[] },
): number {
  const free = sum(node.free);
  const gpu = pod.milli * pod.gpus;
  switch (policy) {
    case 'DotProd': {
      const product = (node.cpu / 128000) * (pod.cpu / 128000) + (free / 8000) * (gpu / 8000);
      return Math.trunc(100 * (1 - product / 2));
    }
    case 'GpuClustering': {
      if (pod.gpus === 0) return 0;
      const own = pod.gpus === 1 && pod.milli < 1000 ? 0 : pod.gpus;
      const base = Math.trunc((25 * (8000 - free)) / 8000);
      if (node.classes.size === 0) return base + 25;
      if (!node.classes.has(own)) return base;
      return base + (node.classes.size === 1 ? 75 : 50);
    }
    case 'GpuPacking': {
      if (pod.gpus === 0) return 0;
      const whole = node.free.filter((milli) => milli === 1000).length;
      if (whole === node.free.length) return Math.max(33 - whole, whole);
      const taken = tightest(pod, node).map((index) => node.free[index] ?? 0);
      const unused = taken.filter((milli) => milli === 1000).length;
      if (unused > 0) return Math.max(50 - unused, 33);
      const left = sum(taken.map((milli) => Math.trunc((milli * 100) / 1000)));
      return Math.max(100 - Math.trunc(left / 10), 50);
    }
    case 'BestFit': {
      const left = (0.5 * (node.cpu - pod.cpu)) / 128000 + (0.5 * (free - gpu)) / 8000;
      return Math.trunc(100 * (1 - left));
    }
    case 'FGD':
      return gradient(pod, node, typical).score;
  }
}

interface Lists {
  readonly nodes: readonly {
    readonly cpu: number;
    readonly memory: number;
    readonly gpus: number;
    readonly model: string;
  }[];
  readonly pods: readonly PlainPod[];
  readonly order: readonly number[];
  readonly nodeRank: readonly number[];
}

/** The whole run: for each arrival the node and its devices, and the milli figures after it. */
function plainRun(policy: (typeof POLICIES)[number], lists: Lists) {
  const { pods, order, nodeRank } = lists;
  const typical = typicalOf(pods);
  const nodes = lists.nodes.map(({ cpu, memory, gpus, model }, at): PlainNode => ({
    name: `n${at}`,
    model,
    cpu,
    memory,
    free: Array.from({ length: gpus }, () => 1000),
    classes: new Set(),
    rank: nodeRank[at] ?? 0,
  }));
  const figures: (readonly [arrived: number, used: number, fragmented: number, idle: number])[] =
    [];
  let [arrived, used] = [0, 0];
  const places = order.map((row) => {
    const pod = pods[row] as PlainPod;
    arrived += pod.milli * pod.gpus;
    const ranked = nodes
      .filter((node) => fits(pod, node))
      .map((node) => ({ node, score: scoreOf(policy, { pod, node, typical }) }))
      .sort((a, b) => b.score - a.score || a.node.rank - b.node.rank);
    const node = ranked[0]?.node;
    let place: readonly (string | number)[] | null = null;
    if (node !== undefined) {
      const isShare = pod.gpus === 1 && pod.milli < 1000;
      const devices =
        policy === 'FGD' && isShare ? gradient(pod, node, typical).devices : tightest(pod, node);
      for (const index of devices) node.free[index] = (node.free[index] ?? 0) - pod.milli;
      node.cpu -= pod.cpu;
      node.memory -= pod.memory;
      if (pod.gpus > 0) node.classes.add(isShare ? 0 : pod.gpus);
      used += pod.milli * pod.gpus;
      place = [node.name, ...devices];
    }
    const fragmented = sum(nodes.map((one) => fragmentation(one, typical)));
    figures.push([arrived, used, fragmented, sum(nodes.flatMap(({ free }) => free))]);
    return place;
  });
  return { places, figures };
}

const aNode = fc.record({
  cpu: fc.constantFrom(4_000, 16_000, 64_000, 96_000),
  memory: fc.constantFrom(8_192, 65_536, 262_144),
  gpus: fc.constantFrom(0, 1, 2, 4, 8),
  model: fc.constantFrom('T4', 'V100M16', 'A10', ''),
});
const aPod = fc
  .record({
    cpu: fc.constantFrom(500, 1_000, 4_000, 12_000),
    memory: fc.constantFrom(0, 1_024, 16_384),
    size: fc.constantFrom<readonly [number, number]>(
      [0, 0],
      [1, 100],
      [1, 460],
      [1, 500],
      [1, 1000],
      [1, 1000],
      [2, 1000],
      [4, 1000],
    ),
    spec: fc.constantFrom('', '', '', 'T4', 'V100M16|A10'),
  })
  .map(({ size: [gpus, milli], spec, ...pod }): PlainPod => {
    return { ...pod, gpus, milli, spec: gpus === 0 ? '' : spec };
  });
const someLists = fc
  .tuple(
    fc.array(aNode, { minLength: 1, maxLength: 8 }),
    fc.array(aPod, { minLength: 1, maxLength: 12 }),
    fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }),
  )
  .chain(([nodes, pods, rows]) =>
    fc
      .shuffledSubarray([...nodes.keys()], { minLength: nodes.length, maxLength: nodes.length })
      .map((nodeRank): Lists => {
        return { nodes, pods, order: rows.map((row) => row % pods.length), nodeRank };
      }),
  );

/** The lists as files; a list without models has no column for them, as some published ones. */
function traceOf({ nodes, pods, order, nodeRank }: Lists) {
  const hasSpecs = pods.some(({ spec }) => spec !== '');
  const nodeText = nodes
    .map((one, at) => `n${at},${one.cpu},${one.memory},${one.gpus},${one.model}\n`)
    .join('');
  const podText = pods
    .map(({ cpu, memory, gpus, milli, spec }, at) => {
      return `p${at},${cpu},${memory},${gpus},${milli}${hasSpecs ? `,${spec}` : ''}\n`;
    })
    .join('');
  const head = `name,cpu_milli,memory_mib,num_gpu,gpu_milli${hasSpecs ? ',gpu_spec' : ''}\n`;
  const parts = {
    nodes: parseOpenbNodes({ path: 'n', text: `sn,cpu_milli,memory_mib,gpu,model\n${nodeText}` }),
    pods: parseOpenbPods({ path: 'p', text: `${head}${podText}` }),
  };
  return openbTrace(parts, { seed: 0, order, nodeRank });
}

describe('law: the engine decides as a plain loop over the published rules', () => {
  it.each(POLICIES)('%s, on any lists and orders, to the last digit', (policy) => {
    fc.assert(
      fc.property(someLists, (lists) => {
        const trace = traceOf(lists);
        const result = replay(trace, openbPolicy(policy, trace));
        const plain = plainRun(policy, lists);
        const places = result.placements.map(({ node, devices = [] }) =>
          node === undefined ? null : [node, ...devices.map(({ index }) => index)],
        );
        expect(places).toEqual(plain.places);
        const { arrivedMilli, usedMilli, fragmentedMilli, idleMilli } = result.samples;
        for (const [at, [arrived, used, fragmented, idle]] of plain.figures.entries()) {
          expect([arrivedMilli[at], usedMilli[at], idleMilli[at]]).toEqual([arrived, used, idle]);
          expect(fragmentedMilli[at]).toBeCloseTo(fragmented, 6);
        }
        expect(openbColumns(result).allo).toHaveLength(131);
      }),
      { numRuns: Number(process.env['LAW_RUNS'] ?? 60) },
    );
  });
});
