/**
 * Nodes that have the task's image already.
 *
 * **Source:** kube-scheduler imagelocality/image_locality.go: the size of the image, scaled by how
 * many nodes have it, between 23 MB and 1 GB. Deviation: not rounded to whole points.
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';

const MB = 1024 * 1024;
const LEAST_BYTES = 23 * MB;
const MOST_BYTES = 1000 * MB;

/**
 * From 0 (no image, or a small one on few nodes) to 100 (a large one, on all nodes). Scaling by the
 * part of nodes that have it keeps tasks from heaping up where an image happened to be first.
 */
export const imageLocalityScore: Score = Object.freeze({
  name: 'image-locality',
  label: 'more of the image there',
  prepare: ({ group: { template }, state }): PreparedScore | undefined => {
    const image = template.container?.image;
    if (image === undefined) return undefined;
    const name = withTag(image);
    const { nodes } = state;
    const holders = nodes.filter((node) => sizeOn(node, name) > 0).length;
    if (holders === 0) return undefined;
    const part = holders / nodes.length;
    return {
      score: (node) => {
        const bytes = Math.min(Math.max(sizeOn(node, name) * part, LEAST_BYTES), MOST_BYTES);
        return (100 * (bytes - LEAST_BYTES)) / (MOST_BYTES - LEAST_BYTES);
      },
    };
  },
} satisfies Score);

function sizeOn({ node }: NodeInfo, name: string): number {
  const images = node.status.description?.images;
  return images?.find(({ names }) => names.some((one) => withTag(one) === name))?.sizeBytes ?? 0;
}

/** The name with `:latest` where it has neither tag nor digest. */
function withTag(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? name : `${name}:latest`;
}
