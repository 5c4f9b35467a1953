/**
 * The fields of the service that a rollout owns, in each of its phases. Pure.
 */
import { wantedReplicas } from '@skep/api';
import type { EndpointWeight, Service, Task } from '@skep/api';
import type { RolloutBasis, RolloutStep } from './kind.js';

/** What the weights depend on. */
export interface Generations {
  readonly tasks: readonly Task[];
  /** First generation whose tasks are new, and the one that the next write of the spec makes. */
  readonly first: number;
  readonly next: number;
}

/**
 * Weights by generation so that exactly `percent` of new connections go to `step.tasks` new tasks
 * beside `replicas` old ones. The next generation is among the new ones: tasks that are restarted
 * after the write are made from it.
 */
export function stepWeights(
  step: RolloutStep,
  replicas: number,
  generations: Generations,
): readonly EndpointWeight[] {
  const forNew = step.percent * Math.max(1, replicas);
  const forOld = (100 - step.percent) * step.tasks;
  const divisor = Math.max(1, greatestDivisor(forNew, forOld));
  return [
    ...oldVersions(generations).map((specVersion) => ({ specVersion, weight: forOld / divisor })),
    ...newVersions(generations).map((specVersion) => ({ specVersion, weight: forNew / divisor })),
  ];
}

/** The fields of the service that a rollout owns while it goes on, and nothing else of it. */
export interface RolloutFields {
  readonly mode: { readonly type: 'replicated'; readonly replicas: number };
  readonly task: { readonly container: { readonly image: string } };
  readonly endpoint: { readonly weights: readonly EndpointWeight[] };
  readonly update?: { readonly isHeld: true };
}

/**
 * A step: its new tasks in slots of their own beside the old ones, and the share of the traffic.
 * Updates are held, so that no old task is replaced.
 */
export function stepFields(
  service: Service,
  basis: RolloutBasis,
  facts: { readonly step: RolloutStep; readonly tasks: readonly Task[] },
): RolloutFields {
  const { step, tasks } = facts;
  const replicas = wantedReplicas(basis.stable) ?? 0;
  const next = service.meta.generation + 1;
  const weights = stepWeights(step, replicas, { tasks, first: basis.firstGeneration, next });
  return { ...fields(basis, replicas + step.tasks, weights), update: { isHeld: true } };
}

/** Updates go on: the old tasks are replaced. The weights of the last step stay until then. */
export function promotedFields(service: Service, basis: RolloutBasis): RolloutFields {
  const { spec, meta } = service;
  const last = spec.endpoint?.weights ?? [];
  const weightOfNew = last.findLast(({ specVersion = 0 }) => specVersion >= basis.firstGeneration);
  const { weight } = weightOfNew ?? { weight: 1 };
  const [present, next] = [meta.generation, meta.generation + 1];
  const known = new Set(last.map(({ specVersion }) => specVersion));
  const more = [present, next].filter((version) => !known.has(version));
  const weights = [...last, ...more.map((specVersion) => ({ specVersion, weight }))];
  return fields(basis, wantedReplicas(spec) ?? 0, weights);
}

/** No connections for any task of the new generations. */
export function zeroWeights({ meta }: Service, basis: RolloutBasis): readonly EndpointWeight[] {
  const news = newVersions({ tasks: [], first: basis.firstGeneration, next: meta.generation });
  return news.map((specVersion) => ({ specVersion, weight: 0 }));
}

/**
 * Whether the service has weights for tasks of its present generation: somebody may have changed
 * other fields of it since the rollout wrote it.
 */
export function hasWeights({ spec, meta }: Service): boolean {
  const weights = spec.endpoint?.weights ?? [];
  return weights.some(({ specVersion }) => specVersion === meta.generation);
}

function fields(
  { image }: RolloutBasis,
  replicas: number,
  weights: readonly EndpointWeight[],
): RolloutFields {
  return {
    mode: { type: 'replicated', replicas },
    task: { container: { image } },
    endpoint: { weights },
  };
}

function oldVersions({ tasks, first }: Generations): readonly number[] {
  const versions = tasks.map(({ spec }) => spec.specVersion ?? 0);
  return [...new Set(versions.filter((version) => version < first))].sort((a, b) => a - b);
}

function newVersions({ first, next }: Generations): readonly number[] {
  return Array.from({ length: Math.max(0, next - first + 1) }, (_, index) => first + index);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
