/**
 * Policies out of parts.
 */
import { SkepError } from '@skep/api';
import type { Filter, NodeTerm, Policy, RankTerm, Reserve, Score } from '../policy.js';

/** The parts of a policy; what is absent is that of `base`, or nothing. */
export interface PolicyParts {
  readonly name: string;
  /** A policy to begin with. */
  readonly base?: Policy;
  /** In place of those of `base`. */
  readonly filters?: readonly Filter[];
  /** After the filters. */
  readonly moreFilters?: readonly Filter[];
  readonly rank?: readonly RankTerm[];
  readonly scores?: readonly Score[];
  /** After the scores. */
  readonly moreScores?: readonly Score[];
  readonly reserves?: readonly Reserve[];
  readonly tieBreak?: NodeTerm;
  readonly spread?: NonNullable<Policy['spread']>;
}

/**
 * A policy as a frozen value. Keep it: what the engine caches, it caches for this value.
 * @throws SkepError invalid-argument when two filters or two scores have one name (by which
 * explanations and caches tell them apart), or a weight is not above 0.
 */
export function composePolicy(parts: PolicyParts): Policy {
  const { base } = parts;
  const filters = [...(parts.filters ?? base?.filters ?? []), ...(parts.moreFilters ?? [])];
  const scores = [...(parts.scores ?? base?.scores ?? []), ...(parts.moreScores ?? [])];
  judgeNames(parts.name, 'filters', filters);
  judgeNames(parts.name, 'scores', scores);
  for (const { name, weight = 1 } of scores) judgeWeight(`${parts.name}: score ${name}`, weight);
  const tieBreak = parts.tieBreak ?? base?.tieBreak;
  const reserves = parts.reserves ?? base?.reserves;
  const spread = parts.spread ?? base?.spread;
  return Object.freeze({
    name: parts.name,
    filters: Object.freeze(filters),
    rank: Object.freeze([...(parts.rank ?? base?.rank ?? [])]),
    ...(scores.length === 0 ? {} : { scores: Object.freeze(scores) }),
    ...(tieBreak === undefined ? {} : { tieBreak }),
    ...(reserves === undefined ? {} : { reserves }),
    ...(spread === undefined ? {} : { spread }),
  });
}

/**
 * The score with another weight.
 * @throws SkepError invalid-argument for a weight that is not above 0.
 */
export function weighted(score: Score, weight: number): Score {
  judgeWeight(`score ${score.name}`, weight);
  return Object.freeze({ ...score, weight });
}

function judgeNames(
  policy: string,
  what: string,
  plugins: readonly { readonly name: string }[],
): void {
  const names = plugins.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new SkepError(
    'invalid-argument',
    `policy ${policy}: two of its ${what} are named '${twice}'; give each a name of its own`,
  );
}

function judgeWeight(where: string, weight: number): void {
  if (Number.isFinite(weight) && weight > 0) return;
  throw new SkepError(
    'invalid-argument',
    `${where}: weight ${weight} is not a number above 0; leave out a score that is not to count`,
  );
}
