/**
 * Slots: a service's backends laid out over numbers 0 … size − 1. A rule draws a number and looks
 * up the backend that holds it, so shares are numbers of slots.
 *
 * **Source:** Maglev (Eisenbud et al., NSDI 2016) for who holds which slot; quota methods of
 * apportionment (Balinski and Young) for taking turns.
 */
import { hash32 } from '@skep/api';
import { apportion } from '../algorithm/apportion.js';

/** Up to this sum of reduced weights, slots are the weights themselves: no error at all. */
export const WHOLE_SIZE_MAX = 32;

/** As {@link WHOLE_SIZE_MAX}, for services that take turns by a counter of their own. */
export const TURN_SIZE_MAX = 1024;

/** Larger sizes; primes, so that every step width reaches all slots. */
export const SLOT_SIZES: readonly number[] = Object.freeze([61, 127, 251, 509, 1021, 4093, 16_381]);

/** Sizes for services whose clients are bound by a hash of their address. */
export const HASH_SIZES: readonly number[] = Object.freeze([251, 1021, 4093, 16_381]);

/** Slots per backend that a hashed service has at least, as long as there is such a size. */
export const HASH_SLOTS_PER_BACKEND = 64;

/** How far a backend's share of slots may be from its due, in parts of its due. */
export const SHARE_ERROR_MAX = 1 / 8;

/**
 * How a slot is drawn: `turn`, a counter of the service's own; `random`; `hash`, of the client's
 * address.
 */
export type Choice = 'turn' | 'random' | 'hash';

/** A backend as far as slots are concerned. */
export interface SlotBackend {
  readonly address: string;
  readonly weight: number;
}

/**
 * Address of the backend that holds each slot; empty when no backend takes connections.
 * A function of the set of backends: their order does not matter.
 * Shares: exact when the reduced weights sum up to at most {@link WHOLE_SIZE_MAX} (`random`) or
 * {@link TURN_SIZE_MAX} (`turn`); else within {@link SHARE_ERROR_MAX} of the due, as long as the
 * largest size allows that: it does for 2,047 equal backends. Beyond 16,381 backends, those that
 * remain get none. Cost: O(size · log size) expected.
 */
export function slotOwners(backends: readonly SlotBackend[], choice: Choice): readonly string[] {
  const serving = backends
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const first = serving[0];
  if (first === undefined) return [];
  if (serving.length === 1) return [first.address];
  const weights = reduced(serving.map(({ weight }) => weight));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const addresses = serving.map(({ address }) => address);
  if (choice !== 'hash' && sum <= (choice === 'turn' ? TURN_SIZE_MAX : WHOLE_SIZE_MAX)) {
    return sum === addresses.length ? addresses : inTurn(addresses, weights, sum);
  }
  const size = choice === 'hash' ? hashSize(weights) : fittingSize(SLOT_SIZES, weights);
  return byPreference(addresses, apportion(weights, size), size);
}

/** Largest distance of a backend's share from its due, in parts of its due. */
export function shareError(weights: readonly number[], size: number): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const counts = apportion(weights, size);
  return weights.reduce((worst, weight, position) => {
    const due = (weight * size) / sum;
    return Math.max(worst, Math.abs((counts[position] ?? 0) - due) / due);
  }, 0);
}

function fittingSize(sizes: readonly number[], weights: readonly number[]): number {
  const fitting = sizes.find(
    (size) => size >= weights.length && shareError(weights, size) <= SHARE_ERROR_MAX,
  );
  return fitting ?? sizes.at(-1) ?? 1;
}

function hashSize(weights: readonly number[]): number {
  const wanted = weights.length * HASH_SLOTS_PER_BACKEND;
  const large = HASH_SIZES.filter((size) => size >= wanted);
  return fittingSize(large.length === 0 ? HASH_SIZES.slice(-1) : large, weights);
}

function reduced(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestDivisor);
  return weights.map((weight) => weight / divisor);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/**
 * Backends one after another so that after any number of turns each has had its due, rounded up or
 * down: of those whose turn has come, the one whose turn ends first.
 */
function inTurn(
  addresses: readonly string[],
  weights: readonly number[],
  sum: number,
): readonly string[] {
  const counts = weights.map(() => 0);
  return Array.from({ length: sum }, (_, turn) => {
    let best = -1;
    let earliest = Infinity;
    for (const [position, weight] of weights.entries()) {
      const count = counts[position] ?? 0;
      const end = ((count + 1) * sum) / weight;
      if (count * sum <= turn * weight && end < earliest) {
        best = position;
        earliest = end;
      }
    }
    counts[best] = (counts[best] ?? 0) + 1;
    return addresses[best] ?? '';
  });
}

/**
 * Each backend prefers slots in an order of its own, and takes them by turns until it has its
 * quota. So a backend that comes or goes moves little but its own slots.
 */
function byPreference(
  addresses: readonly string[],
  quotas: readonly number[],
  size: number,
): readonly string[] {
  const owners = new Array<string | undefined>(size).fill(undefined);
  const left = [...quotas];
  const next = addresses.map((address) => hash32(address) % size);
  const step = addresses.map((address) => (hash32(address, 1) % (size - 1)) + 1);
  for (let placed = 0; placed < size;) {
    for (const [position, address] of addresses.entries()) {
      if ((left[position] ?? 0) === 0) continue;
      let slot = next[position] ?? 0;
      while (owners[slot] !== undefined) slot = (slot + (step[position] ?? 1)) % size;
      owners[slot] = address;
      next[position] = slot;
      left[position] = (left[position] ?? 0) - 1;
      placed += 1;
    }
  }
  return owners.map((owner) => owner ?? '');
}
