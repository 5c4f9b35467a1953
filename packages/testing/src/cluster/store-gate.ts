/**
 * A store as one process sees it: every commit is looked at, and the process can be cut off.
 */
import { SkepError, type Revision } from '@skep/api';
import type { CommitEvent, Store, View } from '@skep/store';
import type { Observable } from 'rxjs';

/** Whose commit it was. */
export interface WrittenCommit {
  readonly revision: Revision;
  readonly actor: string;
  /** Name of the manager, or `user`. */
  readonly writer: string;
}

/**
 * What is done after each commit, before anybody else hears of it. `commit` is told where there are
 * several managers.
 */
export type CommitListener = (view: View, commit?: WrittenCommit) => void;

/**
 * Passes everything on to a store until it is shut, and then nothing: commits fail, watches fall
 * silent. What a process had not committed when it died is lost, as it is with a real one.
 */
export class StoreGate implements Store {
  readonly #inner: Store;
  readonly #committed: CommitListener;
  readonly #watches = new Set<{ unsubscribe(): void }>();
  #isShut = false;

  constructor(inner: Store, committed: CommitListener = () => undefined) {
    this.#inner = inner;
    this.#committed = committed;
  }

  get kinds(): Store['kinds'] {
    return this.#inner.kinds;
  }

  get isShut(): boolean {
    return this.#isShut;
  }

  /** Cuts the process off. */
  shut(): void {
    this.#isShut = true;
    for (const watch of this.#watches) watch.unsubscribe();
    this.#watches.clear();
  }

  view(): View {
    return this.#inner.view();
  }

  async commit(transaction: Parameters<Store['commit']>[0]): ReturnType<Store['commit']> {
    this.#check();
    // A memory store commits within the call, so this sees each revision by itself.
    const outcome = this.#inner.commit(transaction);
    this.#committed(this.#inner.view());
    return outcome;
  }

  async batch(transaction: Parameters<Store['batch']>[0]): ReturnType<Store['batch']> {
    this.#check();
    const outcome = await this.#inner.batch(transaction);
    this.#committed(this.#inner.view());
    return outcome;
  }

  watch(...input: Parameters<Store['watch']>): Observable<CommitEvent> {
    return this.#inner.watch(...input);
  }

  watchAsync(...input: Parameters<Store['watchAsync']>): AsyncIterable<CommitEvent> {
    return this.#inner.watchAsync(...input);
  }

  subscribe(...input: Parameters<Store['subscribe']>): { unsubscribe(): void } {
    this.#check();
    const watch = this.#inner.subscribe(...input);
    this.#watches.add(watch);
    return {
      unsubscribe: () => {
        this.#watches.delete(watch);
        watch.unsubscribe();
      },
    };
  }

  waitFor(revision: number): Promise<void> {
    return this.#inner.waitFor(revision);
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #check(): void {
    if (this.#isShut) throw new SkepError('unavailable', 'the process was cut off from its store');
  }
}
