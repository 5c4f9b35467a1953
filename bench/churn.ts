/**
 * Memory over an hour of virtual churn: a whole cluster in which tasks crash all the time, services
 * are scaled and updated, and nodes come and go. What is kept for history is bounded, so after a
 * while the heap must not grow any more.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Network, Node, Service, type Task } from '@skep/api';
import { startTestCluster, type TestCluster } from '@skep/testing/cluster';
import type { Bench, BenchResult } from './support/measure.js';

const MINUTES = 60;
/** Histories and logs are full by then. */
const WARM_MINUTES = 20;
const SERVICES = ['api', 'cache', 'web'];

async function declare(cluster: TestCluster, minute: number): Promise<void> {
  await cluster.apply(
    { kind: Network, name: 'front', spec: {} },
    ...SERVICES.map((name, at) => ({
      kind: Service,
      name,
      spec: {
        mode: { type: 'replicated', replicas: 4 + ((minute + at) % 3) } as const,
        task: {
          container: { image: `app:${(minute + at) % 5}` },
          networks: [{ target: 'front' }],
          restart: { delayMs: 1_000 },
        },
      },
    })),
  );
}

/** One minute: a new declaration, a crash each second, a node that is away for a while. */
async function oneMinute(cluster: TestCluster, minute: number): Promise<void> {
  await declare(cluster, minute);
  const host = cluster.simulator.host(`node${(minute % 3) + 2}`);
  if (minute % 10 === 3) host.disconnect();
  for (let second = 0; second < 60; second += 1) {
    await cluster.advance(1_000);
    const running = cluster
      .tasks(SERVICES[second % SERVICES.length] ?? '')
      .filter(({ status }) => status.state === 'running');
    const victim = running[second % Math.max(running.length, 1)];
    if (victim !== undefined) crash(cluster, victim);
    if (second === 30 && minute % 10 === 3) host.reconnect();
  }
}

/** Ends the container of the task, if it is still there: a node may be away, the view behind. */
function crash(cluster: TestCluster, task: Task): void {
  const node = cluster.view().get(Node, task.status.nodeId ?? '');
  const host = node && cluster.simulator.host(node.meta.name);
  const container = host?.runtime.container(task.meta.id);
  if (container?.state === 'running') container.end({ exitCode: 1 });
}

/** Bytes on the heap after a full collection. */
function liveHeapBytes(): number {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

async function* run(): AsyncIterable<BenchResult> {
  const cluster = await startTestCluster({ nodes: 5, seed: 1 });
  let warm = 0;
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await oneMinute(cluster, minute);
    if (minute === WARM_MINUTES) warm = liveHeapBytes();
  }
  const end = liveHeapBytes();
  await cluster.stop();
  yield {
    case: `heap, minute ${WARM_MINUTES}`,
    metric: 'size',
    value: warm / 2 ** 20,
    unit: 'MiB',
  };
  yield { case: `heap, minute ${MINUTES}`, metric: 'size', value: end / 2 ** 20, unit: 'MiB' };
  yield { case: 'growth', metric: 'ratio', value: end / warm, unit: '×' };
}

/** The benchmark of what an hour leaves behind. */
export const bench: Bench = {
  name: 'churn',
  about: 'live heap over an hour of virtual churn in a whole cluster (MiB, and the growth)',
  run,
};
