/**
 * Things with a life, started one after the other and stopped in reverse.
 *
 * Not left to the container: its deactivation runs in bind order, so that a thing could be closed
 * before its user.
 */
import type { Runnable } from '@skep/api';

/** A stack of what runs. */
export class RunnableStack {
  readonly #running: Runnable[] = [];

  /** Starts it and keeps it; what cannot start is not kept, and what ran before goes on. */
  async start(runnable: Runnable): Promise<void> {
    await runnable.start();
    this.#running.push(runnable);
  }

  /**
   * Stops everything, newest first. One that fails does not keep the others from being stopped.
   * @throws the first failure, when all are stopped.
   */
  async stop(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const runnable of this.#running.splice(0).reverse()) {
      try {
        await runnable.stop();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
