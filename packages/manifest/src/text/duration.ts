/**
 * Durations as Go writes them: `1h30m`, `1.5s`, `500ms`.
 * **Source:** Go `time.ParseDuration`.
 */

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const PART = /(\d*)(?:\.(\d*))?([a-zµμ]+)/y;
const LARGEST = 2n ** 63n - 1n;

/**
 * Nanoseconds, or undefined when the text is no duration. Above 104 days the last digits are lost.
 */
export function parseDuration(text: string): number | undefined {
  const isNegative = text.startsWith('-');
  const body = /^[-+]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '') return undefined;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    if (!part) return undefined;
    const [, whole = '', fraction = '', name = ''] = part;
    const unit = UNITS.get(name);
    if (unit === undefined || whole.length + fraction.length === 0) return undefined;
    // Digits beyond the 18th are below a nanosecond whatever the unit.
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || 0) * unit;
    total += (BigInt(digits || 0) * unit) / 10n ** BigInt(digits.length);
    if (total > LARGEST) return undefined;
  }
  return Number(isNegative ? -total : total);
}
