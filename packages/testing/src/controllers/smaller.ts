/**
 * What is a little less than a scenario, or than a list of faults.
 */
import type { Fault, ScenarioStep } from './script.js';

/** The scenario without one step, or without one object of a step; later steps go first. */
export function smallerScenarios(
  steps: readonly ScenarioStep[],
): readonly (readonly ScenarioStep[])[] {
  const without = steps.map((_, at) => steps.filter((__, other) => other !== at)).reverse();
  const thinner = steps.flatMap((step, at) =>
    step.type !== 'apply' || step.objects.length < 2
      ? []
      : step.objects.map((_, gone) => {
          const objects = step.objects.filter((__, other) => other !== gone);
          return steps.map((each, other) => (other === at ? { ...step, objects } : each));
        }),
  );
  return [...without.filter((scenario) => scenario.length > 0), ...thinner];
}

/** The faults without one of them. */
export function smallerFaults(faults: readonly Fault[]): readonly (readonly Fault[])[] {
  if (faults.length < 2) return [];
  return faults.map((_, at) => faults.filter((__, other) => other !== at));
}
