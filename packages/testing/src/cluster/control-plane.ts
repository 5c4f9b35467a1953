/**
 * The managers of a cluster for tests: one alone in its store, or several that elect a leader.
 */
import { ManagerLinks } from '@skep/adapter';
import { SkepError, type AnyKind, type Clock, type NodeLink, type Random } from '@skep/api';
import type { Manager, ManagerElection, ManagerParts } from '@skep/orchestrator';
import { memoryStore, type Store, type StoreOptions } from '@skep/store';
import { ClusterLog } from './cluster-log.js';
import { ManagerProcess } from './manager-process.js';
import { ManagerReplica } from './manager-replica.js';
import { StoreGate, type CommitListener } from './store-gate.js';

/** What a control plane is made of. */
export interface ControlPlaneParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly kinds: readonly AnyKind[];
  readonly listOrder: NonNullable<StoreOptions['listOrder']>;
  readonly managers: number;
  readonly election: Omit<ManagerElection, 'identity'>;
  readonly manager: Pick<
    ManagerParts,
    'cluster' | 'controllers' | 'policy' | 'metrics' | 'logger' | 'trace'
  >;
  readonly committed: CommitListener | undefined;
}

/** The managers, as the rest of a cluster sees them. */
export interface ControlPlane {
  /** What users read and write. */
  readonly store: Store;
  /** Where nodes come in. */
  readonly link: NodeLink;
  /** Several managers; none where there is one alone. */
  readonly replicas: readonly ManagerReplica[];
  /** Whether a manager runs, leader or not. */
  readonly isRunning: boolean;
  /** The manager that leads; undefined while one may still be elected. @throws unavailable */
  leading(): Manager | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The manager that leads dies. */
  crash(): void;
}

const CHECKS = { ownership: true, freeze: true } as const;
/** A manager hears of what another wrote within this time. */
const DELIVERY_MS_MAX = 20;

/** Makes the managers; none of them runs yet. */
export async function controlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  if (!Number.isSafeInteger(parts.managers) || parts.managers < 1) {
    throw new SkepError('invalid-argument', `a cluster needs managers, not ${parts.managers}`);
  }
  return parts.managers === 1 ? oneManager(parts) : severalManagers(parts);
}

function oneManager(parts: ControlPlaneParts): ControlPlane {
  const { clock, random, kinds, listOrder, committed, manager } = parts;
  const inner = memoryStore({ clock, kinds, checks: CHECKS, listOrder });
  const process = new ManagerProcess({
    ...manager,
    store: inner,
    clock,
    random: random.fork('manager'),
    ...(committed === undefined ? {} : { committed }),
  });
  return {
    store: new StoreGate(inner, committed),
    link: process.link,
    replicas: [],
    get isRunning() {
      return process.isRunning;
    },
    leading: () => process.manager,
    start: () => process.start(),
    stop: () => process.stop(),
    crash: () => process.crash(),
  };
}

async function severalManagers(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { clock, random, kinds, listOrder, committed, election, manager } = parts;
  const delays = random.fork('deliveries');
  const log = await ClusterLog.open({
    store: { clock, kinds, checks: CHECKS, listOrder },
    deliveryDelayMs: () => delays.int(DELIVERY_MS_MAX + 1),
    committed,
  });
  const replicas = Array.from({ length: parts.managers }, (_, index) => {
    const name = `manager${index + 1}`;
    const shared = { log, clock, kinds, checks: CHECKS, listOrder, election, manager };
    return new ManagerReplica({ ...shared, name, random: random.fork(name) });
  });
  return {
    store: log.store,
    link: new ManagerLinks(new Map(replicas.map((replica) => [replica.name, replica.link]))),
    replicas,
    get isRunning() {
      return replicas.some(({ isRunning }) => isRunning);
    },
    leading: () => leadingOf(replicas),
    start: async () => {
      for (const replica of replicas) if (!replica.isRunning) await replica.start();
    },
    stop: async () => {
      for (const replica of replicas) replica.resume();
      await Promise.all(replicas.map((replica) => replica.stop()));
    },
    crash: () => replicas.find(({ isLeader }) => isLeader)?.crash(),
  };
}

function leadingOf(replicas: readonly ManagerReplica[]): Manager | undefined {
  if (!replicas.some(({ isRunning }) => isRunning)) {
    throw new SkepError('unavailable', 'no manager runs');
  }
  const leader = replicas.find(({ isLeader, isPaused }) => isLeader && !isPaused);
  const isAtWork = leader !== undefined && leader.manager.controllers.status().length > 0;
  return isAtWork ? leader.manager : undefined;
}
