/**
 * Real hosts: how soon a service stands whose tasks are containers, or processes, on nodes that are
 * network namespaces of this machine.
 *
 * `containers`: 20 replicas, from the command to all running, and to all in the tables of 2 nodes;
 * beside it the same containers started by the engine's client alone, all at a time, without any
 * network: `direct` as anybody starts them (`--network none`), `same requests` as we do. Rounds in
 * turn, medians. `cpu`: of the engine, and of all that has part in it; what else the machine does
 * hardly changes it.
 * `swarm`: `docker service create --replicas 20` with an overlay network, on an engine of its own.
 * `processes`: 200 tasks of 50 services on 4 nodes; up: all running and in every node's tables;
 * down: nothing left of them. `idle`: of one node, of one CPU, manager and tasks included.
 *
 * Root and the programs that `skep doctor` asks for are needed. Everything is made in namespaces
 * and folders of its own, and removed.
 * Options: `--case containers|swarm|processes`, `--rounds 5`, `--idle 65` (seconds).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Dockerode, { type ContainerCreateOptions } from 'dockerode';
import { dockerRuntime, processRuntime } from '@skep/adapter-hosts';
import { Network, Service, type ServiceSpec } from '@skep/api';
import { TestEngine } from '../packages/adapter-hosts/test/docker-engine.js';
import { HostCluster } from './support/host-cluster.js';
import type { Bench, BenchOptions, BenchResult } from './support/measure.js';
import { treeCpuMs } from './support/process-cpu.js';
import { swarmServiceMs } from './support/swarm-engine.js';

const REPLICAS = 20;
const IMAGE = 'skt-busybox:1';
const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'];
const SERVICES = 50;
const TASKS = 200;
const NODES = 4;
/** Nodes say that they have this much, so that no task waits for room. */
const ROOM = { cpuNanos: 256e9, memoryBytes: 2 ** 38 };

export const bench: Bench = {
  name: 'hosts',
  about: '20 containers against the engine alone and swarm; 200 processes: up, down, idle',
  run,
};

async function* run({ args }: BenchOptions): AsyncIterable<BenchResult> {
  if (process.getuid?.() !== 0) throw new Error('bench hosts needs the rights of root');
  const option = (name: string): string | undefined =>
    args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
  const only = option('--case');
  const rounds = Number(option('--rounds') ?? 5);
  if (only === undefined || only === 'containers') yield* containers(rounds);
  if (only === undefined || only === 'swarm') yield* swarm();
  if (only === undefined || only === 'processes') {
    yield* processes(Number(option('--idle') ?? 65));
  }
}

// --- Containers. ---

/** What one way of starting took. */
interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}

async function* containers(rounds: number): AsyncIterable<BenchResult> {
  const engine = new TestEngine();
  const id = `skt-${process.pid}`;
  try {
    await engine.start();
    engine.importBusybox(IMAGE);
    const docker = new Dockerode({ socketPath: engine.socketPath });
    const cluster = await HostCluster.start({
      id,
      nodes: 2,
      taskNamespaces: 'adopted',
      runtime: ({ name, folder, dataplane }) =>
        dockerRuntime({
          cluster: id,
          node: name,
          stateFolder: folder,
          socketPath: engine.socketPath,
          attach: (task, { pid }) => dataplane.adoptTaskNamespace(task.id, pid),
          description: { resources: ROOM },
        }),
    });
    try {
      await declareContainers(cluster);
      yield* rows(await measure({ engine, docker, cluster, rounds }));
    } finally {
      await cluster.stop();
    }
  } finally {
    await engine.remove();
  }
}

async function declareContainers(cluster: HostCluster): Promise<void> {
  const spec: ServiceSpec = {
    mode: { type: 'replicated', replicas: 0 },
    task: {
      container: { image: IMAGE, command: COMMAND },
      networks: [{ target: 'front' }],
    },
  };
  await cluster.apply(
    { kind: Network, name: 'front', spec: {} },
    { kind: Service, name: 'web', spec },
  );
}

