/**
 * What may stand where the cursor is: commands, options, their values, and names that somebody has
 * to be asked for. Pure, but for the asking.
 */
import { compareText } from '@skep/api';
import type { Command, Option } from 'commander';

/** What names are asked for. */
export type NameSort =
  | { readonly type: 'clusters' }
  /** Words for kinds; with `isPath`, each is followed by a slash. */
  | { readonly type: 'kinds'; readonly isPath?: boolean }
  /** Names of objects of a kind, by any of the kind's names. */
  | { readonly type: 'objects'; readonly kind: string };

/** What the shell is to offer. */
export type Completion =
  /** Names of files, which shells know best. */
  { readonly type: 'files' } | { readonly type: 'words'; readonly words: readonly Word[] };

/** A word that may stand there, and what it means. */
export interface Word {
  readonly text: string;
  readonly description: string;
}

/** Gives names, or none when nobody answers in time. */
export type AskNames = (sort: NameSort) => Promise<readonly string[]>;

/** Options whose values are names of files. */
const FILE_OPTIONS: ReadonlySet<string> = new Set([
  '--file',
  '--images',
  '--kinds',
  '--trace',
  '--workdir',
  '--home',
  '--state',
  '--socket',
  '--docker-socket',
  '--openb-nodes',
  '--openb-pods',
  '--openb-orders',
]);

/** What words stand for: operands of each command, and values of options by their names. */
const OPERANDS: Readonly<Record<string, readonly NameSort[]>> = Object.freeze({
  scale: [{ type: 'objects', kind: 'services' }],
  update: [{ type: 'objects', kind: 'services' }],
  rollback: [{ type: 'objects', kind: 'services' }],
  drain: [{ type: 'objects', kind: 'nodes' }],
  pause: [{ type: 'objects', kind: 'nodes' }],
  activate: [{ type: 'objects', kind: 'nodes' }],
  tables: [{ type: 'objects', kind: 'nodes' }],
  logs: [
    { type: 'objects', kind: 'services' },
    { type: 'objects', kind: 'tasks' },
  ],
  explain: [{ type: 'objects', kind: 'tasks' }],
  why: [
    { type: 'objects', kind: 'services' },
    { type: 'objects', kind: 'tasks' },
  ],
  dns: [{ type: 'objects', kind: 'services' }],
  label: [{ type: 'kinds', isPath: true }],
  events: [{ type: 'kinds', isPath: true }],
  watch: [{ type: 'kinds' }],
});

/** Commands whose first word is a kind, and whose others are names of it. */
const BY_KIND: ReadonlySet<string> = new Set(['get', 'describe', 'rm']);

/** Values of options that are names. */
const OPTION_NAMES: Readonly<Record<string, NameSort>> = Object.freeze({
  '--cluster': { type: 'clusters' },
  '--network': { type: 'objects', kind: 'networks' },
  '--from': { type: 'objects', kind: 'tasks' },
});

/** Words that are operands of a command and nothing else. */
const FIXED: Readonly<Record<string, readonly string[]>> = Object.freeze({
  completion: ['bash', 'zsh', 'fish'],
});

/** Where in a line the cursor is. */
export interface Position {
  readonly command: Command;
  readonly operands: readonly string[];
  /** The option whose value is being written. */
  readonly option?: Option;
  /** The part of the word before the cursor. */
  readonly partial: string;
}

/** Reads the words after `skep`; the last is the one that is being written, maybe empty. */
export function positionOf(program: Command, words: readonly string[]): Position {
  let command = program;
  let option: Option | undefined;
  const operands: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (option !== undefined) {
      option = undefined;
    } else if (word.startsWith('-') && word !== '-') {
      option = word.includes('=') ? undefined : valueOption(command, word);
    } else {
      const inner = command.commands.find((one) => one.name() === word);
      if (inner !== undefined && operands.length === 0) command = inner;
      else operands.push(word);
    }
  }
  const partial = words.at(-1) ?? '';
  return { command, operands, partial, ...(option === undefined ? {} : { option }) };
}

