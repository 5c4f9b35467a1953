/**
 * The store on disk: commits a second that are on the disk when they are acknowledged, and how long
 * it takes to open 100,000 objects.
 *
 * Everything happens in the system's folder for temporary files. `fdatasync` is what the disk
 * itself takes: 178 bytes are appended to a file and synced, one after another. The
 * process's CPU time stands beside, for machines that do something else as well.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Task, deriveId, newObject, withStatus, type Task as TaskObject } from '@skep/api';
import { systemClock } from '@skep/api/system';
import { openStore, type Change, type Store } from '@skep/store';
import { lmdbBackend } from '@skep/store-lmdb';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

const ACTOR = 'bench';
const OBJECTS = 100_000;
const PER_SERVICE = 20;
const TOGETHER = 64;

async function* run(): AsyncGenerator<BenchResult> {
  const root = mkdtempSync(join(tmpdir(), 'skt-bench-lmdb-'));
  try {
    yield { case: 'fdatasync', metric: 'rate', value: await syncsPerSecond(root), unit: 'per s' };
    yield* commits(join(root, 'commits'));
    yield* opening(join(root, 'objects'));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function open(folder: string): Promise<Store> {
  return openStore({
    clock: systemClock(),
    kinds: [Task],
    backend: lmdbBackend({ folder }),
  });
}

/** What the disk can do with one appended record at a time. */
async function syncsPerSecond(root: string): Promise<number> {
  const file = openSync(join(root, 'syncs'), 'w');
  const record = Buffer.alloc(178);
  const count = 300;
  const time = await medianOf(() =>
    millisecondsOf(() => {
      for (let i = 0; i < count; i += 1) {
        writeSync(file, record);
        fdatasyncSync(file);
      }
    }),
  );
  closeSync(file);
  return (count / time) * 1_000;
}

async function* commits(folder: string): AsyncGenerator<BenchResult> {
  const store = await open(folder);
  await store.batch({ actor: ACTOR, changes: creates(2_000) });
  const one = async (task: TaskObject): Promise<void> => {
    const change = { type: 'update', object: moved(task) } as const;
    const result = await store.commit({ actor: ACTOR, changes: [change] });
    if (!result.ok) throw new Error(result.conflict.message);
  };
  const tasks = (): readonly TaskObject[] => store.view().list(Task);
  yield* rates('commit', 300, async () => {
    for (const task of tasks().slice(0, 300)) await one(task);
  });
  yield* rates(`commit, ${TOGETHER} together`, 1_920, async () => {
    const all = tasks().slice(0, 1_920);
    for (let at = 0; at < all.length; at += TOGETHER) {
      await Promise.all(all.slice(at, at + TOGETHER).map(one));
    }
  });
  yield* rates('change, 100 a commit', 2_000, async () => {
    const changes: Change[] = tasks().map((task) => ({ type: 'update', object: moved(task) }));
    for (let at = 0; at < changes.length; at += 100) {
      await store.commit({ actor: ACTOR, changes: changes.slice(at, at + 100) });
    }
  });
  await store.close();
}

/** What `body` does a second, and the CPU time that each takes. */
async function* rates(
  name: string,
  count: number,
  body: () => Promise<void>,
): AsyncGenerator<BenchResult> {
  let cpu = 0;
  let runs = 0;
  const time = await medianOf(async () => {
    const before = process.cpuUsage();
    const elapsed = await millisecondsOf(body);
    const { user, system } = process.cpuUsage(before);
    cpu += user + system;
    runs += 1;
    return elapsed;
  });
  yield { case: name, metric: 'rate', value: (count / time) * 1_000, unit: 'per s' };
  yield { case: name, metric: 'cpu', value: cpu / (runs * count), unit: 'us' };
}

async function* opening(folder: string): AsyncGenerator<BenchResult> {
  const first = await open(folder);
  const filling = await millisecondsOf(async () => {
    await first.batch({ actor: ACTOR, changes: creates(OBJECTS) });
  });
  await first.compact(first.view().revision);
  await first.close();
  yield { case: `create ${OBJECTS / 1_000}k`, metric: 'time', value: filling, unit: 'ms' };
  let cpu = 0;
  const runs = 4;
  const time = await medianOf(
    async () => {
      let store: Store | undefined;
      const before = process.cpuUsage();
      const elapsed = await millisecondsOf(async () => {
        store = await open(folder);
      });
      const { user, system } = process.cpuUsage(before);
      cpu += (user + system) / 1_000;
      const count = store?.view().count(Task);
      if (count !== OBJECTS) throw new Error(`${count} objects instead of ${OBJECTS}`);
      await store?.close();
      return elapsed;
    },
    { warmUps: 1, runs: runs - 1 },
  );
  yield { case: `open ${OBJECTS / 1_000}k`, metric: 'time', value: time, unit: 'ms' };
  yield { case: `open ${OBJECTS / 1_000}k`, metric: 'cpu', value: cpu / runs, unit: 'ms' };
}

function creates(count: number): readonly Change[] {
  return Array.from({ length: count }, (_, number) => {
    const service = Math.floor(number / PER_SERVICE);
    const object = newObject(Task, {
      id: deriveId('task', number),
      spec: {
        serviceId: deriveId('service', service),
        serviceName: `service${service}`,
        slot: (number % PER_SERVICE) + 1,
        template: { container: { image: 'bench:1' } },
        desiredState: 'running',
        specVersion: 1,
        cause: 'scale',
      },
    });
    return { type: 'create', object };
  });
}

function moved(task: TaskObject): TaskObject {
  const state = task.status.state === 'running' ? 'starting' : 'running';
  return withStatus(task, { ...task.status, state });
}

/** The benchmark of the store on disk. */
export const bench: Bench = {
  name: 'store-lmdb',
  about: 'store on disk: durable commits a second, alone and together (per s), opening 100k (ms)',
  run,
};
