/**
 * What a node has, and what is left of it while tasks take their reservations.
 *
 * **Source:** SwarmKit manager/orchestrator/constraintenforcer and api/genericresource; there a
 * generic resource only has to exist, here all tasks together have to find it.
 */
import type { GenericResource, Node, Task } from '@skep/api';

/** A running sum of reservations on one node. */
export interface NodeBudget {
  /** Takes what the task reserves; false, and nothing taken, when it is not there. */
  take(task: Task): boolean;
}

/** The budget of a node; undefined when the node has not said what it has. */
export function nodeBudget(node: Node): NodeBudget | undefined {
  const resources = node.status.description?.resources;
  if (resources === undefined) return undefined;
  let cpuNanos = resources.cpuNanos ?? 0;
  let memoryBytes = resources.memoryBytes ?? 0;
  const stock = new GenericStock(resources.generic ?? []);
  return {
    take: ({ spec, status }) => {
      const wanted = spec.template.resources?.reservations ?? {};
      const cpu = wanted.cpuNanos ?? 0;
      const memory = wanted.memoryBytes ?? 0;
      const generic = status.genericResources ?? [];
      if (cpu > cpuNanos || memory > memoryBytes || !stock.has(generic)) return false;
      cpuNanos -= cpu;
      memoryBytes -= memory;
      stock.take(generic);
      return true;
    },
  };
}

/** Counts and named items by kind. */
class GenericStock {
  readonly #counts = new Map<string, number>();
  readonly #items = new Set<string>();

  constructor(resources: readonly GenericResource[]) {
    for (const resource of resources) {
      const { kind } = resource;
      if ('ids' in resource) for (const id of resource.ids) this.#items.add(`${kind}/${id}`);
      else this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + resource.count);
    }
  }

  has(resources: readonly GenericResource[]): boolean {
    return resources.every((resource) =>
      'ids' in resource
        ? resource.ids.every((id) => this.#items.has(`${resource.kind}/${id}`))
        : resource.count <= (this.#counts.get(resource.kind) ?? 0),
    );
  }

  take(resources: readonly GenericResource[]): void {
    for (const resource of resources) {
      const { kind } = resource;
      if ('ids' in resource) for (const id of resource.ids) this.#items.delete(`${kind}/${id}`);
      else this.#counts.set(kind, (this.#counts.get(kind) ?? 0) - resource.count);
    }
  }
}
