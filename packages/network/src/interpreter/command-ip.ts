/**
 * Lines of `ip -batch` and `bridge -batch`, as far as tables need them.
 *
 * **Source:** ip-link(8), ip-address(8), ip-route(8), ip-neighbour(8), bridge(8).
 */
import { ipRange, ipText, isIpv6 } from '../table/ip.js';
import { notPossible, notUnderstood } from './command-base.js';
import { linkKey, type LinkConfig, type NamespaceConfig } from './namespace-config.js';

type Execute = (config: NamespaceConfig) => void;

/** Words that stand in pairs, `dev eth0 master br0`, from a position on. */
function pairs(words: readonly string[], from: number): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let i = from; i < words.length; i += 2) map.set(words[i] ?? '', words[i + 1] ?? '');
  return map;
}

/**
 * `family`: that of `ip -batch`, or of `ip -6 -batch`, for lines that name no address.
 * @throws invalid-argument for what is not understood.
 */
export function parseIpLine(line: string, family: 4 | 6 = 4): Execute {
  const words = line.split(/\s+/);
  const execute =
    words[0] === 'rule' ? parseRuleWords(line, words, family) : parseIpWords(line, words);
  if (execute === undefined) throw notUnderstood('ip', line);
  return execute;
}

function parseIpWords(line: string, words: readonly string[]): Execute | undefined {
  const [object = '', verb, name] = words;
  if (name === undefined) return undefined;
  switch (object) {
    case 'netns':
      return parseNamespace(line, verb, name);
    case 'link':
      if (verb === 'add') return parseLinkAdd(line, words);
      if (verb === 'set') return parseLinkSet(line, words);
      return verb === 'delete' ? (config) => deleteLink(config, line, name) : undefined;
    case 'addr':
      return parseAddressChange(line, verb, words);
    case 'route':
      if (name === 'local') return parseLocalRoute(line, verb, words);
      return words.includes('table')
        ? parsePolicyRoute(line, verb, words)
        : parseRoute(line, verb, words);
    case 'neigh':
      return parseNeighbour(line, verb, words);
    default:
      return undefined;
  }
}

function parseNamespace(line: string, verb: string | undefined, name: string): Execute | undefined {
  if (verb === 'add') {
    return ({ namespaces }) => {
      if (namespaces.has(name)) throw notPossible(line, 'the namespace exists');
      namespaces.add(name);
    };
  }
  if (verb !== 'delete') return undefined;
  return (config) => {
    if (!config.namespaces.delete(name)) throw notPossible(line, 'no such namespace');
    for (const [key, link] of config.links) {
      if (link.peerNamespace === name) config.links.delete(key);
    }
  };
}

function parseLinkAdd(line: string, words: readonly string[]): Execute | undefined {
  const name = words[2] ?? '';
  const at = words.indexOf('type');
  const type = words[at + 1];
  if (at < 0) return undefined;
  if (type === 'bridge') {
    return (config) => {
      if (config.interfaces.has(name)) throw notPossible(line, 'the interface exists');
      config.interface(name).isBridge = true;
    };
  }
  const link =
    type === 'veth'
      ? vethLink(name, words, at)
      : type === 'vxlan'
        ? tunnelLink(words, at)
        : undefined;
  if (link === undefined) return undefined;
  return (config) => {
    if (config.links.has(linkKey(link))) throw notPossible(line, 'the link exists');
    config.links.set(linkKey(link), link);
    if (link.type === 'veth') config.interface(link.name);
  };
}

/** `link add veth0 … type veth peer name eth0 … address MAC netns NAME`. */
function vethLink(name: string, words: readonly string[], at: number): LinkConfig | undefined {
  if (words[at + 2] !== 'peer') return undefined;
  const peer = pairs(words, at + 3);
  const peerName = peer.get('name');
  const peerNamespace = peer.get('netns');
  const mac = peer.get('address');
  if (peerName === undefined || peerNamespace === undefined) return undefined;
  return {
    type: 'veth',
    name,
    peerNamespace,
    peerName,
    ...(mac === undefined ? {} : { peerMacAddress: mac }),
  };
}

