/**
 * Judges objects as a manager does, with complaints at their places in the files.
 */
import {
  SkepError,
  type AnyKind,
  type ClusterSpec,
  type ConfigSpec,
  type NetworkSpec,
  type SecretSpec,
  type ServiceSpec,
} from '@skep/api';
import type { ComplaintCollector } from '../complaint.js';
import type { LoadedObject } from '../manifest/objects.js';
import type { SpecFault } from './faults.js';
import { issueFaults } from './issue-faults.js';
import { clusterFaults, configFaults, networkFaults, secretFaults } from './object-faults.js';
import { serviceFaults } from './service-faults.js';

/**
 * The spec of an object, checked by the schema of its kind (which may fill in defaults); undefined
 * after a complaint. Objects of kinds without a schema pass.
 * @throws invalid-argument when the schema of a custom kind validates asynchronously.
 */
export function checkForm(
  object: LoadedObject,
  kind: AnyKind,
  complaints: ComplaintCollector,
): unknown {
  if (kind.schema === undefined) return object.spec;
  const result = kind.schema['~standard'].validate(object.spec);
  if (result instanceof Promise) {
    throw new SkepError('invalid-argument', `the schema of the kind ${kind.name} is asynchronous`, {
      details: { kind: kind.name },
    });
  }
  if (result.issues === undefined) return result.value;
  report(object, issueFaults(result.issues, kind.schema, object.spec), complaints);
  return undefined;
}

/** Complains about what a manager would refuse in an object whose form is right. */
export function judgeObject(object: LoadedObject, complaints: ComplaintCollector): void {
  report(object, faultsOf(object), complaints);
}

// The kind's name says which type the spec has; its form was checked before.
function faultsOf({ kind, name, spec }: LoadedObject): readonly SpecFault[] {
  switch (kind) {
    case 'Service':
      return serviceFaults(name, spec as ServiceSpec);
    case 'Network':
      return networkFaults(name, spec as NetworkSpec);
    case 'Secret':
      return secretFaults(name, spec as SecretSpec);
    case 'Config':
      return configFaults(name, spec as ConfigSpec);
    case 'Cluster':
      return clusterFaults(spec as ClusterSpec);
    default:
      return [];
  }
}

function report(
  object: LoadedObject,
  faults: readonly SpecFault[],
  complaints: ComplaintCollector,
): void {
  for (const { severity, code, steps, message, hint } of faults) {
    const part = code === 'unknown-field' ? 'key' : 'value';
    const place = steps.length === 0 ? object.place : object.locate(steps, part);
    complaints.add(severity, code, place, message, hint);
  }
}
