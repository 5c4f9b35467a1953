/**
 * `skep validate`: says everything that is wrong with files, and changes nothing.
 */
import { isAcceptable, loadManifests } from '@skep/manifest';
import { reportComplaints } from '../views/complaints.js';
import { counted } from '../views/summary.js';
import { EXIT, readSources, type ExitCode, type Surroundings } from '../surroundings.js';
import { loadOptions, type FileOptions } from './file-options.js';

/** Options of `skep validate`. */
export interface ValidateOptions extends FileOptions {
  readonly json?: boolean;
  /** Judge as the Docker client does, not as a manager. */
  readonly client?: boolean;
}

/** Prints the complaints; exit code 2 when one of them is an error. */
export function validate(options: ValidateOptions, surroundings: Surroundings): ExitCode {
  const files = readSources(options.file, surroundings);
  const { objects, complaints } = loadManifests(files, {
    ...loadOptions(options, surroundings),
    validate: options.client === true ? 'client' : 'manager',
  });
  const isGood = isAcceptable(complaints);
  if (options.json === true) {
    const names = objects.map(({ kind, name }) => ({ kind, name }));
    surroundings.out(`${JSON.stringify({ valid: isGood, objects: names, complaints }, null, 2)}\n`);
  } else {
    reportComplaints(complaints, surroundings.err);
    if (isGood) surroundings.out(`${summary(objects.map(({ kind }) => kind))}\n`);
  }
  return isGood ? EXIT.ok : EXIT.badInput;
}

/** `valid: 1 Network, 2 Services`. */
function summary(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) => counted(count, kind));
  return `valid: ${parts.length === 0 ? 'nothing declared' : parts.join(', ')}`;
}
