/**
 * What nodes hold, as pictures in text.
 */
import { compareText } from '@skep/api';
import { renderNodeMap, renderTables, type Names, type NodeTables } from '@skep/network';
import type { Cluster } from 'skep';
import type { NetworkLook } from './network-look.js';

const NOTHING_YET = 'nothing was assigned yet';

/** The map of every node: the picture that an operator draws on a whiteboard. */
export function nodeMaps(cluster: Cluster): string {
  const nodes = [...cluster.simulator.hosts]
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, dataplane }) => ({ name, tables: dataplane.tables }));
  return mapsOf(nodes, namesOf(cluster));
}

/** The same of any cluster, one that runs or a simulated one. */
export async function lookMaps(look: NetworkLook): Promise<string> {
  return mapsOf(await look.nodes(), look);
}

function mapsOf(
  nodes: readonly { readonly name: string; readonly tables?: NodeTables | undefined }[],
  names: Names,
): string {
  return nodes
    .map(({ name, tables }) =>
      tables === undefined ? `${name}  ${NOTHING_YET}` : renderNodeMap(tables, names).trimEnd(),
    )
    .join('\n\n');
}

/** The tables of one node: DNAT of the host, marks, IPVS services. */
export function nodeTables(cluster: Cluster, node: string): string {
  const { name, dataplane } = cluster.host(node);
  return dataplane.tables === undefined
    ? `${name}  ${NOTHING_YET}`
    : renderTables(dataplane.tables, namesOf(cluster)).trimEnd();
}

function namesOf(cluster: Cluster): { readonly nodeName: (id: string) => string } {
  const names = new Map(cluster.simulator.hosts.map(({ id, name }) => [id, name]));
  return { nodeName: (id) => names.get(id) ?? id };
}
