/**
 * The composition root: which implementation stands behind which seam.
 */
import 'reflect-metadata';
import { Container } from 'inversify';
import { SkepError } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { Cluster } from './cluster.js';
import { identifiers } from './identifiers.js';
import { coreModule } from './modules/core-module.js';
import { orchestratorModule } from './modules/orchestrator-module.js';
import { simulatorModule } from './modules/simulator-module.js';
import { storeModule } from './modules/store-module.js';
import { wantedNodes, type ClusterOptions } from './options.js';
import { RunnableStack } from './runnable-stack.js';

/** The container of a cluster with all modules and plugins loaded, nothing resolved yet. */
export function createContainer(options: ClusterOptions = {}): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.loadSync(
    coreModule(options),
    storeModule(),
    orchestratorModule(),
    simulatorModule(),
    ...(options.plugins ?? []),
  );
  return container;
}

/**
 * A running cluster on simulated hosts and virtual time: nodes are known, and ready once time has
 * passed. End it with `stop`.
 * @throws invalid-argument for nodes of the same name.
 */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const container = createContainer(options);
  const clock = container.get(identifiers.clock);
  if (!(clock instanceof VirtualClock)) {
    throw new SkepError('invalid-argument', 'a simulated cluster needs a VirtualClock');
  }
  const running = new RunnableStack();
  const store = container.get(identifiers.store);
  const manager = container.get(identifiers.manager);
  const simulator = container.get(identifiers.simulator);
  await running.start({ start: () => Promise.resolve(), stop: () => store.close() });
  await running.start(manager);
  await running.start(simulator);
  const cluster = new Cluster({
    clock,
    ids: container.get(identifiers.ids),
    store,
    manager,
    simulator,
    kinds: container.getAll(identifiers.kinds),
    running,
  });
  for (const node of wantedNodes(options)) await cluster.addNode(node);
  await cluster.settle();
  return cluster;
}
