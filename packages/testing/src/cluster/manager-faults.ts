/**
 * What happens to managers in the middle of a script, and the law that they keep all the same.
 */
import { ACTORS, Lease, type Random } from '@skep/api';
import { leaseId } from '@skep/controller';
import type { View } from '@skep/store';
import type { ManagerReplica } from './manager-replica.js';
import type { WrittenCommit } from './store-gate.js';
import { USER } from './cluster-log.js';
import type { TestCluster } from './test-cluster.js';

/** One of several managers sleeps, dies, or is stopped in order. */
export interface ManagerFault {
  readonly type: 'pause' | 'crash' | 'stop';
  /** The leader of that moment, or the manager at this place, counted from 0. */
  readonly who: 'leader' | number;
  /** After so many commits, counted from the fault before. */
  readonly afterCommits: number;
  /** How long until it goes on, or is started again. */
  readonly forMs: number;
  /** A pause begins at the next write, between the decision and the log. Default: false. */
  readonly isOnWrite?: boolean;
  /** What was held up last comes first. Default: false. */
  readonly isReversed?: boolean;
}

/** Faults that are drawn at random: pauses are shorter and longer than a lease. */
export function randomManagerFaults(random: Random, count: number): readonly ManagerFault[] {
  const types = ['pause', 'pause', 'crash', 'stop'] as const;
  return Array.from({ length: count }, () => ({
    type: types[random.int(types.length)] ?? 'pause',
    who: random.int(4) === 0 ? random.int(2) : 'leader',
    afterCommits: 1 + random.int(60),
    forMs: random.int(3) === 0 ? random.int(10_000) : 15_000 + random.int(30_000),
    isOnWrite: random.int(2) === 0,
    isReversed: random.int(2) === 0,
  }));
}

/** Makes the faults happen. */
export class ManagerFaults {
  readonly #left: ManagerFault[];
  #commits = 0;

  constructor(faults: readonly ManagerFault[]) {
    this.#left = [...faults];
  }

  /** Somebody committed: what is due happens, before anybody hears of the commit. */
  committed(cluster: TestCluster): void {
    const [next] = this.#left;
    this.#commits += 1;
    if (next === undefined || this.#commits < next.afterCommits) return;
    const manager = next.who === 'leader' ? cluster.leader : cluster.managers[next.who];
    // Between two leaders there is nobody to hit: the next commit is as good.
    if (manager === undefined || !manager.isRunning || manager.isPaused) return;
    this.#left.shift();
    this.#commits = 0;
    strike(cluster, manager, next);
  }
}

function strike(cluster: TestCluster, manager: ManagerReplica, fault: ManagerFault): void {
  const { clock } = cluster;
  const { type, forMs, isOnWrite = false, isReversed = false } = fault;
  const later = (run: () => void): void => {
    const label = `end of a ${type} of ${manager.name}`;
    clock.schedule(clock.now() + forMs, run, { label });
  };
  const startAgain = (): void =>
    later(() => {
      // Another fault may have started it meanwhile.
      if (!manager.isRunning) void manager.start();
    });
  if (type === 'stop') {
    clock.defer(() => void manager.stop().then(startAgain));
  } else if (type === 'crash') {
    manager.crash();
    startAgain();
  } else {
    manager.pause({ isOnWrite });
    later(() => manager.resume({ isReversed }));
  }
}

/**
 * What is wrong with a commit of one of several managers: it does not hold the lease, so another
 * may lead. Undefined when nothing is; elections themselves are not judged.
 */
export function leaderlessWrite(
  view: View,
  { revision, actor, writer }: WrittenCommit,
): string | undefined {
  if (writer === USER || actor === ACTORS.elector) return undefined;
  const holder = view.get(Lease, leaseId('leader'))?.spec.holder;
  if (holder === writer) return undefined;
  return `commit ${revision}: ${writer} wrote as ${actor}, though '${holder ?? ''}' leads`;
}
