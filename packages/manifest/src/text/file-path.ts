/**
 * Paths as texts: no file system is asked.
 * **Source:** Go `path.Clean`, `filepath.Join`, and the Windows rules of docker/cli's compose
 * loader.
 */

/** The shortest path that means the same: no `.`, no `..` in the middle, no doubled slashes. */
export function cleanPath(path: string): string {
  const isRooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!isRooted) kept.push(part);
  }
  const joined = kept.join('/');
  if (isRooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

/** The path itself when absolute, else joined to the directory. */
export function resolvePath(directory: string, path: string): string {
  if (path.startsWith('/')) return path;
  return cleanPath([directory, path].filter((part) => part !== '').join('/'));
}

/** The directory that a file is in; `.` for a bare name. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : cleanPath(path.slice(0, slash + 1));
}

/** Whether a path is absolute on Windows: `C:\x`, `c:/x`, `\\server\share\x`. */
export function isWindowsAbsolute(path: string): boolean {
  if (/^[A-Za-z]:[\\/]/.test(path)) return true;
  return /^[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*[\\/]/.test(path);
}
