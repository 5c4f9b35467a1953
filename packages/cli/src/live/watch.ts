/**
 * `skep watch`: what happens in a running cluster, commit by commit.
 */
import { Network, Node, Service, Task, type AnyKind, type Timestamp } from '@skep/api';
import type { CommitEvent, View } from '@skep/store';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { chronicleOf, type ChronicleLine } from '../views/chronicle.js';
import { withCluster, type ClusterChoice } from './connection.js';
import { displayName } from './references.js';
import { followed } from './replica.js';

/** Options of `skep watch`. */
export interface WatchCommandOptions extends ClusterChoice {
  readonly output?: 'text' | 'json';
}

/** Kinds that a chronicle has words for. */
const TOLD: readonly AnyKind[] = Object.freeze([Service, Task, Node, Network]);

/** Tells what happens from now on, until the user has enough. Default: what people declare. */
export function watch(
  kindWords: readonly string[],
  options: WatchCommandOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async ({ client, kinds }) => {
    const wanted =
      kindWords.length > 0
        ? kindWords.flatMap((words) => kinds.list(words)).map(({ token }) => token)
        : kinds.kinds
            .filter(({ info }) => info.isDeclarable || info.name === Task.name)
            .map(({ token }) => token);
    const names = new Set(wanted.map(({ name }) => name));
    // Lines about tasks name nodes and networks, whether these are asked for or not.
    const needed = new Map([...TOLD, ...wanted].map((kind) => [kind.name, kind]));
    const signal = surroundings.interruption?.() ?? new AbortController().signal;
    for await (const message of followed(client, [...needed.values()], signal)) {
      if (message.type === 'snapshot') continue;
      const { commit, view } = message;
      const events = commit.events.filter(({ object }) => names.has(object.kind));
      if (events.length === 0) continue;
      const text =
        options.output === 'json'
          ? `${JSON.stringify({ ...commit, events })}\n`
          : linesOf({ ...commit, events }, view)
              .map(lineText)
              .join('');
      surroundings.out(text);
    }
    return signal.aborted ? EXIT.interrupted : EXIT.ok;
  });
}

function linesOf(commit: CommitEvent, view: View): readonly ChronicleLine[] {
  const told = new Set(TOLD.map(({ name }) => name));
  return commit.events.flatMap((event) =>
    told.has(event.object.kind)
      ? chronicleOf({ ...commit, events: [event] }, view)
      : otherLines(event),
  );
}

/** What is said of kinds that have no words of their own. */
function otherLines({
  type,
  object,
  previous,
}: CommitEvent['events'][number]): readonly ChronicleLine[] {
  const { kind, meta } = object;
  const line = (text: string): readonly ChronicleLine[] => [
    { at: meta.updatedAt, subject: displayName(object), text: `${kind} ${text}` },
  ];
  if (type === 'deleted') return line('is gone');
  if (previous === undefined) return line('is declared');
  if (meta.deletionRequestedAt !== previous.meta.deletionRequestedAt)
    return line('is being removed');
  return meta.generation === previous.meta.generation ? [] : line('is declared anew');
}

function lineText({ at, subject, text }: ChronicleLine): string {
  return `${clockText(at)}  ${subject.padEnd(20)} ${text}\n`;
}

/** `12:34:56.789`, universal time. */
function clockText(at: Timestamp): string {
  return new Date(at).toISOString().slice(11, 23);
}
