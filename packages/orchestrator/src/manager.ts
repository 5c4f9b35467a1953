/**
 * The manager: all loops of the control plane, wired by plain constructors.
 *
 * **Source:** SwarmKit manager/manager.go (becomeLeader) for the order of the start; one registry
 * stops every loop (defect 1).
 */
import {
  ACTORS,
  Cluster,
  deriveId,
  Network,
  newObject,
  silentLogger,
  silentMetrics,
  type Clock,
  type ClusterSpec,
  type Logger,
  type Metrics,
  type NodeLink,
  type Random,
  type Runnable,
} from '@skep/api';
import { ControllerGroup, type ControllerDefinition } from '@skep/controller';
import type { Policy } from '@skep/scheduler';
import type { Change, Expectation, Store } from '@skep/store';
import { allocatorController } from './allocator/index.js';
import { Dispatcher } from './dispatcher/index.js';
import { endpointsController } from './endpoints/index.js';
import { constraintEnforcer } from './enforcers/constraint-enforcer.js';
import { volumeEnforcer } from './enforcers/volume-enforcer.js';
import { taskReaper } from './reaper/reaper-controller.js';
import { schedulerController } from './scheduling/index.js';
import { orchestratorController } from './service/orchestrator-controller.js';

/** What a manager is made of. */
export interface ManagerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Settings of the cluster, written when the store is empty. */
  readonly cluster?: ClusterSpec;
  /** Default: Swarm's. */
  readonly policy?: Policy;
  /** Further controllers. One with the name of a built-in one takes its place. */
  readonly controllers?: readonly ControllerDefinition[];
  /** Fence of a leader, added to every commit. */
  readonly fence?: () => readonly Expectation[];
}

/** A running control plane. */
export interface Manager extends Runnable {
  readonly controllers: ControllerGroup;
  /** Where nodes come in. */
  readonly link: NodeLink;
}

/** Id of the one cluster object. */
export const CLUSTER_ID = deriveId('cluster', 'default');
/** Id of the network of published ports that is there from the start. */
export const INGRESS_ID = deriveId('network', 'ingress');

/** Networks that every node has by itself, known to services by these names. */
const NODE_LOCAL_NETWORKS = ['bridge', 'host'] as const;

/** The built-in loops. */
export function builtInControllers(parts: {
  readonly policy?: Policy;
}): readonly ControllerDefinition[] {
  return [
    allocatorController(),
    schedulerController(parts.policy === undefined ? {} : { policy: parts.policy }),
    orchestratorController(),
    endpointsController(),
    constraintEnforcer(),
    volumeEnforcer(),
    taskReaper(),
  ];
}

/** Wires a manager. Nothing runs before `start`. */
export function createManager(parts: ManagerParts): Manager {
  const { store, clock, random } = parts;
  const seams = {
    store,
    clock,
    random,
    logger: parts.logger ?? silentLogger,
    metrics: parts.metrics ?? silentMetrics,
    ...(parts.fence === undefined ? {} : { fence: parts.fence }),
  };
  const controllers = new ControllerGroup(seams);
  const own = parts.controllers ?? [];
  const replaced = new Set(own.map(({ name }) => name));
  for (const definition of builtInControllers(parts)) {
    if (!replaced.has(definition.name)) controllers.add(definition);
  }
  for (const definition of own) controllers.add(definition);
  const dispatcher = new Dispatcher(seams);
  return {
    controllers,
    link: dispatcher,
    start: async () => {
      await bootstrap(parts);
      await dispatcher.start();
      await controllers.start();
    },
    stop: async () => {
      await controllers.stop();
      await dispatcher.stop();
    },
  };
}

/** The objects that every cluster has. Another manager may have written them already. */
async function bootstrap({ store, cluster, fence }: ManagerParts): Promise<void> {
  const view = store.view();
  const changes: Change[] = [];
  if (view.get(Cluster, CLUSTER_ID) === undefined) {
    const object = newObject(Cluster, { id: CLUSTER_ID, name: 'default', spec: cluster ?? {} });
    changes.push({ type: 'create', object });
  }
  if (view.list(Network).every(({ spec }) => spec.isIngress !== true)) {
    const object = newObject(Network, {
      id: INGRESS_ID,
      name: 'ingress',
      spec: { driver: { name: 'overlay' }, isIngress: true },
      finalizers: [ACTORS.allocator],
    });
    changes.push({ type: 'create', object });
  }
  for (const name of NODE_LOCAL_NETWORKS) {
    if (view.getByName(Network, name) !== undefined) continue;
    const spec = { driver: { name } };
    const object = newObject(Network, { id: deriveId('network', name), name, spec });
    changes.push({ type: 'create', object });
  }
  if (changes.length === 0) return;
  await store.commit({
    actor: ACTORS.user,
    changes,
    ...(fence === undefined ? {} : { expect: fence() }),
  });
}
