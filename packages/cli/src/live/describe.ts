/**
 * `skep describe`: all about objects of a running cluster.
 */
import { matchesSelector, parseSelector, type AnyKind } from '@skep/api';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { describeKinds, describeObject } from '../views/describe/describe.js';
import { sortedObjects } from '../views/get/tables.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { listOf, objectMeant } from './object-meant.js';
import { named, targetsOf, type Target } from './references.js';
import { look } from './replica.js';

/** Options of `skep describe`. */
export interface DescribeOptions extends ClusterChoice {
  readonly selector?: string;
}

/** Tells all about each object; exit code 2 for a name that nothing has. */
export function describeObjects(
  words: readonly string[],
  options: DescribeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const { client, now } = connected;
    const targets = await meantBy(words, connected);
    const selector = parseSelector(
      options.selector === undefined ? {} : { labels: options.selector },
    );
    const wanted = targets.flatMap(({ kind }) => [kind.token, ...describeKinds(kind.info.name)]);
    const tokens = new Map<string, AnyKind>(wanted.map((token) => [token.name, token]));
    const view = await look(client, [...tokens.values()]);
    const problems = await client.problems();
    const context = { view, now: now(), problems };
    const texts = targets.flatMap((target) => {
      const all = listOf(view, target.kind);
      const objects = named(all, target).filter((object) => matchesSelector(selector, object));
      const sorted = target.names === undefined ? undefined : objects;
      const ordered = sorted ?? sortedObjects(target.kind.info.name, objects, context);
      return ordered.map((object) => describeObject(object, context));
    });
    surroundings.out(texts.join('\n'));
    if (texts.length === 0) surroundings.err('nothing to describe\n');
    return EXIT.ok;
  });
}

/** As in `skep get`; a word alone that is no kind is the name of whatever has it. */
async function meantBy(words: readonly string[], connected: Connected): Promise<readonly Target[]> {
  const [only = '', ...others] = words;
  const isKind = connected.kinds.words().includes(only.toLowerCase());
  if (others.length > 0 || isKind || /[/,]/.test(only)) return targetsOf(words, connected.kinds);
  const { kind, object } = await objectMeant(only, connected);
  return [{ kind, names: [object.meta.id] }];
}
