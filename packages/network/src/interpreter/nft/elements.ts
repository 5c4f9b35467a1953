/**
 * Sets and maps of nft: declared, filled, emptied.
 *
 * **Source:** nft(8), "Sets", "Maps", "Elements".
 */
import { SkepError } from '@skep/api';
import { notPossible } from '../command-base.js';
import type { NftVerdict } from './context.js';
import { parseExpression, parseTypes } from './expression.js';
import type { TokenReader } from './lexer.js';
import { sequence, tableOf, type Operation, type Place } from './operation.js';
import type { NftSet } from './ruleset.js';
import { canonical, type ValueType } from './value.js';

/** What stands between the braces of a declaration. */
export function parseSet(
  reader: TokenReader,
  place: Place,
  name: string,
  kind: 'set' | 'map',
): Operation {
  let types: readonly ValueType[] | undefined;
  let data: NftSet['data'];
  const fill: Operation[] = [];
  for (reader.skipEnds(); !reader.skip('}'); reader.skipEnds()) {
    const word = reader.next();
    if (word === 'type' || word === 'typeof') {
      const read = (): readonly ValueType[] =>
        word === 'type' ? parseTypes(reader) : typesOfExpression(reader);
      types = read();
      if (kind === 'map') {
        reader.expect(':');
        data = reader.skip('verdict') ? 'verdict' : read();
      }
    } else if (word === 'elements') {
      reader.expect('=');
      fill.push(parseElements(reader, place, name, 'add'));
    } else {
      throw reader.fault(`unknown in a ${kind}: "${word}"`);
    }
  }
  if (types === undefined) throw reader.fault(`${kind} ${name} has no type`);
  const made = { name, types, ...(data === undefined ? {} : { data }) };
  const declare: Operation = (ruleset) => {
    const { sets } = tableOf(ruleset, place, `${kind} ${name}`);
    if (sets.has(name)) return () => undefined;
    sets.set(name, { ...made, elements: new Map() });
    return () => {
      sets.delete(name);
    };
  };
  return sequence([declare, ...fill]);
}

function typesOfExpression(reader: TokenReader): readonly ValueType[] {
  const expression = parseExpression(reader);
  if (expression === undefined) throw reader.fault(`unknown expression "${reader.peek()}"`);
  return expression.map(({ type }) => type);
}

interface RawElement {
  readonly key: readonly string[];
  readonly data: readonly string[];
}

/** `{ 10.0.1.2 . 0 : 10.0.1.3, … }` for a set whose types are known when it is executed. */
export function parseElements(
  reader: TokenReader,
  place: Place,
  name: string,
  verb: 'add' | 'delete',
): Operation {
  const elements = parseRawElements(reader);
  const line = `${verb} element ${place.family} ${place.name} ${name}`;
  return (ruleset) => {
    const set = tableOf(ruleset, place, line).sets.get(name);
    if (set === undefined) throw notPossible(line, 'no such set');
    const before: (readonly [string, NftVerdict | string | true | undefined])[] = [];
    const undo = (): void => {
      for (const [key, data] of before.reverse()) {
        if (data === undefined) set.elements.delete(key);
        else set.elements.set(key, data);
      }
    };
    try {
      for (const raw of elements) {
        const key = canonicalWords(set.types, raw.key, line);
        before.push([key, set.elements.get(key)]);
        if (verb === 'add') addElement(set, key, raw, line);
        else if (!set.elements.delete(key)) throw notPossible(`${line} { ${key} }`, 'not there');
      }
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  };
}

function parseRawElements(reader: TokenReader): readonly RawElement[] {
  reader.expect('{');
  const elements: RawElement[] = [];
  const words = (): readonly string[] => {
    const list: string[] = [];
    while (!['\n', ',', '}', ':', ''].includes(reader.peek())) {
      const word = reader.next();
      if (word !== '.') list.push(word);
    }
    return list;
  };
  for (reader.skipLines(); !reader.skip('}'); reader.skipLines()) {
    const key = words();
    if (key.length === 0) throw reader.fault('an element is empty');
    elements.push({ key, data: reader.skip(':') ? words() : [] });
    reader.skipLines();
    if (!reader.skip(',') && reader.peek() !== '}') throw reader.fault('expected "," or "}"');
  }
  return elements;
}

function canonicalWords(
  types: readonly ValueType[],
  words: readonly string[],
  line: string,
): string {
  const values = types.map((type, at) => canonical(type, words[at] ?? ''));
  if (words.length !== types.length || values.includes(undefined)) {
    throw new SkepError(
      'invalid-argument',
      `${line}: not of ${types.join(' . ')}: ${words.join(' . ')}`,
    );
  }
  return values.join(' . ');
}

function addElement(set: NftSet, key: string, { data }: RawElement, line: string): void {
  const value = dataOf(set, data, line);
  const present = set.elements.get(key);
  if (present !== undefined && JSON.stringify(present) !== JSON.stringify(value)) {
    throw notPossible(`${line} { ${key} }`, 'there is another one with this key');
  }
  set.elements.set(key, value);
}

function dataOf(set: NftSet, words: readonly string[], line: string): NftVerdict | string | true {
  if (set.data === undefined) {
    if (words.length > 0) throw notPossible(line, 'a set has no data');
    return true;
  }
  if (set.data !== 'verdict') return canonicalWords(set.data, words, line);
  const [type, chain] = words;
  if ((type === 'goto' || type === 'jump') && chain !== undefined) return { type, chain };
  if (type === 'accept' || type === 'drop' || type === 'return' || type === 'continue') {
    return { type };
  }
  throw notPossible(line, `not a verdict: ${words.join(' ')}`);
}
