import { describe, expect, it } from '@jest/globals';
import { SkepError, Task, newObject, type DeviceRequest } from '@skep/api';
import { bestFitPolicy, leastAllocatedPolicy } from '@skep/scheduler';
import { openbColumns } from './openb-columns.js';
import { OPENB_POLICIES, openbPolicy } from './openb-policies.js';
import { openbTrace, shuffledOrder } from './openb-trace.js';
import * as openb from './openb.js';
import { replay } from './replay.js';
import type { Trace, TraceEvent } from './trace.js';

const parseOpenbNodes = (text: string) => openb.parseOpenbNodes({ path: 'nodes.csv', text });
const parseOpenbPods = (text: string) => openb.parseOpenbPods({ path: 'pods.csv', text });
const parseOrders = (text: string) => openb.parseOrders({ path: 'orders.json', text });

const NODES = `sn,cpu_milli,memory_mib,gpu,model
b,64000,1024,2,T4
a,32000,1024,0,
`;
const PODS = `name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
p0,1000,16,1,1000,,LS
p1,1000,16,1,460,T4|A10,BE
p2,2000,16,0,0,,LS
`;

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SkepError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return 'nothing thrown';
}

describe('lists', () => {
  it('may be quoted, in any order of columns, with more of them, and lines that end early', () => {
    const text =
      '\uFEFFgpu,note,"sn", memory_mib,cpu_milli,model\r\n' +
      '# a comment\r\n2,"a, ""b""",n1,1024,500,T4\r\n\r\n0,,n2,1,1.5\r\n';
    const nodes = parseOpenbNodes(text);
    expect(nodes.map(({ meta }) => meta.name)).toEqual(['n1', 'n2']);
    expect(nodes.map(({ status }) => status.description?.resources)).toEqual([
      {
        cpuNanos: 5e8,
        memoryBytes: 2 ** 30,
        devices: [
          { kind: 'gpu', model: 'T4' },
          { kind: 'gpu', model: 'T4' },
        ],
      },
      { cpuNanos: 15e5, memoryBytes: 2 ** 20 },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['nodes.csv:1:1: the file is empty', () => parseOpenbNodes('')],
    [
      "nodes.csv:1:1: there is no column 'gpu' (it needs sn, cpu_milli, memory_mib, gpu)",
      () => parseOpenbNodes('sn,cpu_milli,memory_mib'),
    ],
    [
      "nodes.csv:1:4: the column 'sn' is there twice (keep one)",
      () => parseOpenbNodes('sn,sn,cpu_milli,memory_mib,gpu\n'),
    ],
    [
      'nodes.csv:1:1: there is no node (add a line)',
      () => parseOpenbNodes('sn,cpu_milli,memory_mib,gpu\n'),
    ],
    [
      'nodes.csv:3:1: the node b is there already (rename it)',
      () => parseOpenbNodes(NODES.replace('\na', '\nb')),
    ],
    [
      "nodes.csv:2:3: cpu_milli is 'x' (write a number from 0)",
      () => parseOpenbNodes(NODES.replace('64000', 'x')),
    ],
    [
      'nodes.csv:2:14: gpu is 1.5 (write a whole number)',
      () => parseOpenbNodes(NODES.replace('1024,2', '1024,1.5')),
    ],
    [
      "nodes.csv:3:1: gpu is '' (write a number from 0)",
      () => parseOpenbNodes(NODES.replace(',0,', '')),
    ],
    [
      'pods.csv:2:23: the first line has 7 columns (remove this one)',
      () => parseOpenbPods(PODS.replace('LS', 'LS,more')),
    ],
    [
      'pods.csv:3:14: gpu_milli is 1460 (write 1 to 1000)',
      () => parseOpenbPods(PODS.replace('460', '1460')),
    ],
    [
      "pods.csv:4:4: cpu_milli is '-1' (write a number from 0)",
      () => parseOpenbPods(PODS.replace('2000', '-1')),
    ],
    ['pods.csv:2:1: name is empty (write a name)', () => parseOpenbPods(PODS.replace('p0', ''))],
    ['pods.csv:5:1: the quote is not closed', () => parseOpenbPods(`${PODS}"x`)],
    ['orders.json:1:2: expected a value', () => parseOrders('[')],
    ['orders.json:1:1: there is no "seed" (add it)', () => parseOrders('{}')],
    ['orders.json:1:2: expected { "seed": N', () => parseOrders('[null]')],
    ['orders.json:1:10: seed must be a whole', () => parseOrders('[{"seed":"1"}]')],
    ['orders.json:1:20: order must be a list', () => parseOrders('[{"seed":1,"order":{}}]')],
    [
      'orders.json:2:2: order holds whole numbers from 0, and this is none',
      () => parseOrders('[{"seed":1,"order":[0,\n -1],"nodeRank":[]}]'),
    ],
  ])('complain: %s', (message, run) => {
    expect(messageOf(run)).toContain(`invalid-argument: ${message}`);
  });

  it('may hold one order alone', () => {
    const one = { seed: 1, order: [0], nodeRank: [0, 1] };
    expect(parseOrders(JSON.stringify({ ...one, fromTrace: 1 }))).toEqual([one]);
  });
});

describe('the files of OpenB', () => {
  it('become nodes with devices and tasks with requests', () => {
    const [b, a] = parseOpenbNodes(NODES);
    expect(b?.status.description?.resources).toEqual({
      cpuNanos: 64e9,
      memoryBytes: 2 ** 30,
      devices: [
        { kind: 'gpu', model: 'T4' },
        { kind: 'gpu', model: 'T4' },
      ],
    });
    expect(a?.status.description?.resources).not.toHaveProperty('devices');
    expect(
      parseOpenbPods(PODS).map(({ template }) => template.resources?.reservations?.devices),
    ).toEqual([
      [{ kind: 'gpu', count: 1 }],
      [{ kind: 'gpu', count: 1, milli: 460, models: ['T4', 'A10'] }],
      undefined,
    ]);
  });

  it('need no column for models', () => {
    const text = PODS.replaceAll(/^(([^,]*,){5})[^,]*,[^,\n]*$/gm, '$1').replaceAll(/,$/gm, '');
    expect(text).not.toContain('gpu_spec');
    expect(parseOpenbPods(text)).toHaveLength(3);
  });

  it('are put in the order of a seed; a row that comes again is a clone', () => {
    const parts = { nodes: parseOpenbNodes(NODES), pods: parseOpenbPods(PODS) };
    const trace = openbTrace(parts, { seed: 1, order: [1, 0, 1], nodeRank: [1, 0] });
    expect(trace.events.map((event) => event.type === 'arrival' && event.task.meta.id)).toEqual([
      'p1',
      'p0',
      'p1-clone-1',
    ]);
    expect(trace.nodeRanks).toEqual(
      new Map([
        ['b', 1],
        ['a', 0],
      ]),
    );
    const wrong = (order: number[], nodeRank: number[]): string =>
      messageOf(() => openbTrace(parts, { seed: 1, order, nodeRank }));
    expect(wrong([3], [0, 1])).toContain('names row 3 (from 0), the list of tasks has 3');
    expect(wrong([0], [0])).toContain('ranks 1 nodes, the list has 2');
  });

  it('gives tasks of one name, and those named like clones, ids of their own', () => {
    const pods = parseOpenbPods(PODS.replace('p1', 'p0').replace('p2', 'p0-clone-1'));
    const parts = { nodes: parseOpenbNodes(NODES), pods };
    const trace = openbTrace(parts, { seed: 1, order: [2, 0, 1, 2, 0], nodeRank: [1, 0] });
    const ids = trace.events.map((event) => (event.type === 'arrival' ? event.task.meta.id : ''));
    expect(ids).toEqual(['p0-clone-1', 'p0', 'p0-clone-2', 'p0-clone-1-clone-1', 'p0-clone-3']);
  });

  it('keep a task without GPU that names models to nodes of these models', () => {
    const pods = parseOpenbPods(PODS.replace('p2,2000,16,0,0,', 'p2,2000,16,0,0,A10| T4'));
    const parts = { nodes: parseOpenbNodes(NODES.replace('0,\n', '0,V100\n')), pods };
    const trace = openbTrace(parts, { seed: 1, order: [2, 2], nodeRank: [1, 0] });
    const { placements } = replay(trace, openbPolicy('GpuPacking', trace));
    expect(placements.map(({ node }) => node)).toEqual(['b', 'b']);
  });

  it('are shuffled and inflated to 130 % by a seed of their own', () => {
    const nodes = parseOpenbNodes(NODES);
    const pods = parseOpenbPods(PODS);
    const { order, nodeRank } = shuffledOrder(nodes, pods, 7);
    expect(shuffledOrder(nodes, pods, 7)).toEqual({ seed: 7, order, nodeRank });
    expect(order.slice(0, 3).toSorted()).toEqual([0, 1, 2]);
    expect(nodeRank.toSorted()).toEqual([0, 1]);
    const demand = order.reduce((sum, row) => sum + (pods[row]?.gpuMilli ?? 0), 0);
    expect(demand).toBeGreaterThan(0.8 * 2000);
    expect(demand).toBeLessThanOrEqual(1.3 * 2000);
    const [small] = parseOpenbNodes(NODES.replace('1024,2', '1024,1'));
    expect(shuffledOrder([small as never], pods, 7).order.length).toBeLessThanOrEqual(3);
  });
});

function arrival(id: string, cpu: number, request?: DeviceRequest): TraceEvent {
  const devices = request === undefined ? {} : { devices: [request] };
  return {
    type: 'arrival',
    task: newObject(Task, {
      id,
      spec: {
        serviceName: id,
        slot: 1,
        desiredState: 'running',
        cause: 'scale',
        template: { resources: { reservations: { cpuNanos: cpu * 1e9, ...devices } } },
      },
    }),
  };
}

const half: DeviceRequest = { kind: 'gpu', count: 1, milli: 500 };

function traceOf(events: readonly TraceEvent[]): Trace {
  return { name: 'test', nodes: parseOpenbNodes(NODES), events };
}

describe('a replay', () => {
  it('samples after each arrival, drops what fits nowhere, gives back what departs', () => {
    const whole: DeviceRequest = { kind: 'gpu', count: 2 };
    const result = replay(
      traceOf([
        arrival('t1', 4, half),
        arrival('t2', 4, whole),
        { type: 'departure', taskId: 't1' },
        { type: 'departure', taskId: 't2' },
        arrival('t3', 4, whole),
        arrival('t4', 100),
      ]),
      bestFitPolicy(),
    );
    expect(result.placements).toEqual([
      { taskId: 't1', node: 'b', devices: [{ kind: 'gpu', index: 0, milli: 500 }] },
      { taskId: 't2' },
      {
        taskId: 't3',
        node: 'b',
        devices: [
          { kind: 'gpu', index: 0, milli: 1000 },
          { kind: 'gpu', index: 1, milli: 1000 },
        ],
      },
      { taskId: 't4' },
    ]);
    expect(result.failed).toBe(2);
    const { samples, totals } = result;
    expect([...samples.arrivedMilli]).toEqual([500, 2500, 4500, 4500]);
    expect([...samples.usedMilli]).toEqual([500, 500, 2000, 2000]);
    expect([...samples.idleMilli]).toEqual([1500, 1500, 0, 0]);
    expect([...samples.failed]).toEqual([0, 1, 1, 2]);
    expect([...samples.usedCpuNanos]).toEqual([4e9, 4e9, 4e9, 4e9]);
    expect(samples.fragmentedMilli[3]).toBe(0);
    expect(totals).toMatchObject({ devices: 2, touchedDevices: 2, usedDeviceMilli: 2000 });
  });

  it('tells how far it is', () => {
    const seen: number[] = [];
    const events = [arrival('t1', 1), arrival('t2', 1)];
    replay(traceOf(events), leastAllocatedPolicy(), {
      onProgress: (done, all) => seen.push(done, all),
    });
    expect(seen).toEqual([0, 2, 2, 2]);
  });

  it('makes columns by arrived workload, halves to even, gaps from their neighbours', () => {
    const tiny = (milli: number): DeviceRequest => ({ kind: 'gpu', count: 1, milli });
    // 2,000 in all: 10 is 0.5 % (to 0), 20 is 1 %, 30 is 1.5 % (to 2), 80 is 4 %.
    const events = [10, 10, 10, 50].map((milli, at) => arrival(`t${at}`, 0, tiny(milli)));
    const { allo, frag, fragRatio } = openbColumns(replay(traceOf(events), bestFitPolicy()));
    expect(allo.slice(0, 7)).toEqual([0.5, 1, 1.5, 2.75, 4, 4, null]);
    expect([allo.length, frag.length, fragRatio.length]).toEqual([131, 131, 131]);
    expect(frag[0]).toBe(0);
    expect(fragRatio[6]).toBeNull();
  });

  it('has nothing to show for a cluster without devices', () => {
    const nodes = parseOpenbNodes('sn,cpu_milli,memory_mib,gpu\na,1000,10,0\n');
    const trace = { name: 'none', nodes, events: [arrival('t', 1)] };
    const { allo } = openbColumns(replay(trace, bestFitPolicy()));
    expect(new Set(allo)).toEqual(new Set([null]));
  });
});

describe('policies by name', () => {
  it('are those of the paper', () => {
    const trace = traceOf([arrival('t1', 1, half)]);
    expect(OPENB_POLICIES.map((name) => openbPolicy(name, trace).name)).toEqual([
      'random',
      'dot-product',
      'gpu-clustering',
      'gpu-packing',
      'best-fit',
      'fgd',
    ]);
    expect(messageOf(() => openbPolicy('Best', trace))).toContain("no policy is named 'Best'");
  });

  it('draw the same for the same seed, and other things for another', () => {
    const events = Array.from({ length: 12 }, (_, at) => arrival(`t${at}`, 1));
    const places = (seed: number): readonly (string | undefined)[] => {
      const trace = traceOf(events);
      return replay(trace, openbPolicy('Random', trace, seed)).placements.map(({ node }) => node);
    };
    expect(places(1)).toEqual(places(1));
    expect(new Set(places(1))).toEqual(new Set(['a', 'b']));
    expect([2, 3, 4].some((seed) => places(seed).join() !== places(1).join())).toBe(true);
  });
});
