/**
 * A task as it would be with a remedy.
 */
import type { GenericResource, Placement, ReservedResources, Task, TaskSpec } from '@skep/api';
import { hostPortKey } from '../task-claim.js';
import { mergePatch } from './merge-patch.js';
import type { Remedy } from './remedy.js';

/** The task with the remedy, or the task itself where the remedy does not change what it asks. */
export function changedTask(task: Task, remedy: Remedy): Task {
  switch (remedy.type) {
    case 'reservation':
      return withReservations(task, ({ [remedy.resource]: _, ...others }) => {
        return remedy.amount > 0 ? { ...others, [remedy.resource]: remedy.amount } : others;
      });
    case 'generic-reservation':
      return withReservations(task, ({ generic = [], ...others }) => {
        const rest: readonly GenericResource[] = generic.filter(({ kind }) => kind !== remedy.kind);
        const wanted = { kind: remedy.kind, count: remedy.count };
        return { ...others, generic: remedy.count > 0 ? [...rest, wanted] : rest };
      });
    case 'device-reservation':
      return withReservations(task, (reservations) => ({
        ...reservations,
        devices: (reservations.devices ?? []).flatMap((request) => {
          if (request.kind !== remedy.kind) return [request];
          return remedy.count > 0 ? [{ ...request, count: remedy.count }] : [];
        }),
      }));
    case 'without-mount':
      return withoutMount(task, remedy.target);
    case 'suggestion':
      return { ...task, spec: mergePatch(task.spec, remedy.suggestion.taskSpec ?? {}) as TaskSpec };
    default:
      return withPlacement(task, (placement) => changedPlacement(placement, remedy));
  }
}

function changedPlacement(placement: Placement, remedy: Remedy): Placement {
  switch (remedy.type) {
    case 'without-constraint': {
      const constraints = (placement.constraints ?? []).filter((one) => one !== remedy.constraint);
      return { ...placement, constraints };
    }
    case 'max-replicas':
      return { ...placement, maxReplicasPerNode: remedy.value };
    case 'with-platform':
      return { ...placement, platforms: [...(placement.platforms ?? []), remedy.platform] };
    case 'any-platform': {
      const { platforms: _, ...others } = placement;
      return others;
    }
    case 'with-toleration':
      return { ...placement, tolerations: [...(placement.tolerations ?? []), remedy.toleration] };
    case 'without-node-affinity': {
      const { required: _, ...affinity } = placement.nodeAffinity ?? {};
      return { ...placement, nodeAffinity: affinity };
    }
    case 'without-service-affinity': {
      const affinity = placement[remedy.rule] ?? {};
      const required = (affinity.required ?? []).filter(
        ({ service, topologyKey }) =>
          service !== remedy.service || topologyKey !== remedy.topologyKey,
      );
      return { ...placement, [remedy.rule]: { ...affinity, required } };
    }
    case 'max-skew':
      return {
        ...placement,
        topologySpread: (placement.topologySpread ?? []).map((spread) =>
          spread.topologyKey === remedy.topologyKey
            ? { ...spread, maxSkew: Math.max(spread.maxSkew, remedy.value) }
            : spread,
        ),
      };
    case 'without-topology-spread':
      return {
        ...placement,
        topologySpread: (placement.topologySpread ?? []).filter(
          ({ topologyKey }) => topologyKey !== remedy.topologyKey,
        ),
      };
    default:
      return placement;
  }
}

/** A task that holds a port as it would be without it. */
export function withoutPort(task: Task, port: string): Task {
  const { endpoint } = task.spec;
  const { reservedPorts } = task.status;
  const ports = endpoint?.ports?.filter(
    ({ protocol = 'tcp', publishedPort = 0, publishMode }) =>
      publishMode !== 'host' || hostPortKey({ protocol, publishedPort }) !== port,
  );
  return {
    ...task,
    spec: ports === undefined ? task.spec : { ...task.spec, endpoint: { ...endpoint, ports } },
    status:
      reservedPorts === undefined
        ? task.status
        : {
            ...task.status,
            reservedPorts: reservedPorts.filter((reserved) => hostPortKey(reserved) !== port),
          },
  };
}

function withPlacement(task: Task, change: (placement: Placement) => Placement): Task {
  const { template } = task.spec;
  const old = template.placement ?? {};
  const placement = change(old);
  if (placement === old) return task;
  return { ...task, spec: { ...task.spec, template: { ...template, placement } } };
}

function withReservations(
  task: Task,
  change: (reservations: ReservedResources) => ReservedResources,
): Task {
  const { template } = task.spec;
  const { resources } = template;
  const reservations = change(resources?.reservations ?? {});
  return {
    ...task,
    spec: { ...task.spec, template: { ...template, resources: { ...resources, reservations } } },
  };
}

function withoutMount(task: Task, target: string): Task {
  const { template } = task.spec;
  const { container } = template;
  if (container === undefined) return task;
  const mounts = container.mounts?.filter((mount) => mount.target !== target) ?? [];
  return {
    ...task,
    spec: { ...task.spec, template: { ...template, container: { ...container, mounts } } },
  };
}
