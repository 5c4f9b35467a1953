/**
 * The options that every command with `-f` has, and what they mean to the manifest package.
 */
import { resolve } from 'node:path';
import type { ManifestOptions } from '@skep/manifest';
import { definedVariables, type Surroundings } from '../surroundings.js';

/** Options about files. */
export interface FileOptions {
  /** Files; several compose files are merged, later ones over earlier ones. */
  readonly file: readonly string[];
  readonly stack?: string;
  readonly workdir?: string;
  readonly home?: string;
  readonly missingFiles: 'error' | 'empty';
  readonly profile?: readonly string[];
  /** Modules with kinds and controllers of one's own. */
  readonly kinds?: readonly string[];
  /** False with `--no-env`: every variable counts as unset. */
  readonly env: boolean;
}

/** What the manifest package needs to know. */
export function loadOptions(options: FileOptions, surroundings: Surroundings): ManifestOptions {
  return {
    environment: options.env ? definedVariables(surroundings.environment) : {},
    workingDirectory: workingDirectory(options, surroundings),
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

/** Relative paths in a stack file start from `--workdir`, else the folder of the first file. */
function workingDirectory(options: FileOptions, surroundings: Surroundings): string {
  if (options.workdir !== undefined) return options.workdir;
  const [first = '-'] = options.file;
  if (first === '-') return surroundings.workingDirectory;
  return resolve(surroundings.workingDirectory, first, '..');
}

const LINE_BREAK = new Uint8Array([10]);

/**
 * The same options for a simulation: with `--missing-files empty` a missing file below the working
 * directory is one line break, since a manager refuses an empty secret. `onMissing` is told of it.
 */
export function withStandIns(
  options: ManifestOptions,
  onMissing: (path: string) => void,
): ManifestOptions {
  const { missingFiles, readFile, workingDirectory: folder = '' } = options;
  if (missingFiles !== 'empty') return options;
  const told = new Set<string>();
  return {
    ...options,
    readFile: (path) => {
      const content = readFile?.(path);
      if (content !== undefined || !path.startsWith(`${folder}/`)) return content;
      if (!told.has(path)) onMissing(path);
      told.add(path);
      return LINE_BREAK;
    },
  };
}
