import { describe, expect, it } from '@jest/globals';
import { Cluster, Network, newObject, Node, Secret, Config, Volume } from '@skep/api';
import { Service, Task } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import type { ControllerLawsOptions } from '@skep/testing/controllers';
import { withoutFinalizer } from '../kit/broken-twins.js';
import { expectBroken } from '../kit/expect-broken.js';
import { obedientWorld } from '../kit/obedient-world.js';
import { standing } from '../kit/standing.js';
import { databaseController } from './controller.js';
import { Database, type DatabaseSpec } from './kind.js';

const database = (spec: Partial<DatabaseSpec>): Database =>
  newObject(Database, { id: 'd', name: 'db', spec: { image: 'db:1', members: 2, ...spec } });

const kinds = [Database, Service, Task, Node, Network, Cluster, Secret, Config, Volume];

const lawsFor = (...scenario: ControllerLawsOptions['scenario']): ControllerLawsOptions => ({
  kinds,
  comparable: standing(kinds),
  controllers: () => [databaseController(), ...obedientWorld({ jobMs: 1_000 })],
  scenario,
});

describe('with the orchestrator, under every fault of every law', () => {
  const cleanup = { image: 'backup:1' };

  it.each<[string, ControllerLawsOptions, number]>([
    [
      'a database comes, and goes after a last backup',
      lawsFor(userSteps.apply(database({ cleanup })), userSteps.delete(Database, 'd')),
      25,
    ],
    [
      'a database is upgraded and shrinks',
      lawsFor(
        userSteps.apply(database({})),
        userSteps.apply(database({ image: 'db:2', members: 1 })),
      ),
      20,
    ],
  ])(
    '%s',
    async (_, laws, writes) => {
      const report = await controllerLaws(laws);
      expect(report.writes).toBeGreaterThan(writes);
    },
    60_000,
  );

  it('finds a twin that remembers what it owns instead of taking a finalizer', async () => {
    const laws = lawsFor(userSteps.apply(database({})), userSteps.delete(Database, 'd'));
    const twins = () => [withoutFinalizer(databaseController(), Database), ...obedientWorld()];
    expect(await expectBroken(laws, twins)).toBe('crash');
  }, 60_000);
});
