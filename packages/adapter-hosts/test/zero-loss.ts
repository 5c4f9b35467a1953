/**
 * Requests without a pause, while the replicas of a service come, go and are replaced.
 */
import { Network, Service, type Task } from '@skep/api';
import type { KernelCluster } from './kernel-cluster.js';
import { startSlowClient, startWrk, type LoadResult } from './load.js';
import type { RealTimeManager } from './real-time-manager.js';
import { BUSY_PORT, idleService, NET, VOTE_PORT, whoService } from './real-runtimes.js';

/** A cluster on the machine's clock. */
export type RealCluster = KernelCluster<RealTimeManager>;

/** Answers of servers that are asked without a pause take this long: it bounds their number. */
const DELAY_MS = 20;
const CONNECTIONS = 8;

/** Declares the services `vote`, `busy` and `client` in one network, and waits for them. */
export async function declareVote(
  cluster: RealCluster,
  { replicas, isContainer }: { readonly replicas: number; readonly isContainer: boolean },
): Promise<void> {
  const env = [`DELAY_MS=${DELAY_MS}`];
  const vote = whoService({ replicas, isContainer, port: VOTE_PORT, env });
  const busy = whoService({ replicas: 2, isContainer, port: BUSY_PORT, env });
  await cluster.manager.apply(
    { kind: Network, name: 'net', spec: NET },
    { kind: Service, name: 'vote', spec: vote },
    { kind: Service, name: 'busy', spec: busy },
    { kind: Service, name: 'client', spec: idleService() },
  );
  await cluster.settled('client', 1);
  await cluster.settled('busy', 2);
  await cluster.settled('vote', replicas);
}

/** Clients at work. */
export interface Loads {
  /** Lets what is under way end; what became of all requests, by client. */
  stop(): Promise<ReadonlyMap<string, LoadResult>>;
}

/** Clients of `vote`: through both nodes, and of its virtual address with slow requests. */
export function startLoads(cluster: RealCluster): Loads {
  const [first, second] = cluster.hosts.map(({ address }) => `http://${address}:${VOTE_PORT}/`);
  const outside = cluster.node('client');
  const client = cluster.manager.tasks('client')[0]?.meta.id ?? '';
  const vip = `http://${cluster.vip('vote')}`;
  const connections = CONNECTIONS;
  const loads = new Map([
    ['mesh, connections kept', startWrk(outside, first ?? '', { connections })],
    ['mesh, connections closed', startWrk(outside, second ?? '', { connections, closes: true })],
    ['virtual address, slow', startSlowClient(cluster.sandbox(client), vip, connections)],
  ]);
  return {
    stop: async () => {
      const results = [...loads].map(async ([name, load]) => [name, await load.stop()] as const);
      return new Map(await Promise.all(results));
    },
  };
}

/** Replaces all tasks of a service, and waits until that is done and all that went is gone. */
export async function replaceAll(cluster: RealCluster, service: string): Promise<void> {
  const { manager } = cluster;
  const old = new Set(manager.tasks(service).map(({ meta }) => meta.id));
  await manager.forceUpdate(service);
  const isNew = ({ meta }: Task): boolean => !old.has(meta.id);
  const isDone = (): boolean => {
    const { update } = manager.view().getByName(Service, service)?.status ?? {};
    return update?.state === 'completed' && manager.tasks(service).every(isNew);
  };
  await cluster.until(`the replacement of ${service}`, isDone);
  await cluster.settled(service, old.size);
}
