/**
 * Texts of `nft -f`, and of `nft list ruleset`. Each is one transaction: all of it, or nothing.
 *
 * **Source:** nft(8).
 */
import { notPossible, type Command } from '../command-base.js';
import { parseElements, parseSet } from './elements.js';
import { TokenReader, tokensOf } from './lexer.js';
import { keyOf, sequence, tableOf, type Operation, type Place } from './operation.js';
import { parseRule, type SetLookup } from './rule.js';
import type { NftVerdict } from './context.js';
import type { NftChain, NftFamily, NftHook, NftRuleset } from './ruleset.js';

const PRIORITIES: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
};

/** What `dstnat` is in tables of bridges. */
const BRIDGE_PRIORITIES: Readonly<Record<string, number>> = { dstnat: -300, filter: -200 };

const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

/**
 * Parses a whole text to the one command that it is.
 * @throws invalid-argument for what is not understood.
 */
export function parseNftText(text: string): readonly Command[] {
  const reader = new TokenReader(tokensOf(text));
  const operations: Operation[] = [];
  for (reader.skipEnds(); !reader.isAtEnd; reader.skipEnds()) parseCommand(reader, operations);
  if (operations.length === 0) return [];
  return [{ text, execute: ({ nft }) => execute(nft, operations) }];
}

function execute(ruleset: NftRuleset, operations: readonly Operation[]): void {
  const undo: (() => void)[] = [];
  try {
    for (const operation of operations) undo.push(operation(ruleset));
    checkTargets(ruleset);
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  } finally {
    ruleset.chainsChanged();
  }
}

/** Every chain that something leads to has to be there. */
function checkTargets(ruleset: NftRuleset): void {
  for (const { chains, sets } of ruleset.tables.values()) {
    const check = (verdict: NftVerdict | string | true): void => {
      const chain = typeof verdict === 'object' && 'chain' in verdict ? verdict.chain : undefined;
      if (chain !== undefined && !chains.has(chain)) {
        throw notPossible(`goto ${chain}`, 'no such chain');
      }
    };
    for (const { rules } of chains.values()) {
      for (const { leadsTo } of rules) {
        for (const chain of leadsTo) check({ type: 'goto', chain });
      }
    }
    for (const { data, elements } of sets.values()) {
      if (data === 'verdict') for (const verdict of elements.values()) check(verdict);
    }
  }
}

function parseCommand(reader: TokenReader, operations: Operation[]): void {
  const verb = reader.peek();
  if (verb === 'table') return parseTable(reader, operations);
  if (verb !== 'add' && verb !== 'delete' && verb !== 'flush') {
    throw reader.fault(`unknown command "${verb}"`);
  }
  reader.next();
  const object = reader.next();
  if (verb === 'flush' && object === 'ruleset') {
    operations.push(flushRuleset);
    return undefined;
  }
  const place = parsePlace(reader);
  operations.push(parseChange(reader, `${verb} ${object}`, place));
  return undefined;
}

function parseChange(reader: TokenReader, command: string, place: Place): Operation {
  const name = command.endsWith(' table') ? '' : reader.next();
  const line = `${command} ${place.family} ${place.name} ${name}`.trim();
  switch (command) {
    case 'add table':
      return addTable(place);
    case 'delete table':
      return deleteTable(place, line);
    case 'add chain':
      return reader.skip('{') ? parseChainBlock(reader, place, name) : addChain(place, name);
    case 'flush chain':
      return (ruleset) => {
        const chain = chainOf(ruleset, place, name, line);
        const { rules } = chain;
        chain.rules = [];
        return () => {
          chain.rules = rules;
        };
      };
    case 'delete chain':
      return (ruleset) => {
        const chain = chainOf(ruleset, place, name, line);
        const { chains } = tableOf(ruleset, place, line);
        chains.delete(name);
        return () => {
          chains.set(name, chain);
        };
      };
    case 'add rule':
      return addRule(reader, place, name);
    case 'add element':
      return parseElements(reader, place, name, 'add');
    case 'delete element':
      return parseElements(reader, place, name, 'delete');
    default:
      throw reader.fault(`unknown command "${command}"`);
  }
}

function parsePlace(reader: TokenReader): Place {
  const family = reader.next();
  if (family !== 'inet' && family !== 'ip' && family !== 'ip6' && family !== 'bridge') {
    throw reader.fault(`unknown family "${family}"`);
  }
  return { family, name: reader.next() };
}

