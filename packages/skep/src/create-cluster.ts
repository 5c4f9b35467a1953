/**
 * The composition root: which implementation stands behind which seam.
 */
import 'reflect-metadata';
import { Container } from 'inversify';
import { SkepError, type Clock } from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import { Cluster } from './cluster.js';
import { identifiers } from './identifiers.js';
import { coreModule } from './modules/core-module.js';
import { orchestratorModule } from './modules/orchestrator-module.js';
import { simulatorModule } from './modules/simulator-module.js';
import { storeModule } from './modules/store-module.js';
import { wantedNodes, type ClusterOptions, type NodeOptions } from './options.js';
import { RunnableStack } from './runnable-stack.js';
import { requireRightSettings, requireUniqueKinds } from './startup-checks.js';

/** The container of a cluster with all modules and plugins loaded, nothing resolved yet. */
export function createContainer(options: ClusterOptions = {}): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.loadSync(
    coreModule(options),
    storeModule(options),
    orchestratorModule(options),
    simulatorModule(),
    ...(options.plugins ?? []),
  );
  return container;
}

/**
 * A running cluster on simulated hosts and virtual time: nodes are known, and ready once time has
 * passed. End it with `stop`.
 * @throws invalid-argument for nodes of the same name, for kinds of the same name, and for settings
 * that the front door would refuse.
 */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const container = createContainer(options);
  const clock = container.get(identifiers.clock);
  if (!isVirtualClock(clock)) {
    throw new SkepError(
      'invalid-argument',
      'a simulated cluster needs a VirtualClock (@skep/api/virtual): settle and advance move it',
    );
  }
  const running = new RunnableStack();
  const kinds = container.getAll(identifiers.kinds);
  requireUniqueKinds(kinds);
  const store = container.get(identifiers.store);
  const manager = container.get(identifiers.manager);
  const simulator = container.get(identifiers.simulator);
  const nodes = wantedNodes(options);
  requireUniqueNames(nodes);
  requireRightSettings(store, options);
  const cluster = new Cluster({
    clock,
    ids: container.get(identifiers.ids),
    store,
    manager,
    simulator,
    policy: container.get(identifiers.policy),
    kinds,
    running,
  });
  try {
    await running.start({ start: () => Promise.resolve(), stop: () => store.close() });
    await running.start(manager);
    await running.start(simulator);
    for (const node of nodes) await cluster.addNode(node);
    await cluster.settle();
  } catch (thrown) {
    // Why it did not start matters more than how it stopped.
    await cluster.stop().catch(() => undefined);
    throw thrown;
  }
  return cluster;
}

/** By what it can do: a copy of the class from the package's other module format is as good. */
function isVirtualClock(clock: Clock): clock is VirtualClock {
  return ['flush', 'advanceTo', 'nextTimer', 'pending'].every((method) => method in clock);
}

function requireUniqueNames(nodes: readonly NodeOptions[]): void {
  const seen = new Set<string | undefined>();
  for (const { name } of nodes) {
    if (seen.has(name)) {
      throw new SkepError('invalid-argument', `there are two nodes with the name '${name}'`);
    }
    seen.add(name);
  }
}
