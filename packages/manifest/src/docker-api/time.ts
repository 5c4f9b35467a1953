/**
 * Times of the Docker API are nanoseconds, ours milliseconds.
 */

const NANOS_PER_MS = 1_000_000;

/** Milliseconds, with a fraction where the time is no whole number of them. */
export function toMs(nanos: number | undefined): number | undefined {
  return nanos === undefined ? undefined : nanos / NANOS_PER_MS;
}

/** Nanoseconds, rounded. */
export function toNanos(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * NANOS_PER_MS);
}
