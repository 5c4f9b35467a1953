/**
 * Texts of `iptables-restore --noflush`, and of `iptables-save`.
 *
 * **Source:** iptables-restore(8), iptables(8).
 */
import type { FilterTable } from '../render/item.js';
import { notPossible, notUnderstood, type Command } from './command-base.js';
import { parseFilterRule, tokens, type FilterRule } from './filter-rule.js';
import type { ChainConfig, NamespaceConfig } from './namespace-config.js';

const TARGETS: Readonly<Record<string, FilterTable>> = {
  MARK: 'mangle',
  DNAT: 'nat',
  SNAT: 'nat',
  REDIRECT: 'nat',
  MASQUERADE: 'nat',
  ACCEPT: 'filter',
  DROP: 'filter',
};

/**
 * Parses a whole text, for one of the families. Lines that stand before any `*table` belong to the
 * table that their target is for: recorded rules come without headers.
 * @throws invalid-argument for what is not understood.
 */
export function parseFilterText(text: string, family: 4 | 6 = 4): readonly Command[] {
  const commands: Command[] = [];
  let table: FilterTable | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('*')) {
      table = tableNamed(line);
    } else if (line === 'COMMIT') {
      table = undefined;
    } else {
      commands.push({ text: line, execute: parseFilterLine(line, { open: table, family }) });
    }
  }
  return commands;
}

function tableNamed(line: string): FilterTable {
  const name = line.slice(1);
  if (name === 'mangle' || name === 'nat' || name === 'filter') return name;
  throw notUnderstood('iptables', line);
}

function parseFilterLine(
  line: string,
  { open, family }: { readonly open: FilterTable | undefined; readonly family: 4 | 6 },
): Command['execute'] {
  const words = tokens(line);
  const [verb = '', chain = '', ...rest] = words;
  if (verb.startsWith(':')) {
    if (open === undefined) throw notUnderstood('iptables', line);
    return declareChain({ table: open, family, chain: verb.slice(1), line }, chain);
  }
  const isNumbered = verb === '-I' && /^\d+$/.test(rest[0] ?? '');
  const rule = ['-A', '-I', '-D'].includes(verb)
    ? parseFilterRule(isNumbered ? rest.slice(1) : rest)
    : undefined;
  const table = open ?? (rule === undefined ? undefined : tableOf(rule));
  if (table === undefined) throw notUnderstood('iptables', line);
  const place = { table, family, chain, line };
  if (verb === '-F') return (config) => flush(config, place);
  if (verb === '-X') return (config) => deleteChain(config, place);
  if (rule === undefined) throw notUnderstood('iptables', line);
  const position = isNumbered ? Number(rest[0]) - 1 : 0;
  return (config) => {
    const found = chainOf(config, place);
    if (verb === '-A') {
      found.rules.push(rule);
    } else if (verb === '-I') {
      found.rules.splice(position, 0, rule);
    } else {
      const at = found.rules.findIndex(({ text }) => text === rule.text);
      if (at < 0) throw notPossible(line, 'no such rule');
      found.rules.splice(at, 1);
    }
  };
}

function tableOf(rule: FilterRule): FilterTable | undefined {
  return TARGETS[rule.target.type];
}

interface ChainPlace {
  readonly table: FilterTable;
  readonly family: 4 | 6;
  readonly chain: string;
  readonly line: string;
}

function chainOf(config: NamespaceConfig, place: ChainPlace): ChainConfig {
  const { table, family, chain, line } = place;
  const found = config.table(table, family).get(chain);
  if (found === undefined) throw notPossible(line, 'no such chain');
  return found;
}

/** A policy sets that of a built-in chain; a user's chain is made, or emptied. */
function declareChain({ table, family, chain }: ChainPlace, policy: string): Command['execute'] {
  return (config) => {
    const chains = config.table(table, family);
    const present = chains.get(chain);
    if (policy === 'ACCEPT' || policy === 'DROP') {
      if (present !== undefined) present.policy = policy;
    } else {
      chains.set(chain, { policy: undefined, rules: [] });
    }
  };
}

function flush(config: NamespaceConfig, place: ChainPlace): void {
  if (place.chain !== '') {
    chainOf(config, place).rules = [];
    return;
  }
  for (const chain of config.table(place.table, place.family).values()) chain.rules = [];
}

function deleteChain(config: NamespaceConfig, place: ChainPlace): void {
  const chain = chainOf(config, place);
  if (chain.policy !== undefined) throw notPossible(place.line, 'the chain is built in');
  if (chain.rules.length > 0) throw notPossible(place.line, 'the chain is not empty');
  config.table(place.table, place.family).delete(place.chain);
}
