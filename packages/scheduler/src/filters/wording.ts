/** Words that several filters use. */

/** `1 node`, `3 nodes`. */
export function onNodes(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}