/** The option of this name, if a value has to follow it. */
function valueOption(command: Command, word: string): Option | undefined {
  const found = command.options.find(({ long, short }) => word === long || word === short);
  return found?.required === true ? found : undefined;
}

/** What may stand at the end of these words. */
export async function completionOf(
  program: Command,
  words: readonly string[],
  ask: AskNames,
): Promise<Completion> {
  const position = positionOf(program, words);
  const { partial, option, command } = position;
  if (option === undefined && partial.startsWith('--') && partial.includes('=')) {
    const [name = '', value = ''] = partial.split(/=(.*)/s, 2);
    const known = valueOption(command, name);
    const found = known === undefined ? [] : await valuesOf(known, ask);
    return found === 'files' ? { type: 'files' } : starting(value, found, `${name}=`);
  }
  if (option !== undefined) {
    const found = await valuesOf(option, ask);
    return found === 'files' ? { type: 'files' } : starting(partial, found);
  }
  if (partial.startsWith('-')) return starting(partial, flagsOf(command));
  if (command.commands.length > 0) return starting(partial, commandsOf(command));
  return starting(partial, await operandsOf(position, ask));
}

function starting(partial: string, words: readonly Word[], prefix = ''): Completion {
  const found = words
    .filter(({ text }) => text.startsWith(partial))
    .map(({ text, description }) => ({ text: `${prefix}${text}`, description }));
  return { type: 'words', words: found };
}

const plain = (texts: readonly string[]): readonly Word[] =>
  [...new Set(texts)].sort(compareText).map((text) => ({ text, description: '' }));

async function valuesOf(option: Option, ask: AskNames): Promise<'files' | readonly Word[]> {
  if (option.argChoices !== undefined) return plain(option.argChoices);
  const name = option.long ?? '';
  if (FILE_OPTIONS.has(name)) return 'files';
  const sort = Object.hasOwn(OPTION_NAMES, name) ? OPTION_NAMES[name] : undefined;
  return sort === undefined ? [] : plain(await ask(sort));
}

function flagsOf(command: Command): readonly Word[] {
  const own = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ text: long ?? short ?? '', description }));
  return [...own, { text: '--help', description: 'display help for command' }];
}

function commandsOf(command: Command): readonly Word[] {
  // Hidden commands are not in the help, and nobody is to type them.
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ text: one.name(), description: one.description() }));
}

async function operandsOf(
  { command, operands, partial }: Position,
  ask: AskNames,
): Promise<readonly Word[]> {
  const name = command.name();
  if (Object.hasOwn(FIXED, name)) return operands.length > 0 ? [] : plain(FIXED[name] ?? []);
  if (partial.includes('/')) {
    const kind = partial.slice(0, partial.indexOf('/'));
    const names = await ask({ type: 'objects', kind });
    return plain(names.map((one) => `${kind}/${one}`));
  }
  if (BY_KIND.has(name)) return plain(await byKind(operands, name === 'rm', ask));
  const sorts = Object.hasOwn(OPERANDS, name) ? (OPERANDS[name] ?? []) : [];
  const names = (await Promise.all(sorts.map(ask))).flat();
  return plain(name === 'scale' ? names.map((one) => `${one}=`) : names);
}

async function byKind(
  [first, ...others]: readonly string[],
  isRemoval: boolean,
  ask: AskNames,
): Promise<readonly string[]> {
  if (first === undefined) {
    const services = isRemoval ? await ask({ type: 'objects', kind: 'services' }) : [];
    return [...services, ...(await ask({ type: 'kinds' }))];
  }
  if (first.includes('/')) return ask({ type: 'kinds', isPath: true });
  const named = await ask({ type: 'objects', kind: first });
  // A word that is no kind is the name of a service, and so are those after it.
  const isNames = named.length === 0 && isRemoval;
  const names = isNames ? await ask({ type: 'objects', kind: 'services' }) : named;
  return names.filter((one) => !others.includes(one) && one !== first);
}
