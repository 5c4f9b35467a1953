/**
 * Words of nft's language.
 *
 * **Source:** nft(8), "Input file formats".
 */
import { SkepError } from '@skep/api';

/** A word, with the line that it stands in. A line's end is the word `\n`. */
export interface Token {
  readonly text: string;
  readonly line: number;
}

/** Splits a text. Comments go; words in double quotes keep them. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const content = raw.replace(/^((?:[^"#]|"[^"]*")*)#.*$/, '$1');
    for (const [word] of content.matchAll(/"[^"]*"|[!=]=|[{},;=]|[^\s{},;"=]+/g)) {
      tokens.push({ text: word, line });
    }
    tokens.push({ text: '\n', line });
  }
  return tokens;
}

/** Reads words one after another. */
export class TokenReader {
  private at = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  /** The next word without taking it; '' at the end. */
  peek(ahead = 0): string {
    return this.tokens[this.at + ahead]?.text ?? '';
  }

  /** Takes the next word; '' at the end. */
  next(): string {
    const token = this.tokens[this.at];
    if (token === undefined) return '';
    this.at += 1;
    return token.text;
  }

  /** Takes the next word if it is this one. */
  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.at += 1;
    return true;
  }

  /** Takes the next word. @throws invalid-argument when it is another one. */
  expect(text: string): void {
    const found = this.next();
    if (found !== text) throw this.fault(`expected "${text}", found "${found}"`);
  }

  /** Takes all ends of lines and semicolons that follow. */
  skipEnds(): void {
    while (this.peek() === '\n' || this.peek() === ';') this.at += 1;
  }

  /** Takes all ends of lines that follow: inside braces they mean nothing. */
  skipLines(): void {
    while (this.peek() === '\n') this.at += 1;
  }

  get isAtEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  /** Whether a statement ends here. */
  get isAtEndOfRule(): boolean {
    return ['\n', ';', '}', ''].includes(this.peek());
  }

  /** Words of the current line, for messages and traces. */
  lineText(): string {
    const line = (this.tokens[this.at] ?? this.tokens[this.at - 1])?.line;
    return this.tokens
      .filter((token) => token.line === line && token.text !== '\n')
      .map(({ text }) => text)
      .join(' ');
  }

  /** Words from here to the end of the rule, without taking them. */
  ruleText(): string {
    const words: string[] = [];
    let depth = 0;
    for (let ahead = 0; ; ahead += 1) {
      const word = this.peek(ahead);
      if (word === '' || (depth === 0 && ['\n', ';', '}'].includes(word))) break;
      if (word === '{') depth += 1;
      if (word === '}') depth -= 1;
      if (word !== '\n') words.push(word);
    }
    return words.join(' ').replace(/ ,/g, ',');
  }

  /** A text that is not understood here. */
  fault(message: string): SkepError {
    const line = (this.tokens[Math.max(0, this.at - 1)] ?? this.tokens.at(-1))?.line ?? 0;
    return new SkepError('invalid-argument', `nft, line ${line}: ${message}`, {
      details: { line, text: this.lineText() },
    });
  }
}
