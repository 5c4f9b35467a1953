/**
 * A world of nodes, made of nothing but texts, through which packets can be sent.
 *
 * Each node has namespaces; each namespace holds what its texts say, and the connections it has
 * seen. Replacing texts keeps the connections, as in a kernel.
 */
import { SkepError } from '@skep/api';
import {
  HOST_NAMESPACE,
  TOOLS,
  type NamespaceReference,
  type NamespaceTexts,
  type RenderedNamespace,
  type RenderedStep,
  type Tool,
} from '../render/rendered.js';
import { Balancer } from './balancer.js';
import { executeAll, parseCommands } from './command.js';
import type { Command } from './command-base.js';
import { ConnectionTable } from './connection-table.js';
import { addressOf } from '../table/ipv4.js';
import { NamespaceConfig, linkKey, type LinkConfig } from './namespace-config.js';
import { carriedPosition } from './scheduler.js';

/**
 * Characters of texts whose parsed form is kept; beyond, the oldest are parsed again when needed.
 */
const PARSED_SIZE_MAX = 8_000_000;

/** Ports from which programs that name none send. */
const EPHEMERAL_PORTS = Object.freeze({ first: 32_768, last: 60_999 });

/** Name of a node's interface in the underlay. */
export const UNDERLAY_INTERFACE = 'eth0';

/** A namespace of a node in the world. */
export interface WorldNamespace {
  readonly node: WorldNode;
  readonly reference: NamespaceReference;
  config: NamespaceConfig;
  readonly connections: ConnectionTable;
  readonly balancer: Balancer;
  /** Texts that were set last; none when commands changed it since. */
  texts: Readonly<Partial<NamespaceTexts>>;
  nextPort: number;
}

/** Where an interface is plugged in: the namespace that made its link, and that link. */
export interface Plug {
  readonly namespace: string;
  readonly link: LinkConfig;
}

/** A node of the world. */
export interface WorldNode {
  readonly name: string;
  /** Address in the underlay, without and with prefix length. */
  readonly address: string;
  readonly underlay: string;
  /** IPv6 address in the underlay, CIDR form. */
  readonly underlay6: string | undefined;
  /** A node that is down neither sends nor receives. */
  isUp: boolean;
  readonly namespaces: Map<string, WorldNamespace>;
  /** `NAMESPACE/INTERFACE` → what it is plugged into. */
  readonly plugs: Map<string, Plug>;
}

/** A node to add. */
export interface NodeInput {
  readonly name: string;
  /** Underlay address in CIDR form. */
  readonly address: string;
  /** IPv6 address in the underlay, CIDR form. Default: none. */
  readonly address6?: string;
}

/** See the module comment. A mutable value: it is passed on to whoever sends packets. */
export class World {
  /** The time, in ms, by which affinity ends. Whoever owns the world moves it. */
  now = 0;
  readonly nodes = new Map<string, WorldNode>();
  private readonly byAddress = new Map<string, WorldNode>();
  private readonly cut = new Set<string>();
  private readonly parsed = new Map<string, readonly Command[]>();
  private parsedSize = 0;
  private readonly outside = { nextPort: EPHEMERAL_PORTS.first };

  /** Adds a node whose host has its underlay interface and a default route, and no rules. */
  addNode({ name, address, address6 }: NodeInput): WorldNode {
    if (this.nodes.has(name)) throw new SkepError('already-exists', `node ${name} exists`);
    const plain = address.split('/')[0] ?? '';
    const node: WorldNode = {
      name,
      address: plain,
      underlay: address,
      underlay6: address6,
      isUp: true,
      namespaces: new Map(),
      plugs: new Map(),
    };
    this.nodes.set(name, node);
    this.byAddress.set(plain, node);
    if (address6 !== undefined) this.byAddress.set(addressOf(address6), node);
    setUpHost(addNamespace(node, HOST_NAMESPACE));
    return node;
  }

  /** Takes a node away with all it holds. */
  removeNode(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    this.nodes.delete(name);
    this.byAddress.delete(node.address);
    if (node.underlay6 !== undefined) this.byAddress.delete(addressOf(node.underlay6));
  }

