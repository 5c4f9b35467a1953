/**
 * The controller runtime above the memory store: what a pass costs besides its decision, and how
 * many updates a second come through commit → watch → queue → pass.
 *
 * All cases use Parent objects of a small kind; `N` in the environment sets how many (100,000).
 */
import { defineKind, deriveId, newObject, withStatus, type StoredObject } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import { systemClock } from '@skep/api/system';
import { ControllerGroup, ReconcileTrace, WorkQueue, noChanges } from '@skep/controller';
import type { ControllerDefinition, ControllerSeams } from '@skep/controller';
import { prometheusMetrics } from '@skep/metrics-prometheus';
import { memoryStore, type Change, type Store } from '@skep/store';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

const KEYS = Number(process.env['N'] ?? 100_000);
const BATCH = 100;
/** Batches between two turns of the event loop, as a busy server would commit them. */
const BATCHES_PER_TURN = 10;

interface ThingStatus {
  readonly seen: number;
}

const Thing = defineKind<{ readonly wanted: number }, ThingStatus>({
  name: 'Thing',
  initialStatus: Object.freeze({ seen: 0 }),
});

type Thing = StoredObject<{ readonly wanted: number }, ThingStatus>;

interface Setting {
  readonly store: Store;
  readonly group: ControllerGroup;
  /** Passes so far: keys of a plan, or of a batch. */
  passes(): number;
}

function thing(number: number): Thing {
  const id = deriveId('thing', number);
  return newObject(Thing, { id, name: id, spec: { wanted: 1 } });
}

async function filled(): Promise<Store> {
  const store = memoryStore({ clock: systemClock(), kinds: [Thing] });
  for (let at = 0; at < KEYS; at += BATCH) {
    const changes: Change[] = [];
    for (let i = at; i < Math.min(at + BATCH, KEYS); i += 1) {
      changes.push({ type: 'create', object: thing(i) });
    }
    await store.commit({ actor: 'bench', changes });
  }
  return store;
}

/** A running group with one controller that only counts. */
async function running(
  store: Store,
  form: 'plan' | 'planBatch',
  watching: Pick<ControllerSeams, 'metrics' | 'trace'> = {},
): Promise<Setting> {
  let passes = 0;
  const definition: ControllerDefinition =
    form === 'plan'
      ? {
          name: 'no-op',
          for: Thing,
          plan: () => {
            passes += 1;
            return noChanges;
          },
        }
      : {
          name: 'no-op',
          for: Thing,
          planBatch: (_view, keys) => {
            passes += keys.length;
            return { groups: [] };
          },
        };
  const group = new ControllerGroup({
    store,
    clock: systemClock(),
    random: seededRandom(1),
    ...watching,
  });
  group.add(definition);
  await group.start();
  await idle(group);
  return { store, group, passes: () => passes };
}

async function idle(group: ControllerGroup): Promise<void> {
  while (!group.isIdle()) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** All keys added, taken and finished: the queue alone. */
function queueAlone(keys: readonly string[]): Promise<number> {
  const queue = new WorkQueue({ name: 'bench', clock: systemClock() });
  return millisecondsOf(() => {
    for (const key of keys) queue.add(key, 'Thing updated');
    for (let key = queue.take(); key !== undefined; key = queue.take()) queue.done(key);
  });
}

/** Every key woken by hand and passed over: runtime and queue, without store and watch. */
async function passOverAll(setting: Setting, keys: readonly string[]): Promise<number> {
  const before = setting.passes();
  const time = await millisecondsOf(async () => {
    for (const key of keys) setting.group.trigger('no-op', key, 'bench');
    await idle(setting.group);
  });
  if (setting.passes() - before !== keys.length) throw new Error('keys were passed over twice');
  return time;
}

/** Every object updated once, until the last pass is over. */
async function updateAll(setting: Setting): Promise<number> {
  const { store, group } = setting;
  const things = store.view().list(Thing);
  const transactions: (readonly Change[])[] = [];
  for (let at = 0; at < things.length; at += BATCH) {
    transactions.push(
      things.slice(at, at + BATCH).map((object) => ({
        type: 'update',
        object: withStatus(object, { seen: object.status.seen + 1 }),
      })),
    );
  }
  const before = setting.passes();
  const time = await millisecondsOf(async () => {
    for (const [number, changes] of transactions.entries()) {
      const result = await store.commit({ actor: 'bench', changes });
      if (!result.ok) throw new Error(result.conflict.message);
      if (number % BATCHES_PER_TURN === 0) await nextTurn();
    }
    await idle(group);
  });
  if (setting.passes() - before < things.length) throw new Error('an update was lost');
  return time;
}

async function* run(): AsyncIterable<BenchResult> {
  const store = await filled();
  const keys = store
    .view()
    .list(Thing)
    .map(({ meta }) => meta.id);
  const perKey = (name: string, ms: number): BenchResult => ({
    case: name,
    metric: 'time',
    value: (ms * 1000) / keys.length,
    unit: 'us',
  });
  const rate = (name: string, ms: number): BenchResult => ({
    case: name,
    metric: 'rate',
    value: (keys.length * 1000) / ms,
    unit: 'per s',
  });

  yield perKey('queue alone', await medianOf(() => queueAlone(keys)));

  const plan = await running(store, 'plan');
  yield perKey('reconcile overhead', await medianOf(() => passOverAll(plan, keys)));
  yield rate('updates', await medianOf(() => updateAll(plan)));
  await plan.group.stop();

  const traced = await running(store, 'plan', { trace: new ReconcileTrace() });
  yield perKey('reconcile overhead, traced', await medianOf(() => passOverAll(traced, keys)));
  yield rate('updates, traced', await medianOf(() => updateAll(traced)));
  await traced.group.stop();

  const { metrics } = prometheusMetrics();
  const metered = await running(store, 'plan', { metrics });
  yield perKey('reconcile overhead, metered', await medianOf(() => passOverAll(metered, keys)));
  yield rate('updates, metered', await medianOf(() => updateAll(metered)));
  await metered.group.stop();

  const batch = await running(store, 'planBatch');
  yield perKey('batch overhead', await medianOf(() => passOverAll(batch, keys)));
  yield rate('updates, batch', await medianOf(() => updateAll(batch)));
  await batch.group.stop();
}

/** The benchmark of the controller runtime. */
export const bench: Bench = {
  name: 'controller',
  about: 'controller runtime: reconcile overhead (us), updates through to a no-op pass (per s)',
  run,
};
