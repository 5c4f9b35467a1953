/**
 * The fixed part of each namespace's nftables text: sets, chains, rules. What changes with services
 * stands in the sets.
 *
 * **Source:** nft(8).
 */
import { hasSandboxAddress } from '../table/network-table.js';
import { ipRangeText, isIpv6, macOf } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import type { HostTable, NetworkHeader, TaskSandbox } from '../table/node-tables.js';
import { INGRESS_SETS, OVERLAY_SETS, markOfDraw, type NftServiceSets } from './service.js';
import { HASH_SIZES, SLOT_SIZES, WHOLE_SIZE_MAX } from './slots.js';

/** Name of our tables, in every namespace and family. */
export const TABLE = 'skep';

/** Mixed into the hash of client addresses; the same on every node. */
export const HASH_SEED = 0x5ce9;

/** What balancers handle: protocols with ports. */
const TRANSPORTS = 'meta l4proto { tcp, udp, sctp }';

const FAMILIES = [4, 6] as const;

/** A table of nft from its sets and chains. */
function table(family: 'inet' | 'bridge', blocks: readonly (readonly string[])[]): string {
  const lines = blocks.flatMap(([head = '', ...body]) => [
    `\t${head} {`,
    ...body.map((line) => `\t\t${line}`),
    '\t}',
  ]);
  return [`table ${family} ${TABLE} {`, ...lines, '}'].join('\n');
}

function base(type: string, hook: string, priority: string): string {
  return `type ${type} hook ${hook} priority ${priority}; policy accept;`;
}

/** A named set with its elements, in their order. */
export function setBlock(
  head: string,
  type: string,
  elements: readonly string[] = [],
): readonly string[] {
  const filled = elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
  return [head, type, ...filled];
}

/** Rule that gives a new connection to the backend of the slot drawn. */
export function drawRule(sets: NftServiceSets, family: 4 | 6, draw: string): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  return `dnat ${ip} to ${sets.selector[family]} . ${draw} map @slots${family}`;
}

/** A way to draw a slot, for all services at once. */
interface Draw {
  readonly chain: string;
  readonly mark: string;
  readonly expression: Readonly<Record<4 | 6, string>>;
}

const SEED = `seed 0x${HASH_SEED.toString(16)}`;

const DRAWS: readonly Draw[] = Object.freeze([
  ...[...Array.from({ length: WHOLE_SIZE_MAX }, (_, at) => at + 1), ...SLOT_SIZES].map((size) => {
    const expression = `numgen random mod ${size}`;
    return {
      chain: `random-${size}`,
      mark: markOfDraw('random', size),
      expression: { 4: expression, 6: expression },
    };
  }),
  ...HASH_SIZES.map((size) => ({
    chain: `hash-${size}`,
    mark: markOfDraw('hash', size),
    expression: {
      4: `jhash ip saddr mod ${size} ${SEED}`,
      6: `jhash ip6 saddr mod ${size} ${SEED}`,
    },
  })),
]);

/** Sets of services, and the chains that draw at random or by hash for all services at once. */
function serviceBlocks(sets: NftServiceSets): readonly (readonly string[])[] {
  const { draws, selector } = sets;
  return [
    ...FAMILIES.flatMap((family) => {
      const ip = family === 4 ? 'ip' : 'ip6';
      const key = draws === 'vips' ? `ipv${family}_addr` : 'inet_proto . inet_service';
      const slot = `typeof ${selector[family]} . numgen inc mod 16 : ${ip} daddr`;
      return [
        setBlock(`map turns${family}`, `type ${key} : verdict`),
        setBlock(`map ${draws}${family}`, `type ${key} : mark`),
        setBlock(`map slots${family}`, slot),
      ];
    }),
    ...DRAWS.map(({ chain, expression }) => [
      `chain ${chain}`,
      drawRule(sets, 4, expression[4]),
      drawRule(sets, 6, expression[6]),
    ]),
    setBlock(
      'map draws',
      'type mark : verdict',
      DRAWS.map(({ mark, chain }) => `${mark} : jump ${chain}`),
    ),
  ];
}

