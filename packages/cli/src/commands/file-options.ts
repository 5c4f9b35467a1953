/**
 * The options that every command with `-f` has, and what they mean to the manifest package.
 */
import { resolve } from 'node:path';
import type { ManifestOptions } from '@skep/manifest';
import type { Surroundings } from '../surroundings.js';

/** Options about files. */
export interface FileOptions {
  /** Files; several compose files are merged, later ones over earlier ones. */
  readonly file: readonly string[];
  readonly stack?: string;
  readonly workdir?: string;
  readonly home?: string;
  readonly missingFiles: 'error' | 'empty';
  readonly profile?: readonly string[];
}

/** What the manifest package needs to know. */
export function loadOptions(
  options: FileOptions,
  surroundings: Surroundings,
  variables: (environment: Surroundings['environment']) => Readonly<Record<string, string>>,
): ManifestOptions {
  return {
    environment: variables(surroundings.environment),
    workingDirectory: options.workdir ?? baseOf(options.file, surroundings.workingDirectory),
    homeDirectory: options.home ?? surroundings.homeDirectory,
    missingFiles: options.missingFiles,
    readFile: (path) => {
      try {
        return surroundings.readFile(path);
      } catch {
        // The policy for missing files decides what becomes of it.
        return undefined;
      }
    },
    ...(options.stack === undefined ? {} : { stack: options.stack }),
    ...(options.profile === undefined ? {} : { profiles: options.profile }),
  };
}

/** Relative paths in a stack file start from the folder of the first file. */
function baseOf(files: readonly string[], workingDirectory: string): string {
  const first = files[0] ?? '';
  return first === '-' ? workingDirectory : resolve(workingDirectory, first, '..');
}
