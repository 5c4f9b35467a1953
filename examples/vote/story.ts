/**
 * The main job: `examples/vote/stack.yml` on two simulated nodes, told as one story in virtual
 * time.
 * `npm start`, or `npm start -- --trace` to see every hop of the first requests.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chronicler, nodeMaps, nodeTables, renderAllocations, renderChronicle } from '@skep/cli';
import { renderHops } from '@skep/network';
import { createCluster } from 'skep';

const isTraced = process.argv.includes('--trace');
const cluster = await createCluster({ nodes: 2, seed: 7 });
const chronicler = new Chronicler(cluster);

function chapter(title: string): void {
  console.log(`\n── ${title} ${'─'.repeat(Math.max(0, 94 - title.length))}\n`);
}

/** Lets everything happen that follows, and tells it. */
async function settleAndTell(): Promise<void> {
  const { isSettled, waitingFor } = await cluster.settle();
  console.log(renderChronicle(chronicler.take(), chronicler.start));
  if (!isSettled) throw new Error(`not settled: ${waitingFor.join('; ')}`);
}

function curl(target: string, from?: string): void {
  const result = cluster.request(target, from === undefined ? {} : { from });
  const answer =
    result.outcome === 'answered' ? result.body : `${result.outcome}: ${result.reason}`;
  const by = result.taskName?.split('.').slice(0, 2).join('.') ?? '';
  console.log(
    `${`${from ?? 'outside'} $ curl ${target}`.padEnd(29)} → ${answer}  ${by} on ${result.node}`,
  );
  if (isTraced) console.log(renderHops(result.hops, { indent: 4 }));
}

chapter('1. A stack file becomes tasks on nodes');
const path = 'examples/vote/stack.yml';
await cluster.apply([{ path, text: readFileSync(join(import.meta.dirname, 'stack.yml')) }]);
await settleAndTell();

chapter('2. The map: sandboxes, addresses, VIPs, VXLAN');
console.log(nodeMaps(cluster));

chapter("3. node1's tables");
console.log(nodeTables(cluster, 'node1'));

chapter('4. Names, as the client sees them');
for (const name of ['vote', 'tasks.vote', 'client', 'nobody.overlay1']) {
  const { outcome, addresses } = cluster.lookup(name, { from: 'client' });
  console.log(`client $ lookup ${name.padEnd(16)} → ${addresses.join(', ') || outcome}`);
}

chapter('5. Requests, routed through these very tables');
for (const node of ['node1', 'node2']) for (let i = 0; i < 4; i += 1) curl(`${node}:8080`);
for (let i = 0; i < 4; i += 1) curl('http://vote/', 'client');

chapter('6. Scale vote to 5');
await cluster.scale('vote', 5);
await settleAndTell();

chapter('7. Update the image, starting each new task before its old one stops');
await cluster.update('vote', ({ task, ...spec }) => ({
  ...spec,
  update: { order: 'start-first', parallelism: 2 },
  task: { ...task, container: { ...task.container, image: 'example/vote:2' } },
}));
await settleAndTell();

chapter('8. node2 loses its power');
cluster.lose('node2');
await settleAndTell();
for (let i = 0; i < 5; i += 1) curl('node1:8080');

chapter('9. node2 returns: nothing moves back by itself');
await cluster.recover('node2');
await settleAndTell();
curl('node2:8080');

chapter('10. Drain node1');
await cluster.drain('node1');
await settleAndTell();
for (let i = 0; i < 2; i += 1) curl('node1:8080');
console.log(`\n${nodeTables(cluster, 'node1')}`);

chapter('11. Remove the stack, and let the quarantine pass');
console.log(`${renderAllocations(cluster.view())}\n`);
await cluster.remove('vote', 'client');
await settleAndTell();
await cluster.removeNetwork('overlay1');
await settleAndTell();
console.log(`\n${renderAllocations(cluster.view())}\n\n${nodeMaps(cluster)}`);
await cluster.stop();
