/**
 * Changes that say why they are made.
 */
import type { ObjectId } from '@skep/api';
import type { Change } from '@skep/store';

/** Identity of an object for owner references and maps. */
export interface ObjectKey {
  readonly kind: string;
  readonly id: ObjectId;
}

/** The object that a change follows from. */
export interface ChangeCause extends ObjectKey {
  /** Its newest change of this field is meant: `spec`, `status.state`. Default: of any. */
  readonly field?: string;
}

/** Why a writer makes a change, for the reconcile trace. */
export interface ChangeReason {
  /** What the writer calls it: `scale-up`, `restart`. Constant; no ids, no numbers. */
  readonly rule: string;
  /** Default: the newest event that woke the key. */
  readonly cause?: ChangeCause;
}

/** A change, and if its writer wants to say so, why it is made. The store does not look at that. */
export type PlannedChange = Change & Partial<ChangeReason>;
