/**
 * Commits as an rxjs Observable.
 */
import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import type { Revision } from '@skep/api';
import { isClosing } from './closing.js';
import type { CommitEvent, Store, WatchSelector } from './contract.js';

type CommitObserver = Partial<Observer<CommitEvent>>;

/**
 * Commits after a revision, or from each subscription on. Delivered by `store.subscribe`, so after
 * the commit and never re-entrantly.
 */
export function commitObservable(
  store: Pick<Store, 'subscribe'>,
  selector: WatchSelector | undefined,
  fromRevision: Revision | undefined,
): Observable<CommitEvent> {
  return new GuardedObservable((subscriber) => {
    const subscription = store.subscribe(
      {
        commit: (event) => {
          subscriber.next(event);
        },
        ended: (reason) => {
          if (isClosing(reason)) subscriber.complete();
          else subscriber.error(reason);
        },
      },
      {
        ...(selector === undefined ? {} : { selector }),
        ...(fromRevision === undefined ? {} : { fromRevision }),
      },
    );
    return () => {
      subscription.unsubscribe();
    };
  });
}

/**
 * An observable whose observer may throw: rxjs would throw it again from a timer, where it takes
 * the process down; here it ends the subscription and goes to the observer's own `error`, if it has
 * one. Behind operators it is rxjs's: what an operator throws goes to `error`, what the last
 * observer throws does not.
 */
class GuardedObservable extends Observable<CommitEvent> {
  override subscribe(
    observerOrNext?: CommitObserver | ((value: CommitEvent) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer: CommitObserver =
      typeof observerOrNext === 'function'
        ? { next: observerOrNext, ...(error ? { error } : {}), ...(complete ? { complete } : {}) }
        : (observerOrNext ?? {});
    const report = observer.error?.bind(observer);
    const subscription = super.subscribe({
      next: (value) => {
        try {
          observer.next?.(value);
        } catch (thrown) {
          // Never called from inside `subscribe`, so there is a subscription to end.
          subscription.unsubscribe();
          if (report === undefined) throw thrown;
          report(thrown);
        }
      },
      complete: () => {
        observer.complete?.();
      },
      ...(report === undefined ? {} : { error: report }),
    });
    return subscription;
  }
}
