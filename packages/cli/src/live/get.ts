/**
 * `skep get KINDS [NAME…]`: objects of a running cluster in tables or as data.
 */
import { parseSelector, type StoredObject } from '@skep/api';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import type { Look } from '../views/get/columns.js';
import { isDataOutput, renderObjects } from '../views/get/output.js';
import { objectTable } from '../views/get/tables.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { watchObjects } from './get-watch.js';
import type { KnownKind } from './kind-words.js';
import { named, targetsOf, type Target } from './references.js';
import { viewOf } from './replica.js';
import { chosenOf, kindsFor, selectorOf, type ShowOptions } from './selection.js';

/** Options of `skep get`. */
export interface GetOptions extends ClusterChoice, ShowOptions {}

/** Shows objects; exit code 2 for a name that nothing has. */
export function get(
  words: readonly string[],
  options: GetOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, (connected) =>
    getTargets(targetsOf(words, connected.kinds), options, connected, surroundings),
  );
}

/** The same for targets that are known. */
export async function getTargets(
  targets: readonly Target[],
  options: ShowOptions,
  connected: Connected,
  surroundings: Surroundings,
): Promise<ExitCode> {
  if (options.watch === true) return watchObjects(targets, options, connected, surroundings);
  const { output } = options;
  if (!isDataOutput(output)) {
    await printTables(targets, options, connected, surroundings);
    return EXIT.ok;
  }
  const { objects } = await connected.client.listAll(
    targets.map(({ kind }) => kind.token),
    selectorOf(options),
  );
  const chosen = targets.flatMap((target) => named(ofKind(objects, target.kind), target));
  const isSingle = chosen.length === 1 && targets.every(({ names }) => names?.length === 1);
  surroundings.out(renderObjects(chosen, output, { isSingle }));
  return EXIT.ok;
}

async function printTables(
  targets: readonly Target[],
  options: ShowOptions,
  { client, now }: Connected,
  { out, err }: Surroundings,
): Promise<void> {
  const kinds = kindsFor(targets);
  const texts = selectorOf(options);
  // What is wrong with a selector is said before anything is fetched.
  parseSelector(texts);
  const view = await viewOf(await client.listAll(kinds), kinds);
  const look: Look = { view, now: now() };
  const style = { isWide: options.output === 'wide', hasHead: options.headers };
  const tables: string[] = [];
  for (const target of targets) {
    const objects = chosenOf(view, target, { texts });
    if (objects.length > 0) tables.push(objectTable(target.kind.info.name, objects, look, style));
    else if (targets.length === 1) err(`no ${target.kind.info.plural}\n`);
  }
  if (tables.length === 0 && targets.length > 1) {
    err(`no ${targets.map(({ kind }) => kind.info.plural).join(', no ')}\n`);
  }
  out(tables.join('\n'));
}

function ofKind(objects: readonly StoredObject[], { info }: KnownKind): readonly StoredObject[] {
  return objects.filter(({ kind }) => kind === info.name);
}
