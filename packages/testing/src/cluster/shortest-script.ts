/**
 * Makes a script that broke a law shorter, for people.
 */
import type { ServiceSpec } from '@skep/api';
import type { ClusterScript, Step } from './step.js';

/** Most runs that are spent on it. */
const RUNS_MAX = 400;

/**
 * The shortest script that can be found for which `isBroken` still holds: leaves steps out, in
 * halves first, then one by one; then simplifies the steps that are left. Cost: at most 400 runs.
 */
export async function shortestScript(
  script: ClusterScript,
  isBroken: (script: ClusterScript) => Promise<boolean>,
): Promise<ClusterScript> {
  let runs = 0;
  let best = script;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const next = { ...best, steps };
    if (!(await isBroken(next))) return false;
    best = next;
    return true;
  };
  for (let length = script.steps.length >> 1; length >= 1; length >>= 1) {
    await leaveOut(() => best.steps, length, attempt);
  }
  for (let index = 0; index < best.steps.length; index += 1) {
    await simplify(() => best.steps, index, attempt);
  }
  await leaveOut(() => best.steps, 1, attempt);
  return best;
}

type Attempt = (steps: readonly Step[]) => Promise<boolean>;

/** Leaves out every run of so many steps that is not needed, from the last to the first. */
async function leaveOut(
  steps: () => readonly Step[],
  length: number,
  attempt: Attempt,
): Promise<void> {
  for (let at = steps().length - length; at >= 0; at -= length) {
    await attempt([...steps().slice(0, at), ...steps().slice(at + length)]);
  }
}

/** Replaces a step by simpler ones as long as one of them does. */
async function simplify(
  steps: () => readonly Step[],
  index: number,
  attempt: Attempt,
): Promise<void> {
  const tried = new Set<string>();
  for (;;) {
    const step = steps()[index];
    if (step === undefined) return;
    const candidates = simpler(step).filter((next) => !tried.has(JSON.stringify(next)));
    let isSimpler = false;
    for (const next of candidates) {
      tried.add(JSON.stringify(next));
      isSimpler = await attempt([...steps().slice(0, index), next, ...steps().slice(index + 1)]);
      if (isSimpler) break;
    }
    if (!isSimpler) return;
  }
}

/** Simpler forms of a step, the simplest first. */
function simpler(step: Step): readonly Step[] {
  if (step.type === 'apply') return simplerSpecs(step.spec).map((spec) => ({ ...step, spec }));
  if (step.type === 'wait' && step.ms > 0) {
    return [0, step.ms >> 1, Math.floor(step.ms / 100) * 100]
      .filter((ms) => ms < step.ms)
      .map((ms) => ({ ...step, ms }));
  }
  if (step.type === 'scale' && step.replicas > 1) return [{ ...step, replicas: 1 }];
  if (step.type === 'crash' && step.index > 0) return [{ ...step, index: 0 }];
  return [];
}

function simplerSpecs(spec: ServiceSpec): readonly ServiceSpec[] {
  const { update: _, ...withoutUpdate } = spec;
  const { endpoint: __, ...withoutEndpoint } = spec;
  const specs: ServiceSpec[] = [];
  if (spec.update !== undefined) specs.push(withoutUpdate);
  if (spec.endpoint !== undefined) specs.push(withoutEndpoint);
  const fields = ['networks', 'restartPolicy', 'resources', 'placement'] as const;
  for (const field of fields) {
    if (spec.task[field] === undefined) continue;
    const task = Object.fromEntries(Object.entries(spec.task).filter(([name]) => name !== field));
    specs.push({ ...spec, task });
  }
  const networks = spec.task.networks ?? [];
  if (networks.length > 1) {
    for (const target of networks) {
      specs.push({ ...spec, task: { ...spec.task, networks: [target] } });
    }
  }
  const { mode } = spec;
  if (mode?.type === 'replicated' && (mode.replicas ?? 1) > 1) {
    specs.push({ ...spec, mode: { ...mode, replicas: 1 } });
  }
  return specs;
}
