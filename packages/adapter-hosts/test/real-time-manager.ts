/**
 * A manager in memory on the machine's clock: for clusters whose tasks are real programs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  byService,
  Cluster,
  Config,
  EndpointSlice,
  Event,
  idSource,
  isTerminal,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  SkepError,
  Task,
  Volume,
  type Clock,
  type ClusterSpec,
  type Logger,
} from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import {
  admissionError,
  createManager,
  planApply,
  planForceUpdate,
  planScale,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
  type Manager,
} from '@skep/orchestrator';
import { memoryStore, type Store, type View } from '@skep/store';
import type { TestCluster } from '@skep/testing/cluster';

/** What a cluster of this kernel needs of its manager, whatever clock that has. */
export type ClusterManager = Pick<
  TestCluster,
  'manager' | 'view' | 'apply' | 'scale' | 'forceUpdate' | 'tasks' | 'advance' | 'stop'
> & { readonly clock: Clock };

const KINDS = [
  ...[Cluster, Node, Network, Service, Task, EndpointSlice],
  ...[Secret, Config, Volume, Lease, Event],
];
/** Attempts at a commit that loops get ahead of. */
const ATTEMPTS_MAX = 100;

/** See the module comment. */
export class RealTimeManager implements ClusterManager {
  readonly clock = systemClock();
  readonly manager: Manager;
  readonly #store: Store;
  readonly #ids = idSource(systemRandom());

  private constructor(cluster: ClusterSpec, logger: Logger) {
    const { clock } = this;
    this.#store = memoryStore({ clock, kinds: KINDS, checks: { ownership: true, freeze: true } });
    const random = systemRandom();
    this.manager = createManager({ store: this.#store, clock, random, cluster, logger });
  }

  static async start(cluster: ClusterSpec, logger: Logger): Promise<RealTimeManager> {
    const made = new RealTimeManager(cluster, logger);
    await made.manager.start();
    return made;
  }

  view(): View {
    return this.#store.view();
  }

  apply(...objects: readonly DeclaredObject[]): Promise<readonly AdmissionResult[]> {
    return this.#admit((view) => planApply(view, objects, { ids: this.#ids }));
  }

  async scale(service: string, replicas: number): Promise<void> {
    await this.#admit((view) => planScale(view, service, replicas));
  }

  async forceUpdate(service: string): Promise<void> {
    await this.#admit((view) => planForceUpdate(view, service));
  }

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

  async stop(): Promise<void> {
    await this.manager.stop();
    await this.#store.close();
  }

  async #admit(plan: (view: View) => AdmissionPlan): Promise<readonly AdmissionResult[]> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { complaints, changes, results } = plan(this.view());
      if (complaints.length > 0) throw admissionError(complaints);
      const { conflict } = await this.#store.batch({ actor: 'user', changes });
      if (conflict === undefined) return results;
    }
    throw new SkepError('aborted', 'the loops of the cluster were always first');
  }
}
