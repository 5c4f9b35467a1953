import { describe, expect, it } from '@jest/globals';
import { defineKind } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Store } from '@skep/store';
import { applySpec, type ApplyRequest } from './apply-spec.js';
import { removeAnyVersion } from './changes.js';
import { Child } from './__fixtures__/world.js';

interface WebSpec {
  readonly image?: string;
  readonly replicas?: number;
  readonly ports?: readonly { readonly name: string; readonly target?: number }[];
  readonly stopSignal?: string;
}

const Web = defineKind<WebSpec, object>({
  name: 'Web',
  initialStatus: {},
  defaults: (spec) => ({ stopSignal: 'SIGTERM', ...spec }),
});

interface Applier {
  readonly store: Store;
  /** Applies and commits; the messages of conflicts. */
  apply(manager: string, spec: WebSpec, force?: boolean): Promise<string | undefined>;
}

function applier(): Applier {
  const store = memoryStore({ clock: new VirtualClock(), kinds: [Web, Child] });
  return {
    store,
    apply: async (manager, spec, force = false) => {
      const request: ApplyRequest<WebSpec> = { name: 'web', manager, spec, force };
      const result = applySpec(store.view(), Web, request);
      if (!result.ok) return result.message;
      const changes = result.change === undefined ? [] : [result.change];
      expect(await store.commit({ actor: 'user', changes })).toMatchObject({ ok: true });
      return undefined;
    },
  };
}

describe('applySpec', () => {
  it('creates, and lets the autoscaler own replicas while the stack file owns the rest', async () => {
    const { store, apply } = applier();
    await apply('stack', { image: 'web:1', ports: [{ name: 'http', target: 80 }] });
    await apply('autoscaler', { replicas: 4 });
    await apply('stack', { image: 'web:2', ports: [{ name: 'http', target: 80 }] });
    const web = store.view().getByName(Web, 'web');
    expect(web?.spec).toEqual({
      image: 'web:2',
      replicas: 4,
      ports: [{ name: 'http', target: 80 }],
      stopSignal: 'SIGTERM',
    });
    expect(web?.meta.managers).toEqual({
      autoscaler: ['replicas'],
      stack: ['image', 'ports[name=http].name', 'ports[name=http].target'],
    });
    expect(web?.meta.generation).toBe(3);
  });

  it('says who stands against it, and overrides by force', async () => {
    const { store, apply } = applier();
    await apply('autoscaler', { replicas: 4 });
    expect(await apply('stack', { replicas: 2, image: 'a' })).toBe(
      "Web 'web' has fields of other managers: replicas (4, set by autoscaler)",
    );
    expect(store.view().getByName(Web, 'web')?.spec.image).toBeUndefined();
    await apply('stack', { replicas: 2, image: 'a' }, true);
    expect(store.view().getByName(Web, 'web')?.meta.managers).toEqual({
      stack: ['image', 'replicas'],
    });
  });

  it('has nothing to write the second time', async () => {
    const { store, apply } = applier();
    await apply('stack', { image: 'a' });
    const { revision } = store.view();
    await apply('stack', { image: 'a' });
    expect(store.view().revision).toBe(revision);
  });

  it('gives a default back when its field is given up', async () => {
    const { store, apply } = applier();
    await apply('stack', { image: 'a', stopSignal: 'SIGINT' });
    expect(store.view().getByName(Web, 'web')?.spec.stopSignal).toBe('SIGINT');
    await apply('stack', { image: 'a' });
    expect(store.view().getByName(Web, 'web')?.spec.stopSignal).toBe('SIGTERM');
  });

  it('is a new object when it is made again', async () => {
    const { store, apply } = applier();
    await apply('stack', { image: 'a' });
    const before = store.view().getByName(Web, 'web');
    if (before === undefined) throw new Error('no web');
    await store.commit({ actor: 'user', changes: [removeAnyVersion(before)] });
    await apply('stack', { image: 'a' });
    expect(store.view().getByName(Web, 'web')?.meta.id).not.toBe(before.meta.id);
  });

  it('finds objects by id where names are not unique', () => {
    const { store } = applier();
    const request = { name: '', manager: 'm', spec: { parentId: 'p' } };
    expect(applySpec(store.view(), Child, { ...request, id: 'c' })).toMatchObject({
      ok: true,
      change: { type: 'create', object: { meta: { id: 'c' } } },
    });
    const code = expect.objectContaining({ code: 'invalid-argument' });
    expect(() => applySpec(store.view(), Child, request)).toThrow(code);
    expect(() => applySpec(store.view(), Child, { ...request, manager: '' })).toThrow(code);
  });
});
