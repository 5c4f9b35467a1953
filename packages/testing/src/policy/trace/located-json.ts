/**
 * Reads JSON and knows where each value stood.
 *
 * **Source:** RFC 8259. A key that stands twice in an object is refused.
 */
import { textFault, type TextFile, type TextPlace } from './place-in-text.js';

/** A value of JSON with its place; objects and lists hold such values. */
export type Located = TextPlace &
  (
    | { readonly type: 'object'; readonly fields: ReadonlyMap<string, LocatedField> }
    | { readonly type: 'list'; readonly items: readonly Located[] }
    | { readonly type: 'scalar'; readonly value: string | number | boolean | null }
  );

/** A value and where its key stands. */
export interface LocatedField {
  readonly key: TextPlace;
  readonly value: Located;
}

/** Nesting beyond this is refused. */
const DEPTH_MAX = 64;

/** Reads one value and nothing else. @throws invalid-argument with the place of the fault. */
export function parseLocatedJson(file: TextFile): Located {
  const reader = new JsonReader(file);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** The value as plain data. */
export function plainOf(located: Located): unknown {
  if (located.type === 'scalar') return located.value;
  if (located.type === 'list') return located.items.map(plainOf);
  return Object.fromEntries([...located.fields].map(([key, { value }]) => [key, plainOf(value)]));
}

const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.+-])/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

class JsonReader {
  readonly #file: TextFile;
  #at: number;
  #line = 1;
  #lineStart = 0;

  constructor(file: TextFile) {
    this.#file = file;
    this.#at = file.text.startsWith('\uFEFF') ? 1 : 0;
    this.#lineStart = this.#at;
  }

  value(depth: number): Located {
    this.#skip();
    const place = this.#place();
    if (depth > DEPTH_MAX) throw this.#fault(place, `nested deeper than ${DEPTH_MAX}`);
    const { text } = this.#file;
    if (text[this.#at] === '{') return { ...place, type: 'object', fields: this.#fields(depth) };
    if (text[this.#at] === '[') return { ...place, type: 'list', items: this.#items(depth) };
    return { ...place, type: 'scalar', value: this.#scalar(place) };
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#file.text.length) {
      throw this.#fault(this.#place(), 'text follows the end of the value (remove it)');
    }
  }

  #fields(depth: number): ReadonlyMap<string, LocatedField> {
    const fields = new Map<string, LocatedField>();
    this.#each('}', () => {
      const key = this.#place();
      const name = this.#string(key);
      if (fields.has(name)) throw this.#fault(key, `the key '${name}' stands twice (keep one)`);
      this.#skip();
      if (this.#file.text[this.#at] !== ':') throw this.#fault(this.#place(), "expected ':'");
      this.#at += 1;
      fields.set(name, { key, value: this.value(depth + 1) });
    });
    return fields;
  }

  #items(depth: number): readonly Located[] {
    const items: Located[] = [];
    this.#each(']', () => items.push(this.value(depth + 1)));
    return items;
  }

  /** Reads what stands between brackets, parted by commas. */
  #each(close: string, read: () => void): void {
    const { text } = this.#file;
    this.#at += 1;
    this.#skip();
    if (text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#skip();
      read();
      this.#skip();
      const next = text[this.#at];
      if (next !== ',' && next !== close) {
        throw this.#fault(this.#place(), `expected ',' or '${close}'`);
      }
      this.#at += 1;
      if (next === close) return;
    }
  }

  #scalar(place: TextPlace): string | number | boolean | null {
    if (this.#file.text[this.#at] === '"') return this.#string(place);
    const word = this.#match(SCALAR);
    if (word === undefined) {
      throw this.#fault(place, 'expected a value: a text in double quotes, a number, {, [, true …');
    }
    return JSON.parse(word) as number | boolean | null;
  }

  #string(place: TextPlace): string {
    const word = this.#match(TEXT);
    if (word === undefined) throw this.#fault(place, 'expected a text in double quotes');
    return JSON.parse(word) as string;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#file.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skip(): void {
    const { text } = this.#file;
    for (;;) {
      const character = text[this.#at];
      if (character === '\n') {
        this.#line += 1;
        this.#lineStart = this.#at + 1;
      } else if (character !== ' ' && character !== '\t' && character !== '\r') return;
      this.#at += 1;
    }
  }

  #place(): TextPlace {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #fault(place: TextPlace, message: string): Error {
    return textFault(this.#file.path, place, message);
  }
}
