/**
 * The script for bash, run by bash itself. Its question is answered by a stub of `skep` that prints
 * what it was asked.
 */
import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { completionScript } from '../src/completion/scripts.js';

const missing = missingPrograms(['bash']).filter((what) => what !== 'root');
const { suite, lack } = suiteThatNeeds(missing);

/** What bash would offer for a line whose cursor is at its end; `answer` is what skep prints. */
function offered(line: string, answer: string): { readonly asked: string; readonly words: string } {
  const script = `
${completionScript('bash')}
skep() { printf '<%s>' "$@" > "$ASKED"; printf '%b' "$ANSWER"; }
compopt() { printf 'compopt %s\\n' "$*"; }
ASKED="$(mktemp)"
COMP_LINE="$LINE"; COMP_POINT=\${#COMP_LINE}
_skep
printf '%s\\n' "\${COMPREPLY[@]}"
cat "$ASKED" >&2
rm "$ASKED"
`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LINE: line, ANSWER: answer },
  });
  expect(status).toBe(0);
  return { asked: stderr, words: stdout };
}

suite(`skep completion bash${lack}`, () => {
  it('asks with the words so far, and offers what it is told', () => {
    const { asked, words } = offered('skep get svc w', 'web\\tx\\nworker\\t\\n');
    expect(asked).toContain('<complete><--><get><svc><w>');
    expect(words).toBe('web\nworker\n');
  });

  it('a blank at the end begins a new word', () => {
    expect(offered('skep drain ', 'node1\\t\\n').asked).toContain('<complete><--><drain><>');
  });

  it('readline keeps what stands before a sign that parts words', () => {
    expect(offered('skep get --output=j', '--output=json\\t\\n').words).toBe('json\n');
    expect(offered('skep update web --image web:', 'web:2\\t\\n').words).toBe('2\n');
  });

  it('no blank after what goes on', () => {
    expect(offered('skep scale w', 'web=\\t\\n').words).toBe('compopt -o nospace\nweb=\n');
  });

  it('names of files are left to the shell', () => {
    expect(offered('skep apply -f s', ':files\\n').words).toBe('compopt -o default\n\n');
  });
});
