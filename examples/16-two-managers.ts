/**
 * What happens when the manager dies, sleeps, or is stopped, and there is another one?
 *
 * Two managers share a store; a lease in it says who leads. Only the leader's loops run, and every
 * commit of theirs names the lease and its term: a leader that slept through the end of its lease
 * writes nothing when it wakes, whatever it believes. Containers go on meanwhile; only changes
 * wait.
 * A leader that is stopped hands over at once.
 *
 * Prints:
 *   manager1 leads in term 1; 4 of 4 run app:1
 *   manager1 sleeps in the middle of an update: 5 run, 2 of them app:2
 *   manager2 leads in term 2, after 13 s; never were there fewer than 4 containers
 *   4 of 4 run app:2
 *   manager1 wakes, and writes 0 times
 *   manager2 is stopped: manager1 leads in term 3, after 0 s
 *   4 of 4 run app:3
 */
import { Service, type ServiceSpec } from '@skep/api';
import { startTestCluster } from '@skep/testing/cluster';

const web = (version: number): ServiceSpec => ({
  mode: { type: 'replicated', replicas: 4 },
  task: { container: { image: `app:${version}` } },
  update: { parallelism: 2, order: 'start-first', monitorMs: 1_000 },
});

const writers: string[] = [];
const cluster = await startTestCluster({
  managers: 2,
  nodes: 3,
  committed: (_view, commit) => void writers.push(commit?.writer ?? ''),
});

/** Running containers, as the hosts know them: whatever the store says. */
const images = (): readonly string[] =>
  cluster.simulator.hosts
    .flatMap(({ runtime }) => runtime.containers())
    .filter(({ state }) => state === 'running')
    .map(({ task }) => task.template.container?.image ?? '');
const count = (image: string): number => images().filter((one) => one === image).length;
const who = (): string => `${cluster.leader?.name} leads in term ${cluster.leader?.term}`;
/** Lets time pass until `isSo`; gives the seconds. */
async function until(isSo: () => boolean): Promise<string> {
  const from = cluster.clock.now();
  while (!isSo() && cluster.clock.now() < from + 60_000) await cluster.advance(10);
  return `${Math.round((cluster.clock.now() - from) / 1000)} s`;
}

await cluster.apply({ kind: Service, name: 'web', spec: web(1) });
await cluster.settle();
console.log(`${who()}; ${count('app:1')} of 4 run app:1`);

await cluster.apply({ kind: Service, name: 'web', spec: web(2) });
await until(() => count('app:2') >= 2);
const old = cluster.leader;
old?.pause();
const state = `${images().length} run, ${count('app:2')} of them app:2`;
console.log(`${old?.name} sleeps in the middle of an update: ${state}`);
let least = 4;
const seconds = await until(() => {
  least = Math.min(least, images().length);
  return cluster.leader !== undefined && cluster.leader !== old;
});
console.log(`${who()}, after ${seconds}; never were there fewer than ${least} containers`);
await cluster.settle();
console.log(`${count('app:2')} of 4 run app:2`);

writers.length = 0;
old?.resume();
await cluster.settle();
const writes = writers.filter((name) => name === old?.name).length;
console.log(`${old?.name} wakes, and writes ${writes} times`);
const second = cluster.leader;
const stopped = second?.stop();
const gap = await until(() => cluster.leader === old);
console.log(`${second?.name} is stopped: ${who()}, after ${gap}`);
await cluster.apply({ kind: Service, name: 'web', spec: web(3) });
await cluster.settle();
console.log(`${count('app:3')} of 4 run app:3`);
await Promise.all([stopped, cluster.stop()]);
