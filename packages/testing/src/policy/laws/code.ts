/**
 * Plain data as a person would write it in TypeScript.
 */

const WORD = /^[A-Za-z_$][\w$]*$/;

/** The value as source text, on one line; `isKey`: a key of an object, without quotes if it may. */
export function codeOf(value: unknown, isKey = false): string {
  if (typeof value === 'string') return isKey && WORD.test(value) ? value : quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => codeOf(item)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${codeOf(key, true)}: ${codeOf(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}
