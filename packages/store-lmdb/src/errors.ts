/**
 * From what the system says about files to errors of skep.
 */
import { SkepError, isSkepError, messageOf, type SkepErrorCode } from '@skep/api';

/** Numbers of the errors that the library passes on from the system (errno of Linux and macOS). */
const NAMES: ReadonlyMap<unknown, string> = new Map([
  [1, 'EPERM'],
  [2, 'ENOENT'],
  [5, 'EIO'],
  [13, 'EACCES'],
  [27, 'EFBIG'],
  [28, 'ENOSPC'],
  [30, 'EROFS'],
  [69, 'EDQUOT'],
  [122, 'EDQUOT'],
]);

const KNOWN: Readonly<Record<string, readonly [SkepErrorCode, string]>> = {
  ENOSPC: ['resource-exhausted', 'the disk is full'],
  EDQUOT: ['resource-exhausted', 'the disk quota is used up'],
  EFBIG: ['resource-exhausted', 'the file may not become larger'],
  EROFS: ['permission-denied', 'the file system is read-only'],
  EACCES: ['permission-denied', 'it may not be written by this user'],
  EPERM: ['permission-denied', 'it may not be written by this user'],
  ENOENT: ['not-found', 'it does not exist'],
  ENOTDIR: ['invalid-argument', 'it is not a folder'],
};

/** The name of the system's error, such as `ENOSPC`; empty when it is none. */
export function systemNameOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  const { code } = thrown;
  return typeof code === 'string' ? code : (NAMES.get(code) ?? '');
}

/**
 * The error for what went wrong with a file or folder; a SkepError stays as it is. `what` begins
 * the message: `cannot write /var/lib/skep/store.mdb`.
 */
export function fileError(thrown: unknown, what: string): SkepError {
  if (isSkepError(thrown)) return thrown;
  const name = systemNameOf(thrown);
  const [code, why] = KNOWN[name] ?? ['unavailable', messageOf(thrown)];
  const details = name === '' ? {} : { system: name };
  return new SkepError(code, `${what}: ${why}`, { details, cause: thrown });
}

/** The error for a file that does not hold what was written to it. */
export function damaged(path: string, what: string): SkepError {
  return new SkepError(
    'failed-precondition',
    `${path} is damaged: ${what}; nothing was changed, put back a copy of the file`,
    { details: { path } },
  );
}
