/**
 * Maglev hashing: a lookup table in which every backend has its share of the entries, and in which
 * few entries change hands when a backend comes or goes.
 *
 * **Source:** Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer",
 * NSDI 2016, section 3.4 (population, permutations by offset and skip) and 5.3 (disruption).
 * Weights by turns, as Envoy's `maglev_lb` does it.
 */
import { SkepError, compareText, hash32 } from '@skep/api';

/** What is put into a table. */
export interface MaglevBackend {
  /** Names it: the same on all nodes. */
  readonly address: string;
  /** At least 0; 0 gets no entry. */
  readonly weight: number;
}

/**
 * Entries of a table, a prime. At least a hundred times the backends keep their shares within one
 * percent of each other.
 */
export const MAGLEV_SIZE = 65_537;

/** Primes that are good sizes, rising. */
export const MAGLEV_SIZES: readonly number[] = Object.freeze([251, 1021, 4093, 16_381, 65_537]);

const OFFSET_SEED = 0x6d61_676c;
const SKIP_SEED = 0x6576_0001;

/** Backends in the order in which they take turns, with their way through the table. */
interface Turns {
  readonly positions: Int32Array;
  readonly weights: Float64Array;
  /** Next entry that each would like, and how far it goes on from there. */
  readonly next: Int32Array;
  readonly skips: Int32Array;
  readonly heaviest: number;
}

/**
 * The table: entry → position in `backends`; -1 everywhere when no weight is positive.
 * It follows from addresses and weights alone, and not from the order of the list. Of backends with
 * one address the first counts.
 * Cost: O(size · log size) steps on the average.
 * @throws invalid-argument when `size` is no prime, or smaller than the number of backends.
 */
export function maglevTable(backends: readonly MaglevBackend[], size = MAGLEV_SIZE): Int32Array {
  if (!isPrime(size)) {
    throw new SkepError('invalid-argument', `a Maglev table of ${size} entries: not a prime`, {
      details: { size, sizes: MAGLEV_SIZES },
    });
  }
  const table = new Int32Array(size).fill(-1);
  const turns = turnsOf(backends, size);
  const count = turns.positions.length;
  if (count > size) {
    throw new SkepError('invalid-argument', `${count} backends in a table of ${size} entries`, {
      details: { size, backends: count },
    });
  }
  if (count > 0) fill(table, turns);
  return table;
}

function fill(table: Int32Array, { positions, weights, next, skips, heaviest }: Turns): void {
  const size = table.length;
  // A backend has its turn when it has fewer entries than its weight's part of the rounds.
  const targets = new Float64Array(positions.length);
  let filled = 0;
  for (let round = 1; ; round += 1) {
    for (let i = 0; i < positions.length; i += 1) {
      if (round * (weights[i] ?? 0) < (targets[i] ?? 0)) continue;
      targets[i] = (targets[i] ?? 0) + heaviest;
      const skip = skips[i] ?? 1;
      let at = next[i] ?? 0;
      while (table[at] !== -1) {
        at += skip;
        if (at >= size) at -= size;
      }
      table[at] = positions[i] ?? -1;
      next[i] = at;
      filled += 1;
      if (filled === size) return;
    }
  }
}

function turnsOf(backends: readonly MaglevBackend[], size: number): Turns {
  const order = backends
    .map(({ address, weight }, position) => ({ address, weight, position }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => compareText(a.address, b.address) || a.position - b.position)
    .filter(({ address }, at, all) => address !== all[at - 1]?.address);
  return {
    positions: Int32Array.from(order, ({ position }) => position),
    weights: Float64Array.from(order, ({ weight }) => weight),
    next: Int32Array.from(order, ({ address }) => hash32(address, OFFSET_SEED) % size),
    skips: Int32Array.from(order, ({ address }) => (hash32(address, SKIP_SEED) % (size - 1)) + 1),
    heaviest: order.reduce((most, { weight }) => Math.max(most, weight), 0),
  };
}

function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) {
    if (value % divisor === 0) return false;
  }
  return true;
}
