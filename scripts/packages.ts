/** The packages of the workspace, as the scripts need them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '..');

/** A package of the workspace. */
export interface WorkspacePackage {
  readonly name: string;
  readonly folder: string;
  /** Entry points without extension: `index`, `virtual`. */
  readonly entries: readonly string[];
  readonly manifest: Record<string, unknown>;
}

/** All packages, in the order of their folders. */
export function workspacePackages(): readonly WorkspacePackage[] {
  const root = join(ROOT, 'packages');
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, 'package.json')))
    .map((name) => {
      const folder = join(root, name);
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      const exports = (manifest['exports'] ?? {}) as Record<string, unknown>;
      const entries = Object.keys(exports)
        .filter((key) => key !== './package.json')
        .map((key) => (key === '.' ? 'index' : key.slice(2)));
      return { name: String(manifest['name']), folder, entries, manifest };
    });
}
