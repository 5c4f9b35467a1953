import { describe, expect, it } from '@jest/globals';
import {
  balancedPolicy,
  bestFitPolicy,
  dotProductPolicy,
  fgdPolicy,
  gpuClusteringPolicy,
  gpuPackingPolicy,
  kubernetesPolicy,
  leastAllocatedPolicy,
  mostAllocatedPolicy,
  randomPolicy,
  typicalTasks,
  type Policy,
} from '@skep/scheduler';
import { service, tasksOf } from '../build/service.js';
import type { PolicyLawName } from './law.js';
import { policyLaws, POLICY_LAWS } from './policy-laws.js';

/** More runs by `LAW_RUNS=2000`; another seed by `LAW_SEED`. */
const RUNS = Number(process.env['LAW_RUNS'] ?? 12);
const SEED = Number(process.env['LAW_SEED'] ?? 7);

describe('the laws of placement', () => {
  const workload = typicalTasks(
    [service('share', { replicas: 3, gpus: 0.5 }), service('whole', { gpus: 1 })].flatMap(tasksOf),
  );
  const policies: readonly (readonly [Policy, readonly PolicyLawName[]])[] = [
    [leastAllocatedPolicy(), []],
    [mostAllocatedPolicy(), []],
    [balancedPolicy(), []],
    [kubernetesPolicy(), []],
    [dotProductPolicy(), []],
    [bestFitPolicy(), []],
    [gpuPackingPolicy(), []],
    [gpuClusteringPolicy(), []],
    [fgdPolicy({ workload }), []],
    // Draws from the seed, the names, and what was there when the group began.
    [randomPolicy({ seed: 1 }), ['names', 'batch', 'again']],
  ];
  it.each(policies.map(([policy, except]) => [policy.name, policy, except] as const))(
    'hold for %s',
    (_name, policy, except) => {
      const { laws } = policyLaws(policy, { runs: RUNS, seed: SEED, except });
      expect(laws).toHaveLength(POLICY_LAWS.length - except.length);
    },
  );
});
