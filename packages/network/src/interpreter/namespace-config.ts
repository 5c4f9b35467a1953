/**
 * What a network namespace holds, as far as packets are concerned. Filled by commands only.
 */
import { addressOf, ipv4Number, ipv4Range, prefixOf, type Ipv4Range } from '../table/ipv4.js';
import type { FilterTable } from '../render/item.js';
import type { Tool } from '../render/rendered.js';
import type { FilterRule } from './filter-rule.js';

/** An interface. */
export interface InterfaceConfig {
  readonly name: string;
  isBridge: boolean;
  /** Bridge that it is a port of. */
  master: string | undefined;
  isUp: boolean;
  /** Address → prefix length, in the order in which they were added. */
  readonly addresses: Map<string, number>;
  /** Those of them that stand for a whole range. */
  ranges: readonly { readonly address: string; readonly range: Ipv4Range }[];
}

/** A veth or VXLAN port that this namespace made, and the interface that it leads to. */
export interface LinkConfig {
  readonly type: 'veth' | 'vxlan';
  /** Name in this namespace; for VXLAN that of the port in the other. */
  readonly name: string;
  readonly peerNamespace: string;
  readonly peerName: string;
  readonly peerMacAddress?: string;
  readonly vxlanId?: number;
  /** Options of the tunnel as text. */
  readonly options?: string;
}

/** A route that is not implied by an address. */
export interface RouteConfig {
  /** Range, or 0.0.0.0/0. */
  readonly destination: string;
  readonly range: Ipv4Range;
  readonly via?: string;
  readonly device: string;
}

/** Whose MAC address an address is. */
export interface NeighbourConfig {
  readonly macAddress: string;
  readonly device: string;
}

/** Behind which tunnel end point a MAC address is. */
export interface ForwardingConfig {
  readonly tunnelAddress: string;
  readonly device: string;
}

/** A chain of iptables; a policy marks a built-in one. */
export interface ChainConfig {
  policy: 'ACCEPT' | 'DROP' | undefined;
  rules: FilterRule[];
}

/** A backend of an IPVS service. */
export interface DestinationConfig {
  readonly address: string;
  /** 0: as in the packet. */
  readonly port: number;
  weight: number;
}

/** An IPVS service by firewall mark. */
export interface BalancerConfig {
  scheduler: string;
  /** Seconds of affinity; 0 for none. */
  persistence: number;
  /** Newest first, as the kernel keeps them. */
  destinations: readonly DestinationConfig[];
}

