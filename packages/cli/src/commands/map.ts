/**
 * `skep map`: the cluster's network as an operator draws it, in text or as one SVG.
 */
import { renderDrawing, taskNamespace, type TableContent } from '@skep/network';
import { lookMaps } from '../views/network.js';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import type { NetworkLook } from '../views/network-look.js';
import { askerOf, withNetwork, type NetworkOptions } from './network-source.js';
import { requestOf, type TracePacketOptions } from './trace.js';

/** Forms of a map. */
export const MAP_FORMATS = ['text', 'svg'] as const;

/** Options of `skep map`. */
export type MapOptions = NetworkOptions & {
  readonly format: (typeof MAP_FORMATS)[number];
  /** Draw the way of a request to this target. */
  readonly to?: string;
  readonly from?: string;
  readonly protocol: TracePacketOptions['protocol'];
};

/** Prints the map of a cluster settled from files, or of the running one. */
export function map(options: MapOptions, surroundings: Surroundings): Promise<ExitCode> {
  if (options.to !== undefined && options.format !== 'svg') {
    throw new CommandFault('--to is drawn only into an SVG: add --format svg');
  }
  return withNetwork(options, surroundings, async (look) => {
    const isDrawing = options.format === 'svg';
    surroundings.out(isDrawing ? await drawing(look, options) : `${await lookMaps(look)}\n`);
    return EXIT.ok;
  });
}

async function drawing(look: NetworkLook, options: MapOptions): Promise<string> {
  const { to, from, protocol } = options;
  const nodes = (await look.nodes()).flatMap(({ tables }): TableContent[] =>
    tables === undefined ? [] : [tables],
  );
  if (to === undefined) return renderDrawing({ nodes });
  const { hops } = await look.request(to, requestOf(options));
  const title = `${from ?? 'somebody outside'} → ${to} (${protocol})`;
  const start =
    from === undefined ? { isFromOutside: true } : { origin: await placeOf(look, from) };
  return renderDrawing({ nodes, request: { title, hops, ...start } });
}

/** Where a task is: its node, and its namespace there. */
async function placeOf(
  look: NetworkLook,
  from: string,
): Promise<{ readonly node: string; readonly namespace: string }> {
  const { task, node } = await askerOf(look, from);
  return { node: node.name, namespace: taskNamespace('', task.meta.id).name };
}
