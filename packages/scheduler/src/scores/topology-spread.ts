/**
 * Tasks of a service even over places, as a wish.
 *
 * **Source:** kube-scheduler podtopologyspread/scoring.go. Deviation: points follow from all places
 * and not from those of the candidates, and several spreads count by their mean.
 */
import type { TopologySpread } from '@skep/api';
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { TopologyCounts } from '../topology-counts.js';

/** Spreads for tasks that name none themselves. */
export interface TopologySpreadOptions {
  /** Default: none. Those with `otherwise: 'refuse'` are not looked at here. */
  readonly defaults?: readonly TopologySpread[];
}

/**
 * From 0 to 100 for each spread of the task with `otherwise: 'prefer'`, and the mean of them: more
 * where fewer tasks of the service are. A node without the key has 0. Nothing for tasks without
 * such a spread.
 */
export function topologySpreadScore({ defaults = [] }: TopologySpreadOptions = {}): Score {
  return Object.freeze({
    name: 'topology-spread',
    label: 'fewer tasks of the service in the place',
    prepare: ({ group, state }): PreparedScore | undefined => {
      const wishes = (group.template.placement?.topologySpread ?? defaults).filter(
        ({ otherwise }) => otherwise === 'prefer',
      );
      if (wishes.length === 0) return undefined;
      const points = wishes.map(
        (wish) =>
          new SpreadPoints(wish, new TopologyCounts(state, group.serviceId, wish.topologyKey)),
      );
      return {
        dependsOn: 'cluster',
        score: (node: NodeInfo) => {
          let sum = 0;
          for (const one of points) sum += one.of(node);
          return sum / points.length;
        },
        scoreAll: (_columns: NodeColumns, ordinals: Int32Array, out: Float64Array) => {
          out.fill(0);
          for (const one of points) one.addTo(ordinals, out);
          if (points.length === 1) return;
          for (let k = 0; k < out.length; k += 1) out[k] = (out[k] as number) / points.length;
        },
        boundAll: (columns: NodeColumns, out: Float64Array) => {
          out.fill(0);
          for (const one of points) one.boundTo(columns, out);
          if (points.length === 1) return;
          for (let b = 0; b < out.length; b += 1) out[b] = (out[b] as number) / points.length;
        },
      };
    },
  } satisfies Score);
}

/** The points of each place by one spread. */
class SpreadPoints {
  readonly #wish: TopologySpread;
  readonly #counts: TopologyCounts;
  #of: readonly number[] | undefined;
  #points: readonly number[] = [];

  constructor(wish: TopologySpread, counts: TopologyCounts) {
    this.#wish = wish;
    this.#counts = counts;
  }

  of(node: NodeInfo): number {
    const place = this.#counts.placeOf(node);
    return place === -1 ? 0 : (this.#byPlace()[place] as number);
  }

  addTo(ordinals: Int32Array, out: Float64Array): void {
    const points = this.#byPlace();
    const { of } = this.#counts.domains;
    for (let k = 0; k < ordinals.length; k += 1) {
      const place = of[ordinals[k] as number] as number;
      if (place !== -1) out[k] = (out[k] as number) + (points[place] as number);
    }
  }

  boundTo({ blocks }: NodeColumns, out: Float64Array): void {
    const points = this.#byPlace();
    const places = blocks.places(this.#counts.domains.of);
    const byGroup = places.map((places) => {
      let most = 0;
      for (const place of places) {
        if (place !== -1 && (points[place] as number) > most) most = points[place] as number;
      }
      return most;
    });
    const { groupOf } = blocks;
    for (let b = 0; b < out.length; b += 1) {
      out[b] = (out[b] as number) + (byGroup[groupOf[b] as number] as number);
    }
  }

  #byPlace(): readonly number[] {
    const { counts } = this.#counts;
    if (this.#of === counts) return this.#points;
    this.#of = counts;
    const weight = Math.log(counts.length + 2);
    const loads = counts.map((count) => count * weight + (this.#wish.maxSkew - 1));
    let least = Infinity;
    let most = 0;
    for (const load of loads) {
      if (load < least) least = load;
      if (load > most) most = load;
    }
    this.#points = loads.map((load) => (most === 0 ? 100 : (100 * (most + least - load)) / most));
    return this.#points;
  }
}
