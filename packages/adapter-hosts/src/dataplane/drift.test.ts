import { describe, expect, it } from '@jest/globals';
import { TOOLS, type NamespaceReference, type NamespaceTexts } from '@skep/network';
import type { RenderedNamespace, Tool } from '@skep/network';
import { segmentDrift } from './drift.js';
import { factsOf } from './fact.js';
import { readSnapshot, type Snapshot } from './snapshot.js';

const HOST: NamespaceReference = { name: 'host', kind: 'host' };
const BRIDGE: NamespaceReference = { name: 'p.1-net', kind: 'bridge', networkId: 'net' };
const TASK: NamespaceReference = { name: 'p.task_a', kind: 'task', taskId: 'a' };

function rendered(
  namespace: NamespaceReference,
  texts: Partial<Record<Tool, readonly string[]>>,
): RenderedNamespace {
  const whole = TOOLS.map((tool) => [
    tool,
    (texts[tool] ?? []).map((line) => `${line}\n`).join(''),
  ]);
  return { namespace, texts: Object.fromEntries(whole) as NamespaceTexts };
}

const VETH =
  'link add veth1 mtu 1450 type veth peer name eth0 mtu 1450 address 02:42:0a:00:09:03 netns p.task_a';

const WANTED: readonly RenderedNamespace[] = [
  rendered(HOST, {
    ip: [
      'netns add p.1-net',
      'netns add p.task_a',
      'link add vxlan0 netns p.1-net type vxlan id 4097 srcport 0 0 dstport 4789 proxy',
    ],
  }),
  rendered(BRIDGE, {
    ip: [
      'link set lo up',
      'link add br0 type bridge',
      'addr add 10.0.9.1/24 dev br0',
      'link set br0 up',
      'link set vxlan0 master br0 up',
      VETH,
      'link set veth1 master br0 up',
      'route replace local 10.0.9.2 dev br0',
      'neigh replace 10.0.9.7 lladdr 02:42:0a:00:09:07 dev vxlan0 nud permanent',
    ],
    bridge: ['fdb replace 02:42:0a:00:09:07 dev vxlan0 dst 192.0.2.12 self permanent'],
  }),
  rendered(TASK, {
    ip: [
      'addr add 10.0.9.3/24 dev eth0',
      'link set eth0 up',
      'route replace default via 10.0.0.2 dev eth0 table 167772162',
      'rule add pref 100 fwmark 0x0a000002 lookup 167772162',
    ],
  }),
];

type Entry = Readonly<Record<string, unknown>>;

const link = (ifname: string, rest: Entry = {}): Entry => ({
  ifname,
  link_type: 'ether',
  flags: ['UP'],
  mtu: 1450,
  addr_info: [],
  ...rest,
});
const address = (local: string, prefixlen: number): Entry => ({
  addr_info: [
    { local, prefixlen, scope: 'global' },
    { local: 'fe80::1', prefixlen: 64, scope: 'link' },
  ],
});
const kind = (info_kind: string, info_data: Entry = {}): Entry => ({
  linkinfo: { info_kind, info_data },
});

/** What the tools print of a namespace, one list a question. */
function snapshot(entries: readonly Entry[], forwarding?: readonly Entry[]): Snapshot {
  const request = {
    namespace: 'x',
    hasForwarding: forwarding !== undefined,
    hasRules6: false,
    settings: [],
  };
  const printed = (list: readonly Entry[]) => ({
    status: 0,
    output: `${JSON.stringify(list)}\n`,
    errors: '',
  });
  return readSnapshot(request, [printed(entries), printed(forwarding ?? [])]);
}

const BRIDGE_ENTRIES: readonly Entry[] = [
  link('lo'),
  link('br0', { ...kind('bridge'), ...address('10.0.9.1', 24) }),
  link('vxlan0', { ...kind('vxlan', { id: 4097, port: 4789 }), master: 'br0' }),
  link('veth1', { ...kind('veth'), master: 'br0' }),
  { type: 'local', dst: '10.0.9.1', dev: 'br0', table: 'local', protocol: 'kernel' },
  { type: 'local', dst: '10.0.9.2', dev: 'br0', table: 'local', protocol: 'boot' },
  { dst: '10.0.9.7', dev: 'vxlan0', lladdr: '02:42:0a:00:09:07', state: ['PERMANENT'] },
];
const FORWARDING: readonly Entry[] = [
  { mac: '02:42:0a:00:09:07', ifname: 'vxlan0', dst: '192.0.2.12', state: 'permanent' },
  { mac: '02:42:0a:00:09:08', ifname: 'veth1', master: 'br0' },
];
const TASK_ENTRIES: readonly Entry[] = [
  link('eth0', { ...kind('veth'), ...address('10.0.9.3', 24), address: '02:42:0a:00:09:03' }),
  { type: 'unicast', dst: 'default', gateway: '10.0.0.2', dev: 'eth0', table: '167772162' },
  { priority: 0, src: 'all', table: 'local' },
  { priority: 100, src: 'all', fwmark: '0xa000002', table: '167772162' },
];

const without = (entries: readonly Entry[], isGone: (entry: Entry) => boolean): readonly Entry[] =>
  entries.filter((entry) => !isGone(entry));

