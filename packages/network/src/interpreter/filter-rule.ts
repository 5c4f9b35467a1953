/**
 * One rule of iptables: parsed from the form that `iptables-save` prints, and matched to packets.
 *
 * **Source:** iptables-extensions(8).
 */
import { SkepError } from '@skep/api';
import { parseIp } from '../ipam/ip-address.js';
import { ipRange, isInIpRange } from '../table/ip.js';
import type { Packet } from './packet.js';

/** State of a packet's connection. */
export type ConnectionState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';

/** What a rule may look at. */
export interface MatchContext {
  readonly packet: Packet;
  readonly inInterface: string;
  readonly outInterface: string;
  readonly state: ConnectionState;
  /** The packet was handled by IPVS in this namespace. */
  readonly isBalanced: boolean;
  readonly isLocal: (address: string) => boolean;
}

/** What a rule does with a packet that matches. */
export type Target =
  | { readonly type: 'ACCEPT' | 'DROP' | 'RETURN' | 'MASQUERADE' | 'NONE' }
  | { readonly type: 'MARK'; readonly value: number; readonly mask: number }
  | { readonly type: 'DNAT' | 'SNAT'; readonly address: string; readonly port?: number }
  | { readonly type: 'REDIRECT'; readonly port: number }
  | { readonly type: 'JUMP'; readonly chain: string };

type Match = (context: MatchContext) => boolean;

/** A parsed rule. `text` is its content without command and chain. */
export interface FilterRule {
  readonly text: string;
  readonly matches: readonly Match[];
  readonly target: Target;
}

/** Splits at blanks; text in double quotes stays together. */
export function tokens(text: string): readonly string[] {
  return (text.match(/"[^"]*"|\S+/g) ?? []).map((token) =>
    token.startsWith('"') ? token.slice(1, -1) : token,
  );
}

/**
 * Parses matches and target of a rule.
 * @throws invalid-argument for a match or target that is not known, so that nothing is passed over.
 */
export function parseFilterRule(words: readonly string[]): FilterRule {
  const reader = new RuleReader(words);
  const matches: Match[] = [];
  let target: Target = { type: 'NONE' };
  for (;;) {
    const option = reader.option();
    if (option === undefined) break;
    const { word, isNegated } = option;
    if (word === '-j') {
      target = parseTarget(reader);
    } else {
      const match = parseMatch(word, reader);
      if (match !== undefined) {
        matches.push(isNegated ? (context) => !match(context) : match);
      }
    }
  }
  return { text: words.join(' '), matches, target };
}

/** Whether all matches of the rule hold. */
export function matchesRule(rule: FilterRule, context: MatchContext): boolean {
  for (const match of rule.matches) if (!match(context)) return false;
  return true;
}

class RuleReader {
  private at = 0;
  private readonly words: readonly string[];

  constructor(words: readonly string[]) {
    this.words = words;
  }

  option(): { readonly word: string; readonly isNegated: boolean } | undefined {
    const isNegated = this.words[this.at] === '!';
    if (isNegated) this.at += 1;
    const word = this.words[this.at];
    if (word === undefined) return undefined;
    this.at += 1;
    return { word, isNegated };
  }

  value(): string {
    const word = this.words[this.at];
    if (word === undefined) throw this.fault('a value is missing at the end');
    this.at += 1;
    return word;
  }

  /** The value of an option that follows, if it is there. */
  optional(name: string): string | undefined {
    if (this.words[this.at] !== name) return undefined;
    this.at += 1;
    return this.value();
  }

  number(text: string): number {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw this.fault(`not a number: ${text}`);
    return value;
  }

  fault(message: string): SkepError {
    const rule = this.words.join(' ');
    return new SkepError('invalid-argument', `iptables rule "${rule}": ${message}`, {
      details: { rule },
    });
  }
}

