/**
 * One packet's way through a namespace: the hooks in the kernel's order.
 *
 * **Source:** Linux net/netfilter and net/ipv4: per hook mangle, then translation of destinations,
 * filter, IPVS, translation of sources.
 */
import type { FilterTable } from '../render/item.js';
import { endpointText, familyOf } from '../table/ip.js';
import { runChain, type Verdict } from './chain.js';
import { applyDestination, applySource, stateOf, type Flow } from './connection-table.js';
import type { MatchContext } from './filter-rule.js';
import { packetText, type Packet } from './packet.js';
import type { HopHook, Hop, PacketResult, Traces } from './result.js';
import { runNft, runRaw } from './nft/passage.js';
import { sysctl } from './sysctl.js';
import type { World, WorldNamespace } from './world.js';

const LOOPBACK = Object.freeze({ 4: '127.0.0.1', 6: '::1' });
const FORWARDING = Object.freeze({ 4: 'net.ipv4.ip_forward', 6: 'net.ipv6.conf.all.forwarding' });

/** Most steps a packet may take: beyond, it goes round in circles. */
const STEPS_MAX = 64;

/** A packet in a namespace. */
export interface Passage {
  readonly namespace: WorldNamespace;
  readonly packet: Packet;
  inInterface: string;
  outInterface: string;
  /** Undefined: connection tracking does not know it. */
  flow: Flow | undefined;
  isBalanced: boolean;
  /** What a rule answers the sender; it drops the packet too. */
  rejection?: string;
  /** A rule changed what the route depends on. */
  isRerouted?: boolean;
}

/** How a packet ended, without its hops. */
export type Outcome = Omit<PacketResult, 'hops'>;

/** Carries packets from an interface to whoever has the next hop's address. */
export interface Fabric {
  transmit(walk: Walk, passage: Passage, nextHop: string): Outcome;
}

/** See the module comment. Made for one packet. */
export class Walk {
  readonly world: World;
  readonly hops: Hop[] = [];
  readonly traces: Traces;
  private readonly fabric: Fabric;
  private steps = 0;

  constructor(world: World, fabric: Fabric, traces: Traces) {
    this.world = world;
    this.fabric = fabric;
    this.traces = traces;
  }

  /** A packet that a program in the namespace sends. */
  emit(namespace: WorldNamespace, packet: Packet): Outcome {
    const passage: Passage = {
      namespace,
      packet,
      inInterface: '',
      outInterface: '',
      flow: undefined,
      isBalanced: false,
    };
    this.track(passage);
    const route = this.route(passage);
    if (route === undefined) return this.drop(passage, `no route to ${packet.destination}`);
    if (packet.source === '0.0.0.0' || packet.source === '::')
      return this.drop(passage, `${route.device} has no address`);
    passage.outInterface = route.device;
    const before = packet.destination;
    const isLost =
      this.filter(passage, 'output', 'mangle') || this.destination(passage, 'output', 'OUTPUT');
    if (isLost) return this.drop(passage, 'dropped by a rule of OUTPUT');
    const balanced = this.balance(passage);
    if (balanced !== undefined) return balanced;
    const isRerouted = packet.destination !== before || passage.isRerouted === true;
    if (isRerouted && !this.reroute(passage)) {
      return this.drop(passage, `no route to ${packet.destination}`);
    }
    if (this.filter(passage, 'output', 'filter')) {
      return this.drop(passage, 'dropped by a rule of OUTPUT');
    }
    return this.leave(passage);
  }

  /** A packet that comes in by an interface. */
  receive(namespace: WorldNamespace, inInterface: string, packet: Packet, known?: Flow): Outcome {
    this.steps += 1;
    const passage: Passage = {
      namespace,
      packet,
      inInterface,
      outInterface: '',
      flow: known,
      isBalanced: false,
    };
    if (this.steps > STEPS_MAX) return this.drop(passage, 'it goes round in circles');
    if (known === undefined) {
      runRaw(passage);
      this.track(passage);
    }
    return this.prerouting(passage)
      ? this.drop(passage, 'dropped by a rule of PREROUTING')
      : this.decide(passage);
  }

  /** The first hook of a packet that comes in; true when it is dropped. */
  prerouting(passage: Passage): boolean {
    return (
      this.filter(passage, 'prerouting', 'mangle') ||
      this.destination(passage, 'prerouting', 'PREROUTING') ||
      this.filter(passage, 'prerouting', 'filter')
    );
  }

  /** After the first hook: to a program here, or onwards. */
  decide(passage: Passage): Outcome {
    const { namespace, packet } = passage;
    return namespace.config.isLocal(packet.destination)
      ? this.input(passage)
      : this.forward(passage);
  }

