/**
 * The laws of whole clusters, under random histories.
 *
 * `SKEP_PROPERTY_RUNS` says how many (default 25), `SKEP_PROPERTY_SEED` which ones. What breaks a
 * law is printed as the shortest script that does, to be pasted into a test.
 */
import { describe, it } from '@jest/globals';
import { seededRandom } from '@skep/api';
import * as fc from 'fast-check';
import {
  clusterScripts,
  commitLog,
  renderScript,
  runScript,
  shortestScript,
  strayPackets,
  unansweredPackets,
  type ClusterScript,
  type RunOptions,
  type ScriptOptions,
  type ScriptRun,
  type TestCluster,
} from '../src/cluster.js';
import { differences, judge } from './judgement.js';

const RUNS = Number(process.env['SKEP_PROPERTY_RUNS'] ?? 25);
const SEED = Number(process.env['SKEP_PROPERTY_SEED'] ?? 1);
const HOUR_MS = 3_600_000;
/** Real time for all runs of a law, or for making a script that breaks it shorter. */
const LIMIT_MS = 60_000 + RUNS * 2_000;
const TIMEOUT_MS = LIMIT_MS + 60_000;

/** What is wrong after a script; `seed` is that of the run, and of whatever else is by chance. */
type Law = (script: ClusterScript, seed: number) => Promise<readonly string[]>;

/** Checks a law on random scripts; fails with the shortest script that breaks it. */
async function holds(law: Law, options?: ScriptOptions): Promise<void> {
  const faultsOf: Law = async (script, seed) => {
    try {
      return await law(script, seed);
    } catch (thrown) {
      return [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)];
    }
  };
  const property = fc.asyncProperty(
    clusterScripts(options),
    fc.nat(1_000_000),
    async (script, seed) => (await faultsOf(script, seed)).length === 0,
  );
  const { counterexample, failed, numRuns } = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    endOnFailure: true,
    interruptAfterTimeLimit: LIMIT_MS,
    markInterruptAsFailure: true,
  });
  if (!failed) return;
  if (counterexample === null) throw new Error(`${numRuns} of ${RUNS} runs in ${LIMIT_MS} ms`);
  const [long, seed] = counterexample;
  const script = await shortestScript(long, async (shorter) => {
    return (await faultsOf(shorter, seed)).length > 0;
  });
  const faults = await faultsOf(script, seed);
  const head = `SKEP_PROPERTY_SEED=${SEED}, run ${numRuns}; runScript(…, { seed: ${seed} }):`;
  throw new Error([head, ...faults.slice(0, 10), renderScript(script)].join('\n'));
}

/** The log of a run of the script. */
async function logOf(script: ClusterScript, options: RunOptions): Promise<readonly string[]> {
  const run = await runScript(script, options);
  const log = await commitLog(run.cluster);
  await run.cluster.stop();
  return log;
}

/** When managers crash: after so many commits each. */
function crashTimes(seed: number): readonly number[] {
  const random = seededRandom(seed);
  return [random.int(10), random.int(40), random.int(40)];
}

/** The first commit in which two logs differ. */
function firstDifference(one: readonly string[], other: readonly string[]): readonly string[] {
  const at = one.findIndex((line, index) => line !== other[index]);
  if (at < 0 && one.length === other.length) return [];
  return [`commit ${at + 1} is`, one[at] ?? 'none', 'and', other[at] ?? 'none'];
}

describe('laws of a cluster', () => {
  it(
    'after any sequence of changes and losses it is as the last manifests alone would make it',
    () => holds((script, seed) => judge(script, { seed }, differences)),
    TIMEOUT_MS,
  );

  it(
    'after any sequence, and in the middle of it, no packet reaches a task that does not run',
    () =>
      holds(async (script, seed) => {
        const strays: string[] = [];
        const look = (cluster: TestCluster): void => {
          const now = cluster.clock.now();
          strays.push(...strayPackets(cluster).map((text) => `${now} ${text}`));
        };
        const managerCrashes = seed % 2 === 0 ? [] : crashTimes(seed);
        const answers = ({ cluster }: ScriptRun): readonly string[] => unansweredPackets(cluster);
        const cluster = { dataplane: seed % 3 === 0 ? 'nftables' : 'ipvs' } as const;
        const faults = await judge(script, { seed, cluster, look, managerCrashes }, answers);
        return [...strays, ...faults];
      }),
    TIMEOUT_MS,
  );

  it(
    'after any sequence nothing is written once it is settled',
    () =>
      holds((script, seed) => {
        // Heartbeats cost most of the time; every fifth run has them as they are by default.
        const cluster = seed % 5 === 0 ? {} : { heartbeatPeriodMs: 30_000 };
        return judge(script, { seed, cluster }, async (run) => {
          const { revision } = run.cluster.view();
          await run.cluster.advance(HOUR_MS);
          const log = await commitLog(run.cluster);
          return log.slice(revision);
        });
      }),
    TIMEOUT_MS,
  );

  it(
    'after any sequence the same seed has written the same bytes',
    () =>
      holds(async (script, seed) => {
        const options = { seed, managerCrashes: crashTimes(seed) };
        const first = await logOf(script, options);
        return firstDifference(first, await logOf(script, options));
      }),
    TIMEOUT_MS,
  );

  it(
    'after any sequence the order of lists has changed nothing',
    () =>
      holds(async (script, seed) => {
        const natural = await logOf(script, { seed });
        const listOrder = seededRandom(seed);
        return firstDifference(natural, await logOf(script, { seed, listOrder }));
      }),
    TIMEOUT_MS,
  );

  it(
    'after any sequence it is as declared though managers crashed in the middle of it',
    () =>
      holds((script, seed) => {
        return judge(script, { seed, managerCrashes: crashTimes(seed) }, differences);
      }),
    TIMEOUT_MS,
  );

  it(
    'after any sequence no law of the state was broken, where not everything fits either',
    () => holds((script, seed) => judge(script, { seed }, () => []), { isTight: true }),
    TIMEOUT_MS,
  );
});
