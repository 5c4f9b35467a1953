/**
 * A manager in memory on the machine's clock: for clusters whose tasks are real programs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  byService,
  isTerminal,
  Service,
  Task,
  type Clock,
  type ClusterSpec,
  type Logger,
} from '@skep/api';
import type { AdmissionResult, DeclaredObject, Manager } from '@skep/orchestrator';
import type { View } from '@skep/store';
import type { TestCluster } from '@skep/testing/cluster';
import { openCluster, type LiveCluster } from 'skep';

/** What a cluster of this kernel needs of its manager, whatever clock that has. */
export type ClusterManager = Pick<
  TestCluster,
  'manager' | 'view' | 'apply' | 'scale' | 'forceUpdate' | 'tasks' | 'advance' | 'stop'
> & { readonly clock: Clock };

/** A live cluster in the words of a test cluster: time passes by itself. */
export class RealTimeManager implements ClusterManager {
  readonly #cluster: LiveCluster;

  private constructor(cluster: LiveCluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: ClusterSpec, logger: Logger): Promise<RealTimeManager> {
    return new RealTimeManager(await openCluster({ cluster, logger, checks: true }));
  }

  get clock(): Clock {
    return this.#cluster.clock;
  }

  get manager(): Manager {
    return this.#cluster.manager;
  }

  view(): View {
    return this.#cluster.view();
  }

  /** Everything that is committed from now on. */
  get commits$(): LiveCluster['commits$'] {
    return this.#cluster.commits$;
  }

  apply(...objects: readonly DeclaredObject[]): Promise<readonly AdmissionResult[]> {
    return this.#cluster.declare(objects);
  }

  scale(service: string, replicas: number): Promise<void> {
    return this.#cluster.scale(service, replicas);
  }

  forceUpdate(service: string): Promise<void> {
    return this.#cluster.forceUpdate(service);
  }

  /** Those that are to end, too, until they have. */
  tasks(service: string): readonly Task[] {
    const view = this.view();
    const found = view.getByName(Service, service);
    if (found === undefined) return [];
    return view
      .list(Task, byService(found.meta.id))
      .filter(({ status }) => !isTerminal(status.state))
      .sort((a, b) => a.spec.slot - b.spec.slot || (a.meta.id < b.meta.id ? -1 : 1));
  }

  /** Time passes by itself; this waits for it. */
  async advance(ms: number): Promise<void> {
    await sleep(ms);
  }

  stop(): Promise<void> {
    return this.#cluster.stop();
  }
}
