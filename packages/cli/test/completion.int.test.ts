/**
 * The scripts for bash, zsh and fish, run by the shells themselves. Their question is answered by a
 * stub of `skep` that notes what it was asked.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { completionScript } from '../src/completion/scripts.js';

function needs(program: string): ReturnType<typeof suiteThatNeeds> {
  return suiteThatNeeds(missingPrograms([program]).filter((what) => what !== 'root'));
}

const { suite, lack } = needs('bash');
const fish = needs('fish');
const zsh = needs('zsh');

/** What a shell says to a script in which the stub's notes go to `$ASKED`. */
function run(
  shell: readonly [string, ...string[]],
  script: string,
  env: Readonly<Record<string, string>>,
): { readonly asked: string; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'skep-completion-'));
  try {
    const [program, ...options] = shell;
    const ASKED = join(folder, 'asked');
    const { stdout, stderr, status } = spawnSync(program, [...options, '-c', script], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb', LC_ALL: 'C', ASKED, ...env },
    });
    expect([status, stderr]).toEqual([0, '']);
    return { asked: readFileSync(ASKED, 'utf8'), said: stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What fish would offer: a word and what it means a line, parted by a tab. */
function offeredByFish(line: string, answer: string): { asked: string; said: string } {
  const script = `
${completionScript('fish')}
function skep; printf '<%s>' $argv > $ASKED; printf '%b' $ANSWER; end
complete -C $LINE
`;
  return run(['fish', '--no-config'], script, { LINE: line, ANSWER: answer });
}

/** What zsh writes to a terminal when the tabulator key is pressed, twice. */
function offeredByZsh(line: string, answer: string): { asked: string; said: string } {
  const set = "PS1='> '; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D";
  const script = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "${set}; eval \\"\\$SCRIPT\\"; eval \\"\\$STUB\\"; echo RE''ADY"
zpty -r shell seen '*READY*> *'
zpty -w -n shell "$LINE"$'\\t\\t'
zpty -w -n shell $'\\x15'"echo EN''DED"$'\\n'
zpty -r shell seen '*ENDED*'
print -r -- "$seen"
zpty -d shell
`;
  const STUB = `skep() { printf '<%s>' "$@" > "$ASKED"; printf '%b' "$ANSWER"; }`;
  const SCRIPT = completionScript('zsh');
  return run(['zsh', '-f'], script, { LINE: line, ANSWER: answer, STUB, SCRIPT });
}

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

fish.suite(`skep completion fish${fish.lack}`, () => {
  it('asks with the words so far, and offers what it is told with its meaning', () => {
    const { asked, said } = offeredByFish('skep get svc w', 'web\\tserves: all\\nworker\\t\\n');
    expect(asked).toBe('<complete><--><get><svc><w>');
    expect(said).toBe('web\tserves: all\nworker\n');
  });

  it('a blank at the end begins a new word, and options stay whole', () => {
    expect(offeredByFish('skep drain ', 'node1\\t\\n').asked).toBe('<complete><--><drain><>');
    expect(offeredByFish('skep get --output=j', '--output=json\\t\\n').said).toBe(
      '--output=json\n',
    );
  });

  it('names of files are left to the shell', () => {
    expect(offeredByFish(`skep apply -f ${__dirname}/compl`, ':files\\n').said).toContain(
      'completion.int.test.ts',
    );
  });
});

zsh.suite(`skep completion zsh${zsh.lack}`, () => {
  it('asks with the words so far, and offers what it is told with its meaning', () => {
    const { asked, said } = offeredByZsh('skep get svc w', 'web\\tserves: all\\nworker\\t\\n');
    expect(asked).toBe('<complete><--><get><svc><w>');
    expect(said).toMatch(/web +-- serves: all/);
    expect(said).toMatch(/worker *\r/);
  });

  it('completes the only word, and begins a new one after a blank', () => {
    const { asked, said } = offeredByZsh('skep drain ', 'node-of-all\\tready\\n');
    expect(asked).toMatch(/^<complete><--><drain>/);
    expect(said).toContain('node-of-all');
  });

  it('names of files are left to the shell', () => {
    const { said } = offeredByZsh(`skep apply -f ${__dirname}/complet`, ':files\\n');
    expect(said).toContain('completion.int.test.ts');
  });
});
