/**
 * Splits a command line into words: quotes, escapes, comments, nothing else of a shell.
 * **Source:** google/shlex, which the Docker client uses.
 */

/** Words, or what is wrong with the text. */
export type ShellWords =
  | { readonly words: readonly string[] }
  | { readonly fault: 'it ends inside a quotation' | 'it ends after a backslash' };

type State = 'between' | 'word' | 'escaped' | 'double' | 'double-escaped' | 'single' | 'comment';

/** The words of a command line. A word may be empty (`''`). */
export function splitShellWords(text: string): ShellWords {
  const words: string[] = [];
  let word = '';
  let state: State = 'between';
  for (const char of text) {
    const next = step(state, char);
    if (state === 'word' && next.state === 'between') {
      words.push(word);
      word = '';
    }
    if (next.keeps) word += char;
    state = next.state;
  }
  if (state === 'escaped' || state === 'double-escaped')
    return { fault: 'it ends after a backslash' };
  if (state === 'double' || state === 'single') return { fault: 'it ends inside a quotation' };
  if (state === 'word') words.push(word);
  return { words };
}

/** Where a character leads, and whether it is part of the word. */
function step(state: State, char: string): { state: State; keeps: boolean } {
  switch (state) {
    case 'comment':
      return { state: char === '\n' ? 'between' : 'comment', keeps: false };
    case 'escaped':
      return { state: 'word', keeps: true };
    case 'double-escaped':
      return { state: 'double', keeps: true };
    case 'single':
      return char === "'" ? { state: 'word', keeps: false } : { state, keeps: true };
    case 'double':
      if (char === '"') return { state: 'word', keeps: false };
      return char === '\\' ? { state: 'double-escaped', keeps: false } : { state, keeps: true };
    default:
      break;
  }
  if (char === "'") return { state: 'single', keeps: false };
  if (char === '"') return { state: 'double', keeps: false };
  if (char === '\\') return { state: 'escaped', keeps: false };
  if (' \t\r\n'.includes(char)) return { state: 'between', keeps: false };
  if (char === '#' && state === 'between') return { state: 'comment', keeps: false };
  return { state: 'word', keeps: true };
}
