/**
 * Reads the documents of a YAML file.
 */
import { Composer, isScalar, Parser, type CST, type Document, type YAMLParseError } from 'yaml';
import { messageOf } from '@skep/api';
import type { ComplaintCode, ComplaintCollector } from '../complaint.js';
import { indentContinuations } from './continuation-lines.js';
import { LinePositions } from './line-positions.js';
import { decodeSource, type ReadLimits, type SourceFile } from './source.js';
import { TreeBuilder } from './tree-builder.js';
import { YamlDocument } from './tree.js';

/**
 * The documents of the file that could be read, in order. Everything else becomes a complaint;
 * nothing is thrown. An empty file, or one of comments only, complains `empty-file`.
 * `first` keeps only the first document: what follows is not even looked at for faults, but for a
 * warning that it is there.
 */
export function readDocuments(
  file: SourceFile,
  limits: ReadLimits,
  complaints: ComplaintCollector,
  options: { readonly first?: boolean } = {},
): readonly YamlDocument[] {
  const text = decodeSource(file, limits, complaints);
  if (text === undefined) return [];
  const positions = new LinePositions(text);
  const read = parseText(file.path, text, positions, limits, complaints);
  if (read === undefined) return [];
  const { documents: parsed, toSource } = read;
  const isLeftOut = (document: Document.Parsed): boolean =>
    document.contents === null || (options.first !== true && isBlank(document));
  const contents = parsed.filter((document) => !isLeftOut(document));
  if (contents.length === 0 && parsed.every((document) => document.errors.length === 0)) {
    const place = { path: file.path, line: 1, column: 1, field: '' };
    complaints.error('empty-file', place, 'the file holds no value');
    return [];
  }
  const wanted = options.first ? parsed.slice(0, 1) : parsed;
  if (wanted.length < parsed.length) {
    const next = toSource(parsed[1]?.range?.[0] ?? 0);
    complaints.warn(
      'extra-documents',
      positions.placeOf(file.path, next, ''),
      `only the first of ${parsed.length} documents is read`,
      'one stack, one document',
    );
  }
  return wanted.flatMap((document) => {
    if (reportErrors(file.path, document, positions, complaints)) return [];
    if (isLeftOut(document) && !options.first) return [];
    const builder = new TreeBuilder({ path: file.path, positions, toSource, limits, complaints });
    const root = builder.build(document.contents);
    return root ? [new YamlDocument(file.path, positions, root)] : [];
  });
}

/** Nothing between two `---`, or behind the last one. */
function isBlank({ contents }: Document.Parsed): boolean {
  return isScalar(contents) && contents.type === 'PLAIN' && contents.source === '';
}

interface ParsedText {
  readonly documents: readonly Document.Parsed[];
  /** From offsets of the documents to those of the file. */
  readonly toSource: (offset: number) => number;
}

/**
 * The documents of a text. Where they have faults, it is tried whether only the indentation of
 * continuation lines is at fault, which YAML 1.1 parsers let pass.
 */
function parseText(
  path: string,
  text: string,
  positions: LinePositions,
  limits: ReadLimits,
  complaints: ComplaintCollector,
): ParsedText | undefined {
  const outcome = parseDocuments(text, limits);
  if ('fault' in outcome) {
    const { code, at, fault } = outcome;
    complaints.error(code, positions.placeOf(path, at, ''), fault);
    return undefined;
  }
  const plain: ParsedText = { documents: outcome.documents, toSource: (offset) => offset };
  if (!hasErrors(outcome.documents)) return plain;
  const indented = indentContinuations(text);
  const second = indented && parseDocuments(indented.text, limits);
  if (!second || 'fault' in second || hasErrors(second.documents)) return plain;
  return { documents: second.documents, toSource: indented.toSource };
}

function hasErrors(documents: readonly Document.Parsed[]): boolean {
  return documents.some((document) => document.errors.some((error) => !isForgiven(error)));
}

/** A `#` right behind a quotation begins a comment for YAML 1.1 parsers, and does no harm. */
function isForgiven(error: YAMLParseError): boolean {
  return error.code === 'MISSING_CHAR' && error.message.startsWith('Comments must be separated');
}

type ParseOutcome =
  | { readonly documents: readonly Document.Parsed[] }
  | { readonly code: ComplaintCode; readonly at: number; readonly fault: string };

function parseDocuments(text: string, limits: ReadLimits): ParseOutcome {
  // 'failsafe' leaves every scalar a text: what it means is decided in scalar.ts.
  const composer = new Composer({ schema: 'failsafe', version: '1.2', uniqueKeys: false });
  const documents: Document.Parsed[] = [];
  try {
    for (const token of new Parser().parse(text)) {
      const deep = findDeepToken(token, limits.maxDepth);
      if (deep !== undefined) {
        const fault = `nested deeper than ${limits.maxDepth} levels`;
        return { code: 'too-deep', at: deep, fault };
      }
      documents.push(...composer.next(token));
    }
    documents.push(...composer.end());
  } catch (thrown) {
    // A fault of the parser must not become one of ours.
    return { code: 'yaml-syntax', at: 0, fault: `cannot be parsed: ${messageOf(thrown)}` };
  }
  return { documents };
}

/** Offset of a token nested too deep, found without recursion; undefined when there is none. */
function findDeepToken(root: CST.Token, maxDepth: number): number | undefined {
  const pending: { token: CST.Token; depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { token, depth } = next;
    if (token.type === 'document') {
      if (token.value) pending.push({ token: token.value, depth });
    } else if ('items' in token) {
      if (depth >= maxDepth) return token.offset;
      for (const item of token.items) {
        if (item.key) pending.push({ token: item.key, depth: depth + 1 });
        if (item.value) pending.push({ token: item.value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

const ERRORS_SHOWN = 20;

function reportErrors(
  path: string,
  document: Document.Parsed,
  positions: LinePositions,
  complaints: ComplaintCollector,
): boolean {
  const errors = document.errors.filter((error) => !isForgiven(error));
  for (const error of errors.slice(0, ERRORS_SHOWN)) {
    const place = positions.placeOf(path, error.pos[0], '');
    if (error.code === 'TAB_AS_INDENT') {
      complaints.error('tab-indentation', place, 'a tab cannot indent YAML', 'use spaces');
    } else {
      complaints.error('yaml-syntax', place, firstLine(error.message));
    }
  }
  return errors.length > 0;
}

function firstLine(message: string): string {
  const [line = ''] = message.split('\n');
  return line.charAt(0).toLowerCase() + line.slice(1);
}
