import { describe, expect, it } from '@jest/globals';
import { messageOf } from '@skep/api';
import { parent, Parent, world } from './__fixtures__/world.js';
import { create, update } from './changes.js';
import { Committer } from './committer.js';

describe('Committer', () => {
  it('commits under its actor', async () => {
    const { store, clock } = world();
    const actors: string[] = [];
    store.subscribe({ commit: ({ actor }) => actors.push(actor), ended: () => undefined });
    const committer = new Committer({ store, actor: 'me' });
    const outcome = await committer.commit([create(parent('a'))], undefined);
    await clock.flush();
    expect(outcome).toEqual({ committed: 1, revision: 1 });
    expect(actors).toEqual(['me']);
  });

  it('puts its fence before every commit', async () => {
    const { store } = world();
    let version = 0;
    const committer = new Committer({
      store,
      actor: 'me',
      fence: () => [{ type: 'version', kind: 'Parent', id: 'fence', version }],
    });
    expect(await committer.commit([create(parent('a'))], [])).toMatchObject({ committed: 1 });
    version = 9;
    const outcome = await committer.commit([create(parent('b'))], undefined);
    expect(outcome).toMatchObject({ committed: 0, conflict: { id: 'fence' } });
    expect(store.view().count(Parent)).toBe(1);
  });

  it('gives what the store throws as an outcome', async () => {
    const { store } = world();
    await store.close();
    const outcome = await new Committer({ store, actor: 'me' }).commit([create(parent('a'))], []);
    expect(messageOf(outcome.error)).toMatch(/closed/);
  });

  it('splits in order, and stops at the first conflict', async () => {
    const { store } = world();
    const committer = new Committer({ store, actor: 'me' });
    const many = Array.from({ length: 450 }, (_, i) => create(parent(`${i}`)));
    const all = await committer.commitInPieces(many, undefined);
    expect(all).toEqual({ committed: 450, revision: 3 });
    const more = Array.from({ length: 450 }, (_, i) => create(parent(`${i + 100_000}`)));
    more[250] = create(parent('7'));
    const some = await committer.commitInPieces(more, undefined);
    expect(some).toMatchObject({ committed: 200, revision: 4 });
    expect(some.conflict?.id).toBe('7');
    expect(store.view().count(Parent)).toBe(650);
  });

  it('guards only the first piece with what the plan expects', async () => {
    const { store } = world();
    const committer = new Committer({ store, actor: 'me' });
    await committer.commit([create(parent('guard'))], undefined);
    const guard = store.view().get(Parent, 'guard') ?? parent('guard');
    const expectation = { type: 'version', kind: 'Parent', id: 'guard', version: 1 } as const;
    const many = Array.from({ length: 300 }, (_, i) => create(parent(`${i}`)));
    const outcome = await committer.commitInPieces([update(guard), ...many], [expectation]);
    expect(outcome).toEqual({ committed: 301, revision: 3 });
    const stale = await committer.commitInPieces(many, [expectation]);
    expect(stale).toMatchObject({ committed: 0, conflict: { id: 'guard', version: 2 } });
  });

  it('knows the revision that shows a retry what it ran into', async () => {
    const { store, commit } = world();
    const committer = new Committer({ store, actor: 'me' });
    await commit(create(parent('a')));
    expect(committer.retryRevision({ committed: 0, revision: 0 })).toBe(1);
    expect(committer.retryRevision({ committed: 1, revision: 5 })).toBe(5);
    const conflict = { reason: 'version', kind: 'x', id: 'y', message: '', version: 8 } as const;
    expect(committer.retryRevision({ committed: 1, revision: 5, conflict })).toBe(8);
  });
});
