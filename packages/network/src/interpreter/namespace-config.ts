/**
 * What a network namespace holds, as far as packets are concerned. Filled by commands only.
 */
import { hostPrefix, ipRange, isInIpRange, isIpv6, type IpRange } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import type { FilterTable } from '../render/item.js';
import type { Tool } from '../render/rendered.js';
import type { Connection } from './connection-table.js';
import type { FilterRule } from './filter-rule.js';
import { NftRuleset } from './nft/ruleset.js';
import type { SchedulerPosition } from './scheduler.js';

/** An interface. */
export interface InterfaceConfig {
  readonly name: string;
  isBridge: boolean;
  /** Bridge that it is a port of. */
  master: string | undefined;
  isUp: boolean;
  /** Where it was given by hand; else it follows from the link or the address. */
  macAddress?: string;
  /** Address → prefix length, in the order in which they were added. */
  readonly addresses: Map<string, number>;
  /** Those of them that stand for a whole range. */
  ranges: readonly { readonly address: string; readonly range: IpRange }[];
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
  /** Range, 0.0.0.0/0 or ::/0. */
  readonly destination: string;
  readonly range: IpRange;
  readonly via?: string;
  readonly device: string;
}

/** Routes that hold for packets with a mark. */
export interface PolicyConfig {
  /** Firewall mark → number of the table that it is looked up in. */
  readonly rules: Map<number, number>;
  /** Number of a table → its default route. */
  readonly routes: Map<number, { readonly via: string; readonly device: string }>;
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
  readonly weight: number;
  /** The last weight that was not 0: what the scheduler `mh` goes by. */
  readonly lastWeight: number;
}

/** An IPVS service by firewall mark. */
export interface BalancerConfig {
  scheduler: string;
  /** `sh-fallback`, `mh-port`… */
  flags: readonly string[];
  /** Seconds of affinity; 0 for none. */
  persistence: number;
  /** Newest first, as the kernel keeps them. */
  destinations: readonly DestinationConfig[];
  /** Where its scheduler is. */
  position: SchedulerPosition;
  /** Backends that were removed, and whose connections are over; `*` for all that ever were. */
  readonly removed: Set<string>;
}

