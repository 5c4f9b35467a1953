/**
 * The words and signs of a selector.
 */
import { SkepError } from './errors.js';

/** A word, a sign, or the end of the text. */
export interface SelectorToken {
  readonly type: 'word' | 'sign' | 'end';
  /** The word without quotes and escapes, the sign, or ''. */
  readonly text: string;
  /** Place of its first character, from 1. */
  readonly at: number;
  /** Whether the word stood in quotes: it is then no `in`. */
  readonly isQuoted?: boolean;
}

/** Which kind of selector is read: their words may hold different characters. */
export interface SelectorLanguage {
  /** For messages: `label selector`. */
  readonly name: string;
  /** What could be written, for messages. */
  readonly hint: string;
  /** Longest first. */
  readonly signs: readonly string[];
  /** Whether a backslash takes the next character as it is. */
  readonly hasEscapes: boolean;
}

/** Reads a text token by token. Cost: O(length). */
export class SelectorLexer {
  readonly #text: string;
  readonly #language: SelectorLanguage;
  #at = 0;
  #next: SelectorToken | undefined;

  constructor(text: string, language: SelectorLanguage) {
    this.#text = text;
    this.#language = language;
  }

  /** The next token, which stays. */
  peek(): SelectorToken {
    return (this.#next ??= this.#read());
  }

  /** The next token. */
  take(): SelectorToken {
    const token = this.peek();
    this.#next = undefined;
    return token;
  }

  /** Takes the sign if it is next. */
  takeSign(...signs: readonly string[]): string | undefined {
    const { type, text } = this.peek();
    if (type !== 'sign' || !signs.includes(text)) return undefined;
    return this.take().text;
  }

  /** @throws invalid-argument, always: what stands at the token, and what could. */
  fail(expected: string, token: SelectorToken = this.peek()): never {
    const { name, hint } = this.#language;
    const found = token.type === 'end' ? 'it ends' : `there is '${token.text}'`;
    const where = `at character ${token.at} ${found}, where ${expected} has to be`;
    throw new SkepError('invalid-argument', `${name} '${this.#text}': ${where}; ${hint}`, {
      details: { selector: this.#text, at: token.at },
    });
  }

  #read(): SelectorToken {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    const at = this.#at + 1;
    if (this.#at >= this.#text.length) return { type: 'end', text: '', at };
    const sign = this.#sign();
    if (sign !== undefined) {
      this.#at += sign.length;
      return { type: 'sign', text: sign, at };
    }
    if (this.#text[this.#at] === '"') {
      return { type: 'word', text: this.#quoted(at), at, isQuoted: true };
    }
    return { type: 'word', text: this.#word(at), at };
  }

  #sign(): string | undefined {
    return this.#language.signs.find((sign) => this.#text.startsWith(sign, this.#at));
  }

  #word(at: number): string {
    let word = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (character === '\\' && this.#language.hasEscapes) {
        word += this.#escaped(at);
        continue;
      }
      if (/\s/.test(character) || this.#sign() !== undefined) break;
      word += character;
      this.#at += 1;
    }
    return word;
  }

  #escaped(at: number): string {
    const next = this.#text[this.#at + 1];
    if (next === undefined) {
      this.fail('a character after the backslash', { type: 'end', text: '', at: at + 1 });
    }
    this.#at += 2;
    return next;
  }

  /** In quotes as JSON has them, for values with signs and spaces. */
  #quoted(at: number): string {
    const end = /^"(?:[^"\\]|\\.)*"/.exec(this.#text.slice(this.#at))?.[0];
    const parsed = end === undefined ? undefined : textOf(end);
    if (end === undefined || parsed === undefined) {
      this.fail('a text in quotes as JSON has it', { type: 'word', text: '"', at });
    }
    this.#at += end.length;
    return parsed;
  }
}

function textOf(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}
