/**
 * One run of a script, and what of it has to be the same in every other one.
 */
import { isEqual, messageOf } from '@skep/api';
import type { View } from '@skep/store';
import { comparableObjects } from './comparable-objects.js';
import { objectCounts, type ObjectCounts } from './commit-log.js';
import { ControllerHarness, type ControllerHarnessOptions } from './harness.js';
import type { ControllerScript, Fault } from './script.js';

/** Controllers, kinds, and what of a view is compared. */
export interface LawSetup extends Omit<ControllerHarnessOptions, 'seed' | 'faults'> {
  /**
   * What must be the same in the end: plain data, compared by content. Default: all objects without
   * times, versions and ids (`comparableObjects`).
   */
  readonly comparable?: (view: View) => unknown;
  /**
   * Whether as many objects have to be created and deleted. Default: true; false where controllers
   * may take turns in either order and the order makes a difference on the way.
   */
  readonly isCounted?: boolean;
}

/** What came of a run. */
export interface ControllerRun {
  /** The comparable part of the last view. */
  readonly end: unknown;
  readonly counts: Readonly<Record<string, ObjectCounts>>;
  /** Commits of controllers, in words. */
  readonly writes: readonly string[];
  /** How many of them there were when everything was settled, before a restart. */
  readonly settledWrites: number;
  /** Commits of everybody. */
  readonly commits: number;
  /** Passes after each step. */
  readonly passes: readonly number[];
  /** Why it did not come to an end. */
  readonly problem?: string;
}

/** Runs a script from an empty store: settled after every step, unless a fault is in haste. */
export async function runControllers(
  setup: LawSetup,
  script: ControllerScript,
): Promise<ControllerRun> {
  const { seed, steps, faults } = script;
  const harness = new ControllerHarness({ ...setup, seed, faults });
  const passes: number[] = [];
  let settledWrites = 0;
  let problem: string | undefined;
  try {
    await harness.start();
    for (const [at, step] of steps.entries()) {
      const before = harness.passes;
      await harness.perform(step);
      problem = await proceed(harness, hasteAfter(faults, at, steps.length));
      passes.push(harness.passes - before);
      if (problem !== undefined) break;
    }
    settledWrites = harness.writes.length;
    if (problem === undefined && faults.some(({ type }) => type === 'restart')) {
      await harness.crash();
      problem = await proceed(harness, undefined);
    }
  } catch (error) {
    problem = messageOf(error);
  }
  const view = harness.view();
  await harness.stop();
  return {
    end: setup.comparable?.(view) ?? comparableObjects(view, setup.kinds),
    counts: objectCounts(harness.commits),
    writes: harness.writes,
    settledWrites,
    commits: view.revision,
    passes,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** What the user waits for before the next step: so many passes, or everything. */
async function proceed(
  harness: ControllerHarness,
  haste: number | undefined,
): Promise<string | undefined> {
  if (haste === undefined) {
    const { isSettled, waitingFor, passes } = await harness.settle();
    return isSettled ? undefined : `not settled after ${passes} passes: ${waitingFor.join('; ')}`;
  }
  for (let pass = 0; pass < haste; pass += 1) if (!(await harness.runOne())) break;
  return undefined;
}

function hasteAfter(faults: readonly Fault[], step: number, steps: number): number | undefined {
  // After the last step there is nobody to be in haste.
  if (step === steps - 1) return undefined;
  for (const fault of faults)
    if (fault.type === 'haste' && fault.step === step) return fault.passes;
  return undefined;
}

/** What a run with faults did otherwise than the one without; undefined when nothing. */
export function runDifference(
  input: { readonly reference: ControllerRun; readonly run: ControllerRun },
  options: { readonly faults: readonly Fault[]; readonly isCounted: boolean },
): string | undefined {
  const { reference, run } = input;
  const { faults, isCounted } = options;
  if (run.problem !== undefined) return run.problem;
  const late = run.writes.slice(run.settledWrites);
  if (late.length > 0) return `written once settled: ${late.slice(0, 5).join('; ')}`;
  if (!isEqual(run.end, reference.end)) return endDifference(reference.end, run.end);
  // Who is in haste may spare the controllers what would have come and gone in between.
  if (!isCounted || faults.some(({ type }) => type === 'haste')) return undefined;
  const kinds = [...new Set([...Object.keys(reference.counts), ...Object.keys(run.counts)])].sort();
  for (const kind of kinds) {
    const wanted = countsText(reference.counts[kind]);
    const found = countsText(run.counts[kind]);
    if (wanted !== found) return `${kind}: ${found}, without faults ${wanted}`;
  }
  return undefined;
}

function countsText(counts: ObjectCounts = { created: 0, deleted: 0 }): string {
  return `${counts.created} created, ${counts.deleted} deleted`;
}

/** Lines that are in one end only, at most five of each. */
function endDifference(wanted: unknown, found: unknown): string {
  const lines = (end: unknown): readonly string[] =>
    Array.isArray(end)
      ? end.map(lineOf)
      : (JSON.stringify(end, undefined, 1) ?? String(end)).split('\n');
  const missing = without(lines(wanted), lines(found)).map((line) => `  - ${line}`);
  const extra = without(lines(found), lines(wanted)).map((line) => `  + ${line}`);
  return ['another end state:', ...missing.slice(0, 5), ...extra.slice(0, 5)].join('\n');
}

function lineOf(item: unknown): string {
  return typeof item === 'string' ? item : (JSON.stringify(item) ?? String(item));
}

/** Items of a list that the other does not have as often. */
function without(list: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other];
  return list.filter((item) => {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
