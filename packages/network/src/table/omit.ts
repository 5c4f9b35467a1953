/**
 * A value without some of its fields.
 */

/** A copy of `value` without the fields named. */
export function omit<T extends object, K extends keyof T>(
  value: T,
  ...keys: readonly K[]
): Omit<T, K> {
  // Field by field: what a field is deleted from is slow ever after.
  const copy: Partial<T> = {};
  for (const key of Object.keys(value) as (keyof T)[]) {
    if (!(keys as readonly (keyof T)[]).includes(key)) copy[key] = value[key];
  }
  return copy as Omit<T, K>;
}