/** `link add vxlan0 netns NAME type vxlan id 4097 …`. */
function tunnelLink(words: readonly string[], at: number): LinkConfig | undefined {
  const name = words[2] ?? '';
  const peerNamespace = pairs(words.slice(0, at), 3).get('netns');
  const vxlanId = Number(pairs(words, at + 2).get('id'));
  if (peerNamespace === undefined || !Number.isInteger(vxlanId)) return undefined;
  const options = words.slice(at + 1).join(' ');
  return { type: 'vxlan', name, peerNamespace, peerName: name, vxlanId, options };
}

/** Interfaces are made here, or plugged in from elsewhere where that is known. */
function requireDevice(config: NamespaceConfig, line: string, name: string): void {
  if (name === 'lo' || config.interfaces.has(name) || config.isPlugged === undefined) return;
  if (!config.isPlugged(name)) throw notPossible(line, `no such interface: ${name}`);
}

function parseLinkSet(line: string, words: readonly string[]): Execute | undefined {
  const name = words[2] ?? '';
  const isUp = words.includes('up');
  const isDown = words.includes('down');
  const at = words.indexOf('master');
  const master = at < 0 ? undefined : words[at + 1];
  const mac = words[3] === 'address' ? words[4] : undefined;
  if (!isUp && !isDown && master === undefined && mac === undefined) return undefined;
  return (config) => {
    requireDevice(config, line, name);
    const found = config.interface(name);
    if (master !== undefined) found.master = master;
    if (mac !== undefined) found.macAddress = mac;
    if (isUp || isDown) found.isUp = isUp;
    if (name === 'lo' && isUp) config.addAddress('lo', '127.0.0.1/8');
  };
}

function deleteLink(config: NamespaceConfig, line: string, name: string): void {
  if (!config.interfaces.delete(name)) throw notPossible(line, 'no such interface');
  config.links.delete(name);
  for (const [key, route] of config.routes) if (route.device === name) config.routes.delete(key);
  for (const [key, device] of config.localRoutes) {
    if (device === name) config.localRoutes.delete(key);
  }
}

function parseAddressChange(
  line: string,
  verb: string | undefined,
  words: readonly string[],
): Execute | undefined {
  const address = words[2] ?? '';
  const device = pairs(words, 3).get('dev');
  if (device === undefined) return undefined;
  if (verb === 'add') {
    return (config) => {
      requireDevice(config, line, device);
      if (!config.addAddress(device, address)) throw notPossible(line, 'the address exists');
    };
  }
  if (verb !== 'del') return undefined;
  return (config) => {
    if (!config.removeAddress(device, address)) throw notPossible(line, 'no such address');
  };
}

function parseRoute(
  line: string,
  verb: string | undefined,
  words: readonly string[],
): Execute | undefined {
  const text = words[2] ?? '';
  const rest = pairs(words, 3);
  const device = rest.get('dev');
  const via = rest.get('via');
  const everything = via !== undefined && isIpv6(via) ? '::/0' : '0.0.0.0/0';
  const destination = text === 'default' ? everything : text;
  if (verb === 'delete') {
    return ({ routes }) => {
      if (!routes.delete(destination)) throw notPossible(line, 'no such route');
    };
  }
  if (device === undefined || (verb !== 'replace' && verb !== 'add')) return undefined;
  const route = {
    destination,
    range: ipRange(destination),
    device,
    ...(via === undefined ? {} : { via }),
  };
  return (config) => {
    const { routes } = config;
    requireDevice(config, line, device);
    if (verb === 'add' && routes.has(destination)) throw notPossible(line, 'the route exists');
    routes.set(destination, route);
  };
}

