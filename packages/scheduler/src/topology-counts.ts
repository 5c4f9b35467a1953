/**
 * How many tasks of a service are in each place, for plugins that look beyond single nodes.
 */
import type { ServiceId } from '@skep/api';
import type { ClusterView } from './cluster-view.js';
import type { NodeDomains } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { PlaceCounts } from './service-counts.js';

/** Counts by the value of a topology key; as of now, whenever asked. */
export class TopologyCounts {
  readonly #state: ClusterView;
  readonly #serviceId: ServiceId | undefined;
  readonly #topologyKey: string;
  #revision = -1;
  #domains: NodeDomains = NOWHERE;
  #places: PlaceCounts = NOBODY;

  constructor(state: ClusterView, serviceId: ServiceId | undefined, topologyKey: string) {
    this.#state = state;
    this.#serviceId = serviceId;
    this.#topologyKey = topologyKey;
  }

  /** What counts are as of: they are the same as long as this is. */
  get revision(): number {
    return this.#state.revision;
  }

  /** The places. */
  get domains(): NodeDomains {
    this.#refresh();
    return this.#domains;
  }

  /** Active tasks of the service, by position of the place in `domains.values`. */
  get counts(): readonly number[] {
    this.#refresh();
    return this.#places.counts;
  }

  /** Active tasks of the service in all places. */
  get total(): number {
    this.#refresh();
    return this.#places.total;
  }

  /** The place of the node; -1 when it has none. */
  placeOf(node: NodeInfo): number {
    return this.domains.of[node.ordinal] ?? -1;
  }

  /** Active tasks of the service in the node's place; 0 when it has none. */
  near(node: NodeInfo): number {
    const place = this.placeOf(node);
    return place === -1 ? 0 : (this.counts[place] as number);
  }

  #refresh(): void {
    const { revision, columns } = this.#state;
    if (this.#revision === revision) return;
    this.#revision = revision;
    this.#domains = columns.domains(this.#topologyKey);
    this.#places = this.#state.activeTasksOf(this.#serviceId).places(this.#domains);
  }
}

const NOWHERE: NodeDomains = Object.freeze({ values: [], of: new Int32Array(0) });
const NOBODY: PlaceCounts = Object.freeze({ counts: [], total: 0 });
