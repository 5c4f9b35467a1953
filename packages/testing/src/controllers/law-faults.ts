/**
 * The laws as lists of faults: each list is one run.
 */
import { seededRandom } from '@skep/api';
import type { ControllerRun } from './run-controllers.js';
import type { Fault } from './script.js';

/** Names of the laws, in the order in which they are tried. */
export const CONTROLLER_LAWS = [
  'quiet',
  'crash',
  'events',
  'failure',
  'leaders',
  'haste',
  'stale',
  'stale-crash',
] as const;

/** A member of {@link CONTROLLER_LAWS}. */
export type ControllerLaw = (typeof CONTROLLER_LAWS)[number];

/** How much of what can be varied is tried. */
export interface LawRange {
  /** Ages of stale views, in commits. */
  readonly ages: readonly number[];
  /** Seeds of random orders, and of random failures. */
  readonly seeds: readonly number[];
}

/**
 * The runs of a law: all single points of what is counted in the reference, and the seeds of what
 * is drawn.
 */
export function lawRuns(
  law: ControllerLaw,
  reference: ControllerRun,
  range: LawRange,
): readonly (readonly Fault[])[] {
  const writes = numbers(reference.writes.length);
  const crashes = writes.map((afterWrite): Fault => ({ type: 'crash', afterWrite }));
  const ages = range.ages.map((age): Fault => ({ type: 'stale', age }));
  const shuffles = range.seeds.map((seed): Fault => ({ type: 'shuffle', seed }));
  switch (law) {
    case 'quiet':
      return [[{ type: 'restart' }]];
    case 'crash':
      return crashes.map((crash) => [crash]);
    case 'events':
      return [
        ...numbers(reference.commits).map((atCommit): Fault[] => [{ type: 'gap', atCommit }]),
        [{ type: 'repeat' }],
        ...shuffles.map((shuffle) => [shuffle]),
        ...shuffles.map((shuffle): Fault[] => [{ type: 'repeat' }, shuffle]),
      ];
    case 'failure':
      return [
        ...[false, true].flatMap((isWritten) =>
          writes.map((attempt): Fault[] => [{ type: 'failure', attempt, isWritten }]),
        ),
        ...range.seeds.map((seed) => randomFailures(seed, 2 * writes.length)),
      ];
    case 'leaders': {
      const leaders: Fault = { type: 'leaders', count: 2 };
      return [[leaders], ...shuffles.map((shuffle) => [leaders, shuffle])];
    }
    case 'haste':
      return hasteRuns(reference.passes.slice(0, -1), range.seeds);
    case 'stale':
      return ages.flatMap((age) => [[age], ...shuffles.map((shuffle) => [age, shuffle])]);
    case 'stale-crash':
      return ages.flatMap((age) => crashes.map((crash) => [age, crash]));
  }
}

/** After each step any number of passes but all; then no pause anywhere, and random ones. */
function hasteRuns(
  passes: readonly number[],
  seeds: readonly number[],
): readonly (readonly Fault[])[] {
  const single = passes.flatMap((most, step) =>
    numbers(most).map((count): Fault[] => [{ type: 'haste', step, passes: count - 1 }]),
  );
  if (passes.length < 2) return single;
  const never = passes.map((_, step): Fault => ({ type: 'haste', step, passes: 0 }));
  const drawn = seeds.map((seed) => {
    const random = seededRandom(`haste ${seed}`);
    return passes.map((most, step): Fault => {
      return { type: 'haste', step, passes: random.int(most + 1) };
    });
  });
  return [...single, never, ...drawn];
}

/** One attempt in four fails. */
function randomFailures(seed: number, attempts: number): readonly Fault[] {
  const random = seededRandom(`failures ${seed}`);
  return numbers(attempts)
    .filter(() => random.int(4) === 0)
    .map((attempt): Fault => ({ type: 'failure', attempt, isWritten: random.int(2) === 0 }));
}

/** 1, 2, … `count`. */
function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
