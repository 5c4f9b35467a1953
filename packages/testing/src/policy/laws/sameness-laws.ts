/**
 * Laws about what may make no difference: time, order, names.
 */
import { deepFreeze, hash32, isEqual, seededRandom, type Node, type Task } from '@skep/api';
import { nameOf } from '../build/service.js';
import { placeCluster } from '../place.js';
import { type PlacedCluster } from '../placed-cluster.js';
import type { PlacementResult } from '../placement-result.js';
import { firstDifference, type PolicyLaw } from './law.js';
import { isTie } from './ties.js';

/** A policy remembers nothing, and changes nothing that it is shown. */
export const sameAgainLaw: PolicyLaw = {
  name: 'same-again',
  statement: 'the same cluster gives the same decisions and reasons, and is not changed by it',
  check: ({ policy, cluster }) => {
    const one = placeCluster(policy, cluster);
    const frozen = deepFreeze(structuredClone(cluster));
    const again = placeCluster(policy, frozen);
    return firstDifference(one, again, { one: 'first', other: 'then' });
  },
};

/** The order in which things became known does not matter; the age of tasks does. */
export const orderLaw: PolicyLaw = {
  name: 'order',
  statement: 'the order of the lists of nodes, tasks and services does not matter',
  check: ({ policy, cluster }) => {
    const one = placeCluster(policy, cluster);
    for (const [how, mixed] of mixtures(cluster)) {
      const other = placeCluster(policy, mixed);
      const words = { one: 'in the order given', other: `with all lists ${how}` };
      const difference = firstDifference(one, other, words);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
};

function mixtures(cluster: PlacedCluster): readonly (readonly [string, PlacedCluster])[] {
  const random = seededRandom(cluster.nodes.length * 1000 + cluster.tasks.length);
  const shuffled = <T>(items: readonly T[]): readonly T[] => {
    const left = [...items];
    return items.map(() => left.splice(random.int(left.length), 1)[0] as T);
  };
  return [
    ['reversed', withLists(cluster, (items) => items.toReversed())],
    ['shuffled', withLists(cluster, shuffled)],
  ];
}

function withLists(
  cluster: PlacedCluster,
  change: <T>(items: readonly T[]) => readonly T[],
): PlacedCluster {
  return {
    nodes: change(cluster.nodes),
    services: change(cluster.services),
    tasks: change(cluster.tasks),
    running: change(cluster.running),
    volumes: change(cluster.volumes),
    networks: change(cluster.networks),
    now: cluster.now,
  };
}

/**
 * Names decide between equals, and nothing else. A tie that falls to another node may change what
 * fits later, so decisions are compared up to the first tie; where all nodes are alike, a tie makes
 * no difference to what is used, and the use is compared to the end.
 */
export const namesLaw: PolicyLaw = {
  name: 'names',
  statement:
    'other names of the nodes change no decision but between equals, and where all nodes are ' +
    'alike not what is used of them',
  check: ({ policy, cluster }) => {
    if (cluster.volumes.length > 0 || cluster.tasks.some(namesNodes)) return undefined;
    const one = placeCluster(policy, cluster);
    for (const names of otherNames(cluster.nodes)) {
      const other = placeCluster(policy, renamed(cluster, names));
      const difference =
        decisionDifference(one, other, names) ??
        (areAlike(cluster) ? useDifference(one, other, names) : undefined);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
};

/** A task that asks for a node by its name means another one after the names have changed. */
function namesNodes({ spec }: Task): boolean {
  const { constraints, nodeAffinity } = spec.template.placement ?? {};
  return /node\.(id|hostname)/i.test(JSON.stringify([constraints, nodeAffinity]));
}

type Names = ReadonlyMap<string, string>;

/** New names by id: in the reverse order, at random, and each the name of the next. */
function otherNames(nodes: readonly Node[]): readonly Names[] {
  const ids = nodes.map(({ meta }) => meta.id);
  const count = ids.length;
  return [
    new Map(ids.map((id, at) => [id, `x${String(count - at).padStart(4, '0')}`])),
    new Map(ids.map((id, at) => [id, `${hash32(`name ${at}`).toString(36)}-${at}`])),
    new Map(ids.map((id, at) => [id, ids[(at + 1) % count] ?? id])),
  ];
}

function renamed(cluster: PlacedCluster, names: Names): PlacedCluster {
  const name = (id: string | undefined): string => names.get(id ?? '') ?? id ?? '';
  return {
    ...cluster,
    nodes: cluster.nodes.map((node) => renamedNode(node, name(node.meta.id))),
    services: cluster.services.map((service) => ({
      ...service,
      status: {
        ...service.status,
        faults: (service.status.faults ?? []).map((fault) => ({
          ...fault,
          nodeId: name(fault.nodeId),
        })),
      },
    })),
    tasks: cluster.tasks.map((task) =>
      task.spec.nodeId === undefined
        ? task
        : { ...task, spec: { ...task.spec, nodeId: name(task.spec.nodeId) } },
    ),
    running: cluster.running.map((task) => ({
      ...task,
      status: { ...task.status, nodeId: name(task.status.nodeId) },
    })),
  };
}

function renamedNode(node: Node, name: string): Node {
  const { description } = node.status;
  return {
    ...node,
    meta: { ...node.meta, id: name, name },
    status: {
      ...node.status,
      ...(description === undefined ? {} : { description: { ...description, hostname: name } }),
    },
  };
}

function decisionDifference(
  one: PlacementResult,
  other: PlacementResult,
  names: Names,
): string | undefined {
  for (const [at, { task, placement }] of one.decisions.entries()) {
    const twin = other.decisions[at]?.placement;
    const expected = placement === undefined ? undefined : names.get(placement.nodeId);
    if (expected === twin?.nodeId) continue;
    const sofar = one.decisions.slice(0, at + 1);
    if (sofar.some((decision) => isTie(one.explain(nameOf(decision.task))))) return undefined;
    const here = placement === undefined ? 'waits' : `goes to ${one.nodeName(placement.nodeId)}`;
    const there = twin === undefined ? 'waits' : `goes to ${originOf(twin.nodeId, names, one)}`;
    return `${nameOf(task)} ${here}; with the names ${listOf(names, one)} it ${there}`;
  }
  return undefined;
}

function originOf(name: string, names: Names, result: PlacementResult): string {
  for (const [id, other] of names) {
    if (other === name) return `${name}, which is ${result.nodeName(id)}`;
  }
  return name;
}

function listOf(names: Names, result: PlacementResult): string {
  return [...names].map(([id, name]) => `${name} for ${result.nodeName(id)}`).join(', ');
}

function areAlike({ nodes, running, tasks }: PlacedCluster): boolean {
  const [first, ...others] = nodes;
  if (first === undefined || running.length > 0) return false;
  if (tasks.some(({ spec }) => spec.nodeId !== undefined)) return false;
  const shape = renamedNode(first, '');
  return others.every((node) => isEqual(renamedNode(node, ''), shape));
}

function useDifference(
  one: PlacementResult,
  other: PlacementResult,
  names: Names,
): string | undefined {
  const [mine, its] = [one, other].map(useOf);
  if (mine === its) return undefined;
  return `with the names ${listOf(names, one)} the nodes hold ${its}, else ${mine}`;
}

/** What the nodes hold, whichever does. */
function useOf({ state }: PlacementResult): string {
  return state.nodes
    .map((node) => `${node.activeTasks} tasks with ${node.usedCpuNanos / 1e9} cpus`)
    .sort()
    .join(' | ');
}
