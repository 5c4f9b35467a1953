/**
 * Words of a POSIX shell.
 */

/** The text as one word that the shell takes literally. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The words of a command line, each quoted. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/** A path in a line of fstab(5). */
export function fstabWord(text: string): string {
  return text.replace(/[\\ \t\n#]/g, (char) => {
    return `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}
