/**
 * What a cluster can be told when it is made.
 */
import {
  Node,
  SkepError,
  type AnyKind,
  type ClusterSpec,
  type DataplaneName,
  type Labels,
  type NodeAvailability,
  type NodeDescription,
  type NodeId,
  type NodeRole,
  type OwnershipTable,
} from '@skep/api';
import type { BehaviourOf, ContainerBehaviour, HostOptions } from '@skep/adapter-simulator';
import type { ControllerDefinition, ReconcileTraceOptions } from '@skep/controller';
import type { DeclaredObject } from '@skep/orchestrator';
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
  /** How nodes program their kernels; goes before `cluster.dataplane`. Default: ipvs. */
  readonly dataplane?: DataplaneName;
  /** How containers behave: by image name without tag, or by a function. Default: they run. */
  readonly behaviour?: BehaviourOf | Readonly<Record<string, ContainerBehaviour>>;
  /**
   * Kinds of your own, beside the built-in ones. They may be declared in files and by programs; a
   * kind with a schema is judged by it, wherever a declaration comes from.
   */
  readonly kinds?: readonly AnyKind[];
  /** Controllers of your own. One with the name of a built-in one takes its place. */
  readonly controllers?: readonly ControllerDefinition[];
  /**
   * Who may write which field of your kinds, as `OWNERSHIP` of `@skep/api` says for the built-in
   * ones. A kind that is not named is open to all.
   */
  readonly ownership?: Readonly<Record<string, OwnershipTable>>;
  /**
   * Remembers why objects change, for `cluster.why`: the last 10,000 commits, or as many as said.
   * Default: false.
   */
  readonly trace?: boolean | ReconcileTraceOptions;
  /** Replace or add parts; loaded last, in this order. */
  readonly plugins?: readonly ContainerModule[];
  /**
   * Checks each commit: who may write what, and that nobody changes what was read. Default: true.
   */
  readonly checks?: boolean;
}

/** The settings of the cluster that the options ask for. */
export function wantedSettings({
  cluster,
  dataplane,
}: Pick<ClusterOptions, 'cluster' | 'dataplane'>): ClusterSpec {
  return dataplane === undefined ? { ...cluster } : { ...cluster, dataplane };
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

/** The node as it is declared. */
export function declaredNode(options: NodeOptions & { readonly name: string }): DeclaredObject {
  const { name, role = 'worker', availability = 'active', labels = {}, description } = options;
  const spec = { role, availability, ...(description === undefined ? {} : { description }) };
  return { kind: Node, name, labels, spec };
}

/** The simulated machine of the node with this id. */
export function hostOf(
  id: NodeId,
  { name, description }: NodeOptions & { readonly name: string },
): HostOptions {
  return { id, name, ...(description === undefined ? {} : { description }) };
}

function requireCount(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  const message = `the option ${option} is ${value}; give a whole number, 0 or more`;
  throw new SkepError('invalid-argument', message);
}
