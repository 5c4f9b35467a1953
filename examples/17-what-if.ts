/**
 * What would help, who would have to go, and what would happen if?
 *
 * The scheduler's decisions are pure functions, so it can be asked what it would decide: from a
 * snapshot of the cluster to changes with reasons. The guide is docs/scheduling-what-if.md.
 *
 * Prints:
 *   the database
 *     would fit if node n3 had the label disk=ssd: on n3
 *     would fit without the constraint node.labels.disk == ssd: on n3
 *     would fit with a reservation of 1 GiB of memory: on n2
 *     would fit if node n1 had 2 GiB more memory: on n1
 *     would fit if node n2 had 2 GiB more memory: on n2
 *     would fit with one more node like n1: on n1+1
 *   db → n1, instead of 1 task
 *     cache.1.cache.1: priority 0 is below 10; frees 3 GiB of memory
 *   drain n1: 3 moved
 *     move  cache.1.cache.1  n1 → n3  n1 is drained; the only node that passes every filter
 *     move  web.1.web.1      n1 → n3  n1 is drained; the only node that passes every filter
 *     move  web.1.web.2      n1 → n3  n1 is drained; the only node that passes every filter
 *   rebalance: 1 moved
 *     move  web.1.web.2  n1 → n3  uneven-tasks falls from 16 to 10
 *   room for 4 more of web, then: no suitable node (insufficient resources on 3 nodes)
 */
import {
  ClusterState,
  applyCounterfactual,
  counterfactuals,
  groupOf,
  headroom,
  placeGroup,
  planDrain,
  planPreemption,
  planRebalance,
  renderPlan,
  renderPreemption,
  swarmPolicy,
} from '@skep/scheduler';
import { node, task } from '@skep/testing';

const policy = swarmPolicy();
const options = { policy, now: 0 };
const running = (id: string, on: string, memory: string) =>
  task(id, { service: id.split('.')[0] ?? id, on, memory });

const objects = {
  nodes: [
    node('n1', { memory: '8GiB', labels: { disk: 'ssd' } }),
    node('n2', { memory: '3GiB', labels: { disk: 'ssd' } }),
    node('n3', { memory: '8GiB', labels: { disk: 'hdd' } }),
  ],
  tasks: [
    running('web.1', 'n1', '2GiB'),
    running('web.2', 'n1', '2GiB'),
    running('cache.1', 'n1', '3GiB'),
    running('batch.1', 'n2', '2GiB'),
  ],
};
const state = new ClusterState(objects);
const constraints = 'node.labels.disk == ssd';
const database = task('db', { memory: '3GiB', constraints, priority: 10 });

console.log('the database');
const found = counterfactuals(state, database, options);
for (const counterfactual of found) {
  const then = applyCounterfactual({ objects, task: database, policy }, counterfactual);
  const cluster = new ClusterState(then.objects);
  const { placements } = placeGroup(cluster, groupOf([then.task]), { policy: then.policy, now: 0 });
  console.log(`  ${counterfactual.text}: on ${placements[0]?.nodeId}`);
}
console.log(renderPreemption(planPreemption(state, database, options)));

console.log(`drain n1: ${renderPlan(planDrain(state, ['n1'], options))}`);
console.log(`rebalance: ${renderPlan(planRebalance(state, options))}`);

const room = headroom(state, running('web.3', 'n1', '2GiB'), options);
console.log(`room for ${room.count} more of web, then: ${room.pending?.message}`);
