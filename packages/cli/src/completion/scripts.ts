/**
 * What shells run to complete `skep`: each asks the hidden command `complete`, which prints a word
 * and what it means a line, parted by a tab, or `:files`.
 */

/** Shells that are known. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** What stands for names of files. */
export const FILES = ':files';

const BASH = `# bash completion of skep
_skep() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  # Readline parts words at '=' and ':'; skep's words are parted by blanks only.
  local -a words
  local joined="\${COMP_LINE:0:COMP_POINT}"
  read -r -a words <<< "$joined"
  [[ "$joined" == *[[:space:]] ]] && words+=("")
  cur="\${words[\${#words[@]}-1]}"
  local out
  out="$("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)" || return
  COMPREPLY=()
  if [[ "$out" == ":files" ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  # What readline takes for the beginning of the word is not to be repeated.
  local before=""
  [[ "$cur" == *[=:]* ]] && before="\${cur%"\${cur##*[=:]}"}"
  while IFS=$'\\t' read -r line _; do
    [[ -n "$line" ]] && COMPREPLY+=("\${line#"$before"}")
  done <<< "$out"
  if [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[=/] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _skep skep
`;

const ZSH = `#compdef skep
# zsh completion of skep
_skep() {
  local out line word meaning
  local -a described
  out="$(\${words[1]} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)" || return 1
  if [[ "$out" == ":files" ]]; then
    _files
    return
  fi
  for line in "\${(@f)out}"; do
    [[ -z "$line" ]] && continue
    word="\${line%%$'\\t'*}"
    meaning="\${line#*$'\\t'}"
    described+=("\${word//:/\\\\:}\${meaning:+:$meaning}")
  done
  _describe 'skep' described
}
if [[ "$funcstack[1]" == "_skep" ]]; then
  _skep "$@"
else
  compdef _skep skep
fi
`;

const FISH = `# fish completion of skep
function __skep_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l out ($words[1] complete -- $words[2..-1] 2>/dev/null)
    if test "$out" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $out
    end
end
complete -c skep -f -a '(__skep_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = Object.freeze({
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
});

/** The script of a shell. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
