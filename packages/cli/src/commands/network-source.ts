/**
 * The network of a cluster, for the commands that look at it: of a simulated one made from files,
 * or of one that runs.
 */
import { compareText } from '@skep/api';
import { findTask, type Cluster } from 'skep';
import type { ClusterChoice } from '../live/connection.js';
import { expandedTask } from '../live/references.js';
import { withRunningNetwork } from '../live/running-network.js';
import { CommandFault, type ExitCode, type Surroundings } from '../surroundings.js';
import type { NetworkLook, NodeLook } from '../views/network-look.js';
import { withSettledCluster, type SimulationOptions } from './simulated-cluster.js';

/** Where the network comes from: files are simulated, else a running cluster is asked. */
export type NetworkOptions = ClusterChoice &
  Omit<SimulationOptions, 'file'> & {
    readonly file?: readonly string[];
    /** Options that were given and mean something in simulations only. */
    readonly onlySimulated?: readonly string[];
  };

/** Options of {@link SimulationOptions} as people write them, by what is stored. */
export const SIMULATION_FLAGS: Readonly<Record<string, string>> = Object.freeze({
  stack: '--stack',
  missingFiles: '--missing-files',
  profile: '--profile',
  kinds: '--kinds',
  env: '--no-env',
  workdir: '--workdir',
  home: '--home',
  nodes: '--nodes',
  managers: '--managers',
  dataplane: '--dataplane',
  seed: '--seed',
  provideExternal: '--provide-external',
  limit: '--limit',
});

/**
 * Runs `look` on the network of a settled simulation of the files, or of the running cluster.
 * @throws CommandFault for options that do not go with either.
 */
export function withNetwork(
  options: NetworkOptions,
  surroundings: Surroundings,
  look: (network: NetworkLook) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { file } = options;
  checkOptions(options);
  if (file === undefined) return withRunningNetwork(options, surroundings, look);
  return withSettledCluster({ ...options, file }, surroundings, (cluster) =>
    look(simulatedNetwork(cluster)),
  );
}

/** @throws CommandFault for options of the one sort of cluster with the other. */
export function checkOptions({
  file,
  onlySimulated = [],
  cluster,
  state,
  socket,
}: Pick<NetworkOptions, 'cluster' | 'file' | 'onlySimulated' | 'socket' | 'state'>): void {
  if (file === undefined && onlySimulated.length > 0) {
    throw new CommandFault(
      `${onlySimulated.join(', ')}: that is about simulated clusters (add -f FILE), ` +
        'and the running cluster would be asked',
    );
  }
  const isNamed = cluster !== undefined || state !== undefined || socket !== undefined;
  if (file !== undefined && isNamed) {
    throw new CommandFault(
      '-f simulates files; it does not go with --cluster, --state or --socket',
    );
  }
}

/** The network of a simulated cluster. */
export function simulatedNetwork(cluster: Cluster): NetworkLook {
  const names = new Map(cluster.simulator.hosts.map(({ id, name }) => [id, name]));
  const look = ({ id, name, dataplane, resolver }: ReturnType<Cluster['host']>): NodeLook => ({
    id,
    name,
    ...(dataplane.tables === undefined ? {} : { tables: dataplane.tables }),
    lookup: (taskId, asked, type) => resolver.lookup(taskId, asked, type),
  });
  const sorted = [...cluster.simulator.hosts].sort((a, b) => compareText(a.name, b.name));
  return {
    view: cluster.view(),
    nodeName: (id) => names.get(id) ?? id,
    node: (reference) => Promise.resolve().then(() => look(cluster.host(reference))),
    nodes: () => Promise.resolve(sorted.map(look)),
    request: (target, request) => Promise.resolve().then(() => cluster.request(target, request)),
  };
}

/** The task that asks, and the node it is on. @throws not-found */
export async function askerOf(
  network: NetworkLook,
  reference: string,
): Promise<{ readonly task: ReturnType<typeof findTask>; readonly node: NodeLook }> {
  const task = findTask(network.view, expandedTask(network.view, reference));
  return { task, node: await network.node(task.status.nodeId ?? '') };
}
