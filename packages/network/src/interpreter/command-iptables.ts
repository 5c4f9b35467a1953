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
 * Parses a whole text. Lines that stand before any `*table` belong to the table that their target
 * is for: recorded rules come without headers.
 * @throws invalid-argument for what is not understood.
 */
export function parseFilterText(text: string): readonly Command[] {
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
      commands.push({ text: line, execute: parseFilterLine(line, table) });
    }
  }
  return commands;
}

function tableNamed(line: string): FilterTable {
  const name = line.slice(1);
  if (name === 'mangle' || name === 'nat' || name === 'filter') return name;
  throw notUnderstood('iptables', line);
}

function parseFilterLine(line: string, open: FilterTable | undefined): Command['execute'] {
  const words = tokens(line);
  const [verb = '', chain = '', ...rest] = words;
  if (verb.startsWith(':')) {
    if (open === undefined) throw notUnderstood('iptables', line);
    return declareChain(open, verb.slice(1), chain);
  }
  const isNumbered = verb === '-I' && /^\d+$/.test(rest[0] ?? '');
  const rule = ['-A', '-I', '-D'].includes(verb)
    ? parseFilterRule(isNumbered ? rest.slice(1) : rest)
    : undefined;
  const table = open ?? (rule === undefined ? undefined : tableOf(rule));
  if (table === undefined) throw notUnderstood('iptables', line);
  if (verb === '-F') return (config) => flush(config, { table, chain, line });
  if (verb === '-X') return (config) => deleteChain(config, { table, chain, line });
  if (rule === undefined) throw notUnderstood('iptables', line);
  const position = isNumbered ? Number(rest[0]) - 1 : 0;
  return (config) => {
    const found = chainOf(config, { table, chain, line });
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
  readonly chain: string;
  readonly line: string;
}

function chainOf(config: NamespaceConfig, { table, chain, line }: ChainPlace): ChainConfig {
  const found = config.table(table).get(chain);
  if (found === undefined) throw notPossible(line, 'no such chain');
  return found;
}

/** A policy sets that of a built-in chain; a user's chain is made, or emptied. */
function declareChain(table: FilterTable, chain: string, policy: string): Command['execute'] {
  return (config) => {
    const chains = config.table(table);
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
  for (const chain of config.table(place.table).values()) chain.rules = [];
}

function deleteChain(config: NamespaceConfig, place: ChainPlace): void {
  const chain = chainOf(config, place);
  if (chain.policy !== undefined) throw notPossible(place.line, 'the chain is built in');
  if (chain.rules.length > 0) throw notPossible(place.line, 'the chain is not empty');
  config.table(place.table).delete(place.chain);
}
