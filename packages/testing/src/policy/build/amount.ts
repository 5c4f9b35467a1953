/**
 * Amounts as people write them in a test: `4` cores, `'8GiB'`, half a GPU.
 */
import { SkepError } from '@skep/api';

/** An amount of memory: bytes, or a text with a binary unit (`512MiB`, `8GiB`, `1.5g`). */
export type MemoryAmount = number | string;

const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(?:i?b)?|b)?$/i;
const EXPONENTS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes of an amount of memory. Units are binary and of either case, as in Docker: `k`, `KB` and
 * `KiB` are all 1,024 bytes.
 * @throws invalid-argument naming `where` and what would be right.
 */
export function memoryBytes(amount: MemoryAmount, where: string): number {
  if (typeof amount === 'number') return wholeAmount(amount, `${where}: memory`);
  const [, number, unit] = SIZE.exec(amount.trim()) ?? [];
  if (number === undefined) {
    throw new SkepError(
      'invalid-argument',
      `${where}: memory '${amount}' is no size; write '8GiB', '512MiB' or a number of bytes`,
    );
  }
  const factor = unit === undefined ? 1 : 1024 ** (EXPONENTS[unit.toLowerCase()] ?? 0);
  return Math.round(Number(number) * factor);
}

/**
 * Billionths of a core.
 * @throws invalid-argument for what is no amount of cores.
 */
export function cpuNanos(cores: number, where: string): number {
  if (typeof cores === 'number' && Number.isFinite(cores) && cores >= 0) {
    return Math.round(cores * 1e9);
  }
  throw new SkepError(
    'invalid-argument',
    `${where}: cpus ${String(cores)} is no number of cores; write 4 or 0.5`,
  );
}

/**
 * A whole number of at least `least`.
 * @throws invalid-argument with `what` at the beginning.
 */
export function wholeAmount(value: number, what: string, least = 0): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new SkepError(
    'invalid-argument',
    `${what} is ${String(value)}; write a whole number, ${least} or more`,
  );
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes for people, in the largest unit that leaves at least 1: `512 MiB`, `1.5 GiB`. */
export function renderBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${shortNumber(value)} ${UNITS[unit] ?? ''}`;
}

/** At most three digits after the point, and none that say nothing. */
export function shortNumber(value: number): string {
  return String(Number(value.toFixed(3)));
}
