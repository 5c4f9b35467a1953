/**
 * One writer per field: which actor may change which field of a built-in kind's status.
 *
 * The store checks every commit against this table in tests and in development. docs/semantics.md
 * shows it to people. Custom kinds register theirs.
 *
 * **Source:** SwarmKit's ownership table (manager components), with our loops' names.
 */
import { TASK_STATE_RANK } from './task-state.js';
import type { StoredObject } from './meta.js';
import type { TaskStatus } from './task.js';

/** Names of the actors of the built-in loops. `user` is whoever speaks through the front door. */
export const ACTORS = Object.freeze({
  user: 'user',
  allocator: 'allocator',
  orchestrator: 'orchestrator',
  scheduler: 'scheduler',
  endpoints: 'endpoints',
  dispatcher: 'dispatcher',
  constraintEnforcer: 'constraint-enforcer',
  volumeEnforcer: 'volume-enforcer',
  reaper: 'reaper',
  elector: 'elector',
  events: 'events',
} as const);

/** Status fields of a kind and who may change each. A field that is not named is open to all. */
export type OwnershipTable = Readonly<Record<string, readonly string[]>>;

const { allocator, orchestrator, scheduler, endpoints, dispatcher, user } = ACTORS;
const enforcers = [ACTORS.constraintEnforcer, ACTORS.volumeEnforcer] as const;

/** The table of the built-in kinds. Fields of `spec` belong to `user` unless named as `spec.x`. */
export const OWNERSHIP: Readonly<Record<string, OwnershipTable>> = Object.freeze({
  Service: {
    endpoint: [allocator],
    update: [orchestrator, user],
    job: [orchestrator],
    createdTasks: [orchestrator],
    observedGeneration: [orchestrator],
    faults: [orchestrator],
    history: [orchestrator, user],
    spec: [user, orchestrator],
  },
  Task: {
    state: [allocator, scheduler, orchestrator, dispatcher, user, ...enforcers],
    nodeId: [scheduler],
    pending: [allocator, scheduler],
    placement: [scheduler],
    networks: [allocator],
    endpoint: [allocator],
    releasedAt: [allocator],
    genericResources: [scheduler],
    devices: [scheduler],
    reservedPorts: [scheduler],
    volumes: [scheduler],
    container: [dispatcher],
    hostPorts: [dispatcher],
    runningAt: [dispatcher],
    drainedAt: [endpoints],
    spec: [orchestrator, user],
  },
  Node: {
    state: [dispatcher],
    address: [dispatcher],
    description: [dispatcher],
    tables: [dispatcher],
    downSince: [dispatcher],
    networks: [allocator],
    spec: [user],
  },
  Network: {
    observedGeneration: [allocator],
    subnets: [allocator],
    quarantine: [allocator],
    spec: [user],
  },
  EndpointSlice: { spec: [endpoints] },
});

/**
 * Why the actor may not make this change, or undefined when it may.
 * Cost: O(fields of the status), by identity: shared parts are not looked into.
 */
export function ownershipFault(
  input: {
    readonly actor: string;
    readonly before: StoredObject | undefined;
    readonly after: StoredObject;
  },
  tables: Readonly<Record<string, OwnershipTable>> = OWNERSHIP,
): string | undefined {
  const { actor, before, after } = input;
  const table = tables[after.kind];
  if (table === undefined || before === undefined) return undefined;
  const specOwners = table['spec'];
  if (before.spec !== after.spec && specOwners !== undefined && !specOwners.includes(actor)) {
    return fault(actor, after, 'spec', specOwners);
  }
  const old = before.status as Record<string, unknown>;
  const next = after.status as Record<string, unknown>;
  for (const field of Object.keys(table)) {
    const owners = table[field] ?? [];
    if (field === 'spec' || old[field] === next[field] || owners.includes(actor)) continue;
    return fault(actor, after, `status.${field}`, owners);
  }
  return after.kind === 'Task' ? taskStateFault(actor, old as never, next as never) : undefined;
}

function fault(
  actor: string,
  object: StoredObject,
  field: string,
  owners: readonly string[],
): string {
  return (
    `actor '${actor}' changed ${field} of ${object.kind} ${object.meta.id}, ` +
    `which belongs to ${owners.join(', ')}`
  );
}

/** Who may move a task *to* a state. **Source:** SwarmKit design/tla, transition table. */
const STATE_OWNERS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  pending: [allocator],
  assigned: [scheduler],
  // The scheduler shuts down what was never assigned and is not wanted any more.
  shutdown: [dispatcher, scheduler, orchestrator],
  rejected: [dispatcher, ...enforcers],
  orphaned: [dispatcher, orchestrator, user],
});

function taskStateFault(actor: string, old: TaskStatus, next: TaskStatus): string | undefined {
  if (old.state === next.state) return undefined;
  if (TASK_STATE_RANK[next.state] < TASK_STATE_RANK[old.state]) {
    return `actor '${actor}' moved a task back from ${old.state} to ${next.state}`;
  }
  const owners = STATE_OWNERS[next.state] ?? [dispatcher];
  if (owners.includes(actor)) return undefined;
  return `actor '${actor}' moved a task to ${next.state}, which belongs to ${owners.join(', ')}`;
}