function drift(
  bridge: readonly Entry[] | undefined,
  task: readonly Entry[] | undefined,
  forwarding = FORWARDING,
): { readonly findings: readonly string[]; readonly lines: readonly string[] } {
  const snapshots = new Map<string, Snapshot>([['host', snapshot([link('lo')])]]);
  if (bridge !== undefined) snapshots.set(BRIDGE.name, snapshot(bridge, forwarding));
  if (task !== undefined) snapshots.set(TASK.name, snapshot(task));
  const { findings, steps } = segmentDrift(WANTED, snapshots);
  return {
    findings,
    lines: steps.flatMap(({ namespace, lines }) =>
      lines.map((line) => `${namespace.name}: ${line}`),
    ),
  };
}

describe('drift of segments', () => {
  it('is nothing when everything is there', () => {
    expect(drift(BRIDGE_ENTRIES, TASK_ENTRIES)).toEqual({ findings: [], lines: [] });
  });

  it('is every line when nothing is there, and two findings', () => {
    const { findings, lines } = drift(undefined, undefined);
    expect(findings).toEqual([
      'host: namespace p.1-net is missing',
      'host: namespace p.task_a is missing',
    ]);
    expect(lines).toHaveLength(factsOf(WANTED).length);
  });

  it('a missing link takes with it what is on it, and is one finding', () => {
    const isGone = ({ ifname, dev }: Entry): boolean => ifname === 'eth0' || dev === 'eth0';
    const { findings, lines } = drift(BRIDGE_ENTRIES, without(TASK_ENTRIES, isGone));
    expect(findings).toEqual(['p.1-net: the other end of veth1 is not in p.task_a']);
    // The end that is left stands in the way; its port is set again once it is there again.
    expect(lines).toEqual([
      'p.1-net: link delete veth1',
      `p.1-net: ${VETH}`,
      'p.task_a: addr add 10.0.9.3/24 dev eth0',
      'p.task_a: link set eth0 up',
      'p.task_a: route replace default via 10.0.0.2 dev eth0 table 167772162',
    ]);
  });

  it.each<[string, (entry: Entry) => Entry, string]>([
    ['down', (entry) => ({ ...entry, flags: [] }), 'p.1-net: interface vxlan0 is down'],
    [
      'no port',
      ({ master: _, ...entry }) => entry,
      'p.1-net: interface vxlan0 is not a port of br0',
    ],
    [
      'another tunnel',
      (entry) => ({ ...entry, ...kind('vxlan', { id: 4099, port: 4789 }) }),
      'p.1-net: interface vxlan0 is the tunnel 4099',
    ],
    [
      'no tunnel',
      (entry) => ({ ...entry, ...kind('bridge') }),
      'p.1-net: interface vxlan0 is no vxlan',
    ],
  ])('a link that is %s is told', (_, change, finding) => {
    const entries = BRIDGE_ENTRIES.map((entry) =>
      entry['ifname'] === 'vxlan0' ? change(entry) : entry,
    );
    expect(drift(entries, TASK_ENTRIES).findings).toContain(finding);
  });

  it('entries of another content are told, and what nobody asked for goes', () => {
    const entries = [
      ...BRIDGE_ENTRIES,
      link('veth9', kind('veth')),
      { dst: '10.0.9.99', dev: 'vxlan0', lladdr: '02:42:0a:00:09:63', state: ['PERMANENT'] },
      { type: 'local', dst: '10.0.9.98', dev: 'br0', table: 'local', protocol: 'boot' },
    ];
    const [first = {}] = FORWARDING;
    const forwarding = [{ ...first, dst: '192.0.2.13' }];
    const rules = [...TASK_ENTRIES, { priority: 100, src: 'all', fwmark: '0x7', table: '7' }];
    expect(drift(entries, rules, forwarding)).toEqual({
      findings: [
        'p.1-net: the forwarding entry of 02:42:0a:00:09:07 to 192.0.2.12 is missing',
        'p.1-net: interface veth9 should not be there',
        'p.1-net: neighbour 10.0.9.99 should not be there',
        'p.1-net: the forwarding entry of 02:42:0a:00:09:07 to 192.0.2.13 should not be there',
        'p.1-net: virtual address 10.0.9.98 should not be there',
        'p.task_a: the rule for mark 0x7 should not be there',
      ],
      lines: [
        'p.1-net: link delete veth9',
        'p.1-net: neigh delete 10.0.9.99 dev vxlan0',
        'p.1-net: fdb delete 02:42:0a:00:09:07 dev vxlan0 dst 192.0.2.13 self',
        'p.1-net: route delete local 10.0.9.98 dev br0',
        'p.task_a: rule delete pref 100 fwmark 0x7 lookup 7',
        'p.1-net: fdb replace 02:42:0a:00:09:07 dev vxlan0 dst 192.0.2.12 self permanent',
      ],
    });
  });

  it('of some namespaces says nothing of others, nor of what is too much', () => {
    const isGone = ({ ifname }: Entry): boolean => ifname === 'br0' || ifname === 'veth1';
    const bridge = [...without(BRIDGE_ENTRIES, isGone), link('veth9', kind('veth'))];
    const snapshots = new Map([[BRIDGE.name, snapshot(bridge, FORWARDING)]]);
    const { findings } = segmentDrift(WANTED, snapshots, new Set([BRIDGE.name]));
    // The other end of veth1 is in a namespace that nobody looked into.
    expect(findings).toEqual([
      'p.1-net: interface br0 is missing',
      'p.1-net: interface veth1 is missing',
    ]);
  });

  it('a line that no renderer makes is an error', () => {
    const strange = [rendered(HOST, { ip: ['tunnel add x'] })];
    expect(() => factsOf(strange)).toThrow('no fact is known for the line "tunnel add x"');
  });
});