  /** Last hook; true when the packet is dropped. */
  postrouting(passage: Passage): boolean {
    if (this.filter(passage, 'postrouting', 'mangle')) return true;
    this.source(passage, 'postrouting', 'POSTROUTING');
    return false;
  }

  /** Runs a filter or mangle chain of a hook; true when it drops the packet. */
  filter(passage: Passage, hook: ChainHook, table: 'mangle' | 'filter'): boolean {
    return this.run(passage, hook, table, hook.toUpperCase()).type === 'DROP';
  }

  note(passage: Pick<Passage, 'namespace'>, hook: HopHook, action: string, text: string): void {
    const { node, reference } = passage.namespace;
    this.hops.push({ node: node.name, namespace: reference.name, hook, action, text });
  }

  drop(passage: Pick<Passage, 'namespace' | 'rejection'>, reason: string): Outcome {
    const { rejection } = passage;
    const text = rejection === undefined ? reason : `rejected with ${rejection}`;
    this.note(passage, 'drop', rejection === undefined ? 'dropped' : 'rejected', text);
    return { dropped: text, ...(rejection === undefined ? {} : { isRejected: true }) };
  }

  private input(passage: Passage): Outcome {
    const { namespace, packet } = passage;
    if (this.filter(passage, 'input', 'mangle') || this.filter(passage, 'input', 'filter')) {
      return this.drop(passage, 'dropped by a rule of INPUT');
    }
    this.unbalance(passage);
    const balanced = this.balance(passage);
    if (balanced !== undefined) return balanced;
    this.source(passage, 'input', 'INPUT');
    const { node, reference } = namespace;
    this.note(passage, 'deliver', 'delivered', packetText(packet));
    return {
      delivered: {
        node: node.name,
        namespace: reference.name,
        ...(reference.taskId === undefined ? {} : { taskId: reference.taskId }),
        protocol: packet.protocol,
        address: packet.destination,
        port: packet.destinationPort,
        seenSource: { address: packet.source, port: packet.sourcePort },
      },
    };
  }

  private forward(passage: Passage): Outcome {
    const { namespace, packet } = passage;
    const family = familyOf(packet.destination);
    if (sysctl(this.world, namespace, FORWARDING[family]) !== '1') {
      return this.drop(passage, `${FORWARDING[family].split('.').at(-1) ?? ''} is 0 here`);
    }
    const route = this.route(passage);
    if (route === undefined) return this.drop(passage, `no route to ${packet.destination}`);
    passage.outInterface = route.device;
    if (this.filter(passage, 'forward', 'mangle') || this.filter(passage, 'forward', 'filter')) {
      return this.drop(passage, 'dropped by a rule of FORWARD');
    }
    this.unbalance(passage);
    return this.leave(passage);
  }

  /** Out by the interface that was chosen. */
  private leave(passage: Passage): Outcome {
    const { packet, outInterface } = passage;
    if (this.postrouting(passage)) {
      return this.drop(passage, 'dropped by a rule of POSTROUTING');
    }
    if (outInterface === 'lo') {
      return this.receive(passage.namespace, 'lo', packet, passage.flow);
    }
    const nextHop = this.route(passage)?.nextHop ?? packet.destination;
    return this.fabric.transmit(this, passage, nextHop);
  }

  private route(
    passage: Passage,
  ): { readonly device: string; readonly nextHop: string; readonly source?: string } | undefined {
    const { namespace, packet } = passage;
    if (namespace.config.isLocal(packet.destination)) {
      return { device: 'lo', nextHop: packet.destination };
    }
    return namespace.config.routeTo(packet.destination, packet.mark);
  }

  /** Looks for the way again after the destination changed; false when there is none. */
  private reroute(passage: Passage): boolean {
    const route = this.route(passage);
    if (route === undefined) return false;
    passage.outInterface = route.device;
    const isLoopback = passage.packet.source.startsWith('127.') && route.device !== 'lo';
    const key = `net.ipv4.conf.${route.device}.route_localnet`;
    return !isLoopback || sysctl(this.world, passage.namespace, key) === '1';
  }

  private track(passage: Passage): void {
    passage.flow = passage.namespace.connections.track(passage.packet);
  }

  /** Translates the destination; true when a rule drops the packet. */
  private destination(
    passage: Passage,
    hook: 'prerouting' | 'output',
    chain: 'PREROUTING' | 'OUTPUT',
  ): boolean {
    const { namespace, flow, packet } = passage;
    if (flow === undefined) return false;
    if (!flow.isReply && !flow.connection.isDestinationDecided) {
      flow.connection.isDestinationDecided = true;
      const verdict = this.run(passage, hook, 'nat', chain);
      if (verdict.type === 'DROP') return true;
      if (verdict.type === 'DNAT') {
        namespace.connections.translateDestination(flow, verdict);
      } else if (verdict.type === 'REDIRECT') {
        const family = familyOf(packet.destination);
        const address =
          hook === 'output'
            ? LOOPBACK[family]
            : namespace.config.addressOfInterface(passage.inInterface, family);
        namespace.connections.translateDestination(flow, {
          address: address ?? packet.destination,
          port: verdict.port,
        });
      }
    }
    const before = packetText(packet);
    if (applyDestination(flow, packet) && packetText(packet) !== before) {
      this.note(passage, hook, 'destination', packetText(packet));
    }
    return false;
  }