  /** @throws not-found */
  node(name: string): WorldNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new SkepError('not-found', `no node ${name} in the world`);
    return node;
  }

  /** The node with an underlay address. */
  nodeAt(address: string): WorldNode | undefined {
    return this.byAddress.get(address);
  }

  /** @throws not-found */
  namespace(nodeName: string, name: string): WorldNamespace {
    const found = this.node(nodeName).namespaces.get(name);
    if (found === undefined) {
      throw new SkepError('not-found', `no namespace ${name} on ${nodeName}`);
    }
    return found;
  }

  /** Cuts or mends the underlay between two nodes, both ways. */
  setReachable(a: string, b: string, isReachable: boolean): void {
    const key = [a, b].sort().join('\n');
    if (isReachable) this.cut.delete(key);
    else this.cut.add(key);
  }

  /** Whether packets get from one node to the other. */
  isReachable(from: WorldNode, to: WorldNode): boolean {
    return from.isUp && to.isUp && !this.cut.has([from.name, to.name].sort().join('\n'));
  }

  /**
   * Makes a node hold these namespaces with these texts, and no others. Only texts that differ from
   * those set before are parsed and executed. Connections stay with their namespaces.
   */
  setNode(nodeName: string, rendered: readonly RenderedNamespace[]): void {
    const node = this.node(nodeName);
    const wanted = new Set(rendered.map(({ namespace }) => namespace.name));
    for (const name of [...node.namespaces.keys()]) {
      if (name !== HOST_NAMESPACE.name && !wanted.has(name)) this.removeNamespace(nodeName, name);
    }
    for (const { namespace, texts } of rendered) this.setTexts(nodeName, namespace, texts);
  }

  /**
   * Replaces all texts of one namespace, which is made if need be; a tool that is left out has an
   * empty text. Connections and the positions of schedulers stay.
   * @throws invalid-argument for a text that is not understood; the namespace is as before then.
   */
  setTexts(
    nodeName: string,
    reference: NamespaceReference,
    texts: Readonly<Partial<NamespaceTexts>>,
  ): void {
    const node = this.node(nodeName);
    const present = node.namespaces.get(reference.name);
    if (present !== undefined && hasTexts(present)) {
      if (TOOLS.every((tool) => isSame(present.texts, texts, tool))) return;
    }
    const kept = TOOLS.filter(
      (tool) => present !== undefined && isSame(present.texts, texts, tool),
    );
    const isFresh = present === undefined || !hasTexts(present);
    const config = new NamespaceConfig(present?.config, isFresh ? [] : kept);
    for (const tool of TOOLS) {
      if (isFresh || !kept.includes(tool)) executeAll(this.parse(tool, texts[tool] ?? ''), config);
    }
    carryBalancers(present?.config, config);
    this.setConfig(nodeName, reference, config);
    this.namespace(nodeName, reference.name).texts = texts;
  }

  /** Gives a namespace a configuration made elsewhere: from recorded texts. */
  setConfig(nodeName: string, reference: NamespaceReference, config: NamespaceConfig): void {
    const node = this.node(nodeName);
    const namespace = node.namespaces.get(reference.name) ?? addNamespace(node, reference);
    unplug(node, reference.name);
    namespace.config = config;
    namespace.texts = {};
    for (const link of config.links.values()) plugIn(node, reference.name, link);
    if (reference.name === HOST_NAMESPACE.name) setUpHost(namespace);
  }

  /**
   * Executes the commands of a difference, as a dataplane would.
   * @throws failed-precondition when a command cannot be: what it adds is there, or what it removes
   *   is not.
   */
  apply(nodeName: string, steps: readonly RenderedStep[]): void {
    for (const step of steps) this.applyStep(nodeName, step);
  }

  /** Takes a namespace away. Harmless when it is not there. */
  removeNamespace(nodeName: string, name: string): void {
    const node = this.node(nodeName);
    unplug(node, name);
    node.namespaces.delete(name);
  }

  /** A source port for a sender that names none: a program in a namespace, or somebody outside. */
  ephemeralPort(sender: { nextPort: number } = this.outside): number {
    const port = sender.nextPort;
    sender.nextPort = port >= EPHEMERAL_PORTS.last ? EPHEMERAL_PORTS.first : port + 1;
    return port;
  }

  private applyStep(nodeName: string, { namespace: reference, tool, lines }: RenderedStep): void {
    const node = this.node(nodeName);
    const namespace = node.namespaces.get(reference.name) ?? addNamespace(node, reference);
    const { config } = namespace;
    namespace.texts = {};
    if (tool !== 'ip') {
      config.forget = (isMeant) => namespace.connections.closeWhere(isMeant);
      executeAll(parseCommands(tool, lines.join('\n')), config);
      return;
    }
    for (const line of lines) this.applyLine(namespace, line);
  }

  /** One command of `ip`, with what it brings about in other namespaces. */
  private applyLine({ node, reference, config }: WorldNamespace, line: string): void {
    const isLocal = !/^(link|netns) /.test(line);
    const links = new Map(isLocal ? [] : config.links);
    const spaces = new Set(isLocal ? [] : config.namespaces);
    const names = new Set(isLocal ? [] : config.interfaces.keys());
    config.isPlugged = (name) => node.plugs.has(`${reference.name}/${name}`);
    executeAll(parseCommands('ip', line), config);
    config.isPlugged = undefined;
    if (isLocal) return;
    for (const [key, link] of links) {
      if (config.links.get(key) !== link) pullOut(node, link);
    }
    for (const [key, link] of config.links) {
      if (links.get(key) !== link) plugIn(node, reference.name, link);
    }
    for (const name of names) {
      const plug = config.interfaces.has(name)
        ? undefined
        : node.plugs.get(`${reference.name}/${name}`);
      if (plug === undefined) continue;
      // The far end of a link is gone, so the link is.
      const owner = node.namespaces.get(plug.namespace)?.config;
      owner?.links.delete(linkKey(plug.link));
      if (plug.link.type === 'veth') owner?.interfaces.delete(plug.link.name);
      node.plugs.delete(`${reference.name}/${name}`);
    }
    for (const name of spaces) {
      if (!config.namespaces.has(name)) this.removeNamespace(node.name, name);
    }
  }

  private parse(tool: Tool, text: string): readonly Command[] {
    if (text === '') return [];
    const key = `${tool}\n${text}`;
    const known = this.parsed.get(key);
    if (known !== undefined) return known;
    const commands = parseCommands(tool, text);
    this.parsed.set(key, commands);
    this.parsedSize += key.length;
    while (this.parsedSize > PARSED_SIZE_MAX) {
      const oldest = this.parsed.keys().next().value;
      if (oldest === undefined) break;
      this.parsed.delete(oldest);
      this.parsedSize -= oldest.length;
    }
    return commands;
  }
}

