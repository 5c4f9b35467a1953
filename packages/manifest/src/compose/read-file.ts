/**
 * The seam through which files that a compose file names are read.
 */

/**
 * Gives the content of a file by its resolved path, or undefined when it cannot be read.
 * Called synchronously; must not throw.
 */
export type FileSource = (path: string) => string | Uint8Array | undefined;

/**
 * What becomes of files that cannot be read: a complaint (`error`), the empty content where they
 * belong below the working directory (`empty`), or the empty content wherever they belong
 * (`empty-anywhere`).
 */
export type MissingFiles = 'error' | 'empty' | 'empty-anywhere';

/** How files are read. */
export interface FileReading {
  readonly readFile?: FileSource;
  readonly missingFiles?: MissingFiles;
  /** Absolute, or a text that stands for an absolute path. */
  readonly workingDirectory: string;
}

/** A reader of texts that follows the policy for missing files. */
export function textReader(reading: FileReading): (path: string) => string | undefined {
  const read = byteReader(reading);
  return (path) => {
    const bytes = read(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
}

/** A reader of bytes that follows the policy for missing files. */
export function byteReader(reading: FileReading): (path: string) => Uint8Array | undefined {
  const { missingFiles = 'error', workingDirectory } = reading;
  const mayBeMissing = (path: string): boolean =>
    missingFiles === 'empty-anywhere' ||
    (missingFiles === 'empty' && isBelow(path, workingDirectory));
  return (path) => {
    const content = reading.readFile?.(path);
    if (content === undefined) return mayBeMissing(path) ? new Uint8Array() : undefined;
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
}

function isBelow(path: string, directory: string): boolean {
  // A relative directory is named by files that are given by relative paths.
  if (directory === '.') return !/^(?:\/|\.\.(?:\/|$))/.test(path);
  return path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
