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
  const wishesOfOthers = wishesAmong(defaults);
  return Object.freeze({
    name: 'topology-spread',
    label: 'fewer tasks of the service in the place',
    prepare: ({ group, state }): PreparedScore | undefined => {
      const own = group.template.placement?.topologySpread;
      const wishes = own === undefined ? wishesOfOthers : wishesAmong(own);
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

function wishesAmong(spreads: readonly TopologySpread[]): readonly TopologySpread[] {
  return spreads.filter(({ otherwise }) => otherwise === 'prefer');
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
  #points: readonly number[] = NO_POINTS;

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
    blocks.addMost(this.#counts.domains.of, this.#byPlace(), out);
  }

  /** The points of each place, as of now. */
  #byPlace(): readonly number[] {
    const { counts, revision } = this.#counts;
    if (this.#revision === revision) return this.#points;
    this.#revision = revision;
    const weight = Math.log(counts.length + 2);
    const extra = this.#wish.maxSkew - 1;
    let least = Infinity;
    let most = 0;
    for (let place = 0; place < counts.length; place += 1) {
      const load = (counts[place] as number) * weight + extra;
      if (load < least) least = load;
      if (load > most) most = load;
    }
    const points = new Array<number>(counts.length);
    for (let place = 0; place < counts.length; place += 1) {
      const load = (counts[place] as number) * weight + extra;
      points[place] = most === 0 ? 100 : (100 * (most + least - load)) / most;
    }
    this.#points = points;
    return points;
  }
}

const NO_POINTS: readonly number[] = Object.freeze([]);
