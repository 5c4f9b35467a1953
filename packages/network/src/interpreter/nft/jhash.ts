/**
 * The hash that `jhash` of nft computes, bit for bit, on a little-endian machine.
 *
 * **Source:** Bob Jenkins, lookup3 (public domain), as in Linux include/linux/jhash.h and
 * net/netfilter/nft_hash.c.
 */

const INITIAL = 0xdead_beef;

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** The hash of bytes, as an unsigned 32-bit number. */
export function jhash(bytes: readonly number[], seed: number): number {
  let a = (INITIAL + bytes.length + seed) | 0;
  let b = a;
  let c = a;
  const word = (at: number): number =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  let at = 0;
  while (bytes.length - at > 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
  }
  if (bytes.length === at) return c >>> 0;
  // Bytes that are not there count as zero.
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

/** A 32-bit number brought into 0 … modulus − 1, as the kernel does it: by its upper bits. */
export function scaled(value: number, modulus: number): number {
  return Number((BigInt(value >>> 0) * BigInt(modulus)) >> 32n);
}