/** Draws slot 0, which a service has as long as it has backends. */
const FIRST_SLOT = 'numgen inc mod 1';

/**
 * Rules that give a new connection of a family to a backend: in turn, or as the mark says; and when
 * that comes back without one, to the backend of the first slot. The kernel fixes for a packet
 * which rules it sees when it enters the chain, but looks elements up as they are then; so while a
 * transaction comes into force, a packet may draw one of twenty slots when there are three.
 */
function balanceRules(sets: NftServiceSets, family: 4 | 6, matches: string): readonly string[] {
  const key = sets.selector[family];
  return [
    `${matches} ${key} vmap @turns${family}`,
    `${matches} meta mark set ${key} map @${sets.draws}${family} meta mark vmap @draws`,
    `${matches} ${drawRule(sets, family, FIRST_SLOT)}`,
  ];
}

/**
 * What is left over at a balancer's own addresses has no backend: it is refused. Not so what
 * connection tracking makes nothing of, late packets above all: these are not translated, and a
 * reset would end a connection that goes on.
 */
function refuseBlock(accepted: readonly string[] = []): readonly string[] {
  return [
    'chain refuse',
    base('filter', 'input', 'filter'),
    'meta l4proto { icmp, ipv6-icmp } accept',
    'ct state established,related accept',
    'ct state invalid drop',
    ...accepted,
    'meta l4proto tcp reject with tcp reset',
    'reject with icmpx port-unreachable',
  ];
}

/** Tasks of an internal network reach the node's name server nowhere but at their gateway. */
function nameServerRules(network: NetworkHeader): readonly string[] {
  if (!network.isInternal) return [];
  return network.subnets
    .filter(({ gateway }) => !isIpv6(gateway))
    .map(({ gateway }) => {
      return `ip daddr ${addressOf(gateway)} meta l4proto { tcp, udp } th dport 53 accept`;
    });
}

/** MAC address of the node's balancer in a network: that of its bridges. */
export function balancerMac(network: NetworkHeader): string {
  return macOf(addressOf(network.loadBalancerAddress ?? network.loadBalancerAddress6 ?? ''));
}

/**
 * The bridge namespace of an overlay: frames are lifted from the bridge into the IP layer, where
 * connections to virtual addresses get a backend, and where the answers pass again; so the client
 * keeps its address. Undefined while the node has no address in the network.
 */
export function overlayStructure(network: NetworkHeader): string | undefined {
  if (!hasSandboxAddress(network)) return undefined;
  const hairpins = FAMILIES.flatMap((family) => {
    const own = family === 4 ? network.loadBalancerAddress : network.loadBalancerAddress6;
    const ip = family === 4 ? 'ip' : 'ip6';
    if (own === undefined) return [];
    return [
      `ct status dnat ${ip} saddr . ${ip} daddr @hairpin${family} snat ${ip} to ${addressOf(own)}`,
    ];
  });
  const lift = [
    'chain lift',
    base('filter', 'prerouting', '-300'),
    // Neighbours are found with packets that no router may touch.
    'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, ' +
      'nd-neighbor-advert, nd-redirect } accept',
    'ip6 daddr fe80::/10 accept',
    'meta protocol { ip, ip6 } meta pkttype != { broadcast, multicast } ' +
      `ether daddr set ${balancerMac(network)} meta pkttype set host`,
  ];
  const balance = table('inet', [
    setBlock('set hairpin4', 'typeof ip saddr . ip daddr'),
    setBlock('set hairpin6', 'typeof ip6 saddr . ip6 daddr'),
    ...serviceBlocks(OVERLAY_SETS),
    [
      'chain prerouting',
      base('nat', 'prerouting', 'dstnat'),
      ...FAMILIES.flatMap((family) => balanceRules(OVERLAY_SETS, family, TRANSPORTS)),
    ],
    ['chain postrouting', base('nat', 'postrouting', 'srcnat'), ...hairpins],
    refuseBlock(nameServerRules(network)),
  ]);
  return `${balance}\n${table('bridge', [lift])}`;
}

