/**
 * The laws of controllers: whatever goes wrong on the way, the end is the same.
 *
 * **Source:** Sieve (OSDI'22) for the perturbations and for both oracles, end states and counts of
 * creations and deletions; Anvil (OSDI'24) for the property behind them.
 */
import { SkepError } from '@skep/api';
import { CONTROLLER_LAWS, lawRuns, type ControllerLaw, type LawRange } from './law-faults.js';
import { runControllers, runDifference, type LawSetup } from './run-controllers.js';
import type { ControllerRun } from './run-controllers.js';
import { describeFault, renderControllerScript } from './script.js';
import type { ControllerScript, Fault, ScenarioStep } from './script.js';
import { smallerFaults, smallerScenarios } from './smaller.js';

/** What the laws are tried on. */
export interface ControllerLawsOptions extends LawSetup {
  /** What the user does. Without faults everything settles after each step. */
  readonly scenario: readonly ScenarioStep[];
  /** Default: 1. */
  readonly seed?: number | string;
  /** Default: all of them. */
  readonly laws?: readonly ControllerLaw[];
  /** How many commits behind stale views are. Default: 1, 2 and 5. */
  readonly ages?: readonly number[];
  /** How many random orders and random failures are tried. Default: 5. */
  readonly seeds?: number;
  /** Most runs that are spent on a shorter script. Default: 1,000. */
  readonly shrinkRunsMax?: number;
}

/** What was tried. */
export interface LawReport {
  /** Runs of each law. */
  readonly runs: Readonly<Partial<Record<ControllerLaw, number>>>;
  /** Writes of the controllers in the run without faults: as many crashes were tried. */
  readonly writes: number;
}

interface Violation {
  readonly steps: readonly ScenarioStep[];
  readonly faults: readonly Fault[];
  readonly difference: string;
  readonly writes: readonly string[];
}

/**
 * Runs a scenario without faults, and then with every fault of every law: each time the end state
 * and the number of objects created and deleted have to be the same, and nothing may be written
 * once all is settled.
 *
 * - `quiet`: a restart of what is settled writes nothing.
 * - `crash`: the process dies after a write; every single one, in turn.
 * - `events`: a watch misses a commit (every single one) and hears of it by a late resync; passes
 *   are repeated without a cause; keys and controllers take turns in random orders.
 * - `failure`: a commit throws `unavailable`, written or not; every single one, and at random.
 * - `leaders`: two processes lead at the same time, without a fence.
 * - `haste`: the user takes the next step after any number of passes of the one before. Only the
 *   end state is compared.
 * - `stale`: views and watches are several commits old.
 * - `stale-crash`: and the process dies after a write, so that its successor has not seen it.
 *
 * @throws failed-precondition when a law is broken: the message has the seed, the law, the fault
 * and a shortest script to paste into `replay`; `details` has `law` and `script`. Also when the
 * scenario does not settle without faults.
 * Cost: runs of the scenario, in all about its writes × (4 + ages).
 */
export async function controllerLaws(options: ControllerLawsOptions): Promise<LawReport> {
  const { seed = 1, scenario, laws = CONTROLLER_LAWS } = options;
  const reference = await referenceRun(options, { seed, steps: scenario });
  const range = rangeOf(options);
  const runs: Partial<Record<ControllerLaw, number>> = {};
  for (const law of laws) {
    const list = lawRuns(law, reference, range);
    runs[law] = list.length;
    for (const faults of list) {
      const script = { seed, steps: scenario, faults };
      const found = await tryOut(options, reference, script);
      if (found === undefined) continue;
      throw lawBroken(law, seed, await shortest(options, law, found));
    }
  }
  return { runs, writes: reference.writes.length };
}

/**
 * Runs a printed script again, against the same scenario without faults.
 * @throws failed-precondition, as `controllerLaws` does, when it still breaks the law.
 */
export async function replay(setup: LawSetup, script: ControllerScript): Promise<void> {
  const reference = await referenceRun(setup, script);
  const found = await tryOut(setup, reference, script);
  if (found !== undefined) throw lawBroken(undefined, script.seed, found);
}

function rangeOf({ ages = [1, 2, 5], seeds = 5 }: ControllerLawsOptions): LawRange {
  return { ages, seeds: Array.from({ length: seeds }, (_, at) => at + 1) };
}

async function referenceRun(
  setup: LawSetup,
  { seed, steps }: Pick<ControllerScript, 'seed' | 'steps'>,
): Promise<ControllerRun> {
  const reference = await runControllers(setup, { seed, steps, faults: [] });
  if (reference.problem === undefined) return reference;
  throw new SkepError('failed-precondition', `without faults: ${reference.problem}`, {
    details: { script: { seed, steps, faults: [] } },
  });
}

async function tryOut(
  setup: LawSetup,
  reference: ControllerRun,
  script: ControllerScript,
): Promise<Violation | undefined> {
  const run = await runControllers(setup, script);
  const { steps, faults } = script;
  const { isCounted = true } = setup;
  const difference = runDifference({ reference, run }, { faults, isCounted });
  return difference === undefined ? undefined : { steps, faults, difference, writes: run.writes };
}

/** Tries scenarios with less in them, each with all faults of the law, then fewer faults. */
async function shortest(
  options: ControllerLawsOptions,
  law: ControllerLaw,
  first: Violation,
): Promise<Violation> {
  const { seed = 1, shrinkRunsMax = 1000 } = options;
  const budget = { runs: shrinkRunsMax };
  let best = first;
  const search = async (
    candidates: Iterable<{ steps: readonly ScenarioStep[]; faults?: readonly Fault[] }>,
  ): Promise<boolean> => {
    for (const { steps, faults } of candidates) {
      const reference = await runControllers(options, { seed, steps, faults: [] });
      budget.runs -= 1;
      if (reference.problem !== undefined) continue;
      const list = faults === undefined ? lawRuns(law, reference, rangeOf(options)) : [faults];
      for (const each of list) {
        if (budget.runs <= 0) return false;
        budget.runs -= 1;
        const found = await tryOut(options, reference, { seed, steps, faults: each });
        if (found === undefined) continue;
        best = found;
        return true;
      }
    }
    return false;
  };
  while (await search(smallerScenarios(best.steps).map((steps) => ({ steps }))));
  while (await search(smallerFaults(best.faults).map((faults) => ({ steps: best.steps, faults }))));
  return best;
}

function lawBroken(
  law: ControllerLaw | undefined,
  seed: number | string,
  { steps, faults, difference, writes }: Violation,
): SkepError {
  const script: ControllerScript = { seed, steps, faults };
  const name = law === undefined ? 'a law of controllers' : `the law '${law}'`;
  const message = [
    `${name} is broken, seed ${JSON.stringify(seed)}`,
    `fault: ${faults.map((fault) => describeFault(fault, writes)).join(', and ')}`,
    difference,
    'shortest script:',
    `await replay(setup, ${renderControllerScript(script)});`,
  ].join('\n');
  return new SkepError('failed-precondition', message, { details: { law, script, difference } });
}
