/**
 * Changes of a ruleset that can be taken back.
 */
import { notPossible } from '../command-base.js';
import type { NftFamily, NftRuleset, NftTable } from './ruleset.js';

/** Changes a ruleset, and says how to take the change back. */
export type Operation = (ruleset: NftRuleset) => () => void;

/** Names a table. */
export interface Place {
  readonly family: NftFamily;
  readonly name: string;
}

/** Key of a table in a ruleset. */
export const keyOf = ({ family, name }: Place): string => `${family} ${name}`;

/** @throws failed-precondition when it is not there. */
export function tableOf(ruleset: NftRuleset, place: Place, line: string): NftTable {
  const table = ruleset.tables.get(keyOf(place));
  if (table === undefined) throw notPossible(line, 'no such table');
  return table;
}

/** Operations as one. */
export function sequence(parts: readonly Operation[]): Operation {
  return (ruleset) => {
    const undo = parts.map((part) => part(ruleset));
    return () => {
      for (const back of undo.reverse()) back();
    };
  };
}
