/**
 * The commands by which shells complete `skep`.
 */
import { Argument, type Command } from 'commander';
import { CLUSTER_HELP } from './cluster-help.js';
import { completionOf } from './completion/candidates.js';
import { namesFrom } from './completion/names.js';
import { completionScript, FILES, SHELLS, type Shell } from './completion/scripts.js';
import type { ClusterChoice } from './live/connection.js';
import { EXIT, type ExitCode, type Surroundings } from './surroundings.js';

/** Adds `completion`, and the hidden `complete`. */
export function addCompletion(
  program: Command,
  surroundings: Surroundings,
  exit: (code: ExitCode) => void,
): void {
  program
    .command('completion')
    .description('print what makes a shell complete skep')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText('after', CLUSTER_HELP.completion)
    .action((shell: Shell) => surroundings.out(completionScript(shell)));
  program
    .command('complete', { hidden: true })
    .description('print what may stand at the end of these words')
    .argument('[words...]')
    .action(async (words: string[]) => {
      const ask = namesFrom(choiceIn(words), surroundings);
      const completion = await completionOf(program, words, ask);
      surroundings.out(
        completion.type === 'files'
          ? `${FILES}\n`
          : completion.words.map(({ text, description }) => `${text}\t${description}\n`).join(''),
      );
      exit(EXIT.ok);
    });
}

/** The cluster that the words so far name. */
function choiceIn(words: readonly string[]): ClusterChoice {
  const valueOf = (flag: string): string | undefined => {
    const at = words.indexOf(flag);
    const joined = words.find((word) => word.startsWith(`${flag}=`));
    // A value that is still being written is no value.
    return (
      joined?.slice(flag.length + 1) ??
      (at >= 0 && at + 1 < words.length - 1 ? words[at + 1] : undefined)
    );
  };
  const [cluster, state, socket] = ['--cluster', '--state', '--socket'].map(valueOf);
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(state === undefined ? {} : { state }),
    ...(socket === undefined ? {} : { socket }),
  };
}
