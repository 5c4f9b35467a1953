/**
 * A database with three members: made, upgraded with its primary last, backed up and removed.
 */
import type { Service } from '@skep/api';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { databaseController } from './controller.js';
import { Database } from './kind.js';

const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(Database);
  bind(identifiers.controllers).toConstantValue(databaseController());
});
const cluster = await createCluster({ plugins: [plugin] });

// What happens to the services, in order.
cluster.store.subscribe(
  {
    commit: ({ events }) => {
      for (const { type, object, previous } of events) {
        const isNews = previous?.meta.generation !== object.meta.generation || type === 'deleted';
        const { image } = (object as Service).spec.task.container ?? {};
        if (isNews) console.log(`  ${type} ${object.meta.name} (${image})`);
      }
    },
    ended: () => undefined,
  },
  { selector: { kinds: ['Service'] } },
);

async function declare(image: string): Promise<void> {
  const spec = { image, members: 3, cleanup: { image: 'backup:1' } };
  await cluster.declare([{ kind: Database, name: 'shop', spec }]);
  await cluster.advance(120_000);
  const { phase, readyMembers } = cluster.get(Database, 'shop')?.status ?? {};
  console.log(`${image}: ${phase}, ${readyMembers} members ready`);
}

await declare('db:1');
await declare('db:2');
await cluster.removeObject({ kind: Database, reference: 'shop' });
await cluster.advance(120_000);
console.log(`databases: ${cluster.view().count(Database)}`);
await cluster.stop();
