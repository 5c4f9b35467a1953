/**
 * Tasks of a service even over places, as a wish.
 *
 * **Source:** kube-scheduler podtopologyspread/scoring.go. Deviation: points follow from all places
 * and not from those of the candidates, and several spreads count by their mean.
 */
import type { TopologySpread } from '@skep/api';
import type { NodeBlocks } from '../node-blocks.js';
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
      return new SpreadWishes(
        wishes.map((wish) => {
          const counts = new TopologyCounts(state, group.serviceId, wish.topologyKey);
          return new SpreadPoints(wish, counts);
        }),
      );
    },
  } satisfies Score);
}

/** For one task: the mean of its spreads. A class: made for every task. */
class SpreadWishes implements PreparedScore {
  readonly dependsOn = 'cluster';
  readonly #points: readonly SpreadPoints[];

  constructor(points: readonly SpreadPoints[]) {
    this.#points = points;
  }

  score(node: NodeInfo): number {
    let sum = 0;
    for (const one of this.#points) sum += one.of(node);
    return sum / this.#points.length;
  }

  scoreAll(_columns: NodeColumns, ordinals: Int32Array, out: Float64Array): void {
    out.fill(0);
    for (const one of this.#points) one.addTo(ordinals, out);
    this.#divide(out);
  }

  boundAll({ blocks }: NodeColumns, out: Float64Array): void {
    out.fill(0);
    for (const one of this.#points) one.boundTo(blocks, out);
    this.#divide(out);
  }

  #divide(out: Float64Array): void {
    const parts = this.#points.length;
    if (parts === 1) return;
    for (let k = 0; k < out.length; k += 1) out[k] = (out[k] as number) / parts;
  }
}

/** The points of each place by one spread. */
class SpreadPoints {
  readonly #wish: TopologySpread;
  readonly #counts: TopologyCounts;
  #revision = -1;
  readonly #points: number[] = [];
  readonly #byGroup: number[] = [];

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

  boundTo(blocks: NodeBlocks, out: Float64Array): void {
    const points = this.#byPlace();
    const groups = blocks.places(this.#counts.domains.of);
    for (let g = 0; g < groups.length; g += 1) {
      let most = 0;
      for (const place of groups[g] as readonly number[]) {
        if (place !== -1 && (points[place] as number) > most) most = points[place] as number;
      }
      this.#byGroup[g] = most;
    }
    const { groupOf } = blocks;
    for (let b = 0; b < out.length; b += 1) {
      out[b] = (out[b] as number) + (this.#byGroup[groupOf[b] as number] as number);
    }
  }

  /** The points of each place, as of now. */
  #byPlace(): readonly number[] {
    const { counts, revision } = this.#counts;
    const points = this.#points;
    if (this.#revision === revision) return points;
    this.#revision = revision;
    points.length = counts.length;
    const weight = Math.log(counts.length + 2);
    let least = Infinity;
    let most = 0;
    for (let place = 0; place < counts.length; place += 1) {
      const load = (counts[place] as number) * weight + (this.#wish.maxSkew - 1);
      points[place] = load;
      if (load < least) least = load;
      if (load > most) most = load;
    }
    for (let place = 0; place < points.length; place += 1) {
      const load = points[place] as number;
      points[place] = most === 0 ? 100 : (100 * (most + least - load)) / most;
    }
    return points;
  }
}
