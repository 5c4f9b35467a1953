import { describe, expect, it } from '@jest/globals';
import { byService, newObject, Service, Task, withSpec } from '@skep/api';
import { create, remove, update } from '@skep/controller';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { itObeysTheLaws } from '../kit/laws.js';
import { obedientWorld } from '../kit/obedient-world.js';
import { runTrial, type Stage, type Trial } from '../kit/trial.js';
import { databaseController } from './controller.js';
import { Database, type DatabaseSpec } from './kind.js';

const MINUTE = 60_000;
const base: DatabaseSpec = { image: 'db:1', members: 3 };

function trialOf(spec: Partial<DatabaseSpec>, script: (stage: Stage) => Promise<void>): Trial {
  return {
    kinds: [Database],
    controllers: () => [databaseController()],
    world: obedientWorld({ bad: ['db:bad'] }),
    script: async (stage) => {
      const object = newObject(Database, { id: 'd', name: 'db', spec: { ...base, ...spec } });
      await stage.commit('user', create(object));
      await stage.clock.advance(5 * MINUTE);
      await script(stage);
    },
  };
}

const database = (stage: Stage): Database => stage.view().get(Database, 'd')!;

async function edit(stage: Stage, spec: Partial<DatabaseSpec>): Promise<void> {
  const before = database(stage);
  await stage.commit('user', update(withSpec(before, { ...before.spec, ...spec })));
}

/** Services by name, with the images of their running tasks. */
function members(stage: Stage): readonly string[] {
  return stage
    .view()
    .list(Service)
    .map(({ meta }) => {
      const tasks = stage.view().list(Task, byService(meta.id));
      const running = tasks.filter(({ status }) => status.state === 'running');
      return `${meta.name} ${running.map(({ spec }) => spec.template.container?.image).join()}`;
    })
    .sort();
}

/** Names of services in the order in which something of a type happened to them. */
function heard(stage: Stage, type: string): string[] {
  const names: string[] = [];
  stage.store.subscribe({
    commit: ({ events }) => {
      for (const event of events) {
        if (event.object.kind !== 'Service' || event.type !== type) continue;
        const isSpec = event.previous?.meta.generation !== event.object.meta.generation;
        if (type !== 'updated' || isSpec) names.push(event.object.meta.name);
      }
    },
    ended: () => undefined,
  });
  return names;
}

describe('a database', () => {
  it('has a service for each member', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        expect(members(stage)).toEqual(['db-0 db:1', 'db-1 db:1', 'db-2 db:1']);
        expect(database(stage).status).toMatchObject({ phase: 'ready', readyMembers: 3 });
        await Promise.resolve();
      }),
    );
  });

  it.each([
    [0, ['db-2', 'db-1', 'db-0']],
    [1, ['db-2', 'db-0', 'db-1']],
  ])('is upgraded member by member, the primary %i last', async (primary, order) => {
    await runTrial(
      trialOf({ primary }, async (stage) => {
        const updated = heard(stage, 'updated');
        await edit(stage, { image: 'db:2' });
        await stage.clock.advance(10 * MINUTE);
        expect(updated).toEqual(order);
        expect(members(stage)).toEqual(['db-0 db:2', 'db-1 db:2', 'db-2 db:2']);
      }),
    );
  });

  it('stops an upgrade at a member that does not come up, and goes on from there', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        await edit(stage, { image: 'db:bad' });
        await stage.clock.advance(10 * MINUTE);
        expect(members(stage)).toEqual(['db-0 db:1', 'db-1 db:1', 'db-2 ']);
        expect(database(stage).status).toMatchObject({ phase: 'waiting', message: 'for db-2' });
        await edit(stage, { image: 'db:2' });
        await stage.clock.advance(10 * MINUTE);
        expect(members(stage)).toEqual(['db-0 db:2', 'db-1 db:2', 'db-2 db:2']);
      }),
    );
  });

  it('grows and shrinks at its end', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const created = heard(stage, 'created');
        const deleted = heard(stage, 'deleted');
        await edit(stage, { members: 5 });
        await stage.clock.advance(5 * MINUTE);
        await edit(stage, { members: 2 });
        await stage.clock.advance(5 * MINUTE);
        expect([created, deleted]).toEqual([
          ['db-3', 'db-4'],
          ['db-4', 'db-3', 'db-2'],
        ]);
      }),
    );
  });

  it('cleans up before it goes, while its members are there', async () => {
    await runTrial(
      trialOf({ cleanup: { image: 'backup:1' } }, async (stage) => {
        await stage.commit('user', remove(database(stage)));
        await stage.clock.advance(MINUTE / 2);
        expect(members(stage)).toEqual([
          'db-0 db:1',
          'db-1 db:1',
          'db-2 db:1',
          'db-cleanup backup:1',
        ]);
        await stage.clock.advance(MINUTE);
        expect([members(stage), stage.view().count(Database)]).toEqual([[], 0]);
      }),
    );
  });
});

describe('laws', () => {
  itObeysTheLaws(
    trialOf({ cleanup: { image: 'backup:1' } }, async (stage) => {
      await edit(stage, { image: 'db:2' });
      await stage.clock.advance(5 * MINUTE);
      await edit(stage, { members: 2 });
      await stage.clock.advance(5 * MINUTE);
      await stage.commit('user', remove(database(stage)));
      await stage.clock.advance(5 * MINUTE);
    }),
  );
});

it('lives and goes on simulated nodes', async () => {
  const plugin = new ContainerModule(({ bind }) => {
    bind(identifiers.kinds).toConstantValue(Database);
    bind(identifiers.controllers).toConstantValue(databaseController());
  });
  const cluster = await createCluster({ plugins: [plugin] });
  await cluster.declare([
    { kind: Database, name: 'db', spec: { ...base, cleanup: { image: 'backup:1' } } },
  ]);
  await cluster.advance(MINUTE);
  expect(cluster.get(Database, 'db')?.status.phase).toBe('ready');
  await cluster.declare([{ kind: Database, name: 'db', spec: { ...base, image: 'db:2' } }]);
  await cluster.advance(5 * MINUTE);
  const images = ['db-0', 'db-1', 'db-2'].flatMap((name) =>
    cluster.tasks(name).map(({ spec }) => spec.template.container?.image),
  );
  expect(images).toEqual(['db:2', 'db:2', 'db:2']);
  await cluster.removeObject({ kind: Database, reference: 'db' });
  await cluster.advance(5 * MINUTE);
  expect([cluster.view().count(Database), cluster.view().count(Service)]).toEqual([0, 0]);
  await cluster.stop();
});
