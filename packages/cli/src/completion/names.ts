/**
 * Names for completion, from the running cluster: quickly, or not at all.
 */
import { Task, type StoredObject } from '@skep/api';
import { placeOptions, withCluster, type ClusterChoice } from '../live/connection.js';
import { displayName } from '../live/references.js';
import { EXIT, type Surroundings } from '../surroundings.js';
import type { AskNames, NameSort } from './candidates.js';

/** Longest wait for names: who presses a key wants an answer now. */
export const NAMES_WAIT_MS = 500;

/** Names that are offered; of more, nobody chooses by reading. */
const NAMES_MAX = 500;

/** Asks the chosen cluster; whatever goes wrong, there are no names. */
export function namesFrom(choice: ClusterChoice, surroundings: Surroundings): AskNames {
  return (sort) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve([]), NAMES_WAIT_MS);
      const done = (names: readonly string[]): void => {
        clearTimeout(timer);
        resolve(names.slice(0, NAMES_MAX));
      };
      ask(sort, choice, surroundings).then(done, () => done([]));
    });
}

async function ask(
  sort: NameSort,
  choice: ClusterChoice,
  surroundings: Surroundings,
): Promise<readonly string[]> {
  if (sort.type === 'clusters') {
    const local = await surroundings.local?.();
    return (await local?.listClusters(placeOptions(choice, surroundings).stateRoot)) ?? [];
  }
  let names: readonly string[] = [];
  await withCluster(choice, surroundings, async ({ client, kinds }) => {
    if (sort.type === 'kinds') {
      const plurals = kinds.kinds.map(({ info }) => info.plural);
      const singular = kinds.kinds.map(({ info }) => `${info.name.toLowerCase()}/`);
      names = sort.isPath === true ? singular : [...plurals, 'all'];
    } else {
      const { info } = kinds.kind(sort.kind);
      const { objects } = await client.list(info.name);
      names = objects.flatMap(namesOf);
    }
    return EXIT.ok;
  });
  return names;
}

function namesOf(object: StoredObject): readonly string[] {
  if (object.kind !== Task.name) return [displayName(object)];
  const { serviceName, slot, nodeId } = (object as Task).spec;
  return nodeId === undefined ? [`${serviceName}.${slot}`] : [displayName(object)];
}