function parseMatch(word: string, reader: RuleReader): Match | undefined {
  switch (word) {
    case '-m':
      reader.value();
      return undefined;
    case '--comment':
      reader.value();
      return undefined;
    case '-p': {
      const protocol = reader.value();
      return protocol === 'all' ? () => true : ({ packet }) => packet.protocol === protocol;
    }
    case '--dport': {
      const isInPorts = portRange(reader);
      return ({ packet }) => isInPorts(packet.destinationPort);
    }
    case '--sport': {
      const isInPorts = portRange(reader);
      return ({ packet }) => isInPorts(packet.sourcePort);
    }
    case '-s': {
      const range = ipRange(reader.value());
      return ({ packet }) => isInIpRange(packet.source, range);
    }
    case '-d': {
      const range = ipRange(reader.value());
      return ({ packet }) => isInIpRange(packet.destination, range);
    }
    case '-i': {
      const name = reader.value();
      return ({ inInterface }) => isInterface(inInterface, name);
    }
    case '-o': {
      const name = reader.value();
      return ({ outInterface }) => isInterface(outInterface, name);
    }
    case '--dst-type':
      requireLocal(reader);
      return ({ packet, isLocal }) => isLocal(packet.destination);
    case '--src-type':
      requireLocal(reader);
      return ({ packet, isLocal }) => isLocal(packet.source);
    case '--ctstate':
    case '--state': {
      const states = new Set(reader.value().split(','));
      return ({ state }) => states.has(state);
    }
    case '--mark': {
      const { value, mask } = markOf(reader);
      return ({ packet }) => (packet.mark & mask) >>> 0 === value;
    }
    case '--ipvs':
      return ({ isBalanced }) => isBalanced;
    default:
      throw reader.fault(`unknown match ${word}`);
  }
}

function parseTarget(reader: RuleReader): Target {
  const name = reader.value();
  switch (name) {
    case 'ACCEPT':
    case 'DROP':
    case 'RETURN':
    case 'MASQUERADE':
      return { type: name };
    case 'MARK': {
      const option = reader.option()?.word;
      if (option !== '--set-xmark' && option !== '--set-mark') {
        throw reader.fault(`unknown option of MARK: ${option ?? ''}`);
      }
      return { type: 'MARK', ...markOf(reader) };
    }
    case 'DNAT':
    case 'SNAT': {
      const text = reader.optional(name === 'DNAT' ? '--to-destination' : '--to-source') ?? '';
      const { address, port } = splitPort(text);
      if (parseIp(address) === undefined) throw reader.fault(`no address for ${name}`);
      return { type: name, address, ...(port === undefined ? {} : { port: reader.number(port) }) };
    }
    case 'REDIRECT': {
      const port = reader.optional('--to-ports');
      if (port === undefined) throw reader.fault('no port for REDIRECT');
      return { type: 'REDIRECT', port: reader.number(port) };
    }
    default:
      return { type: 'JUMP', chain: name };
  }
}

/** `10.0.0.1:80`, `[fd00::1]:80`, or an address alone, with or without brackets. */
export function splitPort(text: string): { readonly address: string; readonly port?: string } {
  const [, inside, after] = /^\[(.*)\](?::(.*))?$/.exec(text) ?? [];
  if (inside !== undefined)
    return { address: inside, ...(after === undefined ? {} : { port: after }) };
  const colon = text.indexOf(':');
  return colon < 0 || colon !== text.lastIndexOf(':')
    ? { address: text }
    : { address: text.slice(0, colon), port: text.slice(colon + 1) };
}

function portRange(reader: RuleReader): (port: number) => boolean {
  const [first = '', last = first] = reader.value().split(':');
  const low = reader.number(first);
  const high = reader.number(last);
  return (port) => port >= low && port <= high;
}

function markOf(reader: RuleReader): { readonly value: number; readonly mask: number } {
  const [value = '', mask = '0xffffffff'] = reader.value().split('/');
  return { value: reader.number(value) >>> 0, mask: reader.number(mask) >>> 0 };
}

function requireLocal(reader: RuleReader): void {
  const type = reader.value();
  if (type !== 'LOCAL') throw reader.fault(`unknown address type ${type}`);
}

function isInterface(name: string, pattern: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
