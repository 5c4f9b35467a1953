/**
 * What a manager tells, as a store of one's own that is only read: so everything that looks at a
 * view looks at a running cluster, too.
 */
import { SkepError, type AnyKind, type Clock, type Revision } from '@skep/api';
import type { CommitMessage, ControlClient, ObjectList } from '@skep/control';
import { openStore, type Backend, type CommitEvent, type CommitRecord } from '@skep/store';
import type { Store, View } from '@skep/store';

/** What following tells: everything as it is, then commit by commit. */
export type ReplicaMessage =
  | { readonly type: 'snapshot'; readonly view: View }
  | { readonly type: 'commit'; readonly commit: CommitEvent; readonly view: View };

/** Nothing is ever written here, so no time is ever asked for. */
const NO_CLOCK: Clock = Object.freeze({
  now: () => 0,
  schedule: () => ({ cancel: () => undefined }),
  defer: () => undefined,
});

/** A view of the objects as of their revision. The kinds are all those that views may ask for. */
export async function viewOf(list: ObjectList, kinds: readonly AnyKind[]): Promise<View> {
  return (await replicaOf(list, kinds)).store.view();
}

/** Asks for these kinds as of one revision. */
export async function look(client: ControlClient, kinds: readonly AnyKind[]): Promise<View> {
  return viewOf(await client.listAll(kinds), kinds);
}

/** Follows these kinds until the signal; a snapshot comes first, and again when one fell behind. */
export async function* followed(
  client: ControlClient,
  kinds: readonly AnyKind[],
  signal: AbortSignal,
): AsyncIterable<ReplicaMessage> {
  let replica: Replica | undefined;
  for await (const message of client.follow({ kinds, signal, withPrevious: true })) {
    if (message.type === 'snapshot') {
      replica = await replicaOf(message, kinds);
      yield { type: 'snapshot', view: replica.store.view() };
    } else if (replica !== undefined) {
      replica.take(message);
      yield { type: 'commit', commit: message, view: replica.store.view() };
    }
  }
}

interface Replica {
  readonly store: Store;
  take(commit: CommitMessage): void;
}

async function replicaOf(
  { revision, objects }: ObjectList,
  kinds: readonly AnyKind[],
): Promise<Replica> {
  let receive: (record: CommitRecord) => void = () => undefined;
  let last: Revision = revision;
  const backend: Backend = {
    load: () => Promise.resolve({ revision, objects, commits: [] }),
    subscribe: (listener) => {
      receive = listener;
      return { unsubscribe: () => undefined };
    },
    append: () => Promise.reject(readOnly()),
    compact: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const store = await openStore({ backend, kinds, clock: NO_CLOCK });
  return {
    store,
    take: ({ revision: next, actor, events }) => {
      // Commits about other kinds were not sent; a store knows no gaps.
      for (let gap = last + 1; gap < next; gap += 1) {
        receive({ revision: gap, actor: '', written: [], deleted: [] });
      }
      last = Math.max(last, next);
      const isGone = (type: string): boolean => type === 'deleted';
      receive({
        revision: next,
        actor,
        written: events.filter(({ type }) => !isGone(type)).map(({ object }) => object),
        deleted: events.flatMap(({ type, object }, at) =>
          isGone(type) ? [{ kind: object.kind, id: object.meta.id, at }] : [],
        ),
      });
    },
  };
}

function readOnly(): SkepError {
  return new SkepError('failed-precondition', 'this is a copy of what the manager holds');
}
