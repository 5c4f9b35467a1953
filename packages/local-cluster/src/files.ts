/**
 * Small files that are whole at any moment.
 */
import {
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  writeSync,
  fsyncSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SkepError } from '@skep/api';

/** The text of a file; undefined when it is not there. @throws permission-denied, unavailable */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fileError(thrown, `${path} cannot be read`);
  }
}

/** What a JSON file holds; undefined when it is not there or no JSON. */
export function readJson<T>(path: string): T | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** Replaces a file; readers see the old or the new one. @throws permission-denied, unavailable */
export function writeText(path: string, text: string): void {
  const next = `${path}.${process.pid}.next`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(next, 'w', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (thrown) {
    throw fileError(thrown, `${path} cannot be written`);
  }
}

/** Replaces a file by JSON, unless it holds just that. */
export function writeJson(path: string, value: unknown): void {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  if (readText(path) !== text) writeText(path, text);
}

/** What the system says about a file, as one of our errors. */
export function fileError(thrown: unknown, what: string): SkepError {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const isRefused = code === 'EACCES' || code === 'EPERM';
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE';
  const kind = isRefused ? 'permission-denied' : isFull ? 'resource-exhausted' : 'unavailable';
  return new SkepError(kind, `${what}: ${message}`, { cause: thrown });
}
