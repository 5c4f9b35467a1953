/**
 * Can I update a service without losing a request?
 *
 * With `order: start-first` a new task runs, and is in the tables of every node, before its old one
 * leaves them; and an old one is stopped only when every node has acknowledged that it sends
 * nothing to it any more. Here somebody asks every 20 ms of virtual time, all through the update.
 * Thanks to the acknowledgements, `stop-first` (the default, as in Swarm) loses nothing either as
 * long as another replica runs.
 *
 * Prints:
 *   order        replicas   v1   v2  lost
 *   start-first  3          72  272    0
 *   start-first  1          42  245    0
 *   stop-first   3          62  301    0
 *   stop-first   1           5  246   38
 */
import { Service, type UpdateConfig } from '@skep/api';
import { createCluster } from 'skep';

console.log('order        replicas   v1   v2  lost');
for (const order of ['start-first', 'stop-first'] as const) {
  for (const replicas of [3, 1]) await updateUnderLoad({ order }, replicas);
}

async function updateUnderLoad(update: UpdateConfig, replicas: number): Promise<void> {
  const cluster = await createCluster({
    nodes: 2,
    behaviour: ({ template }) => ({
      pullMs: 400,
      startMs: 100,
      // The tag of the image is the answer.
      respond: () => ({ status: 200, body: template.container?.image.split(':')[1] ?? '' }),
    }),
  });
  await cluster.apply(`
services:
  web: { image: "example/web:v1", ports: ["8080:80"], deploy: { replicas: ${replicas} } }
`);
  await cluster.settle();

  await cluster.update('web', ({ task, ...spec }) => ({
    ...spec,
    update,
    task: { ...task, container: { ...task.container, image: 'example/web:v2' } },
  }));
  const answers = { v1: 0, v2: 0, lost: 0 };
  const nodes = ['node1', 'node2'];
  while (cluster.get(Service, 'web')?.status.update?.state !== 'completed') {
    await cluster.advance(20);
    const node = nodes.reverse()[0] ?? '';
    const { outcome, body } = cluster.request(`${node}:8080`);
    if (outcome !== 'answered') answers.lost += 1;
    else if (body === 'v1') answers.v1 += 1;
    else answers.v2 += 1;
  }
  const columns = [answers.v1, answers.v2, answers.lost].map((count) => `${count}`.padStart(4));
  console.log(`${update.order?.padEnd(12)} ${replicas}        ${columns.join(' ')}`);
  await cluster.stop();
}
