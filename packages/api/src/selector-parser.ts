/**
 * The grammar of selectors.
 *
 * **Source:** Kubernetes apimachinery pkg/labels/selector.go (Parse) and pkg/fields/selector.go
 * (ParseSelector). Values in double quotes are ours: labels of containers hold any text.
 */
import { SelectorLexer, type SelectorLanguage } from './selector-lexer.js';
import type { FieldRequirement, LabelRequirement } from './selector.js';
import type { ObjectSelector, SelectorTexts } from './selector.js';

const LABELS: SelectorLanguage = {
  name: 'label selector',
  hint: 'write KEY, !KEY, KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY>3 or KEY<3',
  signs: ['==', '!=', '=', '!', '(', ')', ',', '>', '<'],
  hasEscapes: false,
};

const FIELDS: SelectorLanguage = {
  name: 'field selector',
  hint: 'write PATH=VALUE or PATH!=VALUE, such as metadata.name=web or spec.nodeId!=n1',
  signs: ['==', '!=', '=', ','],
  hasEscapes: true,
};

/**
 * Reads both texts.
 * @throws invalid-argument that says what is wrong, where, and what could stand there.
 */
export function parseSelector({ labels = '', fields = '' }: SelectorTexts): ObjectSelector {
  return { labels: parseLabelSelector(labels), fields: parseFieldSelector(fields) };
}

/** Requirements of a label selector, in its order. @throws invalid-argument */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  const lexer = new SelectorLexer(text, LABELS);
  return listOf(lexer, () => labelRequirement(lexer));
}

/** Requirements of a field selector, in its order. @throws invalid-argument */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const lexer = new SelectorLexer(text, FIELDS);
  return listOf(lexer, () => fieldRequirement(lexer));
}

function listOf<T>(lexer: SelectorLexer, parse: () => T): readonly T[] {
  const list: T[] = [];
  if (lexer.peek().type === 'end') return list;
  for (;;) {
    list.push(parse());
    const token = lexer.take();
    if (token.type === 'end') return list;
    if (token.text !== ',' || token.type !== 'sign') lexer.fail('a comma or the end', token);
  }
}

function labelRequirement(lexer: SelectorLexer): LabelRequirement {
  const isAbsent = lexer.takeSign('!') !== undefined;
  const token = lexer.take();
  const key = token.text;
  if (token.type !== 'word' || key === '') lexer.fail('a key', token);
  if (isAbsent) return { key, operator: 'absent', values: [] };
  switch (lexer.takeSign('==', '=', '!=', '>', '<')) {
    case '=':
    case '==':
      return { key, operator: 'in', values: [value(lexer)] };
    case '!=':
      return { key, operator: 'not-in', values: [value(lexer)] };
    case '>':
      return { key, operator: 'greater', values: [wholeNumber(lexer)] };
    case '<':
      return { key, operator: 'less', values: [wholeNumber(lexer)] };
    default:
      break;
  }
  const { type, text, isQuoted } = lexer.peek();
  if (type !== 'word' || isQuoted === true) return { key, operator: 'exists', values: [] };
  if (text !== 'in' && text !== 'notin') lexer.fail('an operator, a comma or the end');
  lexer.take();
  return { key, operator: text === 'in' ? 'in' : 'not-in', values: values(lexer) };
}

/** A value; nothing at all is the empty one. */
function value(lexer: SelectorLexer): string {
  return lexer.peek().type === 'word' ? lexer.take().text : '';
}

function wholeNumber(lexer: SelectorLexer): string {
  const { type, text } = lexer.peek();
  if (type !== 'word' || !/^[+-]?\d+$/.test(text)) lexer.fail('a whole number');
  return lexer.take().text.replace('+', '');
}

/** `(a, b)`: at least one. */
function values(lexer: SelectorLexer): readonly string[] {
  if (lexer.takeSign('(') === undefined) lexer.fail("'('");
  const { type, text } = lexer.peek();
  if (type === 'sign' && text === ')') lexer.fail('at least one value');
  const found = [value(lexer)];
  while (lexer.takeSign(',') !== undefined) found.push(value(lexer));
  if (lexer.takeSign(')') === undefined) lexer.fail("',' or ')'");
  return found;
}

const ROOTS: readonly string[] = ['kind', 'meta', 'spec', 'status'];

function fieldRequirement(lexer: SelectorLexer): FieldRequirement {
  const token = lexer.take();
  const [first = '', ...rest] = token.text.split('.');
  const root = first === 'metadata' ? 'meta' : first;
  const isPath = token.type === 'word' && ROOTS.includes(root) && !rest.includes('');
  if (!isPath || (rest.length === 0) !== (root === 'kind')) {
    lexer.fail('a path that begins with metadata., spec. or status., or kind,', token);
  }
  const sign = lexer.takeSign('==', '=', '!=');
  if (sign === undefined) lexer.fail('=, == or !=');
  const operator = sign === '!=' ? 'differs' : 'equals';
  return { path: [root, ...rest], operator, value: value(lexer) };
}
