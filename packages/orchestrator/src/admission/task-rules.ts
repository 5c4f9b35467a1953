/**
 * What tasks are given and where they may run.
 *
 * **Source:** SwarmKit manager/controlapi/service.go (validateResources, validatePlacement) and
 * api/genericresource/validate.go, whose errors Swarm swallows (defect 14).
 */
import {
  messageOf,
  parseConstraint,
  type GenericResource,
  type Placement,
  type ResourceRequirements,
} from '@skep/api';
import type { Objections } from './complaint.js';
import { requireCount } from './number-rules.js';

/** The least that may be asked for: a thousandth of a core, and 4 MiB. */
export const RESOURCES_MIN = Object.freeze({ cpuNanos: 1_000_000, memoryBytes: 4 * 1024 * 1024 });

/** Judges `spec.task.resources`. */
export function judgeResources(to: Objections, resources: ResourceRequirements | undefined): void {
  if (resources === undefined) return;
  const field = 'spec.task.resources';
  for (const part of ['limits', 'reservations'] as const) {
    judgeAmounts(to, `${field}.${part}`, resources[part]);
  }
  const { limits, reservations } = resources;
  requireCount(to, { field: `${field}.limits.pids`, value: limits?.pids, noun: 'the number' });
  judgeGeneric(to, `${field}.reservations.generic`, reservations?.generic ?? []);
}

function judgeAmounts(
  to: Objections,
  field: string,
  amounts: { readonly cpuNanos?: number; readonly memoryBytes?: number } | undefined,
): void {
  const cpu = amounts?.cpuNanos ?? 0;
  to.require(cpu === 0 || cpu >= RESOURCES_MIN.cpuNanos, `${field}.cpuNanos`, {
    message: `${cpu / 1e9} cores are too few`,
    hint: 'write at least 0.001 cores, which is 1000000',
  });
  const memory = amounts?.memoryBytes ?? 0;
  to.require(memory === 0 || memory >= RESOURCES_MIN.memoryBytes, `${field}.memoryBytes`, {
    message: `${memory} bytes of memory are too few`,
    hint: 'write at least 4 MiB, which is 4194304',
  });
}

function judgeGeneric(to: Objections, field: string, resources: readonly GenericResource[]): void {
  const kinds = new Set<string>();
  for (const [index, resource] of resources.entries()) {
    const where = `${field}[${index}]`;
    const { kind } = resource;
    to.require(kind !== '', `${where}.kind`, {
      message: 'a generic resource has no kind',
      hint: 'name its kind, as the nodes do',
    });
    to.require(!kinds.has(kind), `${where}.kind`, {
      message: `the generic resource '${kind}' is reserved twice`,
      hint: 'reserve each kind once',
    });
    kinds.add(kind);
    if ('ids' in resource) {
      to.add(where, {
        message: `items of '${kind}' are reserved by name`,
        hint: 'reserve a count; the scheduler chooses the items',
      });
      continue;
    }
    to.require(Number.isSafeInteger(resource.count) && resource.count > 0, `${where}.count`, {
      message: `${resource.count} of '${kind}' are reserved`,
      hint: 'write a whole number above 0',
    });
  }
}

/** Judges `spec.task.placement`; every constraint that is wrong is named. */
export function judgePlacement(to: Objections, placement: Placement | undefined): void {
  if (placement === undefined) return;
  const field = 'spec.task.placement';
  for (const [index, text] of (placement.constraints ?? []).entries()) {
    try {
      parseConstraint(text);
    } catch (fault) {
      to.add(`${field}.constraints[${index}]`, {
        message: messageOf(fault),
        hint: 'write KEY == VALUE or KEY != VALUE',
      });
    }
  }
  requireCount(to, {
    field: `${field}.maxReplicasPerNode`,
    value: placement.maxReplicasPerNode,
    noun: 'the most per node',
  });
}
