/**
 * The service in each phase of a rollout. Pure.
 */
import { wantedReplicas, withSpec, withStatus } from '@skep/api';
import type { EndpointWeight, Service, ServiceSpec, Task, Timestamp } from '@skep/api';
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

/**
 * The service with the new tasks of a step in slots of their own. The rolling update of this
 * generation is paused before it begins, so that no old task is replaced.
 */
export function serviceInStep(
  service: Service,
  basis: RolloutBasis,
  facts: {
    readonly step: RolloutStep;
    readonly tasks: readonly Task[];
    readonly now: Timestamp;
  },
): Service {
  const { step, tasks, now } = facts;
  const replicas = wantedReplicas(basis.stable) ?? 0;
  const next = service.meta.generation + 1;
  const generations = { tasks, first: basis.firstGeneration, next };
  const spec = withWeights(
    { ...withImage(basis), mode: { type: 'replicated', replicas: replicas + step.tasks } },
    stepWeights(step, replicas, generations),
  );
  const update = {
    state: 'paused',
    startedAt: now,
    message: 'held by a rollout',
    specVersion: next,
    dirtySlots: 0,
    failedTasks: [],
  } as const;
  return withStatus(withSpec(service, spec), { ...service.status, update });
}

/** The spec whose update replaces the old tasks; the weights of the last step stay until then. */
export function promotedSpec(service: Service, basis: RolloutBasis): ServiceSpec {
  const last = service.spec.endpoint?.weights ?? [];
  const weightOfNew = last.findLast(({ specVersion = 0 }) => specVersion >= basis.firstGeneration);
  const next = { specVersion: service.meta.generation + 1, weight: weightOfNew?.weight ?? 1 };
  const { mode = { type: 'replicated' } } = service.spec;
  return withWeights({ ...withImage(basis), mode }, [...last, next]);
}

/** The spec that goes back; tasks of the new generations get no more connections. */
export function abortedSpec(service: Service, basis: RolloutBasis): ServiceSpec {
  const { generation } = service.meta;
  const news = newVersions({ tasks: [], first: basis.firstGeneration, next: generation });
  return withWeights(
    basis.stable,
    news.map((specVersion) => ({ specVersion, weight: 0 })),
  );
}

/** The spec as it was before, with the new image. */
export function withImage({ stable, image }: RolloutBasis): ServiceSpec {
  const container = { ...stable.task.container, image };
  return { ...stable, task: { ...stable.task, container } };
}

function withWeights(spec: ServiceSpec, weights: readonly EndpointWeight[]): ServiceSpec {
  return { ...spec, endpoint: { ...spec.endpoint, weights } };
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
