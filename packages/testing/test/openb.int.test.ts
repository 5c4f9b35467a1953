/**
 * The beginning of the published runs (USENIX ATC'23, "Beware of Fragmentation"), placement by
 * placement. The whole runs, against the published columns: `npm run evidence`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  openbPolicy,
  openbTrace,
  parseOpenbNodes,
  parseOpenbPods,
  parseOrders,
  replay,
  type Trace,
} from '@skep/testing/policy';

const SHARED = join(process.cwd(), '..', 'shared', 'openb');
const ARRIVALS = 1_500;
const isHere = existsSync(join(SHARED, 'README.md'));
const read = (file: string): string => readFileSync(join(SHARED, file), 'utf8');
const fileOf = (path: string) => ({ path, text: read(path) });

/** Trace by workload: read once, for several policies. */
const known = new Map<string, Trace>();

function traceOf(workload: string): Trace {
  let trace = known.get(workload);
  if (trace === undefined) {
    const nodes = parseOpenbNodes(fileOf('openb_node_list_gpu_node.csv'));
    const pods = parseOpenbPods(fileOf(`openb_pod_list_${workload}.csv`));
    const order = parseOrders(fileOf(`orders-${workload}.json`)).find(({ seed }) => seed === 42);
    if (order === undefined) throw new Error('the orders have no seed 42');
    trace = openbTrace({ nodes, pods }, order);
    known.set(workload, trace);
  }
  return trace;
}

type Published = readonly (readonly [string, ...number[]] | null)[];

(isHere ? describe : describe.skip)('the published runs (../shared/openb)', () => {
  it.each([
    ['default', 'DotProd'],
    ['default', 'GpuClustering'],
    ['default', 'GpuPacking'],
    ['default', 'BestFit'],
    ['default', 'FGD'],
    ['gpuspec33', 'FGD'],
    ['gpuspec33', 'GpuPacking'],
  ])(`%s, %s: the first ${ARRIVALS} tasks go where they went`, (workload, name) => {
    const trace = traceOf(workload);
    const cut = { ...trace, events: trace.events.slice(0, ARRIVALS) };
    const { placements } = replay(cut, openbPolicy(name, trace));
    const published = JSON.parse(read(`placements/${workload}-42-${name}.json`)) as Published;
    const places = placements.map(({ node, devices = [] }) =>
      node === undefined ? null : [node, ...devices.map(({ index }) => index)],
    );
    expect(places).toEqual(published.slice(0, ARRIVALS));
  });

  it('default, FGD, whole: the line that the authors print, to the last digit', () => {
    const trace = traceOf('default');
    const { failed, totals } = replay(trace, openbPolicy('FGD', trace));
    expect(failed).toBe(2532);
    expect(totals).toEqual({
      cpuNanos: 107_018_000e6,
      usedCpuNanos: 89_928_302e6,
      memoryBytes: 528_302_452_244_480,
      usedMemoryBytes: 328_998_433_325_056,
      devices: 6212,
      touchedDevices: 6189,
      deviceMilli: 6_212_000,
      usedDeviceMilli: 5_919_410,
    });
  });
});
