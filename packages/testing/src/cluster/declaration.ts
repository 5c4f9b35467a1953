/**
 * What was declared last: the model that a cluster with any history is compared with.
 */
import { Network, Service, type NetworkSpec, type ServiceSpec } from '@skep/api';
import type { DeclaredObject } from '@skep/orchestrator';
import type { TestNode } from './test-cluster.js';

/** The final manifests, so to speak. */
export interface Declaration {
  readonly nodes: ReadonlyMap<string, TestNode>;
  readonly networks: ReadonlyMap<string, NetworkSpec>;
  readonly services: ReadonlyMap<string, ServiceSpec>;
}

/** A declaration that changes. */
export interface DeclarationDraft extends Declaration {
  readonly nodes: Map<string, TestNode>;
  readonly networks: Map<string, NetworkSpec>;
  readonly services: Map<string, ServiceSpec>;
}

/** Nothing declared but nodes. */
export function newDeclaration(nodes: readonly TestNode[]): DeclarationDraft {
  return {
    nodes: new Map(nodes.map((node) => [node.name, node])),
    networks: new Map(),
    services: new Map(),
  };
}

/** Networks and services as objects to declare, by name. */
export function declaredObjects(declaration: Declaration): readonly DeclaredObject[] {
  const byName = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...byName(declaration.networks).map(([name, spec]) => ({ kind: Network, name, spec })),
    ...byName(declaration.services).map(([name, spec]) => ({ kind: Service, name, spec })),
  ];
}
