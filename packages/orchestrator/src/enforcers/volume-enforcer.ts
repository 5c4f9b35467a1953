/**
 * Rejects tasks that use a volume which is drained.
 *
 * **Source:** SwarmKit manager/orchestrator/volumeenforcer/volume_enforcer.go.
 */
import { ACTORS, Task, Volume, type Timestamp } from '@skep/api';
import type { Plan, PlanController } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { compareSeniority, isEnforceable, rejectTask } from './rejection.js';

const MESSAGE = 'task rejected by volume enforcer';
const ERROR = 'attached to volume with availability set to drain';

/** The controller. Keys are volume ids. Woken by volumes, and by tasks that are given some. */
export function volumeEnforcer(): PlanController {
  return {
    name: ACTORS.volumeEnforcer,
    rule: 'enforce-volumes',
    for: Volume,
    watches: [{ kind: Task, keys: volumesOfTask, predicate: isAttachment }],
    plan: enforceVolume,
  };
}

/** Rejects the tasks of a drained volume. Pure. Cost: O(all tasks), for a drained volume only. */
export function enforceVolume(view: View, volumeId: string, now: Timestamp): Plan {
  const volume = view.get(Volume, volumeId);
  if (volume?.spec.availability !== 'drain') return { changes: [] };
  const victims = view
    .list(Task)
    .filter((task) => uses(task, volumeId) && isEnforceable(task))
    .sort(compareSeniority);
  return {
    changes: victims.map((task) => rejectTask(task, { message: MESSAGE, error: ERROR, now })),
  };
}

function uses(task: Task, volumeId: string): boolean {
  return task.status.volumes?.some((volume) => volume.volumeId === volumeId) ?? false;
}

function isAttachment({ type, object, previous }: ObjectEvent): boolean {
  const { volumes } = (object as Task).status;
  if (type === 'deleted' || volumes === undefined) return false;
  return volumes !== (previous as Task | undefined)?.status.volumes;
}

function volumesOfTask({ object }: ObjectEvent): readonly string[] {
  return [...new Set((object as Task).status.volumes?.map((volume) => volume.volumeId) ?? [])];
}
