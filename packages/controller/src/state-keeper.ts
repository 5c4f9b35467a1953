/**
 * Keeps a controller's memory in step with the commits it is told of.
 */
import { messageOf } from '@skep/api';
import type { CommitEvent, View } from '@skep/store';
import type { ControllerState } from './contract.js';

/**
 * Calls `rebuild` and `observe`, and knows whether the memory can be trusted. When one of them
 * throws, the memory is stale: it follows nothing until a `rebuild` goes through.
 */
export class StateKeeper {
  readonly #state: ControllerState;
  #isFresh = false;
  #attempts = 0;
  #error: string | undefined;

  constructor(state: ControllerState) {
    this.#state = state;
  }

  /** Whether the memory can be trusted. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** Rebuilds in a row that failed. */
  get attempts(): number {
    return this.#attempts;
  }

  /** What was thrown last. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Follows one commit; false when that failed. */
  observe(event: CommitEvent, view: View): boolean {
    if (!this.#isFresh) return true;
    return this.#try(() => this.#state.observe(event.events, view));
  }

  /** Starts again from a view; false when that failed. */
  rebuild(view: View): boolean {
    this.#isFresh = true;
    return this.#try(() => this.#state.rebuild(view));
  }

  #try(run: () => void): boolean {
    try {
      run();
      this.#attempts = 0;
      return true;
    } catch (error) {
      this.#isFresh = false;
      this.#attempts += 1;
      this.#error = messageOf(error);
      return false;
    }
  }
}