/**
 * The ingress sandbox: connections that come by the gateway leg get a backend and keep the
 * client's address; only clients on the gateway bridge are given the sandbox's, for their
 * addresses mean something else on every node.
 */
export function ingressStructure(host: HostHeader, network: NetworkHeader): string | undefined {
  if (!hasSandboxAddress(network) || network.gatewayLeg === undefined) return undefined;
  const { address, address6 } = host.gatewayBridge;
  const { loadBalancerAddress, loadBalancerAddress6 } = network;
  const sources = [
    [address, loadBalancerAddress],
    [address6, loadBalancerAddress6],
  ] as const;
  return table('inet', [
    ...serviceBlocks(INGRESS_SETS),
    [
      'chain prerouting',
      base('nat', 'prerouting', 'dstnat'),
      ...FAMILIES.flatMap((family) => {
        const matches = `iifname "eth1" meta nfproto ipv${family} fib daddr type local`;
        return balanceRules(INGRESS_SETS, family, matches);
      }),
    ],
    [
      'chain postrouting',
      base('nat', 'postrouting', 'srcnat'),
      ...sources.flatMap(([range, own]) => {
        if (range === undefined || own === undefined) return [];
        const ip = isIpv6(own) ? 'ip6' : 'ip';
        const source = `${ip} saddr ${ipRangeText(range)}`;
        return [`oifname "eth0" ct status dnat ${source} snat ${ip} to ${addressOf(own)}`];
      }),
    ],
    refuseBlock(),
  ]);
}

/** The host's table without its ports. */
export type HostHeader = Omit<HostTable, 'ingressPorts'>;

/**
 * The node's own namespace: published ports lead to the ingress sandbox, host ports to their task;
 * what is on the gateway bridge gets out, and nothing else gets in.
 */
export function hostStructure(host: HostHeader, ingress: NetworkHeader | undefined): string {
  const { name, address, address6 } = host.gatewayBridge;
  const legs = [ingress?.gatewayLeg, ingress?.gatewayLeg6];
  const toSandbox = legs.flatMap((leg) => {
    if (leg === undefined) return [];
    const ip = isIpv6(leg) ? 'ip6' : 'ip';
    return [`meta l4proto . th dport @published dnat ${ip} to ${addressOf(leg)}`];
  });
  const outside = [address, address6].flatMap((range) => {
    if (range === undefined) return [];
    const from = `${isIpv6(range) ? 'ip6' : 'ip'} saddr ${ipRangeText(range)}`;
    return [
      `${from} oifname != "${name}" masquerade`,
      // A task that asks its own node: the answer has to come back this way.
      `${from} oifname "${name}" ct status dnat masquerade`,
    ];
  });
  return table('inet', [
    setBlock('set published', 'type inet_proto . inet_service'),
    setBlock('map bound4', 'type inet_proto . inet_service : ipv4_addr . inet_service'),
    ['chain publish', ...toSandbox, 'dnat ip to meta l4proto . th dport map @bound4'],
    ['chain prerouting', base('nat', 'prerouting', 'dstnat'), 'fib daddr type local jump publish'],
    ['chain output', base('nat', 'output', '-100'), 'fib daddr type local jump publish'],
    [
      'chain postrouting',
      base('nat', 'postrouting', 'srcnat'),
      `oifname "${name}" fib saddr type local masquerade`,
      ...outside,
    ],
    [
      'chain forward',
      base('filter', 'forward', 'filter'),
      'ct state established,related accept',
      'ct status dnat accept',
      `oifname "${name}" drop`,
    ],
  ]);
}

/**
 * A task's namespace, when it publishes ports: the published port becomes the one it listens on;
 * a connection is remembered by the node whose sandbox it came through, and its answers go back
 * there. Nothing else goes over the ingress network. Undefined when it publishes nothing.
 */