const BUILT_IN: Readonly<Record<FilterTable, readonly string[]>> = {
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Name of the link in a namespace's list: VXLAN ports of several networks have the same name. */
export function linkKey(link: Pick<LinkConfig, 'type' | 'name' | 'peerNamespace'>): string {
  return link.type === 'veth' ? link.name : `${link.peerNamespace}/${link.name}`;
}

/** See the module comment. Mutable; owned by the world that holds it. */
export class NamespaceConfig {
  readonly interfaces: Map<string, InterfaceConfig>;
  readonly links: Map<string, LinkConfig>;
  readonly routes: Map<string, RouteConfig>;
  /** By address. */
  readonly neighbours: Map<string, NeighbourConfig>;
  /** Namespaces that were made from here: only the host makes any. */
  readonly namespaces: Set<string>;
  /** By MAC address. */
  readonly forwarding: Map<string, ForwardingConfig>;
  readonly tables: Map<FilterTable, Map<string, ChainConfig>>;
  readonly balancers: Map<number, BalancerConfig>;
  readonly sysctls: Map<string, string>;
  /** Whether a link made elsewhere ends here as an interface of that name; unknown when absent. */
  isPlugged: ((name: string) => boolean) | undefined;

  /** Empty, but for what the tools in `kept` made of `previous`, which is not to be used again. */
  constructor(previous?: NamespaceConfig, kept: readonly Tool[] = []) {
    const of = (tool: Tool): NamespaceConfig | undefined =>
      kept.includes(tool) ? previous : undefined;
    this.interfaces = of('ip')?.interfaces ?? new Map<string, InterfaceConfig>();
    this.links = of('ip')?.links ?? new Map<string, LinkConfig>();
    this.routes = of('ip')?.routes ?? new Map<string, RouteConfig>();
    this.neighbours = of('ip')?.neighbours ?? new Map<string, NeighbourConfig>();
    this.namespaces = of('ip')?.namespaces ?? new Set();
    this.forwarding = of('bridge')?.forwarding ?? new Map<string, ForwardingConfig>();
    this.tables = of('iptables')?.tables ?? new Map<FilterTable, Map<string, ChainConfig>>();
    this.balancers = of('ipvs')?.balancers ?? new Map<number, BalancerConfig>();
    this.sysctls = of('sysctl')?.sysctls ?? new Map<string, string>();
  }

  /** The interface, made if need be. */
  interface(name: string): InterfaceConfig {
    let found = this.interfaces.get(name);
    if (found === undefined) {
      found = {
        name,
        isBridge: false,
        master: undefined,
        isUp: false,
        addresses: new Map(),
        ranges: [],
      };
      this.interfaces.set(name, found);
    }
    return found;
  }

  /** The chains of a table, the built-in ones made at the first use. */
  table(name: FilterTable): Map<string, ChainConfig> {
    let chains = this.tables.get(name);
    if (chains === undefined) {
      chains = new Map(BUILT_IN[name].map((chain) => [chain, { policy: 'ACCEPT', rules: [] }]));
      this.tables.set(name, chains);
    }
    return chains;
  }

  /** Whether no rule stands in any table. */
  get hasRules(): boolean {
    for (const chains of this.tables.values()) {
      for (const { rules, policy } of chains.values()) {
        if (rules.length > 0 || policy === 'DROP') return true;
      }
    }
    return false;
  }

  /** Whether an interface has the address; all of 127.0.0.0/8 is always there. */
  isLocal(address: string): boolean {
    return this.interfaceOf(address) !== undefined;
  }

  /** Name of the interface that has the address. */
  interfaceOf(address: string): string | undefined {
    if (address.startsWith('127.')) return 'lo';
    for (const { name, addresses } of this.interfaces.values()) {
      if (addresses.has(address)) return name;
    }
    return undefined;
  }

  /** The most exact route to an address that is not the namespace's own. */
  routeTo(
    address: string,
  ): { readonly device: string; readonly nextHop: string; readonly source?: string } | undefined {
    const number = ipv4Number(address);
    if (number === undefined) return undefined;
    let length = -1;
    let best: { device: string; nextHop: string; source?: string } | undefined;
    for (const { name, ranges } of this.interfaces.values()) {
      for (const { range, address: source } of ranges) {
        if (range.prefix > length && isIn(number, range)) {
          length = range.prefix;
          best = { device: name, nextHop: address, source };
        }
      }
    }
    for (const { range, via, device } of this.routes.values()) {
      if (range.prefix > length && isIn(number, range)) {
        length = range.prefix;
        best = { device, nextHop: via ?? address };
      }
    }
    return best;
  }

  /** The address that packets from an interface carry: its first one. */
  addressOfInterface(name: string): string | undefined {
    const found = this.interfaces.get(name);
    return found?.ranges[0]?.address ?? found?.addresses.keys().next().value;
  }

  /** Adds an address in CIDR form to an interface; false when it is there already. */
  addAddress(name: string, cidr: string): boolean {
    const found = this.interface(name);
    const address = addressOf(cidr);
    if (found.addresses.has(address)) return false;
    const prefix = prefixOf(cidr);
    found.addresses.set(address, prefix);
    if (prefix < 32) found.ranges = [...found.ranges, { address, range: ipv4Range(cidr) }];
    return true;
  }

  /** Takes an address from an interface; false when it is not there. */
  removeAddress(name: string, cidr: string): boolean {
    const found = this.interfaces.get(name);
    const address = addressOf(cidr);
    if (found?.addresses.delete(address) !== true) return false;
    found.ranges = found.ranges.filter((range) => range.address !== address);
    return true;
  }
}

function isIn(number: number, { base, prefix }: Ipv4Range): boolean {
  const size = 2 ** (32 - prefix);
  return number >= base && number < base + size;
}
