/**
 * Comparison of plain data.
 */

/**
 * Whether two plain values are the same: same keys, same values; `undefined` counts as absent.
 * Values that are shared cost nothing, so structurally shared objects compare quickly.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Number.isNaN(a) && Number.isNaN(b);
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i += 1) if (!isEqual(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  return hasEqualFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

function hasEqualFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let present = 0;
  for (const key in a) {
    const value = a[key];
    if (value === undefined) continue;
    present += 1;
    if (!isEqual(value, b[key])) return false;
  }
  for (const key in b) if (b[key] !== undefined) present -= 1;
  return present === 0;
}

/** Orders texts by code units: the same everywhere, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A comparison that tries the given ones in order: the way to a total order. */
export function compareBy<T>(
  ...comparisons: readonly ((a: T, b: T) => number)[]
): (a: T, b: T) => number {
  return (a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** JSON with sorted keys: equal data gives equal text. */
export function canonicalJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
      const fields = inner as Record<string, unknown>;
      return Object.fromEntries(
        Object.keys(fields)
          .sort(compareText)
          .map((key) => [key, fields[key]]),
      );
    },
    indent,
  );
}

/** Freezes plain data all the way down; stops at what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
