/**
 * How many tasks of a service are in each place, for plugins that look beyond single nodes.
 */
import type { ServiceId } from '@skep/api';
import type { ClusterView } from './cluster-view.js';
import type { NodeDomains } from './node-columns.js';
import type { NodeInfo } from './node-info.js';

/** Counts by the value of a topology key; as of now, whenever asked. */
export class TopologyCounts {
  readonly #state: ClusterView;
  readonly #serviceId: ServiceId | undefined;
  readonly #topologyKey: string;
  #revision = -1;
  #domains: NodeDomains = NOWHERE;
  #counts: readonly number[] = [];
  #total = 0;

  constructor(state: ClusterView, serviceId: ServiceId | undefined, topologyKey: string) {
    this.#state = state;
    this.#serviceId = serviceId;
    this.#topologyKey = topologyKey;
  }

  /** The places. */
  get domains(): NodeDomains {
    this.#refresh();
    return this.#domains;
  }

  /** Active tasks of the service, by position of the place in `domains.values`. */
  get counts(): readonly number[] {
    this.#refresh();
    return this.#counts;
  }

  /** Active tasks of the service in all places. */
  get total(): number {
    this.#refresh();
    return this.#total;
  }

  /** The place of the node; -1 when it has none. */
  placeOf(node: NodeInfo): number {
    return this.domains.of[node.ordinal] ?? -1;
  }

  /** Active tasks of the service in the node's place; 0 when it has none. */
  near(node: NodeInfo): number {
    const place = this.placeOf(node);
    return place === -1 ? 0 : (this.#counts[place] as number);
  }

  /** Cost: O(nodes with tasks of the service + places), once per change. */
  #refresh(): void {
    const { revision, columns } = this.#state;
    if (this.#revision === revision) return;
    this.#revision = revision;
    this.#domains = columns.domains(this.#topologyKey);
    const { of, values } = this.#domains;
    const counts = values.map(() => 0);
    let total = 0;
    this.#state.activeTasksOf(this.#serviceId).each((node, tasks) => {
      const place = of[node.ordinal] ?? -1;
      if (place === -1) return;
      counts[place] = (counts[place] as number) + tasks;
      total += tasks;
    });
    this.#counts = counts;
    this.#total = total;
  }
}

const NOWHERE: NodeDomains = Object.freeze({ values: [], of: new Int32Array(0) });