interface Measuring {
  readonly engine: TestEngine;
  readonly docker: Dockerode;
  readonly cluster: HostCluster;
  readonly rounds: number;
}

interface Rounds {
  readonly direct: Start[];
  readonly same: Start[];
  readonly running: number[];
  readonly skep: Start[];
}

/** A first round is not measured. */
async function measure({ engine, docker, cluster, rounds }: Measuring): Promise<Rounds> {
  const daemon = Number(readFileSync(join(engine.folder, 'pid'), 'utf8'));
  const engineCpu = (): number => treeCpuMs(daemon, engine.folder);
  const allCpu = (): number => treeCpuMs(process.pid, engine.folder);
  const found: Rounds = { direct: [], same: [], running: [], skep: [] };
  const folder = mkdtempSync(join(engine.folder, 'names-'));
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const direct = await startDirectly(docker, engineCpu, () => ({}));
      const same = await startDirectly(docker, engineCpu, (at) => ourSettings(folder, at));
      const { running, ...skep } = await scaleUp(cluster, allCpu);
      await scaleDown(cluster, docker);
      if (round === 0) continue;
      found.direct.push(direct);
      found.same.push(same);
      found.running.push(running);
      found.skep.push(skep);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return found;
}

/** The containers by the engine's client alone, all at a time. */
async function startDirectly(
  docker: Dockerode,
  cpu: () => number,
  settings: (at: number) => ContainerCreateOptions,
): Promise<Start> {
  const before = cpu();
  const start = performance.now();
  const started = Array.from({ length: REPLICAS }, async (_, at) => {
    const { HostConfig, ...own } = settings(at);
    const container = await docker.createContainer({
      name: `direct.${at}`,
      Image: IMAGE,
      Entrypoint: COMMAND,
      ...own,
      HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' }, ...HostConfig },
    });
    await container.start();
    return container;
  });
  const all = await Promise.all(started);
  const result = { ms: performance.now() - start, cpuMs: cpu() - before };
  await Promise.all(all.map((container) => container.remove({ v: true, force: true })));
  return result;
}

/** What a request of ours has besides: no network of the engine's, files for names, labels. */
function ourSettings(folder: string, at: number): ContainerCreateOptions {
  const mounts = ['hosts', 'resolv.conf'].map((name) => {
    const source = join(folder, `${at}.${name}`);
    writeFileSync(source, 'nameserver 127.0.0.11\n');
    return { Type: 'bind' as const, Source: source, Target: `/etc/${name}` };
  });
  return {
    NetworkDisabled: true,
    Labels: { 'io.skep.cluster': 'direct', 'io.skep.task': `direct.${at}` },
    HostConfig: { Mounts: mounts },
  };
}

/** From the command to all running, and to all in the tables of every node. */
async function scaleUp(
  cluster: HostCluster,
  cpu: () => number,
): Promise<Start & { readonly running: number }> {
  const before = cpu();
  const start = performance.now();
  await cluster.scale('web', REPLICAS);
  await cluster.until('containers that run', () => cluster.running('web') === REPLICAS);
  const running = performance.now() - start;
  await cluster.until('tables of all', () => cluster.isInTables(['web'], REPLICAS));
  return { running, ms: performance.now() - start, cpuMs: cpu() - before };
}

async function scaleDown(cluster: HostCluster, docker: Dockerode): Promise<void> {
  await cluster.scale('web', 0);
  for (;;) {
    if ((await docker.listContainers({ all: true })).length === 0) break;
    await sleep(50);
  }
  await cluster.until('no task of an earlier round', () => cluster.tasks(['web']).length === 0);
}

