/**
 * The files of the OpenB cluster and of traces of the same form: text in, objects out.
 *
 * **Source:** Alibaba cluster-trace-gpu-v2023 (`openb_node_list_*.csv`, `openb_pod_list_*.csv`).
 */
import { Node, SkepError, newObject, type DeviceRequest, type TaskTemplate } from '@skep/api';
import { fault, parseCsv, type CsvRow } from './csv.js';

const MIB = 2 ** 20;
const MILLI = 1_000_000;
/** What a GPU can be divided into. */
const GPU_MILLI = 1_000;

/** A task of the trace, not yet arrived. */
export interface OpenbPod {
  readonly name: string;
  /** What it reserves. */
  readonly template: TaskTemplate;
  /** Thousandths of each GPU that it asks for, and how many GPUs. */
  readonly gpuMilli: number;
  readonly gpus: number;
}

/** What one seed of the published experiments fixes: which task comes when, which node first. */
export interface OpenbOrder {
  readonly seed: number;
  /** Row numbers in the list of tasks, in the order of arrival; a row may come again. */
  readonly order: readonly number[];
  /** By row of the list of nodes: among nodes with equal scores the least is taken. */
  readonly nodeRank: readonly number[];
}

/**
 * Reads the list of nodes: `sn, cpu_milli, memory_mib, gpu, model`.
 * @throws SkepError invalid-argument for anything else.
 */
export function parseOpenbNodes(text: string): readonly Node[] {
  const columns = ['sn', 'cpu_milli', 'memory_mib', 'gpu'];
  const { rows } = parseCsv('nodes', text, columns);
  if (rows.length === 0) throw fault('nodes', 1, 'there is no node');
  const names = new Set<string>();
  return rows.map((row) => {
    const name = nameOf('nodes', row, 'sn');
    if (names.has(name)) throw fault('nodes', row.line, `node '${name}' is there twice`);
    names.add(name);
    return nodeOf(name, row);
  });
}

function nodeOf(name: string, row: CsvRow): Node {
  const gpus = whole('nodes', row, 'gpu');
  const model = row.text('model') ?? '';
  const device = { kind: 'gpu', ...(model === '' ? {} : { model }) };
  return newObject(Node, {
    id: name,
    name,
    spec: { role: 'worker', availability: 'active' },
    status: {
      state: 'ready',
      message: '',
      address: '',
      description: {
        hostname: name,
        platform: { os: 'linux', architecture: 'amd64' },
        resources: {
          cpuNanos: row.amount('cpu_milli') * MILLI,
          memoryBytes: row.amount('memory_mib') * MIB,
          ...(gpus === 0 ? {} : { devices: Array.from({ length: gpus }, () => device) }),
        },
        engine: { version: '', labels: {} },
      },
    },
  });
}

/**
 * Reads a list of tasks: `name, cpu_milli, memory_mib, num_gpu, gpu_milli`, and `gpu_spec` where
 * the
 * trace has it; other columns are not looked at.
 * @throws SkepError invalid-argument for anything else.
 */
export function parseOpenbPods(text: string): readonly OpenbPod[] {
  const columns = ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'];
  const { rows } = parseCsv('pods', text, columns);
  if (rows.length === 0) throw fault('pods', 1, 'there is no task');
  return rows.map(podOf);
}

function podOf(row: CsvRow): OpenbPod {
  const name = nameOf('pods', row, 'name');
  const gpus = whole('pods', row, 'num_gpu');
  const milli = gpus === 0 ? 0 : whole('pods', row, 'gpu_milli');
  if (gpus > 0 && (milli < 1 || milli > GPU_MILLI)) {
    throw fault('pods', row.line, `gpu_milli is ${milli}, not from 1 to ${GPU_MILLI}`);
  }
  const models = (row.text('gpu_spec') ?? '').split('|').filter((model) => model !== '');
  const request: DeviceRequest = {
    kind: 'gpu',
    count: gpus,
    ...(milli === GPU_MILLI ? {} : { milli }),
    ...(models.length === 0 ? {} : { models }),
  };
  const reservations = {
    cpuNanos: row.amount('cpu_milli') * MILLI,
    memoryBytes: row.amount('memory_mib') * MIB,
    ...(gpus === 0 ? {} : { devices: [request] }),
  };
  return { name, template: { resources: { reservations } }, gpuMilli: milli, gpus };
}

/**
 * Reads the orders of the published experiments: `[{ seed, order, nodeRank }]`.
 * @throws SkepError invalid-argument for anything else.
 */
export function parseOrders(text: string): readonly OpenbOrder[] {
  const value = json(text);
  if (!Array.isArray(value)) throw orderFault('it is not a list');
  return value.map((one: unknown, at): OpenbOrder => {
    const { seed, order, nodeRank } = (one ?? {}) as Record<string, unknown>;
    if (typeof seed !== 'number') throw orderFault(`entry ${at} has no seed`);
    return {
      seed,
      order: numbers(order, at, 'order'),
      nodeRank: numbers(nodeRank, at, 'nodeRank'),
    };
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw orderFault(`it is not JSON (${thrown instanceof Error ? thrown.message : 'unknown'})`);
  }
}

function numbers(value: unknown, at: number, field: string): readonly number[] {
  const isRight =
    Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
  if (!isRight) throw orderFault(`${field} of entry ${at} is not a list of row numbers`);
  return value as readonly number[];
}

function orderFault(what: string): SkepError {
  return new SkepError('invalid-argument', `orders: ${what}`);
}

function nameOf(source: string, row: CsvRow, column: string): string {
  const name = row.text(column) ?? '';
  if (name === '') throw fault(source, row.line, `${column} is empty`);
  return name;
}

function whole(source: string, row: CsvRow, column: string): number {
  const value = row.amount(column);
  if (!Number.isSafeInteger(value)) {
    throw fault(source, row.line, `${column} is ${value}, not a whole number`);
  }
  return value;
}
