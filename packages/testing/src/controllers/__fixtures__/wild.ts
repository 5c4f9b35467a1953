/**
 * Small models of two bugs that people met, and the same controllers without them.
 *
 * **Source:** moby#30794 (two clients that read, change and write a service), Dokploy#3809 (a
 * second update between "start new" and "stop old").
 */
import { byIndex, defineKind, deriveId, isSkepError, newObject } from '@skep/api';
import { withMeta, withSpec, withStatus, type ObjectId, type StoredObject } from '@skep/api';
import { create, defineController, noChanges, remove, update } from '@skep/controller';
import type { AsyncController, Plan, PlanController } from '@skep/controller';
import type { Change, Conflict, View } from '@skep/store';

interface AppSpec {
  readonly image: string;
  readonly replicas: number;
}

interface AppStatus {
  readonly current?: ObjectId;
  readonly starting?: ObjectId;
}

interface WishSpec {
  readonly appId: ObjectId;
  readonly change: Partial<AppSpec>;
}

interface WishStatus {
  readonly isDone?: boolean;
}

interface ReleaseSpec {
  readonly appId: ObjectId;
  readonly image: string;
}

type App = StoredObject<AppSpec, AppStatus>;
type Release = StoredObject<ReleaseSpec, object>;

export const App = defineKind<AppSpec, AppStatus>({ name: 'App', initialStatus: {} });
export const Wish = defineKind<WishSpec, WishStatus>({ name: 'Wish', initialStatus: {} });
export const Release = defineKind<ReleaseSpec, object>({
  name: 'Release',
  indexes: { app: ({ spec }) => spec.appId },
  initialStatus: {},
});

export const app = (image: string, replicas = 1): App =>
  newObject(App, { id: 'web', name: 'web', spec: { image, replicas } });

export const wish = (id: ObjectId, change: Partial<AppSpec>): StoredObject =>
  newObject(Wish, { id, name: id, spec: { appId: 'web', change } });

/**
 * A client reads the app, changes what is wished for, and writes it back, once. When somebody was
 * faster, it either looks again or only asks for the newest version and insists.
 */
export function clients(whenBeaten: 'look again' | 'insist'): AsyncController {
  return {
    name: 'clients',
    for: Wish,
    reconcile: async ({ view, commit }, wishId) => {
      const wanted = view.get(Wish, wishId);
      const before = view.get(App, wanted?.spec.appId ?? '');
      if (wanted === undefined || before === undefined || wanted.status.isDone) return undefined;
      const next = withSpec(before, { ...before.spec, ...wanted.spec.change });
      const done = update(withStatus(wanted, { isDone: true }));
      await commit([update(next), done]).catch(async (error: unknown) => {
        if (whenBeaten === 'look again' || !isSkepError(error, 'conflict')) throw error;
        const { kind, version } = error.details['conflict'] as Conflict;
        if (kind !== App.name) throw error;
        await commit([update(withMeta(next, { version })), done]);
      });
      return undefined;
    },
  };
}

const releaseId = (appId: ObjectId, image: string): ObjectId => deriveId(appId, 'release', image);

function start({ meta, spec }: App): Change {
  const id = releaseId(meta.id, spec.image);
  const name = `${meta.name}-${spec.image}`;
  return create(newObject(Release, { id, name, spec: { appId: meta.id, image: spec.image } }));
}

/** Wrong: what was being started is forgotten when something else is wanted. */
export function forgetfulUpdater(): PlanController {
  return defineController({ name: 'updater', for: App, plan: planForgetful });
}

function planForgetful(view: View, appId: ObjectId): Plan {
  const found = view.get(App, appId);
  if (found === undefined) return noChanges;
  const { current, starting } = found.status;
  const wanted = releaseId(appId, found.spec.image);
  if (starting === undefined && current === wanted) return noChanges;
  if (starting !== wanted) {
    const next = withStatus(found, { ...found.status, starting: wanted });
    const isThere = view.get(Release, wanted) !== undefined;
    return { changes: [...(isThere ? [] : [start(found)]), update(next)] };
  }
  const old = view.get(Release, current ?? '');
  const next = update(withStatus(found, { current: wanted }));
  return { changes: [...(old === undefined ? [] : [remove(old)]), next] };
}

/** Right: stops whatever is there and not wanted, once what is wanted is there. */
export function updater(): PlanController {
  return defineController({
    name: 'updater',
    for: App,
    watches: [{ kind: Release, keys: ({ object }) => [(object as Release).spec.appId] }],
    plan: (view, appId) => {
      const found = view.get(App, appId);
      const present = view.list(Release, byIndex(Release, 'app', appId));
      const wanted = found && releaseId(appId, found.spec.image);
      if (found !== undefined && present.every(({ meta }) => meta.id !== wanted)) {
        const { kind, meta } = found;
        return {
          changes: [start(found)],
          expect: [{ type: 'version', kind, id: meta.id, version: meta.version }],
        };
      }
      return { changes: present.filter(({ meta }) => meta.id !== wanted).map(remove) };
    },
  });
}
