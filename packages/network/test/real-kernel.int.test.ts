/**
 * Answers that a real kernel gave, against those of the interpreter.
 *
 * The texts rendered for these very clusters, whole and then as differences, were given to `ip`,
 * `bridge`, `iptables-restore --noflush`, `ipvsadm --restore` and `sysctl` in user-mode-linux 6.1
 * (2026-11-23); every command was accepted, and programs in the namespaces asked four times each.
 */
import { describe, expect, it } from '@jest/globals';

import { changeBetween, nodeState, type FixtureCluster } from '../src/__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../src/__fixtures__/vote.js';
import { connect, type PacketOrigin } from '../src/interpreter/send.js';
import { World } from '../src/interpreter/world.js';
import { renderDiff, renderNode } from '../src/ipvs/render.js';
import { buildTables } from '../src/table/build.js';
import { diffTables } from '../src/table/diff.js';
import { createNodeLocal } from '../src/table/node-local.js';
import { planNodeLocal } from '../src/table/node-local-plan.js';
import { updateTables } from '../src/table/update.js';

/** Everything on one node. */
const whole: FixtureCluster = {
  ...VOTE_CLUSTER,
  tasks: VOTE_CLUSTER.tasks.map((task) => ({ ...task, node: 'node1' })),
};
const drained: FixtureCluster = {
  ...whole,
  tasks: whole.tasks.map((task) => (task.id === 'vote1' ? { ...task, state: 'draining' } : task)),
};
const removed: FixtureCluster = {
  ...whole,
  tasks: whole.tasks.filter(({ id }) => id !== 'vote1'),
};
const sticky: FixtureCluster = {
  ...whole,
  services: whole.services.map((service) => ({
    ...service,
    algorithm: 'weighted-round-robin',
    affinityMs: 3000,
  })),
};
const gone: FixtureCluster = {
  ...whole,
  services: whole.services.slice(0, 1),
  tasks: whole.tasks.slice(0, 1),
};

/** What the client got from the VIP, and the host from 192.168.50.11:8080 and 127.0.0.1:8080. */
const OBSERVED: readonly (readonly [string, FixtureCluster, string, string, string])[] = [
  ['two replicas', whole, '2 1 2 1', '2 1 2 1', '2 1 2 1'],
  ['one drains', drained, '2 2 2 2', '2 2 2 2', '2 2 2 2'],
  ['it comes back', whole, '1 2 1 2', '1 2 1 2', '1 2 1 2'],
  ['it is removed', removed, '2 2 2 2', '2 2 2 2', '2 2 2 2'],
  ['it is there again', whole, '1 2 1 2', '1 2 1 2', '1 2 1 2'],
  ['weighted, with affinity', sticky, '1 1 1 1', '1 1 1 1', '1 1 1 1'],
  ['as before', whole, '1 2 1 2', '1 2 1 2', '1 2 1 2'],
  ['the service is removed', gone, 'lost', 'refused', 'refused'],
  ['a new one of that name', whole, '2 1 2 1', '2 1 2 1', '2 1 2 1'],
];

function ask(
  world: World,
  from: PacketOrigin,
  destination: string,
  destinationPort: number,
): string {
  const answers = Array.from({ length: 4 }, () => {
    const result = connect(world, { from, destination, destinationPort });
    if (result.outcome === 'answered') return result.delivered?.taskId?.slice(-1) ?? '';
    return result.outcome === 'refused' ? 'refused' : 'lost';
  });
  return new Set(answers).size === 1 && answers[0]?.length !== 1
    ? (answers[0] ?? '')
    : answers.join(' ');
}

describe('the interpreter answers as the kernel did', () => {
  it('through a whole text and eight differences', () => {
    let state = nodeState(whole, 'node1');
    let local = planNodeLocal(createNodeLocal({ underlayAddress: '192.168.50.11' }), state);
    let tables = buildTables(state, local);
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    world.setNode('node1', renderNode(tables));
    for (const [step, cluster, ...expected] of OBSERVED) {
      const next = nodeState(cluster, 'node1');
      const change = changeBetween(state, next);
      local = planNodeLocal(local, next, change);
      const made = updateTables(tables, next, change, local);
      world.apply('node1', renderDiff(diffTables(tables, made)));
      [state, tables] = [next, made];
      // Every round of questions lasted longer than the affinity of the one before.
      world.now += 10_000;
      const host = { node: 'node1', namespace: 'host' };
      const client = { node: 'node1', namespace: 'task_client1' };
      expect([
        step,
        ask(world, client, '10.0.9.2', 80),
        ask(world, host, '192.168.50.11', 8080),
        ask(world, host, '127.0.0.1', 8080),
      ]).toEqual([step, ...expected]);
    }
  });
});
