/**
 * Files of `NAME=value` lines.
 * **Source:** docker/cli `pkg/kvfile`: values are taken as they are, quotes included.
 */

/** A line of an env file: `value` is undefined where only the name was given. */
export interface EnvLine {
  readonly name: string;
  readonly value?: string;
}

/** The lines, or the first that is wrong (counted from 1) and why. */
export type EnvFile =
  { readonly lines: readonly EnvLine[] } | { readonly line: number; readonly fault: string };

const LONGEST_LINE = 64 * 1024;

/** Reads the text of an env file. */
export function parseEnvFile(text: string): EnvFile {
  const lines: EnvLine[] = [];
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  for (const [index, raw] of body.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const fault = faultOf(line);
    if (fault !== undefined) return { line: index + 1, fault };
    const equals = line.indexOf('=');
    lines.push(
      equals < 0 ? { name: line } : { name: line.slice(0, equals), value: line.slice(equals + 1) },
    );
  }
  return { lines };
}

function faultOf(line: string): string | undefined {
  if (line.length > LONGEST_LINE) return `is longer than ${LONGEST_LINE} characters`;
  if (line.includes('\ufffd')) return 'is not valid UTF-8';
  const [name = ''] = line.split('=', 1);
  if (name === '') return 'has no variable name before the =';
  if (/[ \t]/.test(name)) return `the variable name '${name}' contains white space`;
  return undefined;
}
