/**
 * The laws of placement, tried on a policy with random clusters.
 */
import fc from 'fast-check';
import { SkepError, messageOf } from '@skep/api';
import type { Policy } from '@skep/scheduler';
import { node } from '../build/node.js';
import { judgePolicy } from '../judge-policy.js';
import { clusterOf, placeCluster } from '../place.js';
import { lawDrafts, type DraftOptions } from './arbitrary.js';
import { buildDraft, draftCode, type LawDraft } from './draft.js';
import { smallestDraft } from './smaller-draft.js';
import { againLaw, batchLaw, cacheLaw } from './engine-laws.js';
import { explanationLaw } from './explanation-law.js';
import { moreNodesLaw } from './growth-law.js';
import type { LawInput, PolicyLaw, PolicyLawName } from './law.js';
import { capacityLaw, demandsLaw } from './limit-laws.js';
import { namesLaw, orderLaw, sameAgainLaw } from './sameness-laws.js';

/** All laws, in the order in which they are tried. */
export const POLICY_LAWS: readonly PolicyLaw[] = Object.freeze([
  capacityLaw,
  demandsLaw,
  sameAgainLaw,
  orderLaw,
  namesLaw,
  moreNodesLaw,
  batchLaw,
  cacheLaw,
  explanationLaw,
  againLaw,
]);

/** How the laws are tried. */
export interface PolicyLawsOptions extends DraftOptions {
  /** Random clusters for each law. Default: 100. More find rarer faults and take longer. */
  readonly runs?: number;
  /** Of the random clusters. Default: another one each time; a failure prints it. */
  readonly seed?: number;
  /** Laws to try. Default: all. */
  readonly only?: readonly PolicyLawName[];
  /** Laws that the policy breaks on purpose, such as `more-nodes` under a hard bound of skew. */
  readonly except?: readonly PolicyLawName[];
}

/** What was tried. */
export interface PolicyLawsReport {
  readonly seed: number;
  readonly laws: readonly PolicyLawName[];
  /** Random clusters in total. */
  readonly runs: number;
}

/**
 * Tries the laws on the policy. Pure but for the seed, if none is given.
 *
 * @throws failed-precondition when a law is broken: for each one, what is wrong, and a least
 * cluster as code that shows it again, to be pasted into a test. `details.broken` holds the same as
 * data.
 * @throws invalid-argument for a law that does not exist, and when nothing would be tried.
 */
export function policyLaws(policy: Policy, options: PolicyLawsOptions = {}): PolicyLawsReport {
  const { runs = 100, only, except = [] } = options;
  for (const name of [...(only ?? []), ...except]) lawOf(name);
  const laws = POLICY_LAWS.filter(
    ({ name }) => (only === undefined || only.includes(name)) && !except.includes(name),
  );
  if (laws.length === 0 || !Number.isSafeInteger(runs) || runs < 1) {
    const what = laws.length === 0 ? 'no law is left' : `runs is ${runs}`;
    throw new SkepError('invalid-argument', `policyLaws(): ${what}; nothing would be tried`);
  }
  judgePolicy('policyLaws()', policy);
  const drafts = lawDrafts(options);
  let seed = options.seed;
  const broken: BrokenLaw[] = [];
  for (const law of laws) {
    // What was wrong the last time: of a policy that remembers, it may not be wrong again.
    let fault = '';
    const isBroken = (draft: LawDraft): boolean => {
      const found = faultOf(law, policy, buildDraft(draft));
      fault = found ?? fault;
      return found !== undefined;
    };
    const property = fc.property(drafts, (draft) => !isBroken(draft));
    const details = fc.check(property, {
      numRuns: runs,
      ...(seed === undefined ? {} : { seed }),
    });
    seed ??= details.seed;
    const [draft] = details.counterexample ?? [];
    if (draft === undefined) continue;
    const smallest = smallestDraft(draft, isBroken);
    broken.push(brokenLaw(law, policy, { draft: smallest, fault }));
  }
  const used = seed ?? 0;
  if (broken.length > 0) throw brokenError(policy, broken, { seed: used, runs });
  return { seed: used, laws: laws.map(({ name }) => name), runs: runs * laws.length };
}

/**
 * Tries one law on one cluster: what a failure of {@link policyLaws} prints.
 * @throws failed-precondition when the law is broken.
 */
export function checkPolicyLaw(law: PolicyLawName, policy: Policy, input: LawInput): void {
  const found = lawOf(law);
  const fault = faultOf(found, policy, input);
  if (fault === undefined) return;
  throw new SkepError(
    'failed-precondition',
    `the policy ${policy.name} breaks the law '${law}' (${found.statement}):\n  ${fault}\n\n` +
      pictureOf(policy, input),
    { details: { law, fault } },
  );
}

function lawOf(name: PolicyLawName): PolicyLaw {
  const law = POLICY_LAWS.find((one) => one.name === name);
  if (law !== undefined) return law;
  const names = POLICY_LAWS.map((one) => one.name).join(', ');
  throw new SkepError('invalid-argument', `there is no law '${String(name)}'; there are ${names}`);
}

/** A policy that throws breaks every law. */
function faultOf(law: PolicyLaw, policy: Policy, input: LawInput): string | undefined {
  const cluster = clusterOf(input);
  try {
    return law.check({ policy, cluster, extra: input.extra ?? node('extra') });
  } catch (thrown) {
    return `it threw: ${messageOf(thrown)}`;
  }
}

interface BrokenLaw {
  readonly law: PolicyLawName;
  readonly statement: string;
  readonly fault: string;
  readonly code: string;
  readonly picture: string;
}

function brokenLaw(
  law: PolicyLaw,
  policy: Policy,
  { draft, fault }: { readonly draft: LawDraft; readonly fault: string },
): BrokenLaw {
  return {
    law: law.name,
    statement: law.statement,
    fault,
    code: draftCode(law.name, draft),
    picture: pictureOf(policy, buildDraft(draft)),
  };
}

function pictureOf(policy: Policy, input: LawInput): string {
  try {
    return placeCluster(policy, clusterOf(input)).toString();
  } catch (thrown) {
    return `nothing can be placed: ${messageOf(thrown)}`;
  }
}

function brokenError(
  { name }: Policy,
  broken: readonly BrokenLaw[],
  tried: { readonly seed: number; readonly runs: number },
): SkepError {
  const names = broken.map(({ law }) => law);
  const parts = broken.map(({ law, statement, fault, code, picture }) => {
    return `law '${law}': ${statement}\n  ${fault}\n\n${code}\n\n${picture}`;
  });
  const again = `policyLaws(policy, { seed: ${tried.seed}, runs: ${tried.runs} })`;
  return new SkepError(
    'failed-precondition',
    `the policy ${name} breaks ${names.join(', ')}; to see it again: ${again}\n\n` +
      `${parts.join('\n\n')}\n\nThe calls need: import { checkPolicyLaw, node, service } ` +
      `from '@skep/testing';`,
    { details: { seed: tried.seed, broken: broken.map(({ picture: _, ...rest }) => rest) } },
  );
}
