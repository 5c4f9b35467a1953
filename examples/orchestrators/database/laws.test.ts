import { expect, it } from '@jest/globals';
import { Cluster, Network, newObject, Node, Secret, Config, Volume } from '@skep/api';
import { Service, Task } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import { obedientWorld } from '../kit/obedient-world.js';
import { databaseController } from './controller.js';
import { Database, type DatabaseSpec } from './kind.js';

const database = (spec: Partial<DatabaseSpec>): Database =>
  newObject(Database, { id: 'd', name: 'db', spec: { image: 'db:1', members: 2, ...spec } });

it('together with the orchestrator it survives a crash after every write, and old views', async () => {
  const report = await controllerLaws({
    kinds: [Database, Service, Task, Node, Network, Cluster, Secret, Config, Volume],
    controllers: () => [databaseController(), ...obedientWorld()],
    laws: ['quiet', 'crash', 'leaders', 'stale'],
    ages: [1],
    scenario: [userSteps.apply(database({})), userSteps.delete(Database, 'd')],
  });
  expect(report.writes).toBeGreaterThan(10);
}, 60_000);