function chainOf(ruleset: NftRuleset, place: Place, name: string, line: string): NftChain {
  const chain = tableOf(ruleset, place, line).chains.get(name);
  if (chain === undefined) throw notPossible(line, 'no such chain');
  return chain;
}

function addTable(place: Place): Operation {
  return ({ tables }) => {
    const key = keyOf(place);
    if (tables.has(key)) return () => undefined;
    tables.set(key, { ...place, sets: new Map(), chains: new Map() });
    return () => {
      tables.delete(key);
    };
  };
}

function deleteTable(place: Place, line: string): Operation {
  return (ruleset) => {
    const table = tableOf(ruleset, place, line);
    ruleset.tables.delete(keyOf(place));
    return () => {
      ruleset.tables.set(keyOf(place), table);
    };
  };
}

const flushRuleset: Operation = ({ tables }) => {
  const all = [...tables];
  tables.clear();
  return () => {
    for (const [key, table] of all) tables.set(key, table);
  };
};

/** `table inet skep`, alone or with what is in it. */
function parseTable(reader: TokenReader, operations: Operation[]): void {
  reader.expect('table');
  const place = parsePlace(reader);
  operations.push(addTable(place));
  if (!reader.skip('{')) return;
  for (reader.skipEnds(); !reader.skip('}'); reader.skipEnds()) {
    const kind = reader.next();
    const name = reader.next();
    reader.expect('{');
    if (kind === 'chain') operations.push(parseChainBlock(reader, place, name));
    else if (kind === 'set' || kind === 'map') operations.push(parseSet(reader, place, name, kind));
    else throw reader.fault(`unknown in a table: "${kind}"`);
  }
}

function addChain(place: Place, name: string, base?: NftHook): Operation {
  return (ruleset) => {
    const { chains } = tableOf(ruleset, place, `add chain ${name}`);
    const present = chains.get(name);
    if (present !== undefined) return () => undefined;
    chains.set(name, { name, base, rules: [] });
    return () => {
      chains.delete(name);
    };
  };
}

function parseChainBlock(reader: TokenReader, place: Place, name: string): Operation {
  reader.skipEnds();
  const base = reader.peek() === 'type' ? parseHook(reader, place) : undefined;
  const parts = [addChain(place, name, base)];
  for (reader.skipEnds(); !reader.skip('}'); reader.skipEnds()) {
    parts.push(addRule(reader, place, name));
  }
  return sequence(parts);
}

/** `type nat hook prerouting priority dstnat; policy accept;` */
function parseHook(reader: TokenReader, { family }: Place): NftHook {
  reader.expect('type');
  const type = reader.next();
  if (type !== 'filter' && type !== 'nat' && type !== 'route') {
    throw reader.fault(`unknown type of chain "${type}"`);
  }
  reader.expect('hook');
  const hook = reader.next();
  if (!HOOKS.includes(hook)) throw reader.fault(`unknown hook "${hook}"`);
  reader.expect('priority');
  const priority = parsePriority(reader, family);
  reader.expect(';');
  let policy: NftHook['policy'] = 'accept';
  if (reader.skip('policy')) {
    policy = reader.next() === 'drop' ? 'drop' : 'accept';
    reader.expect(';');
  }
  return { type, hook, priority, policy };
}

function parsePriority(reader: TokenReader, family: NftFamily): number {
  const word = reader.next();
  const named = family === 'bridge' ? BRIDGE_PRIORITIES[word] : PRIORITIES[word];
  let priority = named ?? Number(word);
  const sign = reader.peek();
  if (named !== undefined && (sign === '+' || sign === '-')) {
    reader.next();
    priority += Number(`${sign}${reader.next()}`);
  }
  if (!Number.isInteger(priority)) throw reader.fault(`unknown priority "${word}"`);
  return priority;
}

function addRule(reader: TokenReader, place: Place, name: string): Operation {
  const rule = parseRule(reader);
  return (ruleset) => {
    const line = `add rule ${place.family} ${place.name} ${name} ${rule.text}`;
    const table = tableOf(ruleset, place, line);
    const chain = chainOf(ruleset, place, name, line);
    const sets: SetLookup = (set) => {
      const found = table.sets.get(set);
      if (found === undefined) throw notPossible(line, `no such set: ${set}`);
      return found;
    };
    const before = chain.rules;
    chain.rules = [...before, rule.make(sets)];
    return () => {
      chain.rules = before;
    };
  };
}
