/**
 * What people call the kinds of a cluster: `service`, `services`, `svc`.
 */
import { compareText, defineKind, type AnyKind } from '@skep/api';
import { nearestName } from '@skep/manifest';
import { BUILT_IN_KINDS } from 'skep';
import type { KindInfo } from '@skep/control';
import { CommandFault } from '../surroundings.js';

/** Short names, as users of kubectl and docker know them. */
const SHORT_NAMES: Readonly<Record<string, string>> = Object.freeze({
  svc: 'Service',
  no: 'Node',
  net: 'Network',
  ps: 'Task',
  sec: 'Secret',
  cm: 'Config',
  vol: 'Volume',
  ev: 'Event',
  eps: 'EndpointSlice',
  slice: 'EndpointSlice',
  slices: 'EndpointSlice',
});

/** What `all` stands for, in this order. */
const ALL: readonly string[] = Object.freeze([
  'Node',
  'Network',
  'Service',
  'Task',
  'Secret',
  'Config',
  'Volume',
]);

/** A kind of the cluster as this program sees it. */
export interface KnownKind {
  readonly token: AnyKind;
  readonly info: KindInfo;
}

/** The kinds of one cluster, found by any of their names, compared without case. */
export class KindWords {
  /** By name. */
  readonly kinds: readonly KnownKind[];
  readonly #byWord = new Map<string, KnownKind>();

  constructor(infos: readonly KindInfo[]) {
    this.kinds = [...infos]
      .sort((a, b) => compareText(a.name, b.name))
      .map((info) => ({ info, token: tokenOf(info) }));
    for (const kind of this.kinds) {
      this.#byWord.set(kind.info.plural.toLowerCase(), kind);
      this.#byWord.set(kind.info.name.toLowerCase(), kind);
    }
    for (const [word, name] of Object.entries(SHORT_NAMES)) {
      const kind = this.kinds.find(({ info }) => info.name === name);
      // A kind of the user's own may have such a name: its full names go first.
      if (kind !== undefined && !this.#byWord.has(word)) this.#byWord.set(word, kind);
    }
  }

  /** The kind of this name. @throws CommandFault with the nearest name. */
  kind(word: string): KnownKind {
    const found = this.#byWord.get(word.toLowerCase());
    if (found !== undefined) return found;
    const nearest = nearestName(word, this.#byWord.keys());
    const hint =
      nearest === undefined
        ? `there are: ${this.kinds.map(({ info }) => info.plural).join(', ')}`
        : `did you mean ${nearest}?`;
    throw new CommandFault(`the cluster has no kind '${word}' (${hint})`);
  }

  /** The kinds of `services,tasks`, each once; `all` stands for the usual ones. */
  list(words: string): readonly KnownKind[] {
    const kinds = words
      .split(',')
      .filter((word) => word !== '')
      .flatMap((word) => (word.toLowerCase() === 'all' ? this.#all() : [this.kind(word)]));
    if (kinds.length === 0) throw new CommandFault(`'${words}' names no kind`);
    return [...new Set(kinds)];
  }

  /** All that may be typed for a kind, sorted: for completion. */
  words(): readonly string[] {
    return [...this.#byWord.keys(), 'all'].sort(compareText);
  }

  #all(): readonly KnownKind[] {
    return ALL.flatMap((name) => this.kinds.find(({ info }) => info.name === name) ?? []);
  }
}

/** The token of a kind that has one here; else one that knows as much as the cluster says. */
function tokenOf(info: KindInfo): AnyKind {
  const { name, plural, hasUniqueName } = info;
  return (
    BUILT_IN_KINDS.find((kind) => kind.name === name) ??
    defineKind<unknown, unknown>({ name, plural, hasUniqueName, initialStatus: {} })
  );
}
