/**
 * Small helpers for objects whose empty fields are left out.
 */
import { compareText } from '@skep/api';
import type { DockerMap } from './types.js';

/**
 * The object without its empty fields: undefined, '', 0, false and `[]`. Objects stay, even empty
 * ones, as do `null`s: what Go's `omitempty` does to plain values and pointers.
 */
export function compact<T extends object>(fields: {
  readonly [K in keyof T]: T[K] | undefined;
}): T {
  const kept = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept) as T;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === '' || value === 0 || value === false;
}

/** The object without fields that are undefined. */
export function defined<T extends object>(fields: {
  readonly [K in keyof T]: T[K] | undefined;
}): T {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as T;
}

/** A map as a plain object with sorted keys. */
export function recordOf(map: ReadonlyMap<string, string>): DockerMap {
  return Object.fromEntries([...map].sort(([a], [b]) => compareText(a, b)));
}

/** A map as a plain object; undefined when it is empty or absent. */
export function filledRecord(map: ReadonlyMap<string, string> | undefined): DockerMap | undefined {
  return map === undefined || map.size === 0 ? undefined : recordOf(map);
}
