/**
 * Which objects are shown, and what has to be fetched for it.
 */
import {
  matchesSelector,
  parseSelector,
  type Kind,
  type SelectorTexts,
  type StoredObject,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Output } from '../views/get/output.js';
import { neededKinds } from '../views/get/tables.js';
import type { KnownKind } from './kind-words.js';
import { isMeant, named, type Target } from './references.js';

/** How objects are chosen and shown. */
export interface ShowOptions {
  readonly output: Output;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  /** False with `--no-headers`. */
  readonly headers: boolean;
}

/** The texts of a selector that were given. */
export function selectorOf({
  selector,
  fieldSelector,
}: Pick<ShowOptions, 'selector' | 'fieldSelector'>): SelectorTexts {
  return {
    ...(selector === undefined ? {} : { labels: selector }),
    ...(fieldSelector === undefined ? {} : { fields: fieldSelector }),
  };
}

/** All kinds that tables of these targets look at, each once. */
export function kindsFor(targets: readonly Target[]): readonly KnownKind['token'][] {
  const tokens = targets.flatMap(({ kind }) => [kind.token, ...neededKinds(kind.info.name)]);
  return [...new Map(tokens.map((token) => [token.name, token])).values()];
}

/**
 * What a target chooses of a view, unsorted. @throws CommandFault for a name that nothing has,
 * unless it may.
 */
export function chosenOf(
  view: View,
  target: Target,
  { texts, mayLack = false }: { readonly texts: SelectorTexts; readonly mayLack?: boolean },
): readonly StoredObject[] {
  const all: readonly StoredObject[] = view.list(target.kind.token as Kind);
  const selector = parseSelector(texts);
  const { names } = target;
  const found =
    mayLack && names !== undefined
      ? all.filter((object) => names.some((name) => isMeant(object, name)))
      : named(all, target);
  return found.filter((object) => matchesSelector(selector, object));
}