/** `route replace local 10.0.9.2 dev br0`: an address that is answered for, and no interface's. */
function parseLocalRoute(
  line: string,
  verb: string | undefined,
  words: readonly string[],
): Execute | undefined {
  const address = ipText(words[3] ?? '');
  const device = pairs(words, 4).get('dev');
  if (device === undefined || address === '') return undefined;
  if (verb === 'replace') {
    return (config) => {
      requireDevice(config, line, device);
      config.localRoutes.set(address, device);
    };
  }
  if (verb !== 'delete') return undefined;
  return ({ localRoutes }) => {
    if (!localRoutes.delete(address)) throw notPossible(line, 'no such route');
  };
}

/** `route replace default via 10.0.0.2 dev eth0 table 7`. */
function parsePolicyRoute(
  line: string,
  verb: string | undefined,
  words: readonly string[],
): Execute | undefined {
  const rest = pairs(words, 3);
  const [via, device] = [rest.get('via'), rest.get('dev')];
  const table = Number(rest.get('table'));
  if (words[2] !== 'default' || via === undefined || device === undefined) return undefined;
  if (!Number.isInteger(table)) return undefined;
  const family = isIpv6(via) ? 6 : 4;
  if (verb === 'replace') {
    return (config) => {
      requireDevice(config, line, device);
      config.policies[family].routes.set(table, { via, device });
    };
  }
  if (verb !== 'delete') return undefined;
  return ({ policies }) => {
    if (!policies[family].routes.delete(table)) throw notPossible(line, 'no such route');
  };
}

/** `rule add pref 100 fwmark 0x0a000002 lookup 7`. */
function parseRuleWords(
  line: string,
  words: readonly string[],
  family: 4 | 6,
): Execute | undefined {
  const rest = pairs(words, 2);
  const [mark, table] = [Number(rest.get('fwmark')), Number(rest.get('lookup'))];
  if (!Number.isInteger(mark) || !Number.isInteger(table)) return undefined;
  if (words[1] === 'add') {
    return ({ policies }) => {
      if (policies[family].rules.has(mark)) throw notPossible(line, 'the rule exists');
      policies[family].rules.set(mark, table);
    };
  }
  if (words[1] !== 'delete') return undefined;
  return ({ policies }) => {
    if (!policies[family].rules.delete(mark)) throw notPossible(line, 'no such rule');
  };
}

function parseNeighbour(
  line: string,
  verb: string | undefined,
  words: readonly string[],
): Execute | undefined {
  const address = words[2] ?? '';
  const rest = pairs(words, 3);
  const device = rest.get('dev');
  const macAddress = rest.get('lladdr');
  if (device === undefined) return undefined;
  if (verb === 'delete') {
    return ({ neighbours }) => {
      if (!neighbours.delete(address)) throw notPossible(line, 'no such neighbour');
    };
  }
  if (verb !== 'replace' || macAddress === undefined) return undefined;
  return (config) => {
    const { neighbours } = config;
    requireDevice(config, line, device);
    neighbours.set(address, { macAddress, device });
  };
}

/** @throws invalid-argument for what is not understood. */
export function parseBridgeLine(line: string): Execute {
  const words = line.split(/\s+/);
  const [object, verb, macAddress = ''] = words;
  const rest = pairs(words, 3);
  const device = rest.get('dev');
  const tunnelAddress = rest.get('dst');
  if (object !== 'fdb' || device === undefined || tunnelAddress === undefined) {
    throw notUnderstood('bridge', line);
  }
  if (verb === 'replace') {
    return (config) => {
      const { forwarding } = config;
      requireDevice(config, line, device);
      forwarding.set(macAddress, { tunnelAddress, device });
    };
  }
  if (verb !== 'delete') throw notUnderstood('bridge', line);
  return ({ forwarding }) => {
    if (!forwarding.delete(macAddress)) throw notPossible(line, 'no such entry');
  };
}
