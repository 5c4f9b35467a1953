/**
 * Kinds and controllers of people's own, from the modules named by `--kinds`.
 */
import { resolve } from 'node:path';
import { messageOf, type AnyKind } from '@skep/api';
import { BUILT_IN_KINDS, declarableKinds, type ClusterOptions } from 'skep';
import { CommandFault, type Surroundings } from '../surroundings.js';

type ControllerDefinition = NonNullable<ClusterOptions['controllers']>[number];

/** What the modules export. */
export interface OwnKinds {
  readonly kinds: readonly AnyKind[];
  readonly controllers: readonly ControllerDefinition[];
}

/**
 * Imports the modules: each exports `kinds`, a list of kind tokens, and may export `controllers`, a
 * list of definitions for simulations.
 * @throws CommandFault naming the module, and what it should export.
 */
export async function loadOwnKinds(
  paths: readonly string[] = [],
  surroundings: Surroundings,
): Promise<OwnKinds> {
  const found: { kinds: AnyKind[]; controllers: ControllerDefinition[] } = {
    kinds: [],
    controllers: [],
  };
  for (const path of paths) {
    const module = await importModule(path, surroundings);
    const { kinds, controllers = [] } = module;
    if (!isListOf(kinds, isKind)) {
      throw new CommandFault(
        `${path}: it exports no kinds (write: export const kinds = [defineKind({ … })])`,
      );
    }
    if (!isListOf(controllers, isController)) {
      throw new CommandFault(
        `${path}: controllers is no list of controllers (write: [defineController({ … })])`,
      );
    }
    found.kinds.push(...kinds);
    found.controllers.push(...controllers);
  }
  return found;
}

/** All kinds that files may hold, with those of people's own. */
export function kindsOf({ kinds }: OwnKinds): readonly AnyKind[] {
  return declarableKinds([...BUILT_IN_KINDS, ...kinds]);
}

async function importModule(
  path: string,
  { importModule: load, workingDirectory }: Surroundings,
): Promise<Readonly<Record<string, unknown>>> {
  if (load === undefined) throw new CommandFault(`${path}: modules cannot be loaded here`);
  try {
    return (await load(resolve(workingDirectory, path))) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    throw new CommandFault(`${path}: cannot be loaded: ${messageOf(thrown)} (check the module)`);
  }
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isKind(value: unknown): value is AnyKind {
  return has(value, 'name', 'plural', 'indexes', 'hasUniqueName');
}

function isController(value: unknown): value is ControllerDefinition {
  return has(value, 'name') && (has(value, 'for') || has(value, 'watches'));
}

function has(value: unknown, ...fields: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && fields.every((field) => field in value);
}
