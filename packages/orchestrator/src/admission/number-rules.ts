/**
 * Rules about numbers that many fields share.
 */
import type { Objections } from './complaint.js';

/** A number that a rule looks at; undefined was not set and is never wrong. */
export interface NumberField {
  readonly field: string;
  readonly value: number | undefined;
  /** What the number is, for the message: `the delay`. */
  readonly noun: string;
}

/** Not negative, finite; a duration or a ratio. */
export function requireNotNegative(to: Objections, { field, value, noun }: NumberField): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  to.add(field, { message: `${noun} is ${value}`, hint: 'write 0 or more' });
}

/** A whole number of at least 0: a count. */
export function requireCount(to: Objections, { field, value, noun }: NumberField): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  to.add(field, { message: `${noun} is ${value}`, hint: 'write a whole number, 0 or more' });
}

/** A whole number in a range, both ends included. */
export function requireWithin(
  to: Objections,
  { field, value, noun }: NumberField,
  range: { readonly least: number; readonly most: number },
): void {
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && value >= range.least && value <= range.most) return;
  const hint = `write a whole number from ${range.least} to ${range.most}`;
  to.add(field, { message: `${noun} is ${value}`, hint });
}
