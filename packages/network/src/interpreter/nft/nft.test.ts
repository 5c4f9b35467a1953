/**
 * The interpreter of nft text: what it understands, what it refuses, and what becomes of packets.
 */
import { describe, expect, it } from '@jest/globals';

import { parseIp } from '../../ipam/ip-address.js';
import { parseCommands } from '../command.js';
import { NamespaceConfig } from '../namespace-config.js';
import { connect } from '../send.js';
import { World } from '../world.js';
import type { NamespaceTexts } from '../../render/rendered.js';
import { jhash, scaled } from './jhash.js';

function bytesOf(address: string): readonly number[] {
  const { bits, value } = parseIp(address) ?? { bits: 32, value: 0n };
  return Array.from({ length: bits / 8 }, (_, at) =>
    Number((value >> BigInt(bits - 8 - 8 * at)) & 255n),
  );
}

describe('jhash', () => {
  // What Linux 6.18 put into a set by `add @seen { ip daddr . jhash ip daddr mod … seed … }`.
  it.each([
    ['10.0.9.8', 4436],
    ['10.0.9.100', 1014],
    ['203.0.113.7', 296],
    ['127.0.0.1', 10_815],
    ['fd00::1', 12_215],
    ['2001:db8::7', 12_405],
  ])('of %s is what the kernel computes', (address, expected) => {
    expect(scaled(jhash(bytesOf(address), 0x5ce9), 16_381)).toBe(expected);
  });
});

function execute(text: string, config = new NamespaceConfig()): NamespaceConfig {
  for (const command of parseCommands('nft', text)) command.execute(config);
  return config;
}

const BASE = `
table inet t {
	map slots { typeof ip daddr . numgen inc mod 16 : ip daddr; }
	map vips { type ipv4_addr : verdict; elements = { 10.0.0.1 : goto one } }
	chain one {
		dnat ip to ip daddr . numgen inc mod 2 map @slots
	}
}
`;

