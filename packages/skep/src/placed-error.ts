/**
 * What the front door refuses, told with the places in the files that it came from.
 */
import { compareBy, compareText, SkepError } from '@skep/api';
import type { LoadedObject, PathStep, Place } from '@skep/manifest';
import type { AdmissionComplaint } from '@skep/orchestrator';

/** A complaint of the front door, with the place in the file where its object says so. */
export interface PlacedComplaint extends AdmissionComplaint {
  /** Absent for an object that is not in the files. */
  readonly place?: Place;
}

/**
 * The same error with a place in a file for every complaint, in the text and in
 * `details.complaints`, by path and line. Anything but a refusal of the
 * front door is given back as it is.
 */
export function placedError(error: SkepError, objects: readonly LoadedObject[]): SkepError {
  const { complaints } = error.details;
  if (!Array.isArray(complaints) || !complaints.every(isAdmissionComplaint)) return error;
  const placed = complaints.map((complaint) => withPlace(complaint, objects)).sort(inReadingOrder);
  return new SkepError(error.code, placed.map(describe).join('\n'), {
    details: { complaints: placed },
    cause: error,
  });
}

/** By path, line and column; what is in no file comes last. */
const inReadingOrder = compareBy<PlacedComplaint>(
  (a, b) => Number(a.place === undefined) - Number(b.place === undefined),
  (a, b) => compareText(a.place?.path ?? '', b.place?.path ?? ''),
  (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0),
  (a, b) => (a.place?.column ?? 0) - (b.place?.column ?? 0),
);

function isAdmissionComplaint(value: unknown): value is AdmissionComplaint {
  return typeof value === 'object' && value !== null && 'kind' in value && 'field' in value;
}

function withPlace(
  complaint: AdmissionComplaint,
  objects: readonly LoadedObject[],
): PlacedComplaint {
  const { kind, name, field } = complaint;
  const object = objects.find((candidate) => candidate.kind === kind && candidate.name === name);
  if (object === undefined) return complaint;
  const [root, ...steps] = stepsOf(field);
  const place = root === 'spec' ? object.locate(steps) : object.place;
  return { ...complaint, place };
}

/** `spec.ports[0].target` → `spec`, `ports`, 0, `target`. */
function stepsOf(field: string): readonly PathStep[] {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) =>
    index === undefined ? name : Number(index),
  );
}

/** `stack.yml:9:7: error: services.web.ports[0]: Service st_web: … (…) [already-exists]`. */
function describe({ place, code, kind, name, field, message, hint }: PlacedComplaint): string {
  const text = `${message} (${hint}) [${code}]`;
  if (place === undefined) return `${kind} ${name}: ${field === '' ? '' : `${field}: `}${text}`;
  const where = place.field === '' ? '' : `${place.field}: `;
  return `${place.path}:${place.line}:${place.column}: error: ${where}${kind} ${name}: ${text}`;
}
