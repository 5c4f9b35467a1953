/**
 * `skep map`: the cluster's network as an operator draws it, in text or as one SVG.
 */
import { compareText } from '@skep/api';
import { renderDrawing, taskNamespace, type TableContent } from '@skep/network';
import { findTask, type Cluster } from 'skep';
import { nodeMaps } from '../views/network.js';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { withSettledCluster, type SimulationOptions } from './simulated-cluster.js';
import { requestOf, type TracePacketOptions } from './trace.js';

/** Forms of a map. */
export const MAP_FORMATS = ['text', 'svg'] as const;

/** Options of `skep map`. */
export interface MapOptions extends SimulationOptions {
  readonly format: (typeof MAP_FORMATS)[number];
  /** Draw the way of a request to this target. */
  readonly to?: string;
  readonly from?: string;
  readonly protocol: TracePacketOptions['protocol'];
}

/** Settles the files and prints the map. */
export function map(options: MapOptions, surroundings: Surroundings): Promise<ExitCode> {
  if (options.to !== undefined && options.format !== 'svg') {
    throw new CommandFault('--to is drawn only into an SVG: add --format svg');
  }
  return withSettledCluster(options, surroundings, (cluster) => {
    surroundings.out(
      options.format === 'svg' ? drawing(cluster, options) : `${nodeMaps(cluster)}\n`,
    );
    return EXIT.ok;
  });
}

function drawing(cluster: Cluster, options: MapOptions): string {
  const { to, from, protocol } = options;
  const nodes = [...cluster.simulator.hosts]
    .sort((a, b) => compareText(a.name, b.name))
    .flatMap(({ dataplane }): TableContent[] => (dataplane.tables ? [dataplane.tables] : []));
  if (to === undefined) return renderDrawing({ nodes });
  const { hops } = requestOf(cluster, { to, protocol, ...(from === undefined ? {} : { from }) });
  const title = `${from ?? 'somebody outside'} → ${to} (${protocol})`;
  const start = from === undefined ? { isFromOutside: true } : { origin: placeOf(cluster, from) };
  return renderDrawing({ nodes, request: { title, hops, ...start } });
}

/** Where a task is: its node, and its namespace there. */
function placeOf(
  cluster: Cluster,
  from: string,
): { readonly node: string; readonly namespace: string } {
  const { meta, status } = findTask(cluster.view(), from);
  const { name } = cluster.host(status.nodeId ?? '');
  return { node: name, namespace: taskNamespace('', meta.id).name };
}