export function taskStructure(
  task: TaskSandbox,
  network: NetworkHeader | undefined,
): string | undefined {
  const ingress = task.endpoints.find(({ isIngress }) => isIngress);
  if (ingress === undefined || network === undefined || task.redirects.length === 0) {
    return undefined;
  }
  const name = ingress.interfaceName;
  const owns = [ingress.address, ingress.address6].flatMap((own) =>
    own === undefined ? [] : [addressOf(own)],
  );
  const translations = owns.flatMap((own) => {
    const family = isIpv6(own) ? 6 : 4;
    const ip = family === 4 ? 'ip' : 'ip6';
    const here = `iifname "${name}" ${ip} daddr ${own}`;
    const inside = network.subnets
      .filter(({ subnet }) => isIpv6(subnet) === isIpv6(own))
      .map(({ subnet }) => ipRangeText(subnet));
    const to = `dnat ${ip} to meta l4proto . th dport map`;
    return [
      `${here} ${ip} saddr != { ${inside.join(', ')} } meta l4proto udp ${to} @distant${family}`,
      `${here} ${to} @published${family}`,
    ];
  });
  const type = (family: 4 | 6): string =>
    `type inet_proto . inet_service : ipv${family}_addr . inet_service`;
  const { published4, published6, distant4, distant6 } = publishedElements(task);
  return table('inet', [
    setBlock('map balancers', 'type ether_addr : mark'),
    setBlock('map zones', 'typeof ether saddr : ct zone'),
    setBlock('map published4', type(4), published4),
    setBlock('map published6', type(6), published6),
    setBlock('map distant4', type(4), distant4),
    setBlock('map distant6', type(6), distant6),
    // Two connections from one port of a client, through two nodes, look the same here. In zones of
    // their own they are two, and the second is seen from another port.
    [
      'chain apart',
      base('filter', 'prerouting', '-300'),
      `iifname "${name}" ${TRANSPORTS} ct original zone set ether saddr map @zones`,
    ],
    [
      'chain remember',
      base('filter', 'prerouting', 'mangle'),
      `iifname "${name}" ct state new ct mark set ether saddr map @balancers`,
    ],
    ['chain prerouting', base('nat', 'prerouting', 'dstnat'), ...translations],
    [
      'chain admit',
      base('filter', 'input', 'filter'),
      `iifname "${name}" ${TRANSPORTS} ct status dnat accept`,
      `iifname "${name}" ${TRANSPORTS} drop`,
    ],
    [
      'chain answer',
      base('route', 'output', 'mangle'),
      'ct direction reply ct mark != 0 meta mark set ct mark',
    ],
    [
      'chain emit',
      base('filter', 'output', 'filter'),
      `oifname "${name}" ${TRANSPORTS} ct direction original drop`,
    ],
  ]);
}

interface PublishedElements {
  readonly published4: readonly string[];
  readonly published6: readonly string[];
  readonly distant4: readonly string[];
  readonly distant6: readonly string[];
}

/**
 * Where published ports lead. A program that answers datagrams from no particular address does so
 * from that of its way out, so datagrams of distant clients are given to that address.
 */
function publishedElements(task: TaskSandbox): PublishedElements {
  const ingress = task.endpoints.find(({ isIngress }) => isIngress);
  const all = [ingress?.address, ingress?.address6];
  const to = (address: string | undefined, ports: TaskSandbox['redirects']): readonly string[] =>
    address === undefined
      ? []
      : ports.map(
          ({ protocol, publishedPort, targetPort }) =>
            `${protocol} . ${publishedPort} : ${addressOf(address)} . ${targetPort}`,
        );
  const own4 = all.find((own) => own !== undefined && !isIpv6(own));
  const own6 = all.find((own) => own !== undefined && isIpv6(own));
  const datagrams = task.redirects.filter(({ protocol }) => protocol === 'udp');
  return {
    published4: to(own4, task.redirects),
    published6: to(own6, task.redirects),
    distant4: to(task.gateway?.address ?? own4, datagrams),
    distant6: to(task.gateway?.address6 ?? own6, datagrams),
  };
}
