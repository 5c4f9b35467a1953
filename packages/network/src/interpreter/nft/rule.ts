/**
 * One rule of nft: matches, then what is done.
 *
 * **Source:** nft(8), "Rules", "Statements".
 */
import { isIpv6 } from '../../table/ip.js';
import type { NftContext, NftVerdict } from './context.js';
import { makeRead, parseExpression, type Expression, type Read } from './expression.js';
import type { TokenReader } from './lexer.js';
import type { NftRule, NftSet } from './ruleset.js';
import { canonical, membership, type Membership, type ValueType } from './value.js';

/** Sets of the rule's table by name. */
export type SetLookup = (name: string) => NftSet;

/**
 * One step of a rule: `undefined` stops the rule, `continue` goes on, anything else decides. Made
 * anew for each rule: counters belong to it.
 */
type Step = (context: NftContext) => NftVerdict | undefined;
type MakeStep = (sets: SetLookup) => Step;

const CONTINUE: NftVerdict = Object.freeze({ type: 'continue' });

/** A parsed rule, that can be put into a table. */
export interface ParsedRule {
  readonly text: string;
  readonly make: (sets: SetLookup) => NftRule;
}

/**
 * Reads a rule to the end of its line.
 * @throws invalid-argument for what is not known, so that nothing is passed over.
 */
export function parseRule(reader: TokenReader): ParsedRule {
  const text = reader.ruleText();
  const steps: MakeStep[] = [];
  const leadsTo: string[] = [];
  while (!reader.isAtEndOfRule) steps.push(parseStep(reader, leadsTo));
  return {
    text,
    make: (sets) => {
      const made = steps.map((step) => step(sets));
      return { text, leadsTo, run: (context) => runSteps(made, context) };
    },
  };
}

function runSteps(steps: readonly Step[], context: NftContext): NftVerdict | undefined {
  let last: NftVerdict | undefined;
  for (const step of steps) {
    last = step(context);
    if (last?.type !== 'continue') return last;
  }
  return last;
}

function parseStep(reader: TokenReader, leadsTo: string[]): MakeStep {
  const statement = parseStatement(reader, leadsTo);
  if (statement !== undefined) return statement;
  if (reader.peek() === 'ct' && reader.peek(1) === 'status') return parseStatus(reader);
  const expression = parseExpression(reader);
  if (expression === undefined) throw reader.fault(`unknown statement "${reader.next()}"`);
  if (reader.skip('vmap')) return parseVerdictMap(reader, expression);
  if (reader.skip('set')) return parseAssignment(reader, expression);
  return parseComparison(reader, expression);
}

/** Statements that begin with a word of their own. */
function parseStatement(reader: TokenReader, leadsTo: string[]): MakeStep | undefined {
  const word = reader.peek();
  switch (word) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'continue':
    case 'masquerade':
      reader.next();
      return () => () => ({ type: word });
    case 'counter':
      reader.next();
      return () => () => CONTINUE;
    case 'jump':
    case 'goto': {
      reader.next();
      const chain = reader.next();
      leadsTo.push(chain);
      return () => () => ({ type: word, chain });
    }
    case 'dnat':
    case 'snat':
      reader.next();
      return parseTranslation(reader, word);
    case 'reject':
      reader.next();
      return parseReject(reader);
    default:
      return undefined;
  }
}

function parseReject(reader: TokenReader): MakeStep {
  let answer = 'icmpx port-unreachable';
  if (reader.skip('with')) {
    const words: string[] = [];
    while (!reader.isAtEndOfRule) words.push(reader.next());
    answer = words.join(' ');
  }
  if (!['tcp reset', 'icmpx port-unreachable', 'icmpx type port-unreachable'].includes(answer)) {
    throw reader.fault(`unknown answer of reject: "${answer}"`);
  }
  return () => (context) =>
    answer === 'tcp reset' && context.packet.protocol !== 'tcp'
      ? undefined
      : { type: 'reject', answer };
}

/** `dnat ip to 10.0.0.2`, `dnat ip to KEY map @slots4`. */
function parseTranslation(reader: TokenReader, type: 'dnat' | 'snat'): MakeStep {
  const family = reader.next();
  if (family !== 'ip' && family !== 'ip6') throw reader.fault(`no family for ${type}`);
  reader.expect('to');
  const make = parseValue(reader, family === 'ip' ? 'ipv4_addr' : 'ipv6_addr');
  return (sets) => {
    const read = make(sets);
    return (context) => {
      if (isIpv6(context.packet.destination) !== (family === 'ip6')) return undefined;
      const [address, port] = read(context)?.split(' . ') ?? [];
      if (address === undefined) return undefined;
      return { type, address, ...(port === undefined ? {} : { port: Number(port) }) };
    };
  };
}

