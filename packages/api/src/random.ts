/**
 * Seeded randomness: the same seed gives the same sequence, on every platform.
 */
import { hash32 } from './ids.js';
import type { Random } from './seams.js';

// Looked up once, as in `ids.ts`.
const { floor } = Math;

/**
 * A seeded generator of 32-bit quality, not for security.
 * **Source:** sfc32 by Chris Doty-Humphrey (PractRand, public domain).
 */
export function seededRandom(seed: number | string): Random {
  const text = String(seed);
  let a = hash32(text, 1);
  let b = hash32(text, 2);
  let c = hash32(text, 3);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i += 1) next();
  return {
    next,
    int: (bound) => floor(next() * bound),
    fork: (label) => seededRandom(`${text}/${label}`),
  };
}
