/**
 * What runs the passes of a controller, in one of three forms.
 */

/** Keys after which a runner lets others have their turn. */
export const SLICE_KEYS = 1000;

/** Runs passes, always from `clock.defer`. */
export interface Runner {
  /** Says that there may be something to do. Cheap, and harmless when there is not. */
  wake(): void;
  /** Begins no further pass; resolves when those under way have ended. */
  stop(): Promise<void>;
}

/** Settings of a runner. */
export interface RunnerOptions {
  /** Keys after which it lets others have their turn. */
  readonly sliceKeys: number;
}
