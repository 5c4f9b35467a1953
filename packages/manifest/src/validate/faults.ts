/**
 * Faults of a spec, before they have a place in a file.
 */
import type { ComplaintCode, PathStep } from '../complaint.js';

/** Something the manager would refuse (`error`) or that will not work as meant (`warning`). */
export interface SpecFault {
  readonly severity: 'error' | 'warning';
  readonly code: ComplaintCode;
  /** Field of the spec; [] is the object itself. */
  readonly steps: readonly PathStep[];
  readonly message: string;
  readonly hint?: string;
}

/** An error of a spec. */
export function fault(
  code: ComplaintCode,
  steps: readonly PathStep[],
  message: string,
  hint?: string,
): SpecFault {
  return { severity: 'error', code, steps, message, ...(hint === undefined ? {} : { hint }) };
}

const DNS_NAME = /^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$/;
const FILE_NAME = /^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/;

/**
 * Faults of the name of a service or network: a component of a DNS name, at most 63 characters.
 * **Source:** SwarmKit manager/controlapi/common.go.
 */
export function dnsNameFaults(name: string): readonly SpecFault[] {
  if (name.length > 63) {
    const message = `the name '${name}' has ${name.length} characters; at most 63 are allowed`;
    return [fault('invalid-name', [], message, 'shorten the name, or that of the stack')];
  }
  if (DNS_NAME.test(name)) return [];
  const hint = 'begin with a letter or digit; use letters, digits, - and _';
  return [fault('invalid-name', [], `'${name}' is not a name that DNS can carry`, hint)];
}

/**
 * Faults of the name of a secret or config: at most 64 characters, dots allowed.
 * **Source:** SwarmKit manager/controlapi/common.go.
 */
export function fileNameFaults(name: string): readonly SpecFault[] {
  if (name.length <= 64 && FILE_NAME.test(name)) return [];
  const hint = 'use letters, digits, - _ and . (64 at most), letters or digits at both ends';
  return [fault('invalid-name', [], `'${name}' is not a name for a secret or config`, hint)];
}
