/**
 * The rules of size and form that no linter has, as a script that prints file:line.
 * Exceptions are in `tidy-exceptions.json`: a ceiling per file, with a reason, that may only fall.
 */
import { readdirSync, readFileSync, existsSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { linkFaults } from './doc-links.js';
import { documentedMessages, logFaults } from './log-messages.js';

const ROOT = join(import.meta.dirname, '..');
const LIMITS = { file: 400, test: 800, width: 100, function: 70 };

interface Exception {
  readonly file: string;
  readonly rule: 'file' | 'function' | 'width';
  readonly ceiling: number;
  readonly reason: string;
}

const exceptions = JSON.parse(
  readFileSync(join(ROOT, 'scripts/tidy-exceptions.json'), 'utf8'),
) as readonly Exception[];
const used = new Map<Exception, number>();
const faults: string[] = [];
const messages = documentedMessages(readFileSync(join(ROOT, 'docs/observability.md'), 'utf8'));

function ceiling(file: string, rule: Exception['rule'], value: number, limit: number): number {
  const exception = exceptions.find((entry) => entry.file === file && entry.rule === rule);
  if (exception === undefined) return limit;
  used.set(exception, Math.max(used.get(exception) ?? 0, value));
  return exception.ceiling;
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist', '__fixtures__', 'etc'].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

function* sources(folder: string): Generator<string> {
  for (const path of filesBelow(folder)) {
    if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path;
  }
}

function* pages(): Generator<string> {
  const top = readdirSync(ROOT).map((name) => join(ROOT, name));
  const below = ['docs', 'packages', 'examples'].flatMap((name) => [
    ...filesBelow(join(ROOT, name)),
  ]);
  for (const path of [...top, ...below]) if (path.endsWith('.md')) yield path;
}

function readIfThere(file: string): string | undefined {
  const path = join(ROOT, file);
  if (!existsSync(path)) return undefined;
  return statSync(path).isDirectory() ? '' : readFileSync(path, 'utf8');
}

/** Calls that only the edges may make: everything else gets time and randomness injected. */
const BANNED =
  /\b(Date\.now|Math\.random|setTimeout|setInterval|crypto\.randomUUID|performance\.now)\s*\(/;
const EDGES =
  /^(packages\/((adapter-hosts|local-cluster|cli)\/|api\/src\/system\.ts)|scripts|bench|examples)/;

function checkText(file: string, text: string): void {
  const lines = text.split('\n');
  const isTest = file.endsWith('.test.ts');
  const limit = ceiling(file, 'file', lines.length, isTest ? LIMITS.test : LIMITS.file);
  const count = lines.length - 1;
  if (count > limit) faults.push(`${file}:1 ${count} lines, at most ${limit}`);
  for (const [index, line] of lines.entries()) {
    const width = ceiling(file, 'width', line.length, LIMITS.width);
    // The header of an example quotes what it prints.
    const isQuoted = file.startsWith('examples/') && line.startsWith(' *   ');
    const cannotBreak = isQuoted || /https?:|'[^']{60,}'/.test(line);
    if (line.length > width && !cannotBreak) {
      faults.push(`${file}:${index + 1} ${line.length} columns, at most ${width}`);
    }
    if (!EDGES.test(file) && !isTest && BANNED.test(line) && !/^\s*(\*|\/\/)/.test(line)) {
      faults.push(`${file}:${index + 1} ${BANNED.exec(line)?.[1] ?? ''} is for the edges only`);
    }
  }
}

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
  );
}

function checkTree(file: string, text: string): void {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number =>
    source.getLineAndCharacterOfPosition(position).line + 1;
  // A conformance suite is one long list of tests, as a test file is.
  const isTest = /\.test\.ts$|\/test\/|\/conformance/.test(file);
  const isPackage = file.startsWith('packages/');
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined && !isTest) {
      const length = lineOf(node.end) - lineOf(node.getStart()) + 1;
      const limit = ceiling(file, 'function', length, LIMITS.function);
      if (length > limit) {
        const where = `${file}:${lineOf(node.getStart())}`;
        faults.push(`${where} function of ${length} lines, at most ${limit}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (isTest || !isPackage) return;
  for (const { position, fault } of logFaults(source, messages)) {
    faults.push(`${file}:${lineOf(position)} ${fault}`);
  }
  for (const statement of source.statements) {
    const position = lineOf(statement.getStart());
    if (file.endsWith('/index.ts') && !ts.isExportDeclaration(statement)) {
      faults.push(`${file}:${position} an index holds named re-exports only`);
    }
    const isOverload = ts.isFunctionDeclaration(statement) && statement.body === undefined;
    const hasComment = ts.getJSDocCommentsAndTags(statement).length > 0;
    if (isExported(statement) && !isOverload && !hasComment) {
      faults.push(`${file}:${position} exported without a doc comment`);
    }
  }
}

for (const folder of ['packages', 'examples', 'scripts', 'bench']) {
  if (!existsSync(join(ROOT, folder))) continue;
  for (const path of sources(join(ROOT, folder))) {
    const file = relative(ROOT, path);
    const text = readFileSync(path, 'utf8');
    checkText(file, text);
    checkTree(file, text);
  }
}
for (const path of pages()) {
  const page = relative(ROOT, path);
  for (const { line, fault } of linkFaults(page, readFileSync(path, 'utf8'), readIfThere)) {
    faults.push(`${page}:${line} ${fault}`);
  }
}
for (const exception of exceptions) {
  const value = used.get(exception);
  if (value === undefined) faults.push(`${exception.file}: ${exception.rule} exception is unused`);
}
for (const fault of faults) console.log(fault);
console.log(faults.length === 0 ? 'tidy: nothing to say' : `tidy: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
