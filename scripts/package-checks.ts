/**
 * Packs every package and lets publint and attw judge the tarballs; then installs them in a fresh
 * folder outside the clone and loads them by `import`, by `require` and in a jest without any
 * configuration, running the program of the README. Needs a build.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, workspacePackages } from './packages.js';

/** Jest refuses to be loaded outside of a test: this entry point is loaded in the jest test. */
const ONLY_IN_JEST = '@skep/testing/jest';

const scratch = mkdtempSync(join(tmpdir(), 'skep-packages-'));
let faults = 0;

function run(command: string, args: readonly string[], cwd: string): { ok: boolean; out: string } {
  const env = { ...process.env, CI: 'true' };
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  return { ok: result.status === 0, out: `${result.stdout}${result.stderr}` };
}

function verdict(what: string, result: { ok: boolean; out: string }): void {
  console.log(`${result.ok ? 'ok  ' : 'FAIL'} ${what}`);
  if (result.ok) return;
  faults += 1;
  console.log(result.out);
}

function readmeProgram(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (program === undefined) throw new Error('README.md holds no program');
  return program;
}

/** The program of the README as the body of a test: its imports are lowered to `require`. */
function asJestTest(program: string): string {
  const body = program.replace(
    /import \{([^}]*)\} from '([^']*)';/g,
    (_all, names: string, from: string) => `const {${names}} = require('${from}');`,
  );
  const silent = body.replaceAll('console.log', 'void ');
  return `test('the program of the README runs', async () => {\n${silent}\n});\n`;
}

try {
  for (const { name, folder } of workspacePackages()) {
    verdict(`pack ${name}`, run('npm', ['pack', '--pack-destination', scratch], folder));
  }
  const tarballs = readdirSync(scratch).filter((file) => file.endsWith('.tgz'));
  for (const tarball of tarballs) {
    const path = join(scratch, tarball);
    verdict(`publint ${tarball}`, run('npx', ['publint', path, '--strict'], ROOT));
    verdict(`attw ${tarball}`, run('npx', ['attw', path, '--profile', 'node16'], ROOT));
  }
  const user = mkdtempSync(join(tmpdir(), 'skep-user-'));
  try {
    writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true }\n');
    const paths = tarballs.map((file) => join(scratch, file));
    verdict(
      'npm i of the tarballs',
      run('npm', ['i', '--no-audit', '--no-fund', 'jest@30', ...paths], user),
    );
    const program = readmeProgram();
    writeFileSync(join(user, 'program.mjs'), program);
    verdict('import: the program of the README', run(process.execPath, ['program.mjs'], user));
    const loads = workspacePackages()
      .filter(({ name }) => name !== '@skep/cli')
      .flatMap(({ name, entries }) =>
        entries.map((entry) => (entry === 'index' ? name : `${name}/${entry}`)),
      )
      .filter((name) => name !== ONLY_IN_JEST);
    writeFileSync(
      join(user, 'all.cjs'),
      loads.map((name) => `if (!require('${name}')) throw new Error('${name}');`).join('\n'),
    );
    verdict('require: every entry point', run(process.execPath, ['all.cjs'], user));
    writeFileSync(
      join(user, 'all.mjs'),
      loads
        .map((name, n) => `import * as m${n} from '${name}'; if (!m${n}) throw new Error();`)
        .join('\n'),
    );
    verdict('import: every entry point', run(process.execPath, ['all.mjs'], user));
    writeFileSync(join(user, 'program.test.js'), asJestTest(program));
    writeFileSync(
      join(user, 'matchers.test.js'),
      `const kit = require('${ONLY_IN_JEST}');\n` +
        `test('matchers', () => expect(typeof kit.expect([]).toBePlacedOn).toBe('function'));\n`,
    );
    verdict('jest without configuration', run('npx', ['jest'], user));
    verdict('npx skep --help', run('npx', ['skep', '--help'], user));
  } finally {
    rmSync(user, { recursive: true, force: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = faults === 0 ? 0 : 1;
