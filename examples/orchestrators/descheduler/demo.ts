/**
 * A node comes back from maintenance, and tasks return to it: one a minute.
 */
import { Node } from '@skep/api';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { deschedulerController } from './controller.js';
import { Descheduler } from './kind.js';

const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(Descheduler);
  bind(identifiers.controllers).toConstantValue(deschedulerController());
});
const cluster = await createCluster({ nodes: 3, plugins: [plugin] });

function show(title: string): void {
  const counts = cluster
    .view()
    .list(Node)
    .map(({ meta }) => {
      const tasks = cluster.tasks('web').filter(({ status }) => status.nodeId === meta.id);
      return `${meta.name}: ${tasks.length}`;
    });
  console.log(`${title.padEnd(18)} ${counts.sort().join(', ')}`);
}

await cluster.drain('node3');
await cluster.apply('services: { web: { image: "web:1", deploy: { replicas: 9 } } }');
await cluster.settle();
show('node3 is away');
await cluster.activate('node3');
await cluster.settle();
show('node3 is back');
await cluster.declare([{ kind: Descheduler, name: 'even', spec: { movesMax: 1 } }]);
for (let minute = 1; minute <= 4; minute += 1) {
  await cluster.advance(60_000);
  show(`after ${minute} min`);
}
await cluster.stop();
