/**
 * Can I use the scheduler without a cluster: in a test, a planner, a what-if tool?
 *
 * `@skep/scheduler` is a library of pure functions over plain objects: no store, no clock, no
 * randomness. Give it nodes and tasks; it places them as Swarm would, in a total order, and says
 * why. Here four tasks are spread over zones, and then a big one is explained.
 *
 * Prints:
 *   web.1 on a1: first by name among equals, before a2, of 4 nodes
 *   web.2 on b1: fewer tasks of the service in its branch of the spread (0, a2 1), of 4 nodes
 *   web.3 on a2: first by name among equals, before a3, of 4 nodes
 *   web.4 on b1: fewer tasks of the service in its branch of the spread (1, a3 2), of 4 nodes
 *   database.1.t1 → a3: fewer active tasks in total (0, a1 1), of 2 nodes
 *     candidates, best rank first:
 *       a3  faults 0, service-tasks 0, total-tasks 0
 *       a1  faults 0, service-tasks 0, total-tasks 1
 *     refused:
 *       a2  constraint: constraint needs node.labels.disk == ssd, has hdd
 *       b1  resource: memory needs 6 GiB, has 4 GiB
 */
import { Node, Task, newObject, type TaskTemplate } from '@skep/api';
import { ClusterState, explain, groupTasks, placeGroup, swarmPolicy } from '@skep/scheduler';
import { renderExplanation, renderPlacementReason } from '@skep/scheduler';

const GIB = 2 ** 30;

function node(name: string, zone: string, disk: string): Node {
  const description = {
    hostname: name,
    platform: { os: 'linux', architecture: 'amd64' },
    resources: { cpuNanos: 4e9, memoryBytes: 8 * GIB },
    engine: { version: '28.2.2', labels: {} },
  };
  return newObject(Node, {
    id: name,
    name,
    labels: { zone, disk },
    spec: { role: 'worker', availability: 'active' },
    status: { state: 'ready', message: '', address: '10.1.0.1', description },
  });
}

function task(serviceName: string, slot: number, template: TaskTemplate): Task {
  const service = { serviceId: serviceName, serviceName, specVersion: 1, template };
  const spec = { ...service, slot, desiredState: 'running', cause: 'scale' } as const;
  return newObject(Task, { id: `t${slot}`, spec });
}

const state = new ClusterState({
  nodes: [
    node('a1', 'a', 'ssd'),
    node('a2', 'a', 'hdd'),
    node('a3', 'a', 'ssd'),
    node('b1', 'b', 'ssd'),
  ],
});
const policy = swarmPolicy();
const options = { policy, now: 0 };

const template: TaskTemplate = {
  placement: { preferences: [{ spread: 'node.labels.zone' }] },
  resources: { reservations: { memoryBytes: 2 * GIB } },
};
const web = groupTasks([1, 2, 3, 4].map((slot) => task('web', slot, template)));
const placements = web.flatMap((group) => placeGroup(state, group, options).placements);
for (const { task, nodeId, reason } of placements) {
  console.log(`web.${task.spec.slot} on ${nodeId}: ${renderPlacementReason(reason, { policy })}`);
}

const database = task('database', 1, {
  placement: { constraints: ['node.labels.disk == ssd'] },
  resources: { reservations: { memoryBytes: 6 * GIB } },
});
console.log(renderExplanation(explain(state, database, options), { policy }));
