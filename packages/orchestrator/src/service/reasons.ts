/**
 * Which rule makes a task, and what it goes by: words for the reconcile trace.
 */
import type { NodeId, Service, Task, TaskCause } from '@skep/api';
import type { ChangeCause, ChangeReason } from '@skep/controller';
import { nodeIdOf } from './task-facts.js';

/** Names of the rules that make tasks, by what makes them necessary. */
const CREATION_RULES = {
  scale: 'scale-up',
  restart: 'restart',
  update: 'update',
  node: 'follow-nodes',
} as const;

/** Why a task is made: the spec of its service, the task that it replaces, or a node. */
export function creationReason(
  service: Service,
  input: { readonly cause: TaskCause; readonly nodeId?: NodeId },
  replaced: Task | undefined,
): ChangeReason {
  const rule = CREATION_RULES[input.cause];
  switch (input.cause) {
    case 'scale':
    case 'update':
      return { rule, cause: specOf(service) };
    case 'restart':
      if (replaced === undefined) return { rule };
      return { rule, cause: { kind: replaced.kind, id: replaced.meta.id, field: 'status.state' } };
    case 'node': {
      const id = input.nodeId ?? (replaced === undefined ? undefined : nodeIdOf(replaced));
      return id === undefined ? { rule } : { rule, cause: { kind: 'Node', id } };
    }
  }
}

/** What somebody wants of the service. */
export function specOf({ kind, meta }: Service): ChangeCause {
  return { kind, id: meta.id, field: 'spec' };
}
