/**
 * One pass of the allocator over all keys that are dirty.
 */
import {
  Network,
  Node,
  Service,
  Task,
  compareBy,
  compareText,
  type Kind,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { BatchPlan } from '@skep/controller';
import type { View } from '@skep/store';
import { groupsOf } from './groups.js';
import { splitKey } from './key-index.js';
import type { AllocatorMemory } from './memory.js';
import { planNetwork } from './network-plan.js';
import { planNode } from './node-plan.js';
import { AllocationPass } from './pass.js';
import { planRelease } from './release-plan.js';
import { planService } from './service-plan.js';
import { planTask } from './task-plan.js';
import { BUCKETS, isServiceLeaving } from './waiting.js';

/**
 * Plans everything that is dirty: networks (ingress first), then load-balancer addresses of nodes,
 * then services, then tasks; last what goes back. Inside a kind the oldest comes first, then by
 * name or slot, then by id. That order is Swarm's, and decides who gets which address.
 *
 * A function of view, keys and time; the memory is left as it was.
 * Cost: O(keys × log n), plus all that waits for tables in the networks among the keys.
 */
export function planAllocations(
  memory: AllocatorMemory,
  view: View,
  keys: readonly string[],
  now: Timestamp,
): BatchPlan {
  memory.sync(view);
  const pass = new AllocationPass(view, memory, now);
  try {
    const dirty = dirtyObjects(memory, view, keys);
    for (const network of dirty.networks) planNetwork(pass, network);
    for (const node of dirty.nodes) planNode(pass, node);
    for (const service of dirty.services) {
      if (!isServiceLeaving(service)) planService(pass, service);
    }
    for (const task of dirty.tasks) planTask(pass, task);
    for (const service of dirty.services) {
      if (isServiceLeaving(service)) planService(pass, service);
    }
    for (const task of dirty.tasks) planRelease(pass, task);
    const groups = groupsOf(pass);
    return { groups, requeueAt: pass.requeueAt, events: pass.events };
  } finally {
    pass.end();
  }
}

interface DirtyObjects {
  readonly networks: readonly Network[];
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
}

function dirtyObjects(memory: AllocatorMemory, view: View, keys: readonly string[]): DirtyObjects {
  const ids: Record<string, Set<string>> = {};
  const add = (key: string): void => {
    const { kind, id } = splitKey(key);
    (ids[kind] ??= new Set()).add(id);
  };
  for (const key of keys) add(key);
  for (const id of ids[Network.name] ?? []) {
    for (const key of memory.waiting.in(BUCKETS.tables(id))) add(key);
  }
  const objects = <Spec, Status>(kind: Kind<Spec, Status>): StoredObject<Spec, Status>[] =>
    [...(ids[kind.name] ?? [])].flatMap((id) => view.get(kind, id) ?? []);
  return {
    networks: objects(Network).sort(ingressFirst),
    nodes: objects(Node).sort(byAge),
    services: objects(Service).sort(byAge),
    tasks: objects(Task).sort(bySlot),
  };
}

const byAge = compareBy<StoredObject>(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.name, b.meta.name),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

const ingressFirst = compareBy<Network>(
  (a, b) => Number(b.spec.isIngress ?? false) - Number(a.spec.isIngress ?? false),
  byAge,
);

const bySlot = compareBy<Task>(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.spec.serviceName, b.spec.serviceName),
  (a, b) => a.spec.slot - b.spec.slot,
  (a, b) => compareText(a.meta.id, b.meta.id),
);
