/**
 * A manager that is only pretended: it answers from a list of objects, and remembers what it was
 * asked to change.
 */
import { clusterSettings, matchesSelector, parseSelector, SkepError } from '@skep/api';
import type { AnyKind, StoredObject } from '@skep/api';
import type { Changed, ControlClient, FollowMessage, LogMessage } from '@skep/control';
import { BUILT_IN_KINDS, declarableKinds } from 'skep';
import { NOW, OBJECTS } from './objects.js';

/** What the manager has, and what it tells. */
export interface FakeManager {
  readonly objects?: readonly StoredObject[];
  /** What a watcher hears after the snapshot. */
  readonly commits?: readonly Extract<FollowMessage, { type: 'commit' }>[];
  readonly logs?: readonly LogMessage[];
  readonly problems?: Awaited<ReturnType<ControlClient['problems']>>;
}

/** A client, and what it was asked to change. */
export interface FakeClient {
  readonly client: ControlClient;
  readonly calls: unknown[];
}

const nameOf = (kind: AnyKind | string): string => (typeof kind === 'string' ? kind : kind.name);

/** See the module comment. */
export function fakeClient(manager: FakeManager = {}): FakeClient {
  const { objects = OBJECTS, commits = [], logs = [], problems = [] } = manager;
  const calls: unknown[] = [];
  const declarable = new Set(declarableKinds(BUILT_IN_KINDS).map(({ name }) => name));
  const changed = (kind: string, name: string, action = 'update'): Promise<Changed> =>
    Promise.resolve({ revision: 9, results: [{ action, kind, name: name.replace(/^id-/, ''), id: `id-${name}` }] } as Changed);
  const call = (name: string, ...given: unknown[]): void => void calls.push([name, ...given]);
  const list = (kinds: readonly (AnyKind | string)[], texts = {}) => {
    const selector = parseSelector(texts);
    const names = kinds.map(nameOf);
    const found = objects.filter(
      (object) => names.includes(object.kind) && matchesSelector(selector, object),
    );
    return { revision: 9, objects: found };
  };
  const client: Partial<ControlClient> = {
    info: () =>
      Promise.resolve({
        version: 'v1',
        revision: 9,
        now: NOW,
        kinds: BUILT_IN_KINDS.map(({ name, plural, hasUniqueName }) => ({
          name,
          plural,
          hasUniqueName,
          isDeclarable: declarable.has(name),
        })),
        settings: clusterSettings({}),
        nodes: { total: 2, ready: 2 },
        hasTrace: false,
        bodyBytesMax: 1,
      }),
    list: ((kind: AnyKind, selector: object) => Promise.resolve(list([kind], selector))) as never,
    listAll: (kinds, selector) => Promise.resolve(list(kinds, selector)),
    get: ((kind: AnyKind, reference: string) => {
      const found = list([kind]).objects.find(
        ({ meta }) => meta.name === reference || meta.id === reference,
      );
      return found === undefined
        ? Promise.reject(new SkepError('not-found', `no ${nameOf(kind)} '${reference}'`))
        : Promise.resolve(found);
    }) as never,
    follow: async function* ({ kinds = [], signal } = {}) {
      yield await Promise.resolve({ type: 'snapshot', ...list(kinds) } as FollowMessage);
      for (const commit of commits) {
        if (signal?.aborted === true) return;
        yield commit;
      }
    },
    logs: async function* (query) {
      call('logs', { ...query, signal: undefined });
      for (const message of logs) yield await Promise.resolve(message);
    },
    problems: () => Promise.resolve(problems),
    explain: (task) => Promise.reject(new SkepError('not-found', `no task is meant by '${task}'`)),
    scale: (service, replicas) => (call('scale', service, replicas), changed('Service', service)),
    update: (service, patch) => (call('update', service, patch), changed('Service', service)),
    hold: (service) => (call('hold', service), changed('Service', service)),
    resume: (service) => (call('resume', service), changed('Service', service)),
    forceUpdate: (service) => (call('forceUpdate', service), changed('Service', service)),
    rollback: (service, options) => (
      call('rollback', service, options),
      changed('Service', service)
    ),
    remove: (targets) => (call('remove', targets), changed('Service', 'web', 'delete')),
    removeNode: (node, options) => (
      call('removeNode', node, options),
      changed('Node', node, 'delete')
    ),
    updateNode: (node, patch) => (call('updateNode', node, patch), changed('Node', node)),
    declareLoaded: (loaded, options) => (
      call(
        'declareLoaded',
        loaded.map(({ kind, name }) => `${kind}/${name}`),
        options,
      ),
      changed('Service', 'web', 'create')
    ),
    close: () => Promise.resolve(),
  };
  return { client: client as ControlClient, calls };
}
