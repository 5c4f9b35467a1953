/**
 * The memory store: the figures that `docs/performance.md` compares with SwarmKit's.
 *
 * A table of tasks with five indexes: 10,000 objects, as in SwarmKit's own benchmarks, and the
 * same with 100,000 (`… of 100k`). Writes go in transactions of 100 changes, but for `commit`,
 * which is one update in a transaction of its own, awaited. An update moves the object in one of
 * the indexes.
 */
import {
  Task,
  bySlot,
  defineKind,
  deriveId,
  newObject,
  slotKey,
  withStatus,
  type StoredObject,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { systemClock } from '@skep/api/system';
import { memoryStore, type Change, type Store, type Transaction } from '@skep/store';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

const BATCH = 100;
const TASKS_PER_SERVICE = 20;
const TASKS_PER_NODE = 10;
const ACTOR = 'bench';

/** Tasks as they are, under a fifth index. */
const BenchTask = defineKind<TaskSpec, TaskStatus>({
  ...Task,
  indexes: { ...Task.indexes, state: ({ status }) => status.state },
});

type BenchTask = StoredObject<TaskSpec, TaskStatus>;

/** How often a case is run: small tables need more runs until the code is warm. */
interface Scale {
  readonly objects: number;
  readonly suffix: string;
  readonly warmUps: number;
  readonly runs: number;
}

const SMALL: Scale = { objects: 10_000, suffix: '', warmUps: 10, runs: 15 };
const LARGE: Scale = { objects: 100_000, suffix: ' of 100k', warmUps: 2, runs: 5 };

/** Tasks that were not written yet. The ids of what they refer to are shared, as in a cluster. */
function newTasks(count: number): readonly BenchTask[] {
  const idsOf = (what: string, total: number): readonly string[] =>
    Array.from({ length: total }, (_, number) => deriveId(what, number));
  const services = idsOf('service', count / TASKS_PER_SERVICE);
  const networks = idsOf('network', services.length);
  const nodes = idsOf('node', count / TASKS_PER_NODE);
  return idsOf('task', count).map((id, number) => {
    const service = number % services.length;
    const networkId = networks[service] ?? '';
    return newObject(BenchTask, {
      id,
      spec: {
        serviceId: services[service] ?? '',
        serviceName: `service${service}`,
        slot: Math.floor(number / services.length) + 1,
        template: { container: { image: 'bench:1' } },
        desiredState: 'running',
        specVersion: 1,
        cause: 'scale',
      },
      status: {
        ...BenchTask.initialStatus,
        state: 'running',
        nodeId: nodes[number % nodes.length] ?? '',
        networks: [{ networkId, addresses: ['10.0.0.1/24'], aliases: [] }],
      },
    });
  });
}

/** A store in which every index is in use: those that nobody asked would cost nothing. */
function emptyStore(): Store {
  const store = memoryStore({ clock: systemClock(), kinds: [BenchTask] });
  for (const index of Object.keys(BenchTask.indexes)) {
    store.view().list(BenchTask, { index, key: '' });
  }
  return store;
}

/** Transactions of `size` changes each. */
function transactionsOf(changes: readonly Change[], size: number): readonly Transaction[] {
  const transactions: Transaction[] = [];
  for (let at = 0; at < changes.length; at += size) {
    transactions.push({ actor: ACTOR, changes: changes.slice(at, at + size) });
  }
  return transactions;
}

async function commitAll(store: Store, transactions: readonly Transaction[]): Promise<void> {
  for (const transaction of transactions) {
    const result = await store.commit(transaction);
    if (!result.ok) throw new Error(result.conflict.message);
  }
}

function creates(tasks: readonly BenchTask[]): readonly Change[] {
  return tasks.map((object) => ({ type: 'create', object }));
}

/** Updates that move tasks to another state. */
function updates(tasks: readonly BenchTask[]): readonly Change[] {
  return tasks.map((task) => {
    const state = task.status.state === 'running' ? 'complete' : 'running';
    return { type: 'update', object: withStatus(task, { ...task.status, state }) };
  });
}

async function* run(): AsyncIterable<BenchResult> {
  for (const scale of [SMALL, LARGE]) {
    const tasks = newTasks(scale.objects);
    yield* writes(tasks, scale);
    const store = emptyStore();
    await commitAll(store, transactionsOf(creates(tasks), BATCH));
    yield* reads(store, scale);
  }
  yield* watchers(1_000);
  yield* watchers(10_000);
}

async function* writes(tasks: readonly BenchTask[], scale: Scale): AsyncIterable<BenchResult> {
  const figure = (name: string, ms: number): BenchResult => ({
    case: `${name}${scale.suffix}`,
    metric: 'time',
    value: (ms * 1_000) / scale.objects,
    unit: 'us',
  });
  const create = await medianOf(() => {
    const store = emptyStore();
    const transactions = transactionsOf(creates(tasks), BATCH);
    return millisecondsOf(() => commitAll(store, transactions));
  }, scale);
  yield figure('create', create);

  const store = emptyStore();
  await commitAll(store, transactionsOf(creates(tasks), BATCH));
  for (const [name, size] of [
    ['update', BATCH],
    ['commit', 1],
  ] as const) {
    const time = await medianOf(() => {
      const transactions = transactionsOf(updates(store.view().list(BenchTask)), size);
      return millisecondsOf(() => commitAll(store, transactions));
    }, scale);
    yield figure(name, time);
  }
}

async function* reads(store: Store, scale: Scale): AsyncIterable<BenchResult> {
  const view = store.view();
  const tasks = view.list(BenchTask);
  const slots = tasks.map((task) => bySlot(slotKey(task.spec)));
  let found = 0;
  const cases: Readonly<Record<string, () => void>> = {
    get: () => {
      for (const { meta } of tasks) if (view.get(BenchTask, meta.id) !== undefined) found += 1;
    },
    'list by slot': () => {
      for (const slot of slots) found += view.list(BenchTask, slot).length;
    },
  };
  for (const [name, read] of Object.entries(cases)) {
    const time = await medianOf(() => millisecondsOf(read), scale);
    const value = (time * 1_000) / tasks.length;
    yield { case: `${name}${scale.suffix}`, metric: 'time', value, unit: 'us' };
  }
  if (found === 0) throw new Error('nothing was found');
}

/** From the call of `commit` of one update until every watcher has heard of it. */
async function* watchers(count: number): AsyncIterable<BenchResult> {
  const store = emptyStore();
  await commitAll(store, transactionsOf(creates(newTasks(200)), BATCH));
  let heard = 0;
  for (let watcher = 0; watcher < count; watcher += 1) {
    store.subscribe(
      {
        commit: () => {
          heard += 1;
        },
        ended: (reason) => {
          throw reason;
        },
      },
      { selector: { kinds: [BenchTask.name] } },
    );
  }
  const time = await medianOf(
    async () => {
      const transactions = transactionsOf(updates(store.view().list(BenchTask)), 1);
      const total = await millisecondsOf(async () => {
        for (const transaction of transactions) {
          const until = heard + count;
          await store.commit(transaction);
          while (heard < until) await Promise.resolve();
        }
      });
      return total / transactions.length;
    },
    { warmUps: 5, runs: 15 },
  );
  await store.close();
  yield { case: `watchers ${count / 1_000}k`, metric: 'time', value: time, unit: 'ms' };
}

/** The benchmark of the store. */
export const bench: Bench = {
  name: 'store',
  about: 'memory store: create, update, commit, get (us), watchers (ms)',
  run,
};