/** Name of a service: marks of IPv4 and IPv6 services are apart. `address`: any of its family. */
export function balancerKey(mark: number, address: string): number {
  return isIpv6(address) ? mark + 2 ** 32 : mark;
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
  /** Addresses that are local without being an interface's, and the interface they are behind. */
  readonly localRoutes: Map<string, string>;
  readonly policies: Readonly<Record<4 | 6, PolicyConfig>>;
  /** By address. */
  readonly neighbours: Map<string, NeighbourConfig>;
  /** Namespaces that were made from here: only the host makes any. */
  readonly namespaces: Set<string>;
  /** By MAC address. */
  readonly forwarding: Map<string, ForwardingConfig>;
  /** Of iptables, and of ip6tables. */
  readonly tables: Map<FilterTable, Map<string, ChainConfig>>;
  readonly tables6: Map<FilterTable, Map<string, ChainConfig>>;
  /** By {@link balancerKey}. */
  readonly balancers: Map<number, BalancerConfig>;
  readonly sysctls: Map<string, string>;
  /** Of nftables; transactions change it. */
  readonly nft: NftRuleset;
  /** Whether a link made elsewhere ends here as an interface of that name; unknown when absent. */
  isPlugged: ((name: string) => boolean) | undefined;
  /** Forgets connections of the namespace that holds this; unknown when absent. */
  forget: ((isMeant: (connection: Connection) => boolean) => void) | undefined;

  /** Empty, but for what the tools in `kept` made of `previous`, which is not to be used again. */
  constructor(previous?: NamespaceConfig, kept: readonly Tool[] = []) {
    const of = (tool: Tool): NamespaceConfig | undefined =>
      kept.includes(tool) ? previous : undefined;
    this.interfaces = of('ip')?.interfaces ?? new Map<string, InterfaceConfig>();
    this.links = of('ip')?.links ?? new Map<string, LinkConfig>();
    this.routes = of('ip')?.routes ?? new Map<string, RouteConfig>();
    this.localRoutes = of('ip')?.localRoutes ?? new Map<string, string>();
    this.policies = {
      4: of('ip')?.policies[4] ?? { rules: new Map(), routes: new Map() },
      6: of('ip6')?.policies[6] ?? { rules: new Map(), routes: new Map() },
    };
    this.neighbours = of('ip')?.neighbours ?? new Map<string, NeighbourConfig>();
    this.namespaces = of('ip')?.namespaces ?? new Set();
    this.forwarding = of('bridge')?.forwarding ?? new Map<string, ForwardingConfig>();
    this.tables = of('iptables')?.tables ?? new Map<FilterTable, Map<string, ChainConfig>>();
    this.tables6 = of('ip6tables')?.tables6 ?? new Map<FilterTable, Map<string, ChainConfig>>();
    this.balancers = of('ipvs')?.balancers ?? new Map<number, BalancerConfig>();
    this.sysctls = of('sysctl')?.sysctls ?? new Map<string, string>();
    this.nft = of('nft')?.nft ?? new NftRuleset();
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

  /** The tables of a family. */
  tablesOf(family: 4 | 6): Map<FilterTable, Map<string, ChainConfig>> {
    return family === 4 ? this.tables : this.tables6;
  }

  /** The chains of a table, the built-in ones made at the first use. */
  table(name: FilterTable, family: 4 | 6 = 4): Map<string, ChainConfig> {
    const tables = this.tablesOf(family);
    let chains = tables.get(name);
    if (chains === undefined) {
      chains = new Map(BUILT_IN[name].map((chain) => [chain, { policy: 'ACCEPT', rules: [] }]));
      tables.set(name, chains);
    }
    return chains;
  }

  /** Whether any rule stands in a table of a family. */
  hasRules(family: 4 | 6): boolean {
    if (!this.nft.isEmpty) return true;
    for (const chains of this.tablesOf(family).values()) {
      for (const { rules, policy } of chains.values()) {
        if (rules.length > 0 || policy === 'DROP') return true;
      }
    }
    return false;
  }

  /** Whether an interface has the address; all of 127.0.0.0/8, and ::1, are always there. */
  isLocal(address: string): boolean {
    return this.interfaceOf(address) !== undefined;
  }

  /** Name of the interface that has the address. */
  interfaceOf(address: string): string | undefined {
    if (address.startsWith('127.') || address === '::1') return 'lo';
    for (const { name, addresses } of this.interfaces.values()) {
      if (addresses.has(address)) return name;
    }
    return this.localRoutes.get(address);
  }

  /**
   * The most exact route to an address that is not the namespace's own. `mark`: of the packet;
   * what a policy says of it comes first.
   */
  routeTo(
    address: string,
    mark = 0,
  ): { readonly device: string; readonly nextHop: string; readonly source?: string } | undefined {
    const { rules, routes } = this.policies[isIpv6(address) ? 6 : 4];
    const policy = routes.get(rules.get(mark) ?? -1);
    if (policy !== undefined) return { device: policy.device, nextHop: policy.via };
    let length = -1;
    let best: { device: string; nextHop: string; source?: string } | undefined;
    for (const { name, ranges } of this.interfaces.values()) {
      for (const { range, address: source } of ranges) {
        if (range.prefix > length && isInIpRange(address, range)) {
          length = range.prefix;
          best = { device: name, nextHop: address, source };
        }
      }
    }
    for (const { range, via, device } of this.routes.values()) {
      if (range.prefix > length && isInIpRange(address, range)) {
        length = range.prefix;
        best = { device, nextHop: via ?? address };
      }
    }
    return best;
  }

  /** The address of a family that packets from an interface carry: its first one. */
  addressOfInterface(name: string, family: 4 | 6 = 4): string | undefined {
    const found = this.interfaces.get(name);
    const isMeant = (address: string): boolean => isIpv6(address) === (family === 6);
    return (
      found?.ranges.find(({ address }) => isMeant(address))?.address ??
      [...(found?.addresses.keys() ?? [])].find(isMeant)
    );
  }

  /** Adds an address in CIDR form to an interface; false when it is there already. */
  addAddress(name: string, cidr: string): boolean {
    const found = this.interface(name);
    const address = addressOf(cidr);
    if (found.addresses.has(address)) return false;
    const range = ipRange(cidr);
    found.addresses.set(address, range.prefix);
    if (range.prefix < hostPrefix(address)) found.ranges = [...found.ranges, { address, range }];
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
