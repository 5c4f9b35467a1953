/**
 * Why the front door refused something, for the status of an object.
 */
import type { AdmissionComplaint } from '@skep/orchestrator';

/** `spec.task.container.image: what is wrong; what would be right`. */
export function faultText({ field, message, hint }: AdmissionComplaint): string {
  return `${field}: ${message}; ${hint}`;
}
