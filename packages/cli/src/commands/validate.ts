/**
 * `skep validate`: says everything that is wrong with files, and changes nothing.
 */
import type { AnyKind } from '@skep/api';
import { isAcceptable, loadManifests } from '@skep/manifest';
import { reportComplaints } from '../views/complaints.js';
import { counted } from '../views/summary.js';
import { EXIT, readSources, type ExitCode, type Surroundings } from '../surroundings.js';
import { loadOptions, type FileOptions } from './file-options.js';
import { kindsOf, loadOwnKinds } from './own-kinds.js';

/** Options of `skep validate`. */
export interface ValidateOptions extends FileOptions {
  readonly json?: boolean;
  /** Judge as the Docker client does, not as a manager. */
  readonly client?: boolean;
}

/** Prints the complaints; exit code 2 when one of them is an error. */
export async function validate(
  options: ValidateOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const files = readSources(options.file, surroundings);
  const kinds = kindsOf(await loadOwnKinds(options.kinds, surroundings));
  const { objects, complaints } = loadManifests(files, {
    ...loadOptions(options, surroundings),
    kinds,
    validate: options.client === true ? 'client' : 'manager',
  });
  const isGood = isAcceptable(complaints);
  if (options.json === true) {
    const names = objects.map(({ kind, name }) => ({ kind, name }));
    surroundings.out(`${JSON.stringify({ valid: isGood, objects: names, complaints }, null, 2)}\n`);
  } else {
    reportComplaints(complaints, surroundings.err);
    if (isGood)
      surroundings.out(
        `${summary(
          objects.map(({ kind }) => kind),
          kinds,
        )}\n`,
      );
  }
  return isGood ? EXIT.ok : EXIT.badInput;
}

/** `valid: 1 Network, 2 Services`. */
function summary(objects: readonly string[], kinds: readonly AnyKind[]): string {
  const counts = new Map<string, number>();
  for (const kind of objects) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) =>
    count === 1 ? counted(1, kind) : `${count} ${pluralOf(kind, kinds)}`,
  );
  return `valid: ${parts.length === 0 ? 'nothing declared' : parts.join(', ')}`;
}

/** The plural of the kind, written as its name is: `Policies`. */
function pluralOf(name: string, kinds: readonly AnyKind[]): string {
  const plural = kinds.find((kind) => kind.name === name)?.plural ?? `${name}s`;
  const isSame = plural.startsWith(name.toLowerCase());
  return isSame ? `${name}${plural.slice(name.length)}` : `${name[0] ?? ''}${plural.slice(1)}`;
}
