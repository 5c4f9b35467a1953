/**
 * Makes a cluster that breaks a law as small as it gets: a node, a service, an option less at a
 * time. What fast-check leaves is small, but may hold on to what mattered only before.
 */
import type { LawDraft, Named } from './draft.js';

/** Tries beyond this are given up: what is found by then is told. */
const TRIES_MAX = 2_000;

/** The smallest draft on the way down that is still broken. */
export function smallestDraft(draft: LawDraft, isBroken: (draft: LawDraft) => boolean): LawDraft {
  let smallest = draft;
  let tries = 0;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smallerDrafts(smallest)) {
      tries += 1;
      if (tries > TRIES_MAX) return smallest;
      if (!isBroken(candidate)) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  const numbered = withNumbers(smallest);
  return isBroken(numbered) ? numbered : smallest;
}

function* smallerDrafts(draft: LawDraft): Generator<LawDraft> {
  const { nodes, services, running, extra } = draft;
  for (const list of without(nodes)) {
    const kept = new Set(list.map(({ name }) => name));
    const rest = Object.entries(running).filter(([name]) => kept.has(name));
    yield { ...draft, nodes: list, running: Object.fromEntries(rest) };
  }
  for (const list of without(services)) yield { ...draft, services: list };
  for (const [name, there] of Object.entries(running)) {
    for (const list of [...without(there), ...simpler(there)]) {
      const { [name]: _, ...others } = running;
      yield { ...draft, running: list.length === 0 ? others : { ...running, [name]: list } };
    }
  }
  for (const list of simpler(nodes)) yield { ...draft, nodes: list };
  for (const list of simpler(services)) yield { ...draft, services: list };
  for (const [one] of simpler([extra])) if (one !== undefined) yield { ...draft, extra: one };
}

function without<T>(list: readonly T[]): readonly (readonly T[])[] {
  return list.map((_, at) => list.filter((__, other) => other !== at));
}

/** The list with one option less of one of its members, or a smaller number. */
function* simpler<Options extends object>(
  list: readonly Named<Options>[],
): Generator<readonly Named<Options>[]> {
  for (const [at, { name, options }] of list.entries()) {
    const replaced = (changed: object): readonly Named<Options>[] =>
      list.with(at, { name, options: changed as Options });
    for (const [key, value] of Object.entries(options) as [string, unknown][]) {
      const { [key]: _, ...others } = options as Record<string, unknown>;
      yield replaced(others);
      if (typeof value === 'number' && value > 1) yield replaced({ ...options, [key]: value - 1 });
    }
  }
}

/** Names without gaps. */
function withNumbers(draft: LawDraft): LawDraft {
  const names = new Map(draft.nodes.map(({ name }, at) => [name, `n${at + 1}`]));
  return {
    ...draft,
    nodes: draft.nodes.map((node) => ({ ...node, name: names.get(node.name) ?? node.name })),
    running: Object.fromEntries(
      Object.entries(draft.running).map(([name, list]) => [names.get(name) ?? name, list]),
    ),
  };
}
