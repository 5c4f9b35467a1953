/**
 * A node as it would be with a remedy.
 */
import {
  isEqual,
  type GenericResource,
  type Labels,
  type Node,
  type NodeDescription,
} from '@skep/api';
import { mergePatch } from './merge-patch.js';
import type { Remedy } from './remedy.js';

/** The node with the remedy, or the node itself where the remedy is not about it. */
export function changedNode(node: Node, remedy: Remedy): Node {
  if (!('nodeId' in remedy) || remedy.nodeId !== node.meta.id) return node;
  switch (remedy.type) {
    case 'node-active':
      return { ...node, spec: { ...node.spec, availability: 'active' } };
    case 'node-ready':
      return { ...node, status: { ...node.status, state: 'ready' } };
    case 'node-label':
      return withLabel(node, remedy);
    case 'node-capacity':
      return described(node, ({ resources, ...rest }) => {
        const amount = (resources[remedy.resource] ?? 0) + remedy.amount;
        return { ...rest, resources: { ...resources, [remedy.resource]: amount } };
      });
    case 'node-generic':
      return described(node, ({ resources, ...rest }) => {
        const generic = moreOf(resources.generic ?? [], remedy);
        return { ...rest, resources: { ...resources, generic } };
      });
    case 'node-device':
      return described(node, ({ resources, ...rest }) => {
        const more = Array.from({ length: remedy.count }, () => remedy.device);
        const devices = [...(resources.devices ?? []), ...more];
        return { ...rest, resources: { ...resources, devices } };
      });
    case 'node-untainted': {
      const taints = node.spec.taints?.filter((taint) => !isEqual(taint, remedy.taint)) ?? [];
      return { ...node, spec: { ...node.spec, taints } };
    }
    case 'node-plugin':
      return described(node, ({ engine, ...rest }) => {
        const plugins = [...(engine.plugins ?? []), remedy.plugin];
        return { ...rest, engine: { ...engine, plugins } };
      });
    case 'suggestion':
      return mergePatch(node, remedy.suggestion.node ?? {}) as Node;
    case 'port-free':
      return node;
  }
}

/** A node like the other, with nothing on it, under a name that is not taken. */
export function twinOf(node: Node, isTaken: (id: string) => boolean): Node {
  let number = 1;
  const name = (): string => `${node.meta.id}+${number}`;
  while (isTaken(name())) number += 1;
  const { description } = node.status;
  return {
    ...node,
    meta: { ...node.meta, id: name(), name: `${node.meta.name}+${number}` },
    status: {
      ...node.status,
      ...(description === undefined
        ? {}
        : { description: { ...description, hostname: `${description.hostname}+${number}` } }),
    },
  };
}

function withLabel(
  node: Node,
  { scope, label, value }: Extract<Remedy, { type: 'node-label' }>,
): Node {
  const change = (labels: Labels): Labels => {
    const { [label]: _, ...others } = labels;
    return value === null ? others : { ...others, [label]: value };
  };
  if (scope === 'node')
    return { ...node, meta: { ...node.meta, labels: change(node.meta.labels) } };
  return described(node, ({ engine, ...rest }) => ({
    ...rest,
    engine: { ...engine, labels: change(engine.labels) },
  }));
}

/** A node that says nothing about itself is given a description that says as little as it can. */
function described(node: Node, change: (described: NodeDescription) => NodeDescription): Node {
  const description = node.status.description ?? {
    hostname: node.meta.name,
    platform: { os: '', architecture: '' },
    resources: {},
    engine: { version: '', labels: {} },
  };
  return { ...node, status: { ...node.status, description: change(description) } };
}

function moreOf(
  generic: readonly GenericResource[],
  { kind, count }: { readonly kind: string; readonly count: number },
): readonly GenericResource[] {
  const at = generic.findIndex((resource) => resource.kind === kind && 'count' in resource);
  const counted = generic[at];
  if (counted === undefined || !('count' in counted)) return [...generic, { kind, count }];
  return generic.with(at, { kind, count: counted.count + count });
}
