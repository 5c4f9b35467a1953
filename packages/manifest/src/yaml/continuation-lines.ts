/**
 * Gives lines that continue a flow collection or a quotation the indentation that YAML 1.2 wants.
 *
 * YAML 1.1 parsers, and so the Docker client, let such lines begin anywhere. Inside a flow
 * collection or a quotation the white space at the beginning of a line means nothing, so adding to
 * it changes no value.
 */

/** A text with spaces added, and the way back from its offsets. */
export interface IndentedText {
  readonly text: string;
  /** The offset in the original text. */
  readonly toSource: (offset: number) => number;
}

const KEY = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[\]{}#&*!|>%@`,][^#]*?)[ \t]*:(?=[ \t]|$)/;
const PROPERTIES = /^(?:[&!][^\s,[\]{}]*[ \t]+)*/;
const BLOCK_SCALAR = /^[|>][-+0-9]*[ \t]*(?:#.*)?$/;

/** The text with continuation lines indented; undefined when there are none. */
export function indentContinuations(text: string): IndentedText | undefined {
  const lines = text.split('\n');
  const added: { at: number; count: number }[] = [];
  const result: string[] = [];
  let open = '';
  let padding = 0;
  let scalarIndent: number | undefined;
  let offset = 0;
  for (const line of lines) {
    const indent = line.length - line.trimStart().length;
    const isBlank = line.trim() === '';
    if (scalarIndent !== undefined && !isBlank && indent <= scalarIndent) scalarIndent = undefined;
    if (open !== '') {
      added.push({ at: offset, count: padding });
      result.push(isBlank ? line : ' '.repeat(padding) + line);
      if (isBlank) added.pop();
      open = scan(open, line);
    } else {
      result.push(line);
      const start = scalarIndent === undefined ? valueStart(line) : undefined;
      if (start?.isBlockScalar) scalarIndent = start.indent;
      else if (start !== undefined && /^["'[{]/.test(line.slice(start.at))) {
        open = scan('', line.slice(start.at));
        padding = indent + 2;
      }
    }
    offset += line.length + 1;
  }
  if (added.length === 0) return undefined;
  return { text: result.join('\n'), toSource: (target) => sourceOffset(target, added) };
}

interface ValueStart {
  readonly at: number;
  /** Indentation of the entry that the value belongs to. */
  readonly indent: number;
  readonly isBlockScalar: boolean;
}

/** Where the value of a line in block style begins: behind dashes, a key, tags and anchors. */
function valueStart(line: string): ValueStart | undefined {
  if (/^\s*(?:#|---|\.\.\.|$)/.test(line)) return undefined;
  let at = line.length - line.trimStart().length;
  let indent = at;
  for (let rest = line.slice(at); ; rest = line.slice(at)) {
    const dash = /^-[ \t]+/.exec(rest);
    const key = dash ? null : KEY.exec(rest);
    if (!dash && !key) break;
    indent = at;
    at += (dash ?? key)?.[0].length ?? 0;
    at += (/^[ \t]*/.exec(line.slice(at))?.[0] ?? '').length;
    if (key) break;
  }
  at += (PROPERTIES.exec(line.slice(at))?.[0] ?? '').length;
  return { at, indent, isBlockScalar: BLOCK_SCALAR.test(line.slice(at)) };
}

/**
 * What is still open after a piece of text: the brackets, with a quotation mark last when one is.
 * Empty when everything is closed; what follows on the line then does not matter.
 */
function scan(open: string, text: string): string {
  let stack = open;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    const top = stack.at(-1);
    if (top === '"') {
      if (char === '\\') i += 1;
      else if (char === '"') stack = stack.slice(0, -1);
    } else if (top === "'") {
      if (char === "'" && text.charAt(i + 1) === "'") i += 1;
      else if (char === "'") stack = stack.slice(0, -1);
    } else if (char === '#' && (i === 0 || /\s/.test(text.charAt(i - 1)))) {
      return stack;
    } else if ('[{'.includes(char)) {
      stack += char;
    } else if (']}'.includes(char)) {
      stack = stack.slice(0, -1);
    } else if (`"'`.includes(char) && (i === 0 || /[\s,[{:]/.test(text.charAt(i - 1)))) {
      stack += char;
    }
    if (stack === '') return '';
  }
  return stack;
}

function sourceOffset(target: number, added: readonly { at: number; count: number }[]): number {
  let shift = 0;
  for (const { at, count } of added) {
    const begin = at + shift;
    if (target < begin) break;
    if (target < begin + count) return at;
    shift += count;
  }
  return target - shift;
}
