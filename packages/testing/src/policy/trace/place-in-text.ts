/**
 * Places in a file, for complaints that an editor can jump to.
 */
import { SkepError } from '@skep/api';

/** A file as text, and its name for complaints. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Something wrong in a file: `FILE:LINE:COLUMN: what is wrong (what would be right)`. */
export function textFault(path: string, place: TextPlace, message: string): SkepError {
  const { line, column } = place;
  return new SkepError('invalid-argument', `${path}:${line}:${column}: ${message}`, {
    details: { path, line, column },
  });
}

/** Runs the function; what it finds to be invalid is said to be at the place. */
export function atPlace<T>(path: string, place: TextPlace, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (isInvalid(thrown)) throw textFault(path, place, thrown.message);
    throw thrown;
  }
}

function isInvalid(thrown: unknown): thrown is SkepError {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    (thrown as Partial<SkepError>).code === 'invalid-argument' &&
    (thrown as SkepError).details['line'] === undefined
  );
}
