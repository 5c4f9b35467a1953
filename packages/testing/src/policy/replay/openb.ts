/**
 * The files of the OpenB cluster and of traces of the same form: text in, objects out.
 *
 * **Source:** Alibaba cluster-trace-gpu-v2023 (`openb_node_list_*.csv`, `openb_pod_list_*.csv`).
 */
import { Node, newObject, type DeviceRequest, type Placement, type TaskTemplate } from '@skep/api';
import { parseLocatedJson, type Located } from '../trace/located-json.js';
import { textFault, type TextFile } from '../trace/place-in-text.js';
import { parseTable, type TableRow } from './table.js';

const MIB = 2 ** 20;
const MILLI = 1_000_000;
/** What a GPU can be divided into. */
const GPU_MILLI = 1_000;
/** The label of nodes that says which GPUs they have. */
const MODEL_LABEL = 'gpu-model';

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
  /** Row numbers in the list of tasks, from 0, in the order of arrival; a row may come again. */
  readonly order: readonly number[];
  /** By row of the list of nodes: among nodes with equal scores the least is taken. */
  readonly nodeRank: readonly number[];
}

/**
 * Reads the list of nodes: `sn, cpu_milli, memory_mib, gpu`, and `model` where the list has it;
 * other columns are not looked at.
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseOpenbNodes(file: TextFile): readonly Node[] {
  const columns = ['sn', 'cpu_milli', 'memory_mib', 'gpu'];
  const names = new Set<string>();
  return parseTable(file, { columns, thing: 'node' }).map((row) => {
    const name = row.name('sn');
    if (names.has(name)) throw row.fault('sn', `the node ${name} is there already (rename it)`);
    names.add(name);
    return nodeOf(name, row);
  });
}

function nodeOf(name: string, row: TableRow): Node {
  const gpus = row.whole('gpu');
  const model = row.text('model');
  const device = { kind: 'gpu', ...(model === '' ? {} : { model }) };
  return newObject(Node, {
    id: name,
    name,
    labels: model === '' ? {} : { [MODEL_LABEL]: model },
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
 * the trace has it (models that will do, parted by `|`); other columns are not looked at.
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseOpenbPods(file: TextFile): readonly OpenbPod[] {
  const columns = ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'];
  return parseTable(file, { columns, thing: 'task' }).map(podOf);
}

function podOf(row: TableRow): OpenbPod {
  const name = row.name('name');
  const gpus = row.whole('num_gpu');
  const milli = gpus === 0 ? 0 : row.whole('gpu_milli');
  if (gpus > 0 && (milli < 1 || milli > GPU_MILLI)) {
    throw row.fault('gpu_milli', `gpu_milli is ${milli} (write 1 to ${GPU_MILLI})`);
  }
  const parts = row.text('gpu_spec').split('|');
  const models = parts.map((model) => model.trim()).filter((model) => model !== '');
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
  // Without a GPU there is no request that could name models: then the nodes' labels do.
  const placement = gpus === 0 && models.length > 0 ? { placement: onModels(models) } : {};
  return { name, template: { resources: { reservations }, ...placement }, gpuMilli: milli, gpus };
}

function onModels(models: readonly string[]): Placement {
  const match = [{ key: `node.labels.${MODEL_LABEL}`, operator: 'In', values: models } as const];
  return { nodeAffinity: { required: [{ match }] } };
}

/**
 * Reads the orders of the published experiments: `[{ seed, order, nodeRank }]`, or one of them.
 * @throws invalid-argument as `FILE:LINE:COLUMN: what is wrong (what would be right)`.
 */
export function parseOrders(file: TextFile): readonly OpenbOrder[] {
  const root = parseLocatedJson(file);
  return (root.type === 'list' ? root.items : [root]).map((one): OpenbOrder => {
    if (one.type !== 'object') {
      throw textFault(file.path, one, 'expected { "seed": N, "order": […], "nodeRank": […] }');
    }
    const fieldOf = (name: string): Located => {
      const field = one.fields.get(name);
      if (field !== undefined) return field.value;
      throw textFault(file.path, one, `there is no "${name}" (add it)`);
    };
    return {
      seed: numberIn(file, fieldOf('seed'), 'seed must be a whole number from 0'),
      order: rowsIn(file, fieldOf('order'), 'order'),
      nodeRank: rowsIn(file, fieldOf('nodeRank'), 'nodeRank'),
    };
  });
}

function rowsIn(file: TextFile, value: Located, name: string): readonly number[] {
  if (value.type !== 'list') throw textFault(file.path, value, `${name} must be a list of numbers`);
  return value.items.map((item) =>
    numberIn(file, item, `${name} holds whole numbers from 0, and this is none`),
  );
}

function numberIn({ path }: TextFile, value: Located, complaint: string): number {
  if (value.type === 'scalar' && Number.isSafeInteger(value.value) && Number(value.value) >= 0) {
    return Number(value.value);
  }
  throw textFault(path, value, complaint);
}
