/**
 * The values of a node by the keys that affinities, spreads and the like name.
 */
import type { NodeInfo } from './node-info.js';

const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';

/**
 * The node's value of the key; undefined when it has none. Keys are those of constraints
 * (`node.labels.zone`, `node.hostname`, …; see `service-placement` in `@skep/api`); any other key
 * is the name of a label of the node. `node.id` differs for every node.
 */
export function topologyValue(node: NodeInfo, key: string): string | undefined {
  const { facts } = node;
  const lower = key.toLowerCase();
  switch (lower) {
    case 'node.id':
      return facts.id;
    case 'node.hostname':
      return facts.hostname;
    case 'node.role':
      return facts.role;
    case 'node.platform.os':
      return facts.os === '' ? undefined : facts.os;
    case 'node.platform.arch':
      return facts.architecture === '' ? undefined : facts.architecture;
    default:
      break;
  }
  if (lower.startsWith(ENGINE_LABELS)) {
    return ownValue(facts.engineLabels, key.slice(ENGINE_LABELS.length));
  }
  const name = lower.startsWith(NODE_LABELS) ? key.slice(NODE_LABELS.length) : key;
  return ownValue(facts.labels, name);
}

function ownValue(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
