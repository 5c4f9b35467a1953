/**
 * What happens when a machine dies, and when it comes back?
 *
 * Nobody is told: the node just stops sending heartbeats. Until the manager notices (three periods
 * of 5 s) tables still hold the tasks there, and some requests are lost. Then the tables let go at
 * once and replacements start elsewhere after the restart delay. When the machine returns, nothing
 * moves back by itself, as in Swarm; `forceUpdate` spreads the tasks again.
 *
 * Prints:
 *   before                  node3 ready  node1 2, node2 2, node3 2  lost 0 of 12
 *   node3 loses its power   node3 ready  node1 2, node2 2, node3 2  lost 4 of 12
 *   5 s later               node3 ready  node1 2, node2 2, node3 2  lost 4 of 12
 *   17 s later              node3 down   node1 2, node2 2, node3 0  lost 0 of 12
 *   25 s later              node3 down   node1 3, node2 3, node3 0  lost 0 of 12
 *   node3 returns           node3 ready  node1 3, node2 3, node3 0  lost 0 of 12
 *   after a forced update   node3 ready  node1 2, node2 2, node3 2  lost 0 of 12
 */
import { Node } from '@skep/api';
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 3 });
await cluster.apply(`
services:
  web: { image: example/web:1, ports: ["8080:80"], deploy: { replicas: 6 } }
`);
await cluster.settle();
show('before');

cluster.lose('node3');
show('node3 loses its power');
for (const [seconds, title] of [
  [5, '5 s later'],
  [12, '17 s later'],
  [8, '25 s later'],
] as const) {
  await cluster.advance(seconds * 1000);
  show(title);
}

await cluster.recover('node3');
await cluster.settle();
show('node3 returns');

await cluster.forceUpdate('web');
await cluster.settle();
show('after a forced update');
await cluster.stop();

/** One line: what the manager believes, what runs where, and how many of twelve requests fail. */
function show(title: string): void {
  const running = cluster.tasks('web').filter(({ status }) => status.state === 'running');
  const places = cluster.simulator.hosts.map(({ id, name }) => {
    const here = running.filter(({ status }) => status.nodeId === id);
    return `${name} ${here.length}`;
  });
  const outcomes = Array.from({ length: 12 }, () => cluster.request('node1:8080').outcome);
  const lost = outcomes.filter((outcome) => outcome !== 'answered').length;
  const state = cluster.get(Node, 'node3')?.status.state ?? '';
  const columns = [title.padEnd(22), `node3 ${state.padEnd(5)}`, places.join(', ')];
  console.log(`${columns.join('  ')}  lost ${lost} of 12`);
}
