/**
 * An experiment as published: the workload is shuffled, inflated to 130 % of the cluster's GPUs,
 * and
 * arrives task by task.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), section 6.2, Monte-Carlo workload
 * inflation, and the published simulator.
 */
import { SkepError, Task, newObject, type Node, type Random } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import type { OpenbOrder, OpenbPod } from './openb.js';
import type { Trace } from './trace.js';

/** How far a workload is inflated: its GPU demand as a part of the cluster's GPUs. */
export const INFLATION = 1.3;

/**
 * The arrivals and the ranks of nodes as one seed of the published experiments had them. A task
 * that comes again, or bears the name of another, is a clone: `NAME-clone-1`.
 * @throws invalid-argument for an order of other lists.
 */
export function openbTrace(
  parts: {
    readonly name?: string;
    readonly nodes: readonly Node[];
    readonly pods: readonly OpenbPod[];
  },
  order: OpenbOrder,
): Trace {
  const { nodes, pods, name = 'openb' } = parts;
  if (order.nodeRank.length !== nodes.length) {
    throw new SkepError(
      'invalid-argument',
      `seed ${order.seed} of the orders ranks ${order.nodeRank.length} nodes, the list has ` +
        `${nodes.length} (give the orders of this list)`,
    );
  }
  const ids = new Set<string>();
  const clones = new Map<string, number>();
  const events = order.order.map((row) => {
    const pod = pods[row];
    if (pod === undefined) {
      throw new SkepError(
        'invalid-argument',
        `seed ${order.seed} of the orders names row ${row} (from 0), the list of tasks has ` +
          `${pods.length} (give the orders of this list)`,
      );
    }
    let clone = clones.get(pod.name) ?? 0;
    // A task of the list may be named like a clone.
    while (ids.has(idOf(pod, clone))) clone += 1;
    ids.add(idOf(pod, clone));
    clones.set(pod.name, clone + 1);
    return { type: 'arrival', task: taskOf(pod, clone) } as const;
  });
  const nodeRanks = new Map(nodes.map(({ meta }, at) => [meta.name, order.nodeRank[at] ?? at]));
  return { name, nodes, events, workload: pods.map((pod) => taskOf(pod, 0)), nodeRanks };
}

/**
 * An order of one's own for a trace that has none: tasks by name, shuffled by the seed, then
 * inflated by drawing from the original list as long as the demand stays within 130 %; the order of
 * nodes among equals is a shuffle too. A list above 130 % loses its last tasks.
 */
export function shuffledOrder(
  nodes: readonly Node[],
  pods: readonly OpenbPod[],
  seed: number,
): OpenbOrder {
  const random = seededRandom(seed);
  const limit = INFLATION * gpuMilliOf(nodes);
  const order = pods.map((_, row) => row);
  order.sort((a, b) => compareNames(pods, a, b));
  shuffle(order, random);
  // As published, a drawn task counts by its share of one GPU, not times its number of GPUs.
  let demand = pods.reduce((sum, { gpuMilli, gpus }) => sum + gpuMilli * gpus, 0);
  while (demand > limit && order.length > 0) {
    const removed = pods[order.pop() ?? 0];
    demand -= (removed?.gpuMilli ?? 0) * (removed?.gpus ?? 0);
  }
  const isInflatable = pods.some(({ gpuMilli }) => gpuMilli > 0);
  while (isInflatable) {
    const row = random.int(pods.length);
    const { gpuMilli = 0 } = pods[row] ?? {};
    if (demand + gpuMilli > limit) break;
    demand += gpuMilli;
    order.push(row);
  }
  const nodeRank = nodes.map((_, at) => at);
  shuffle(nodeRank, random);
  return { seed, order, nodeRank };
}

function compareNames(pods: readonly OpenbPod[], a: number, b: number): number {
  const left = pods[a]?.name ?? '';
  const right = pods[b]?.name ?? '';
  return left < right ? -1 : left > right ? 1 : a - b;
}

function gpuMilliOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => {
    const devices = node.status.description?.resources.devices ?? [];
    return sum + devices.reduce((all, { capacityMilli = 1_000 }) => all + capacityMilli, 0);
  }, 0);
}

function shuffle(items: number[], random: Random): void {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = random.int(at + 1);
    [items[at], items[other]] = [items[other] ?? 0, items[at] ?? 0];
  }
}

function idOf({ name }: OpenbPod, clone: number): string {
  return clone === 0 ? name : `${name}-clone-${clone}`;
}

function taskOf(pod: OpenbPod, clone: number): Task {
  const { name, template } = pod;
  return newObject(Task, {
    id: idOf(pod, clone),
    name: idOf(pod, clone),
    spec: {
      serviceName: name,
      slot: clone,
      desiredState: 'running',
      template,
      cause: 'scale',
    },
    status: { state: 'pending', timestamp: 0, appliedAt: 0, message: '' },
  });
}