function isSame(
  a: Readonly<Partial<NamespaceTexts>>,
  b: Readonly<Partial<NamespaceTexts>>,
  tool: Tool,
): boolean {
  return (a[tool] ?? '') === (b[tool] ?? '');
}

/** Services that a whole text names again go on where they were. */
function carryBalancers(before: NamespaceConfig | undefined, after: NamespaceConfig): void {
  if (before === undefined || before.balancers === after.balancers) return;
  for (const [key, service] of after.balancers) {
    const present = before.balancers.get(key);
    if (present === undefined) continue;
    service.position = carriedPosition(present, service);
    service.removed.delete('*');
    const isThere = new Set(service.destinations.map(({ address }) => address));
    for (const { address } of present.destinations) {
      if (!isThere.has(address)) service.removed.add(address);
    }
  }
}

const hasTexts = ({ texts }: WorldNamespace): boolean => Object.keys(texts).length > 0;

/** What a host has whatever is programmed: its underlay interface, and the way out by it. */
function setUpHost({ node, config }: WorldNamespace): void {
  config.addAddress(UNDERLAY_INTERFACE, node.underlay);
  config.interface(UNDERLAY_INTERFACE).isUp = true;
  config.interface('lo').isUp = true;
  config.routes.set('0.0.0.0/0', {
    destination: '0.0.0.0/0',
    range: { bits: 32, base: 0, prefix: 0 },
    device: UNDERLAY_INTERFACE,
  });
  if (node.underlay6 === undefined) return;
  config.addAddress(UNDERLAY_INTERFACE, node.underlay6);
  config.routes.set('::/0', {
    destination: '::/0',
    range: { bits: 128, base: 0n, prefix: 0 },
    device: UNDERLAY_INTERFACE,
  });
}

function addNamespace(node: WorldNode, reference: NamespaceReference): WorldNamespace {
  const namespace: WorldNamespace = {
    node,
    reference,
    config: new NamespaceConfig(),
    connections: new ConnectionTable(),
    balancer: new Balancer(),
    texts: {},
    nextPort: EPHEMERAL_PORTS.first,
  };
  node.namespaces.set(reference.name, namespace);
  return namespace;
}

function plugIn(node: WorldNode, namespace: string, link: LinkConfig): void {
  node.plugs.set(`${link.peerNamespace}/${link.peerName}`, { namespace, link });
}

/** The two ends of a link go together, and with an end the addresses on it. */
function pullOut(node: WorldNode, link: LinkConfig): void {
  const place = `${link.peerNamespace}/${link.peerName}`;
  if (node.plugs.get(place)?.link === link) node.plugs.delete(place);
  node.namespaces.get(link.peerNamespace)?.config.interfaces.delete(link.peerName);
}

/** Takes out everything that a namespace had plugged into others. */
function unplug(node: WorldNode, name: string): void {
  const links = node.namespaces.get(name)?.config.links.values() ?? [];
  for (const link of links) {
    const place = `${link.peerNamespace}/${link.peerName}`;
    if (node.plugs.get(place)?.link === link) node.plugs.delete(place);
  }
}
