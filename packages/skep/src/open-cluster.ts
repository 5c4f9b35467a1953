/**
 * The composition root of a live cluster.
 */
import 'reflect-metadata';
import { Container } from 'inversify';
import { SkepError, type AnyKind } from '@skep/api';
import { memoryBackend, openStore, type Store } from '@skep/store';
import { identifiers } from './identifiers.js';
import { LiveCluster } from './live-cluster.js';
import type { LiveOptions } from './live-options.js';
import { liveModule } from './modules/live-module.js';
import { orchestratorModule } from './modules/orchestrator-module.js';
import { BUILT_IN_KINDS } from './modules/store-module.js';
import { RunnableStack } from './runnable-stack.js';
import { requireFittingSettings, requireUniqueKinds } from './startup-checks.js';

/**
 * Opens a cluster: a manager on a store, on the machine's clock. A store with contents goes on
 * where it was; settings of the cluster (`cluster`, `dataplane`) count for an empty one only, and
 * are changed by declaring the object `default` of the kind Cluster. End it with `stop`.
 * @throws invalid-argument for options that contradict each other, for kinds of the same name, for
 * settings that the front door would refuse, and for a backend that holds an unknown kind;
 * failed-precondition when the store's dataplane is another than the one that is asked for; what
 * the backend throws.
 */
export async function openCluster(options: LiveOptions = {}): Promise<LiveCluster> {
  const { container, kinds } = await partsOf(options);
  const store = await storeOf(container, kinds, options);
  const running = new RunnableStack();
  await running.start({ start: () => Promise.resolve(), stop: () => store.close() });
  try {
    requireFittingSettings(store, options);
    const manager = container.get(identifiers.manager);
    await running.start(manager);
    return new LiveCluster({
      clock: container.get(identifiers.clock),
      ids: container.get(identifiers.ids),
      store,
      manager,
      policy: container.get(identifiers.policy),
      kinds,
      running,
    });
  } catch (thrown) {
    // Why it did not start matters more than how it stopped.
    await running.stop().catch(() => undefined);
    throw thrown;
  }
}

interface LiveParts {
  readonly container: Container;
  readonly kinds: readonly AnyKind[];
}

/** Everything that needs no store. A backend that will not be used is closed. */
async function partsOf(options: LiveOptions): Promise<LiveParts> {
  try {
    requireOneStore(options);
    const container = liveContainer(options);
    const kinds = container.getAll(identifiers.kinds);
    requireUniqueKinds(kinds);
    return { container, kinds };
  } catch (thrown) {
    await options.backend?.close();
    throw thrown;
  }
}

function liveContainer(options: LiveOptions): Container {
  const { controllers, policy, plugins = [] } = options;
  const container = new Container({ defaultScope: 'Singleton' });
  container.loadSync(
    liveModule(options),
    orchestratorModule(controllers === undefined ? {} : { controllers }),
  );
  if (policy !== undefined) container.rebindSync(identifiers.policy).toConstantValue(policy);
  container.loadSync(...plugins);
  return container;
}

function requireOneStore({ store, backend, kinds, checks, ownership }: LiveOptions): void {
  if (store === undefined) return;
  const others = { backend, kinds, checks, ownership };
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue;
    const message = `a cluster takes 'store' or '${name}', not both: a store has its own`;
    throw new SkepError('invalid-argument', message);
  }
  for (const { name } of BUILT_IN_KINDS) {
    if (store.kinds.some((kind) => kind.name === name)) continue;
    const message = `the store does not keep the kind ${name}: make it with BUILT_IN_KINDS`;
    throw new SkepError('invalid-argument', message);
  }
}

/** Opened here, since a container makes nothing asynchronously; a plugin may bring one. */
async function storeOf(
  container: Container,
  kinds: readonly AnyKind[],
  { store: given, backend = memoryBackend(), checks = false, ownership }: LiveOptions,
): Promise<Store> {
  if (container.isBound(identifiers.store)) return container.get(identifiers.store);
  const store =
    given ??
    (await openStore({
      clock: container.get(identifiers.clock),
      kinds,
      backend,
      checks: {
        ownership: checks,
        freeze: checks,
        ...(ownership === undefined ? {} : { tables: ownership }),
      },
    }));
  container.bind(identifiers.store).toConstantValue(store);
  return store;
}