/** A constant, an expression, or what a map has for one. */
function parseValue(reader: TokenReader, type: ValueType): (sets: SetLookup) => Read {
  const expression = parseExpression(reader);
  if (expression === undefined) {
    const text = reader.next();
    const value = canonical(type, text);
    if (value === undefined) throw reader.fault(`not a value of ${type}: "${text}"`);
    return () => () => value;
  }
  if (!reader.skip('map')) return () => makeRead(expression);
  const name = setName(reader);
  return (sets) => {
    const read = makeRead(expression);
    const set = fitting(reader, sets(name), expression);
    return (context) => {
      const key = read(context);
      const data = key === undefined ? undefined : set.elements.get(key);
      return typeof data === 'string' ? data : undefined;
    };
  };
}

function setName(reader: TokenReader): string {
  const word = reader.next();
  if (!word.startsWith('@')) throw reader.fault(`expected a named set, found "${word}"`);
  return word.slice(1);
}

/** The kernel refuses to look something up in a set of another type. */
function fitting(reader: TokenReader, set: NftSet, expression: Expression): NftSet {
  const types = expression.map(({ type }) => type).join(' . ');
  if (set.types.join(' . ') === types) return set;
  throw reader.fault(`set ${set.name} is of ${set.types.join(' . ')} and not of ${types}`);
}

function parseVerdictMap(reader: TokenReader, expression: Expression): MakeStep {
  const name = setName(reader);
  return (sets) => {
    const read = makeRead(expression);
    const set = fitting(reader, sets(name), expression);
    return (context) => {
      const key = read(context);
      const data = key === undefined ? undefined : set.elements.get(key);
      if (data === undefined) return undefined;
      return typeof data === 'object' ? data : CONTINUE;
    };
  };
}

type Assign = (context: NftContext, value: string) => void;

const ASSIGNMENTS: Readonly<Record<string, Assign>> = {
  'meta mark': ({ packet }, value) => {
    packet.mark = Number(value);
  },
  'ct mark': ({ flow }, value) => {
    if (flow !== undefined) flow.connection.mark = Number(value);
  },
  'ct original zone': ({ packet }, value) => {
    packet.zone = Number(value);
  },
  'ether daddr': ({ frame }, value) => {
    if (frame !== undefined) frame.destinationMac = value;
  },
  'meta pkttype': ({ frame }, value) => {
    if (frame !== undefined) frame.packetType = value === 'host' ? 'host' : 'otherhost';
  },
};

function parseAssignment(reader: TokenReader, expression: Expression): MakeStep {
  const [only] = expression;
  const assign = ASSIGNMENTS[only?.words ?? ''];
  if (only === undefined || expression.length > 1 || assign === undefined) {
    throw reader.fault('this cannot be set');
  }
  const make = parseValue(reader, only.type);
  return (sets) => {
    const read = make(sets);
    return (context) => {
      const value = read(context);
      if (value === undefined) return undefined;
      assign(context, value);
      return CONTINUE;
    };
  };
}

/** `ct status dnat`: whether the connection is translated. */
function parseStatus(reader: TokenReader): MakeStep {
  reader.next();
  reader.next();
  const status = reader.next();
  if (status !== 'dnat' && status !== 'snat') throw reader.fault(`unknown status "${status}"`);
  return () => (context) => {
    const connection = context.flow?.connection;
    const isSet =
      status === 'dnat' ? connection?.isDestinationTranslated : connection?.isSourceTranslated;
    return isSet === true ? CONTINUE : undefined;
  };
}

function parseComparison(reader: TokenReader, expression: Expression): MakeStep {
  const isNegated = reader.skip('!=');
  if (!isNegated) reader.skip('==');
  if (reader.peek().startsWith('@')) {
    const name = setName(reader);
    return (sets) => {
      const read = makeRead(expression);
      const set = fitting(reader, sets(name), expression);
      return compare(read, (value) => set.elements.has(value), isNegated);
    };
  }
  const members: Membership[] = [];
  if (reader.skip('{')) {
    do {
      reader.skipLines();
      members.push(parseMember(reader, expression));
      reader.skipLines();
    } while (reader.skip(','));
    reader.expect('}');
  } else {
    // `ct state established,related` needs no braces.
    do members.push(parseMember(reader, expression));
    while (reader.skip(','));
  }
  const isMember: Membership = (value) => members.some((member) => member(value));
  return () => compare(makeRead(expression), isMember, isNegated);
}

function compare(read: Read, isMember: Membership, isNegated: boolean): Step {
  return (context) => {
    const value = read(context);
    return value !== undefined && isMember(value) !== isNegated ? CONTINUE : undefined;
  };
}

function parseMember(reader: TokenReader, expression: Expression): Membership {
  const parts = expression.map(({ type }, at) => {
    if (at > 0) reader.expect('.');
    const text = reader.next();
    const found = membership(type, text);
    if (found === undefined) throw reader.fault(`not a value of ${type}: "${text}"`);
    return found;
  });
  return (value) => value.split(' . ').every((text, at) => parts[at]?.(text) === true);
}