function* rows({ direct, same, running, skep }: Rounds): Generator<BenchResult> {
  const name = `${REPLICAS} containers`;
  const ms = (starts: readonly Start[]): number => median(starts.map((start) => start.ms));
  const cpu = (starts: readonly Start[]): number => median(starts.map(({ cpuMs }) => cpuMs));
  yield { case: `${name}, direct`, metric: 'time', value: ms(direct), unit: 'ms' };
  yield { case: `${name}, same requests`, metric: 'time', value: ms(same), unit: 'ms' };
  yield { case: `${name}, skep`, metric: 'running', value: median(running), unit: 'ms' };
  yield { case: `${name}, skep`, metric: 'in tables', value: ms(skep), unit: 'ms' };
  yield { case: `${name}, direct`, metric: 'cpu', value: cpu(direct), unit: 'ms' };
  yield { case: `${name}, same requests`, metric: 'cpu', value: cpu(same), unit: 'ms' };
  yield { case: `${name}, skep`, metric: 'cpu', value: cpu(skep), unit: 'ms' };
  const ratios: readonly (readonly [string, readonly Start[]])[] = [
    ['direct', direct],
    ['same requests', same],
  ];
  for (const [against, other] of ratios) {
    const of = (value: (start: Start) => number): number =>
      median(skep.map((start, at) => value(start) / value(other[at] ?? start)));
    const label = `${name}, skep / ${against}`;
    yield { case: label, metric: 'time', value: of((start) => start.ms), unit: '×' };
    yield { case: label, metric: 'cpu', value: of(({ cpuMs }) => cpuMs), unit: '×' };
  }
}

async function* swarm(): AsyncIterable<BenchResult> {
  const value = await swarmServiceMs(REPLICAS, COMMAND);
  yield { case: `${REPLICAS} replicas, docker service`, metric: 'running', value, unit: 'ms' };
}

// --- Processes. ---

async function* processes(idleSeconds: number): AsyncIterable<BenchResult> {
  const id = `skt-${process.pid}`;
  const cluster = await HostCluster.start({
    id,
    nodes: NODES,
    runtime: ({ name, folder, dataplane }) =>
      processRuntime({
        stateFolder: folder,
        nodeName: name,
        networkNamespaceOf: (task) => `/run/netns/${dataplane.taskNamespace(task.id)}`,
        description: { resources: ROOM },
      }),
  });
  const name = `${TASKS} processes, ${NODES} nodes, ${SERVICES} services`;
  const replicas = TASKS / SERVICES;
  const names = Array.from({ length: SERVICES }, (_, at) => `service${at + 1}`);
  const container = { image: 'none', command: ['sleep', '100000'] };
  try {
    const spec: ServiceSpec = {
      mode: { type: 'replicated', replicas },
      task: { container, networks: [{ target: 'front' }] },
    };
    // An address for each task, service and node: more than a network has by default.
    const network = { ipam: { configs: [{ subnet: '10.80.0.0/20' }] } };
    const start = performance.now();
    await cluster.apply(
      { kind: Network, name: 'front', spec: network },
      ...names.map((service) => ({ kind: Service, name: service, spec })),
    );
    const isUp = (): boolean =>
      cluster.tasks(names).filter(({ status }) => status.state === 'running').length === TASKS &&
      cluster.isInTables(names, replicas);
    await cluster.until('all processes', isUp);
    yield { case: name, metric: 'up', value: (performance.now() - start) / 1e3, unit: 's' };
    // Idle begins once each node has read back in full what is new: later it looks at changes.
    await sleep(40_000);
    const before = treeCpuMs(process.pid);
    const since = performance.now();
    await sleep(idleSeconds * 1e3);
    const share = (treeCpuMs(process.pid) - before) / (performance.now() - since) / NODES;
    yield { case: name, metric: 'idle', value: share * 100, unit: '%' };
    const end = performance.now();
    await cluster.remove(names);
    await cluster.untilEmpty();
    yield { case: name, metric: 'down', value: (performance.now() - end) / 1e3, unit: 's' };
  } finally {
    await cluster.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
