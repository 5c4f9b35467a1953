/**
 * What an unquoted scalar means: null, boolean, number, time or text.
 *
 * **Source:** the YAML 1.1/1.2 mixture that the Docker client reads (gopkg.in/yaml.v3 resolve.go):
 * only `true`/`false` in three spellings are booleans, `0777` and `0o777` are octal, `_` may group
 * digits, sexagesimal numbers are text, dates are times.
 */

/** The value of a scalar. A bigint is an integer beyond 2^53. */
export type ScalarValue = string | number | bigint | boolean | null;

/** A scalar as it is understood. */
export interface ResolvedScalar {
  readonly value: ScalarValue;
  /** Set for numbers: whether it is written as, and kept as, a floating-point number. */
  readonly isFloat?: boolean;
  /** The value is a date or time: `value` holds it in the form that Go prints. */
  readonly isTime?: boolean;
}

const WORDS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/;
const LARGEST = 2n ** 64n - 1n;
const SMALLEST = -(2n ** 63n);

/** Resolves a plain (unquoted) scalar without a tag. */
export function resolvePlain(text: string): ResolvedScalar {
  const word = WORDS.get(text);
  if (word !== undefined) {
    return typeof word === 'number' ? { value: word, isFloat: true } : { value: word };
  }
  if (!/^[-+.0-9]/.test(text)) return { value: text };
  if (text.startsWith('.')) {
    return /^\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text) ? floatOf(text) : { value: text };
  }
  const time = timeOf(text);
  if (time !== undefined) return { value: time, isTime: true };
  const plain = text.replaceAll('_', '');
  const integer = integerOf(plain);
  if (integer !== undefined) return { value: integer };
  return FLOAT.test(plain) ? floatOf(plain, text) : { value: text };
}

function floatOf(plain: string, text: string = plain): ResolvedScalar {
  const value = Number(plain);
  return Number.isFinite(value) ? { value, isFloat: true } : { value: text };
}

/** An integer of 64 bits; undefined when the text is none, or too large to be kept as one. */
function integerOf(text: string): number | bigint | undefined {
  const match = INTEGER.exec(text);
  if (!match) return undefined;
  const [, sign = '', digits = '0'] = match;
  const isOctal = /^0[0-7]/.test(digits);
  const size = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  const value = sign === '-' ? -size : size;
  if (value > LARGEST || value < SMALLEST) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const CLOCK = '(\\d{1,2}):(\\d{1,2}):(\\d{1,2})(\\.\\d+)?';
const TIME = new RegExp(
  `^(\\d{4})-(\\d{1,2})-(\\d{1,2})(?:(?:[Tt]${CLOCK}(Z|[-+]\\d\\d:\\d\\d))|(?: ${CLOCK}))?$`,
);

/**
 * The time as Go prints it (`2020-01-02 00:00:00 +0000 UTC`), for that is what becomes of an
 * unquoted
 * date in a label or variable; undefined when the text is no valid time.
 */
function timeOf(text: string): string | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, year = '', month = '', day = ''] = match;
  const hour = match[4] ?? match[9] ?? '0';
  const minute = match[5] ?? match[10] ?? '0';
  const second = match[6] ?? match[11] ?? '0';
  const zone = match[8] ?? 'Z';
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const isValid =
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) >= 1 &&
    Number(day) <= days &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60;
  if (!isValid) return undefined;
  const two = (digits: string): string => digits.padStart(2, '0');
  const fraction = (match[7] ?? match[12] ?? '').slice(0, 10).replace(/\.?0*$/, '');
  const offset = zone === 'Z' ? '+0000 UTC' : `${zone.replace(':', '')} ${zone.replace(':', '')}`;
  const date = `${year}-${two(month)}-${two(day)}`;
  return `${date} ${two(hour)}:${two(minute)}:${two(second)}${fraction} ${offset}`;
}

/**
 * A scalar value as text, as Go's `fmt.Sprint` writes it: `2.50` is `2.5`, 1e21 is `1e+21`.
 * Null gives the empty text.
 */
export function scalarText(value: ScalarValue): string {
  if (value === null) return '';
  return typeof value === 'number' ? numberText(value) : String(value);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  // Go turns to the exponent form below 1e-4, JavaScript below 1e-6.
  const text = size > 0 && size < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}
