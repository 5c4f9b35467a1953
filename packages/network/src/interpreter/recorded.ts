/**
 * Namespaces as the kernel's own tools print them: what was recorded on a real node.
 *
 * A recorded text has sections, each headed by a comment that names its tools: `# ip -brief
 * address;
 * ip route`, `# bridge fdb show; ip neigh show`, `# ip -details link show type vxlan`,
 * `# iptables-save`, `# ipvsadm --save`, `# sysctl`.
 */
import { ipRange } from '../table/ip.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
  type NamespaceReference,
} from '../render/rendered.js';
import { executeAll, parseCommands } from './command.js';
import { linkKey, NamespaceConfig, type LinkConfig } from './namespace-config.js';
import type { World } from './world.js';

/** A recorded namespace. */
export interface RecordedNamespace {
  readonly reference: NamespaceReference;
  readonly text: string;
}

/**
 * What a recorded text says. Links are not recorded: see {@link loadRecorded}.
 * @throws invalid-argument for rules and services that are not understood.
 */
export function parseRecorded(reference: NamespaceReference, text: string): NamespaceConfig {
  const config = new NamespaceConfig();
  for (const { title, body } of sections(text)) {
    if (title.startsWith('ip -brief address')) {
      for (const line of lines(body)) readAddressOrRoute(config, line);
    } else if (title.startsWith('bridge fdb')) {
      for (const line of lines(body)) readForwardingOrNeighbour(config, line);
    } else if (title.startsWith('ip -details link')) {
      for (const [index, line] of lines(body).entries()) {
        addLink(config, tunnel(reference.name, index, line));
      }
    } else if (title.startsWith('iptables-save')) {
      executeAll(parseCommands('iptables', body), config);
    } else if (title.startsWith('ipvsadm')) {
      executeAll(parseCommands('ipvs', body), config);
    } else if (title.startsWith('sysctl')) {
      executeAll(parseCommands('sysctl', body), config);
    }
  }
  if (reference.kind === 'bridge') enslave(config);
  return config;
}

/**
 * Puts the recorded namespaces of a node into a world. Which veth leads where is not recorded, so
 * interfaces are plugged into the bridge whose range their address is in.
 */
export function loadRecorded(
  world: World,
  nodeName: string,
  recorded: readonly RecordedNamespace[],
): void {
  const parsed = recorded.map(({ reference, text }) => ({
    reference,
    config: parseRecorded(reference, text),
  }));
  for (const { reference, config } of parsed) {
    if (reference.kind !== 'sandbox' && reference.kind !== 'task') continue;
    for (const { name, ranges } of config.interfaces.values()) {
      const address = ranges[0]?.address;
      if (name !== 'lo' && address !== undefined) plug(parsed, { reference, name, address });
    }
  }
  for (const { reference, config } of parsed) world.setConfig(nodeName, reference, config);
}

/** A reference to a namespace as recorded files name them: `overlay1-lb-sandbox`, `vote-task`. */
export function recordedReference(fileName: string): NamespaceReference {
  const name = fileName.replace(/\.txt$/, '');
  const network = /^(.*?)(-lb-sandbox|-sandbox|-bridge)$/.exec(name);
  const id = network?.[1];
  if (id !== undefined) {
    return network?.[2] === '-bridge'
      ? bridgeNamespace('', id)
      : sandboxNamespace('', { id, isIngress: network?.[2] === '-sandbox' });
  }
  const task = /^(.*)-task$/.exec(name)?.[1];
  return task === undefined ? HOST_NAMESPACE : taskNamespace('', task);
}

interface Section {
  readonly title: string;
  readonly body: string;
}

function sections(text: string): readonly Section[] {
  const found: { title: string; body: string }[] = [];
  for (const line of text.split('\n')) {
    const title = /^# ((?:ip |bridge |iptables-save|ipvsadm |sysctl).*)$/.exec(line)?.[1];
    const last = found.at(-1);
    if (title !== undefined) found.push({ title, body: '' });
    else if (last !== undefined) last.body += `${line}\n`;
  }
  return found;
}

function lines(body: string): readonly string[] {
  return body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** `eth0@if7 UP 10.0.0.2/24 10.0.0.4/32`, or `default via 172.18.0.1 dev eth1`. */
function readAddressOrRoute(config: NamespaceConfig, line: string): void {
  const words = line.split(/\s+/);
  const [first = ''] = words;
  const device = words[words.indexOf('dev') + 1] ?? '';
  if (words.includes('dev')) {
    const via = words[words.indexOf('via') + 1] ?? '';
    // Routes that follow from an address say so.
    if (!words.includes('via')) return;
    const destination = first === 'default' ? '0.0.0.0/0' : first;
    config.routes.set(destination, { destination, range: ipRange(destination), via, device });
    return;
  }
  const name = first.split('@')[0] ?? '';
  const found = config.interface(name);
  found.isUp = true;
  found.isBridge = /^br\d+$|bridge$/.test(name);
  for (const address of words.slice(2)) config.addAddress(name, address);
}

function readForwardingOrNeighbour(config: NamespaceConfig, line: string): void {
  const words = line.split(/\s+/);
  const [first = ''] = words;
  const after = (word: string): string | undefined =>
    words.includes(word) ? words[words.indexOf(word) + 1] : undefined;
  const device = after('dev') ?? '';
  const macAddress = after('lladdr');
  const tunnelAddress = after('dst');
  if (macAddress !== undefined) config.neighbours.set(first, { macAddress, device });
  else if (tunnelAddress !== undefined) config.forwarding.set(first, { tunnelAddress, device });
}

function tunnel(namespace: string, index: number, line: string): LinkConfig {
  const vxlanId = Number(/\bid (\d+)/.exec(line)?.[1] ?? 0);
  const name = `vxlan${index}`;
  return {
    type: 'vxlan',
    name,
    peerName: name,
    peerNamespace: namespace,
    vxlanId,
    options: line,
  };
}

function addLink(config: NamespaceConfig, link: LinkConfig): void {
  config.links.set(linkKey(link), link);
}

/** In a bridge's namespace everything else is a port of it. */
function enslave(config: NamespaceConfig): void {
  for (const found of config.interfaces.values()) {
    if (found.name !== 'lo' && !found.isBridge) found.master = 'br0';
  }
}

function plug(
  parsed: readonly { readonly reference: NamespaceReference; readonly config: NamespaceConfig }[],
  end: { readonly reference: NamespaceReference; readonly name: string; readonly address: string },
): void {
  for (const { reference, config } of parsed) {
    if (reference.kind !== 'bridge' && reference.kind !== 'host') continue;
    const route = config.routeTo(end.address);
    const bridge = config.interfaces.get(route?.device ?? '');
    if (bridge?.isBridge !== true) continue;
    const taken = [...config.links.values()].filter(({ type }) => type === 'veth').length;
    const name = `veth${taken}`;
    config.interface(name).master = bridge.name;
    addLink(config, {
      type: 'veth',
      name,
      peerNamespace: end.reference.name,
      peerName: end.name,
    });
    return;
  }
}
