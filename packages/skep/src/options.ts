/**
 * What a cluster can be told when it is made.
 */
import {
  SkepError,
  type ClusterSpec,
  type Labels,
  type NodeAvailability,
  type NodeDescription,
  type NodeRole,
} from '@skep/api';
import type { BehaviourOf, ContainerBehaviour } from '@skep/adapter-simulator';
import type { ContainerModule } from 'inversify';

/** A node to begin with. */
export interface NodeOptions {
  /** Default: `node1`, `node2`, … */
  readonly name?: string;
  readonly role?: NodeRole;
  readonly availability?: NodeAvailability;
  readonly labels?: Labels;
  /** What differs from 4 CPUs, 8 GiB, linux/amd64 and the engine's own plugins. */
  readonly description?: Partial<NodeDescription>;
}

/** Options of `createCluster`. */
export interface ClusterOptions {
  /** How many nodes, or which. Default: 2. */
  readonly nodes?: number | readonly NodeOptions[];
  /** How many of the counted nodes are managers, from the first. They take work too. Default: 1. */
  readonly managers?: number;
  /** Seed of everything random. Same seed, same bytes. Default: 1. */
  readonly seed?: number | string;
  /** Settings of the cluster. */
  readonly cluster?: ClusterSpec;
  /** How containers behave: by image name without tag, or by a function. Default: they run. */
  readonly behaviour?: BehaviourOf | Readonly<Record<string, ContainerBehaviour>>;
  /** Replace or add parts; loaded last, in this order. */
  readonly plugins?: readonly ContainerModule[];
  /**
   * Checks each commit: who may write what, and that nobody changes what was read. Default: true.
   */
  readonly checks?: boolean;
}

/**
 * The nodes that the options ask for, each with its name and role.
 * @throws invalid-argument for a number that counts nothing.
 */
export function wantedNodes(
  options: ClusterOptions,
): readonly (NodeOptions & { readonly name: string })[] {
  const { nodes = 2, managers = 1 } = options;
  if (typeof nodes === 'number') requireCount('nodes', nodes);
  requireCount('managers', managers);
  const list: readonly NodeOptions[] =
    typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes;
  return list.map((node, index) => ({
    name: `node${index + 1}`,
    role: index < managers ? 'manager' : 'worker',
    ...node,
  }));
}

function requireCount(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  const message = `the option ${option} is ${value}; give a whole number, 0 or more`;
  throw new SkepError('invalid-argument', message);
}