  /**
   * Translates the source, and remembers the connection: the last thing that happens to it here.
   */
  private source(
    passage: Passage,
    hook: 'input' | 'postrouting',
    chain: 'INPUT' | 'POSTROUTING',
  ): void {
    const { namespace, flow, packet } = passage;
    if (flow === undefined) return;
    if (!flow.isReply && !flow.connection.isSourceDecided) {
      flow.connection.isSourceDecided = true;
      const verdict = this.run(passage, hook, 'nat', chain);
      const address =
        verdict.type === 'SNAT'
          ? verdict.address
          : verdict.type === 'MASQUERADE'
            ? namespace.config.addressOfInterface(
                passage.outInterface,
                familyOf(packet.destination),
              )
            : undefined;
      if (address !== undefined) namespace.connections.translateSource(flow, address);
      else namespace.connections.keepApart(flow);
    }
    const before = packetText(packet);
    if (applySource(flow, packet) && packetText(packet) !== before) {
      this.note(passage, hook, 'source', packetText(packet));
    }
    namespace.connections.confirm(flow);
    this.traces.tracked.set(flow.connection, namespace.connections);
  }

  /** Rules of iptables, and where they do not decide, of nftables. */
  private run(passage: Passage, hook: ChainHook, table: FilterTable, chain: string): Verdict {
    const { namespace, packet, inInterface, outInterface, flow, isBalanced } = passage;
    const { config } = namespace;
    const family = familyOf(packet.destination);
    const note = (target: string, text: string): void => this.note(passage, hook, target, text);
    if (config.tablesOf(family).has(table)) {
      const context: MatchContext = {
        packet,
        inInterface,
        outInterface,
        state: stateOf(flow),
        isBalanced,
        isLocal: (address) => config.isLocal(address),
      };
      const verdict = runChain(config.table(table, family), chain, context, (target, text) => {
        note(target, `${table}/${text}`);
      });
      if (verdict.type !== 'ACCEPT') return verdict;
    }
    return config.nft.isEmpty ? { type: 'ACCEPT' } : runNft(passage, { hook, table }, note);
  }

  /** Gives a packet for a virtual address to a backend; undefined when IPVS has no part in it. */
  private balance(passage: Passage): Outcome | undefined {
    const { namespace, packet, flow } = passage;
    const { config, balancer } = namespace;
    if (config.balancers.size === 0) return undefined;
    const result = balancer.request(packet, config.balancers, this.world.now, {
      expiresQuiescent:
        sysctl(this.world, namespace, 'net.ipv4.vs.expire_quiescent_template') === '1',
    });
    if (result.type === 'pass') return undefined;
    if (result.type === 'refuse') return this.drop(passage, result.reason);
    const { connection } = result;
    const { address, port } = connection.backend;
    this.traces.balanced.set(connection, balancer);
    packet.destination = address;
    packet.destinationPort = port;
    passage.isBalanced = true;
    this.note(
      passage,
      'balance',
      'backend',
      `mark ${connection.mark} -> ${endpointText(address, port)}`,
    );
    if (sysctl(this.world, namespace, 'net.ipv4.vs.conntrack') === '1' && flow !== undefined) {
      // The replies will come from the backend.
      if (!flow.connection.isConfirmed) {
        flow.connection.reply = { ...flow.connection.reply, source: address, sourcePort: port };
      }
    } else {
      passage.flow = undefined;
    }
    const route = this.route(passage);
    if (route === undefined) return this.drop(passage, `no route to ${address}`);
    passage.outInterface = route.device;
    if (this.filter(passage, 'output', 'mangle') || this.filter(passage, 'output', 'filter')) {
      return this.drop(passage, 'dropped by a rule of OUTPUT');
    }
    return this.leave(passage);
  }

  /** Gives the answer of a backend its virtual source again. */
  private unbalance(passage: Passage): void {
    const { namespace, packet } = passage;
    const connection = namespace.balancer.reply(packet);
    if (connection === undefined) return;
    const { destination, destinationPort } = connection.original;
    packet.source = destination;
    packet.sourcePort = destinationPort;
    passage.isBalanced = true;
    this.note(passage, 'balance', 'virtual source', packetText(packet));
  }
}

/** Hooks that have chains. */
type ChainHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
