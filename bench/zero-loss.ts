/**
 * Requests lost while a service of 2 replicas goes to 20 and to 3, and all its tasks are replaced
 * one by one, the new one first: in this kernel, on two nodes that are namespaces, once with tasks
 * as processes and once with containers.
 *
 * Three clients ask without a pause: `wrk` through one node on connections that it keeps, `wrk`
 * through the other with a connection for each request, and one that asks the virtual address for
 * answers that take up to 1.2 s. Lost is what is refused, reset, not answered in 20 s, or other
 * than 200. Needs root and the programs of the tests of adapter-hosts; the containers, dockerd.
 *
 * Options: `--repeats 10`; `--runtimes processes,containers`. Fails when a request is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TestEngine } from '../packages/adapter-hosts/test/docker-engine.js';
import { KernelCluster, missingForKernel } from '../packages/adapter-hosts/test/kernel-cluster.js';
import { killLoads, type LoadResult } from '../packages/adapter-hosts/test/load.js';
import { containers, IMAGE, processes } from '../packages/adapter-hosts/test/real-runtimes.js';
import {
  declareVote,
  replaceAll,
  startLoads,
  type RealCluster,
} from '../packages/adapter-hosts/test/zero-loss.js';
import { missingPrograms } from '../scripts/missing-programs.js';
import type { Bench, BenchOptions, BenchResult } from './support/measure.js';

const REPEATS = 10;
const RUNTIMES = ['processes', 'containers'] as const;
/** How long each state is asked once it is reached. */
const REST_MS = 1_000;

export const bench: Bench = {
  name: 'zero-loss',
  about: 'requests lost while replicas come, go and are replaced: 2 → 20 → 3 → all new',
  run,
};

async function* run({ args }: BenchOptions): AsyncIterable<BenchResult> {
  const valueOf = (option: string): string | undefined =>
    args.includes(option) ? args[args.indexOf(option) + 1] : undefined;
  const repeats = Number(valueOf('--repeats') ?? REPEATS);
  const chosen = valueOf('--runtimes')?.split(',') ?? RUNTIMES;
  const unknown = chosen.filter((name) => !RUNTIMES.some((one) => one === name));
  if (unknown.length > 0 || !Number.isInteger(repeats) || repeats < 1) {
    throw new Error(`--repeats takes a number from 1, --runtimes some of ${RUNTIMES.join(',')}`);
  }
  const needs = ['wrk', ...(chosen.includes('containers') ? ['dockerd', 'docker', 'tar'] : [])];
  const missing = new Set([...missingForKernel(), ...missingPrograms(needs)]);
  if (missing.size > 0) throw new Error(`missing on this machine: ${[...missing].join(', ')}`);
  let lost = 0;
  for (const runtime of RUNTIMES) {
    if (!chosen.includes(runtime)) continue;
    const isContainer = runtime === 'containers';
    for await (const result of runOn(isContainer, repeats)) {
      if (result.metric.startsWith('lost')) lost += result.value;
      yield { ...result, case: `${runtime}, ${result.case}` };
    }
  }
  if (lost > 0) throw new Error(`${lost} requests were lost`);
}

/** All repeats on one cluster, and what came of them. */
async function* runOn(isContainer: boolean, repeats: number): AsyncIterable<BenchResult> {
  const id = `skt-${process.pid}`;
  let engine: TestEngine | undefined;
  let cluster: RealCluster | undefined;
  const total = { answered: 0, lost: 0 };
  const seconds: number[] = [];
  try {
    if (isContainer) {
      engine = new TestEngine();
      await engine.start();
      engine.importBusybox(IMAGE);
    }
    const runtime = engine === undefined ? processes() : containers(engine, id);
    cluster = await KernelCluster.startReal({ id, nodes: 2, ...runtime });
    await declareVote(cluster, { replicas: 2, isContainer });
    for (let repeat = 1; repeat <= repeats; repeat += 1) {
      const startedAt = performance.now();
      const results = await once(cluster);
      seconds.push((performance.now() - startedAt) / 1_000);
      for (const [client, { answered, failed, faults }] of results) {
        total.answered += answered;
        total.lost += failed;
        const what = faults.length === 0 ? '' : `: ${faults.join('; ')}`;
        const at = `round ${repeat}, ${client}${what}`;
        yield { case: at, metric: 'answered', value: answered, unit: 'requests' };
        yield { case: at, metric: 'lost', value: failed, unit: 'requests' };
      }
    }
  } finally {
    killLoads();
    await cluster?.stop();
    await engine?.remove();
  }
  const name = `${repeats} rounds`;
  yield { case: name, metric: 'answered', value: total.answered, unit: 'requests' };
  yield { case: name, metric: 'requests lost', value: total.lost, unit: 'requests' };
  const longest = Math.max(...seconds);
  yield { case: name, metric: 'longest round', value: longest, unit: 's' };
}

/** From 2 replicas to 20, to 3, to 3 others, and back to 2. */
async function once(cluster: RealCluster): Promise<ReadonlyMap<string, LoadResult>> {
  const loads = startLoads(cluster);
  await sleep(REST_MS);
  for (const replicas of [20, 3]) {
    await cluster.manager.scale('vote', replicas);
    await cluster.settled('vote', replicas);
    await sleep(REST_MS);
  }
  await replaceAll(cluster, 'vote');
  await sleep(REST_MS);
  await cluster.manager.scale('vote', 2);
  await cluster.settled('vote', 2);
  return loads.stop();
}
