/**
 * Objects that were read from files, with the places of their fields.
 */
import type { PathStep, Place } from '../complaint.js';
import type { DeclaredObject } from '../docker-api/codec.js';

/** An object from a file. */
export interface LoadedObject<Kind extends string = string, Spec = unknown> extends DeclaredObject<
  Kind,
  Spec
> {
  /** Where the object begins. */
  readonly place: Place;
  /**
   * The place of a field of the spec (`['task', 'networks', 0]`), or of the nearest part above it
   * that was written: of its value, or of its key where that can be told apart.
   */
  readonly locate: (steps: readonly PathStep[], part?: 'value' | 'key') => Place;
}
