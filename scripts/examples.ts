/**
 * Runs every example and every ```ts block of the READMEs and guides, and compares what it prints:
 * an example's header comment holds the expected output after `Prints:`, a block's is the ```text
 * block that follows it. A program without an expectation has to end well.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT, workspacePackages } from './packages.js';

interface Program {
  readonly name: string;
  readonly file: string;
  readonly expected?: string;
}

const temp = join(ROOT, 'temp/snippets');
rmSync(temp, { recursive: true, force: true });
mkdirSync(temp, { recursive: true });

function headerOf(text: string): string | undefined {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  const lines = comment?.split('\n').map((line) => line.replace(/^ \* ?/, '').trimEnd()) ?? [];
  const from = lines.indexOf('Prints:');
  if (from < 0) return undefined;
  return lines
    .slice(from + 1)
    .map((line) => line.replace(/^ {2}/, ''))
    .join('\n')
    .trim();
}

function examples(): Program[] {
  const folder = join(ROOT, 'examples');
  return readdirSync(folder)
    .filter((name) => /^\d\d-.*\.ts$/.test(name) && !name.endsWith('.test.ts'))
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const expected = headerOf(readFileSync(file, 'utf8'));
      if (expected === undefined) throw new Error(`${name}: the header says not what it prints`);
      return { name: `examples/${name}`, file, expected };
    });
}

/** Programs of examples that are folders: they have to end well. */
function demos(): Program[] {
  const folder = join(ROOT, 'examples/orchestrators');
  return readdirSync(folder)
    .sort()
    .map((name) => ({
      name: `examples/orchestrators/${name}/demo.ts`,
      file: join(folder, name, 'demo.ts'),
    }))
    .filter(({ file }) => existsSync(file));
}

function snippets(): Program[] {
  const docs = join(ROOT, 'docs');
  const pages = [
    join(ROOT, 'README.md'),
    join(ROOT, 'examples/README.md'),
    ...workspacePackages().map(({ folder }) => join(folder, 'README.md')),
    ...readdirSync(docs).map((name) => join(docs, name)),
  ].filter((page) => page.endsWith('.md') && existsSync(page));
  return pages.flatMap((page) => {
    const text = readFileSync(page, 'utf8');
    const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```(?:\s*```text\n([\s\S]*?)```)?/g)];
    return blocks.map((block, index) => {
      const name = `${relative(ROOT, page)}#${index + 1}`;
      const file = join(temp, `${name.replace(/[^a-z0-9]+/gi, '-')}.ts`);
      writeFileSync(file, block[1] ?? '');
      return { name, file, ...(block[2] === undefined ? {} : { expected: block[2].trim() }) };
    });
  });
}

let faults = 0;
for (const { name, file, expected } of [...examples(), ...demos(), ...snippets()]) {
  const result = spawnSync(
    process.execPath,
    ['--conditions=@skep/source', '--import', 'tsx', file],
    { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
  );
  const printed = result.stdout
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
  const isSame = expected === undefined || printed === expected;
  const ok = result.status === 0 && isSame;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (ok) continue;
  faults += 1;
  console.log(result.stderr);
  if (!isSame) console.log(`--- expected\n${expected ?? ''}\n--- printed\n${printed}`);
}
rmSync(temp, { recursive: true, force: true });
process.exitCode = faults === 0 ? 0 : 1;