describe('text', () => {
  it.each([
    ['an unknown statement', 'add rule inet t one frobnicate', /line 1: unknown statement "frob/],
    ['an unknown match', 'add rule inet t one tcp flags syn', /unknown statement "tcp"/],
    ['an unknown command', 'replace rule inet t one', /unknown command "replace"/],
    ['an unknown family', 'table arp t { }', /unknown family "arp"/],
    ['an unknown object', 'add counter inet t c', /unknown command "add counter"/],
    ['an unknown type', 'table inet t {\n set s { type frob; }\n}', /unknown type "frob"/],
    ['an unknown hook', 'table inet t {\n chain c { type nat hook x', /unknown hook "x"/],
    ['a number that is none', 'add rule inet t one th dport frob', /not a value of inet_service/],
    ['a hash without seed', 'add rule inet t one jhash ip saddr mod 2 1', /needs a seed/],
    ['a verdict that is none', 'add rule inet t one ct status new', /unknown status "new"/],
    ['a set that is cut off', 'add element inet t slots { 10.0.0.1 . 0', /expected ","/],
  ])('%s is refused with its line', (_name, text, message) => {
    expect(() => execute(text, execute(BASE))).toThrow(message);
  });

  it.each([
    ['a table that is not there', 'delete table inet x', /no such table/],
    ['a chain that is not there', 'flush chain inet t x', /no such chain/],
    ['a set that is not there', 'add element inet t x { 1.2.3.4 }', /no such set/],
    ['a set that a rule names', 'add rule inet t one ip daddr vmap @x', /no such set: x/],
    ['an element that is not there', 'delete element inet t slots { 1.2.3.4 . 0 }', /not there/],
    ['another one with this key', 'add element inet t vips { 10.0.0.1 : drop }', /another one/],
    ['a chain that is led to', 'delete chain inet t one', /no such chain/],
    ['a chain led to in vain', 'add element inet t vips { 10.0.0.2 : goto x }', /no such chain/],
    ['a key of another type', 'add element inet t vips { fd00::1 : drop }', /not of ipv4_addr/],
    ['a look-up of another type', 'add rule inet t one th dport vmap @vips', /is of ipv4_addr/],
  ])('%s is refused, and nothing of its text done', (_name, text, message) => {
    const config = execute(BASE);
    expect(() => execute(`add chain inet t fresh\n${text}`, config)).toThrow(message);
    expect(config.nft.tables.get('inet t')?.chains.has('fresh')).toBe(false);
    expect(config.nft.tables.get('inet t')?.sets.get('vips')?.elements.size).toBe(1);
  });

  it('is one transaction: a table can be made anew in it', () => {
    const config = execute(BASE);
    execute(`table inet t\ndelete table inet t\n${BASE.replaceAll('one', 'two')}`, config);
    expect([...(config.nft.tables.get('inet t')?.chains.keys() ?? [])]).toEqual(['two']);
  });

  it('may be what nft lists', () => {
    const listed = `table inet t {
	map slots {
		typeof ip daddr . numgen inc mod 16 : ip daddr
		elements = { 10.0.0.1 . 0 : 10.0.0.3,
			     10.0.0.1 . 1 : 10.0.0.4 }
	}

	chain prerouting {
		type nat hook prerouting priority dstnat + 5; policy accept;
		dnat ip to ip daddr . numgen inc mod 2 map @slots # in turn
	}
}`;
    const { sets, chains } = execute(listed).nft.tables.get('inet t') ?? {};
    expect(sets?.get('slots')?.elements.get('10.0.0.1 . 1')).toBe('10.0.0.4');
    expect(chains?.get('prerouting')?.base?.priority).toBe(-95);
  });
});

/** A node with a client and a server on its bridge, and these texts for the host. */
function worldWith(nft: string, ip = ''): World {
  const world = new World();
  world.addNode({ name: 'n', address: '192.168.50.11/24' });
  const link = (name: string, port: string): string =>
    `netns add ${name}\nlink add ${port} type veth peer name eth0 netns ${name}\n` +
    `link set ${port} master br0 up\n`;
  const texts = (own: Partial<NamespaceTexts>): Partial<NamespaceTexts> => own;
  world.setTexts(
    'n',
    { name: 'host', kind: 'host' },
    texts({
      ip:
        'link add br0 type bridge\naddr add 10.0.0.1/24 dev br0\n' +
        `${link('c', 'v1')}${link('s', 'v2')}${ip}`,
      sysctl: 'net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 0\n',
      nft,
    }),
  );
  for (const [name, address] of [
    ['c', '10.0.0.2'],
    ['s', '10.0.0.3'],
  ] as const) {
    world.setTexts(
      'n',
      { name, kind: 'task', taskId: name },
      texts({
        ip:
          `addr add ${address}/24 dev eth0\nlink set eth0 up\n` +
          'route add default via 10.0.0.1 dev eth0\n',
      }),
    );
  }
  return world;
}

const ask = (world: World, rest: Partial<Parameters<typeof connect>[1]> = {}) =>
  connect(world, {
    from: { node: 'n', namespace: 'c' },
    destination: '10.9.9.9',
    destinationPort: 80,
    ...rest,
  });

const nat = (hook: string, priority: string, ...rules: readonly string[]): string =>
  `table inet t {\nchain x-${hook} {\n` +
  `type nat hook ${hook} priority ${priority}; policy accept;\n` +
  `${rules.join('\n')}\n}\n}\n`;

describe('packets', () => {
  it('are translated there and back', () => {
    const world = worldWith(
      nat('prerouting', 'dstnat', 'ip daddr 10.9.9.9 dnat ip to 10.0.0.3') +
        nat('postrouting', 'srcnat', 'ct status dnat masquerade'),
    );
    const result = ask(world);
    expect(result.outcome).toBe('answered');
    expect(result.delivered).toMatchObject({ taskId: 's', port: 80 });
    expect(result.delivered?.seenSource.address).toBe('10.0.0.1');
  });

  it('a map may give a port too, and what it has not falls through', () => {
    const rules = 'dnat ip to meta l4proto . th dport map @ports';
    const world = worldWith(
      nat('prerouting', 'dstnat', rules, 'th dport 81 dnat ip to 10.0.0.3').replace(
        'chain x',
        'map ports { type inet_proto . inet_service : ipv4_addr . inet_service;\n' +
          'elements = { tcp . 80 : 10.0.0.3 . 8080 } }\nchain x',
      ) + nat('postrouting', 'srcnat', 'masquerade'),
    );
    expect(ask(world).delivered).toMatchObject({ taskId: 's', port: 8080 });
    expect(ask(world, { destinationPort: 81 }).delivered).toMatchObject({ port: 81 });
    expect(ask(world, { protocol: 'udp' }).delivered?.taskId).toBeUndefined();
  });

  it.each([
    ['tcp', 'refused', 'rejected with tcp reset'],
    ['udp', 'refused', 'rejected with icmpx port-unreachable'],
  ] as const)('of %s are rejected in their own way', (protocol, outcome, reason) => {
    const filter =
      'table inet t {\nchain f {\ntype filter hook input priority filter; policy drop;\n' +
      'meta l4proto tcp reject with tcp reset\nreject with icmpx port-unreachable\n}\n}\n';
    const result = ask(worldWith(filter), { protocol, destination: '10.0.0.1' });
    expect(result).toMatchObject({ outcome, reason });
  });

  it('a policy of drop holds for what no rule accepts', () => {
    const filter =
      'table inet t {\nchain f {\ntype filter hook forward priority filter; policy drop;\n' +
      'ip saddr { 10.0.0.0/30 } th dport != { 22, 80 } accept\n}\n}\n';
    const world = worldWith(filter);
    expect(ask(world, { destination: '192.168.50.1' }).delivered).toBeUndefined();
    const other = ask(world, { destination: '192.168.50.1', destinationPort: 443 });
    expect(other.delivered?.address).toBe('192.168.50.1');
  });

  it('a jump comes back, a goto does not', () => {
    const chains = (verb: string): string =>
      'table inet t {\nchain nothing {\nip daddr 1.1.1.1 drop\n}\n' +
      'chain f {\ntype filter hook forward priority filter; policy accept;\n' +
      `${verb} nothing\ndrop\n}\n}\n`;
    const to = { destination: '192.168.50.1' };
    expect(ask(worldWith(chains('jump')), to).delivered).toBeUndefined();
    expect(ask(worldWith(chains('goto')), to).delivered?.address).toBe('192.168.50.1');
  });

  it('frames are only lifted for the bridge itself', () => {
    const lift = (mac: string): string =>
      'table bridge t {\nchain lift {\ntype filter hook prerouting priority -300; policy accept;\n' +
      `meta protocol { ip, ip6 } ether daddr set ${mac} meta pkttype set host\n}\n}\n`;
    const ip = 'link set br0 address 02:42:0a:00:00:01\n';
    const to = { destination: '10.0.0.3' };
    const through = (world: World): boolean =>
      ask(world, to).hops.some(({ hook, namespace }) => hook === 'forward' && namespace === 'host');
    const forward = nat('postrouting', 'srcnat', 'ip daddr 10.0.0.3 masquerade');
    const lifted = ask(worldWith(forward + lift('02:42:0a:00:00:01'), ip), to);
    const passed = ask(worldWith(forward + lift('02:42:0a:00:00:99'), ip), to);
    expect(lifted.delivered?.seenSource.address).toBe('10.0.0.1');
    expect(passed.delivered?.seenSource.address).toBe('10.0.0.2');
    expect(through(worldWith(forward))).toBe(false);
  });

  it('numgen counts for each rule by itself, and random numbers are spread evenly', () => {
    const rules = (draw: string): string => `${draw} == 0 ip daddr 10.9.9.9 dnat ip to 10.0.0.3`;
    const world = (draw: string): World =>
      worldWith(
        nat('prerouting', 'dstnat', rules(draw)) + nat('postrouting', 'srcnat', 'masquerade'),
      );
    const hits = (draw: string, count: number): readonly boolean[] => {
      const made = world(draw);
      return Array.from({ length: count }, () => ask(made).delivered?.taskId === 's');
    };
    expect(hits('numgen inc mod 3', 6)).toEqual([true, false, false, true, false, false]);
    const share = hits('numgen random mod 4', 400).filter(Boolean).length / 400;
    // Four standard deviations.
    expect(Math.abs(share - 0.25)).toBeLessThan(0.09);
  });

  it('connections to a removed backend are forgotten by conntrack', () => {
    const world = worldWith(
      nat('prerouting', 'dstnat', 'ip daddr 10.9.9.9 dnat ip to 10.0.0.3') +
        nat('postrouting', 'srcnat', 'masquerade'),
    );
    expect(ask(world, { sourcePort: 5000, staysOpen: true }).outcome).toBe('answered');
    const host = world.namespace('n', 'host');
    const before = host.connections.size;
    const line = '-D -f ipv4 --orig-dst 10.9.9.9 --reply-src 10.0.0.3';
    world.apply('n', [{ namespace: host.reference, tool: 'conntrack', lines: [line] }]);
    expect([before, host.connections.size]).toEqual([1, 0]);
    expect(() => parseCommands('conntrack', '-F')).toThrow(/not understood/);
  });
});
