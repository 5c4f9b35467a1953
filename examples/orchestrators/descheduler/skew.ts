/**
 * How unevenly a service lies on the nodes that could have it. Pure.
 */
import { byService, compareBy, compareText, constraintFacts, Node, Task } from '@skep/api';
import { isDeleting, matchesConstraints, parseConstraints, wantedReplicas } from '@skep/api';
import type { NodeId, Service } from '@skep/api';
import type { View } from '@skep/store';

/** What a move would be, and how the service lies now. */
export interface Skew {
  /** The newest task of the fullest node. */
  readonly task: Task;
  readonly from: NodeId;
  /** Tasks of the fullest node less those of the emptiest. */
  readonly difference: number;
  /** Tasks by node id, as text: equal for equal distributions over the same nodes. */
  readonly picture: string;
}

/**
 * The skew of a replicated service that has nothing else to do: all its tasks run, none is asked to
 * end. Undefined otherwise: a move must never come on top of a failure or an update.
 */
export function skewOf(view: View, service: Service): Skew | undefined {
  const tasks = wantedTasks(view, service);
  if (tasks === undefined) return undefined;
  const counts = new Map(fitNodes(view, service).map((id) => [id, [] as Task[]]));
  for (const task of tasks) counts.get(task.status.nodeId ?? '')?.push(task);
  const nodes = [...counts].sort(
    compareBy(
      ([, a], [, b]) => b.length - a.length,
      ([a], [b]) => compareText(a, b),
    ),
  );
  const [fullest, emptiest] = [nodes[0], nodes.at(-1)];
  if (fullest === undefined || emptiest === undefined) return undefined;
  const [task] = [...fullest[1]].sort(compareNewest);
  if (task === undefined) return undefined;
  const picture = nodes
    .map(([id, list]) => `${id}=${list.length}`)
    .sort(compareText)
    .join(' ');
  return { task, from: fullest[0], difference: fullest[1].length - emptiest[1].length, picture };
}

function wantedTasks(view: View, service: Service): readonly Task[] | undefined {
  const { meta, spec, status } = service;
  if (isDeleting(service) || status.observedGeneration !== meta.generation) return undefined;
  const tasks = view
    .list(Task, byService(meta.id))
    .filter((task) => task.spec.desiredState === 'running' || task.spec.desiredState === 'ready');
  const isSteady = tasks.every(
    (task) => task.status.state === 'running' && task.spec.isMoving !== true,
  );
  return isSteady && tasks.length === wantedReplicas(spec) ? tasks : undefined;
}

/** Nodes that take tasks and meet the constraints, in any order. */
function fitNodes(view: View, { spec }: Service): readonly NodeId[] {
  const constraints = parseConstraints(spec.task.placement?.constraints ?? []);
  return view
    .list(Node)
    .filter(({ spec: { availability }, status: { state } }) => {
      return (availability ?? 'active') === 'active' && state === 'ready';
    })
    .filter((node) => matchesConstraints(constraints, constraintFacts(node)))
    .map(({ meta }) => meta.id);
}

const compareNewest = compareBy<Task>(
  (a, b) => b.meta.createdAt - a.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);
