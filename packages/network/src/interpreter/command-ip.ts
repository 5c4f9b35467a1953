/**
 * Lines of `ip -batch` and `bridge -batch`, as far as tables need them.
 *
 * **Source:** ip-link(8), ip-address(8), ip-route(8), ip-neighbour(8), bridge(8).
 */
import { ipv4Range } from '../table/ipv4.js';
import { notPossible, notUnderstood } from './command-base.js';
import { linkKey, type LinkConfig, type NamespaceConfig } from './namespace-config.js';

type Execute = (config: NamespaceConfig) => void;

/** Words that stand in pairs, `dev eth0 master br0`, from a position on. */
function pairs(words: readonly string[], from: number): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let i = from; i < words.length; i += 2) map.set(words[i] ?? '', words[i + 1] ?? '');
  return map;
}

/** @throws invalid-argument for what is not understood. */
export function parseIpLine(line: string): Execute {
  const words = line.split(/\s+/);
  const execute = parseIpWords(line, words);
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
      return parseRoute(line, verb, words);
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
  if (!isUp && !isDown && master === undefined) return undefined;
  return (config) => {
    requireDevice(config, line, name);
    const found = config.interface(name);
    if (master !== undefined) found.master = master;
    if (isUp || isDown) found.isUp = isUp;
    if (name === 'lo' && isUp) config.addAddress('lo', '127.0.0.1/8');
  };
}

function deleteLink(config: NamespaceConfig, line: string, name: string): void {
  if (!config.interfaces.delete(name)) throw notPossible(line, 'no such interface');
  config.links.delete(name);
  for (const [key, route] of config.routes) if (route.device === name) config.routes.delete(key);
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
  const destination = text === 'default' ? '0.0.0.0/0' : text;
  const rest = pairs(words, 3);
  const device = rest.get('dev');
  const via = rest.get('via');
  if (verb === 'delete') {
    return ({ routes }) => {
      if (!routes.delete(destination)) throw notPossible(line, 'no such route');
    };
  }
  if (device === undefined || (verb !== 'replace' && verb !== 'add')) return undefined;
  const route = {
    destination,
    range: ipv4Range(destination),
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
