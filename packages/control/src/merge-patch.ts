/**
 * JSON merge patches.
 */

/**
 * The value with the patch applied: objects are merged, `null` removes, everything else replaces.
 * Neither is changed. Pure. Cost: O(patch).
 * **Source:** RFC 7396, section 2.
 */
export function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map<string, unknown>(isObject(value) ? Object.entries(value) : []);
  for (const [key, part] of Object.entries(patch)) {
    if (part === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), part));
  }
  // Not by assignment: a key of the name __proto__ would be more than a key.
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
