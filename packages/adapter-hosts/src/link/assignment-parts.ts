/**
 * Assignments in parts: one may be of any size, a frame may not.
 */
import {
  ASSIGNMENT_KINDS,
  SkepError,
  type Assignment,
  type AssignmentItem,
  type AssignmentRemoval,
} from '@skep/api';
import { FRAME_BYTES_MAX } from './frame.js';

/** A part ends when it has this many characters of JSON. Larger: fewer frames, longer turns. */
const PART_LENGTH = 256 << 10;
/** Room for what surrounds the items of a part. */
const MARGIN_BYTES = 64 << 10;
/** Most bytes that are gathered for one assignment. */
const ASSIGNMENT_BYTES_MAX = 256 << 20;

/** A part on the wire; all but the last are partial. */
export interface AssignmentPart {
  readonly assignment: Assignment;
  readonly isPartial?: true;
}

/**
 * The parts of an assignment, in order: those of a small one are one.
 * @throws resource-exhausted when an item fits no frame (details: its kind and key), or all of them
 * are more than 256 MiB. Cost: O(bytes), as each item is measured.
 */
export function splitAssignment(assignment: Assignment): readonly AssignmentPart[] {
  const { upserts, removals, ...head } = assignment;
  const parts: { upserts: AssignmentItem[]; removals: AssignmentRemoval[] }[] = [];
  let part: (typeof parts)[number] = { upserts: [], removals: [] };
  let length = 0;
  let total = 0;
  const place = (size: number): typeof part => {
    total += size;
    if (total > ASSIGNMENT_BYTES_MAX) throw tooLong();
    if (length > 0 && length + size > PART_LENGTH) {
      parts.push(part);
      part = { upserts: [], removals: [] };
      length = 0;
    }
    length += size;
    return part;
  };
  for (const item of upserts) place(measure(item)).upserts.push(item);
  for (const removal of removals) place(measure(removal)).removals.push(removal);
  parts.push(part);
  return parts.map((one, index) => ({
    assignment: { ...head, ...one },
    ...(index < parts.length - 1 ? { isPartial: true } : {}),
  }));
}

function tooLong(): SkepError {
  const bytesMax = ASSIGNMENT_BYTES_MAX;
  const text = `an assignment has more than ${bytesMax} bytes: the node has too much to know`;
  return new SkepError('resource-exhausted', text, { details: { bytesMax } });
}

function measure(item: AssignmentItem | AssignmentRemoval): number {
  const text = JSON.stringify(item);
  const bytesMax = FRAME_BYTES_MAX - MARGIN_BYTES;
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text.length;
  const { kind, key } = item;
  const bytes = Buffer.byteLength(text);
  throw new SkepError(
    'resource-exhausted',
    `${kind} ${key} takes ${bytes} bytes: no node can be sent more than ${bytesMax} for one item`,
    { details: { kind, key, bytes, bytesMax } },
  );
}

/** Puts parts together again. */
export class AssignmentParts {
  #head: Assignment | undefined;
  #upserts: AssignmentItem[] = [];
  #removals: AssignmentRemoval[] = [];
  #bytes = 0;

  /**
   * Takes the next part; returns the assignment when it was the last.
   * @throws invalid-argument for what is no part of the same assignment, resource-exhausted for
   * more than twice 256 MiB.
   */
  take(part: { readonly [name: string]: unknown }, bytes: number): Assignment | undefined {
    const assignment = checkAssignment(part['assignment']);
    this.#bytes += bytes;
    // Room for what surrounds the items of each part.
    if (this.#bytes > 2 * ASSIGNMENT_BYTES_MAX) throw tooLong();
    if (part['isPartial'] !== true && this.#head === undefined) {
      this.#bytes = 0;
      return assignment;
    }
    this.#head ??= assignment;
    const { type, revision, appliesTo } = assignment;
    const head = this.#head;
    if (type !== head.type || revision !== head.revision || appliesTo !== head.appliesTo) {
      throw invalid('parts of two assignments are mixed');
    }
    for (const item of assignment.upserts) this.#upserts.push(item);
    for (const removal of assignment.removals) this.#removals.push(removal);
    if (part['isPartial'] === true) return undefined;
    const whole = { ...head, upserts: this.#upserts, removals: this.#removals };
    this.#head = undefined;
    this.#upserts = [];
    this.#removals = [];
    this.#bytes = 0;
    return whole;
  }
}

function checkAssignment(value: unknown): Assignment {
  const { type, revision, appliesTo, upserts, removals } = (value ?? {}) as Record<string, unknown>;
  const isHeaded =
    (type === 'complete' || type === 'incremental') &&
    Number.isSafeInteger(revision) &&
    (appliesTo === undefined || Number.isSafeInteger(appliesTo));
  if (!isHeaded || !Array.isArray(upserts) || !Array.isArray(removals)) {
    throw invalid('an assignment needs type, revision, upserts and removals');
  }
  if (!upserts.every(isItem) || !removals.every(isNamed)) {
    throw invalid('an item of an assignment needs a kind, a key and a value');
  }
  return value as Assignment;
}

function isNamed(value: unknown): boolean {
  const { kind, key } = (value ?? {}) as Record<string, unknown>;
  return (ASSIGNMENT_KINDS as readonly unknown[]).includes(kind) && typeof key === 'string';
}

function isItem(value: unknown): boolean {
  const item = (value as { readonly value?: unknown } | null)?.value;
  return isNamed(value) && typeof item === 'object' && item !== null;
}

function invalid(message: string): SkepError {
  return new SkepError('invalid-argument', message);
}
