/**
 * Builds all packages: `tsc -b` makes the ES modules and the types, swc lowers them to CommonJS
 * beside (`dist/cjs`), so that `import`, `require` and a jest without configuration all work.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { ROOT, workspacePackages } from './packages.js';

function files(folder: string, under = ''): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const path = join(under, entry.name);
    if (entry.isDirectory()) return entry.name === 'cjs' && under === '' ? [] : files(folder, path);
    return [path];
  });
}

function lower(folder: string): void {
  const dist = join(folder, 'dist');
  const target = join(dist, 'cjs');
  rmSync(target, { recursive: true, force: true });
  for (const file of files(dist)) {
    const destination = join(target, file);
    mkdirSync(join(destination, '..'), { recursive: true });
    if (file.endsWith('.d.ts')) cpSync(join(dist, file), destination);
    else if (file.endsWith('.js')) {
      const { code } = transformSync(readFileSync(join(dist, file), 'utf8'), {
        jsc: { target: 'es2022', parser: { syntax: 'ecmascript' } },
        module: { type: 'commonjs' },
      });
      writeFileSync(destination, code);
    }
  }
  writeFileSync(join(target, 'package.json'), '{"type":"commonjs"}\n');
}

if (process.argv.includes('--clean')) {
  for (const { folder } of workspacePackages()) {
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
    rmSync(join(folder, 'tsconfig.tsbuildinfo'), { force: true });
  }
}
const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
for (const { folder } of workspacePackages()) lower(folder);
