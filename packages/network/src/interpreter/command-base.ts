/**
 * A command, and the two ways in which it can be wrong.
 */
import { SkepError } from '@skep/api';
import type { NamespaceConfig } from './namespace-config.js';

/** A parsed line: changes a namespace. `execute` throws failed-precondition when that cannot be. */
export interface Command {
  readonly text: string;
  readonly execute: (config: NamespaceConfig) => void;
}

/** The line is not understood. */
export function notUnderstood(tool: string, line: string): SkepError {
  return new SkepError('invalid-argument', `${tool}: not understood: ${line}`, {
    details: { tool, line },
  });
}

/** The line cannot be executed on what is there. */
export function notPossible(line: string, reason: string): SkepError {
  return new SkepError('failed-precondition', `${line}: ${reason}`, { details: { line, reason } });
}
