/**
 * Sizes (`512M`, `1.5GiB`) and shares of processors (`0.25`, `1/4`).
 * **Source:** docker/go-units `RAMInBytes`, docker/cli `opts.ParseCPUs`.
 */

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;
const FACTORS: Readonly<Record<string, number>> = {
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/** Bytes of a size with an optional binary unit (`k`, `kb`, `kib`, case does not matter). */
export function parseSize(text: string): number | undefined {
  const match = /^(.*[\d.]) ?([^\d. ]*)$/s.exec(text);
  const [, number = '', suffix = ''] = match ?? [];
  if (!NUMBER.test(number)) return undefined;
  const size = Number(number);
  if (!Number.isFinite(size) || size < 0) return undefined;
  const unit = suffix.toLowerCase();
  if (unit === '' || unit === 'b') return Math.trunc(size);
  const factor = FACTORS[unit.charAt(0)];
  if (factor === undefined || !['', 'b', 'ib'].includes(unit.slice(1))) return undefined;
  return Math.trunc(size * factor);
}

/** What is wrong with a share of processors. */
export type CpuFault = 'not a number' | 'more precise than a billionth of a processor';

/** Billionths of a processor, or what is wrong with the text. */
export function parseCpu(text: string): number | CpuFault {
  const match = /^([-+]?)(?:(\d+)\/(\d+)|(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?)$/.exec(text);
  if (!match) return 'not a number';
  const [, sign, top, bottom, whole = '', fraction = '', exponent = '0'] = match;
  let numerator: bigint;
  let denominator: bigint;
  if (top !== undefined && bottom !== undefined) {
    numerator = BigInt(top);
    denominator = BigInt(bottom);
    if (denominator === 0n) return 'not a number';
  } else {
    if (whole.length + fraction.length === 0) return 'not a number';
    const shift = Number(exponent) - fraction.length;
    numerator = BigInt(whole + fraction) * 10n ** BigInt(Math.max(shift, 0));
    denominator = 10n ** BigInt(Math.max(-shift, 0));
  }
  const nanos = numerator * 1_000_000_000n;
  if (nanos % denominator !== 0n) return 'more precise than a billionth of a processor';
  const value = Number(nanos / denominator);
  return sign === '-' ? -value : value;
}
