/**
 * Fingerprints of namespaces in this kernel: whatever a dataplane looks at changes them, and
 * nothing else does.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { runCommands } from '../src/namespace/command-runner.js';
import { takeFingerprints } from '../src/namespace/fingerprints.js';

const PROGRAMS = ['sh', 'nsenter', 'ip', 'bridge', 'nft', 'sysctl', 'perl'];
const { suite, lack } = suiteThatNeeds(missingPrograms(PROGRAMS));
const NAME = `skt-${process.pid}.print`;
const MAC = '02:42:0a:00:00:09';

/** In this order: what each needs is there. */
const CHANGES = [
  'ip link add br0 type bridge',
  'ip link set br0 address 02:42:0a:00:00:02',
  'ip link set br0 mtu 1400',
  'ip link add vxlan0 type vxlan id 4096 dstport 4789',
  'ip link set vxlan0 master br0',
  'ip link set vxlan0 nomaster',
  'ip addr add 10.0.0.1/24 dev br0',
  'ip link set br0 up',
  'ip link set vxlan0 up',
  `ip neigh replace 10.0.0.9 lladdr ${MAC} dev vxlan0 nud permanent`,
  `bridge fdb replace ${MAC} dev vxlan0 dst 192.0.2.4 self permanent`,
  `bridge fdb replace ${MAC} dev vxlan0 dst 192.0.2.5 self permanent`,
  'ip route replace local 10.0.0.7 dev br0',
  'ip route replace default via 10.0.0.2 dev br0 table 4097',
  'ip rule add pref 100 fwmark 0x5 lookup 5',
  'ip -6 rule add pref 100 fwmark 0x5 lookup 5',
  'sysctl -qw net.ipv4.ip_forward=7',
  'sysctl -qw net.ipv4.conf.br0.rp_filter=2',
  'nft add table inet x',
  'nft add map inet x m { type ipv4_addr : mark ; }',
  'nft add element inet x m { 10.0.0.3 : 3 }',
  'nft delete element inet x m { 10.0.0.3 }',
  'nft flush ruleset',
  'ip link set br0 down',
  'ip link delete br0',
];
/** What changes by itself, or is no business of a dataplane's. */
const NO_CHANGES = [
  'true',
  `ip neigh replace 10.0.0.55 lladdr ${MAC} dev br9 nud reachable`,
  `bridge fdb append 02:42:0a:00:00:33 dev vx1 dst 192.0.2.6 self dynamic`,
  'sysctl -qw net.ipv4.conf.all.log_martians=1',
  'ping -c 1 -W 1 10.0.0.1',
];

suite(`fingerprints of namespaces${lack}`, () => {
  const run = (command: readonly string[], namespace?: string) =>
    runCommands([{ namespace, command }]);
  const inside = async (line: string): Promise<void> => {
    const words = line.split(' ');
    const [result] = await run(words, NAME);
    if (words[0] !== 'ping') expect([line, result?.errors, result?.status]).toEqual([line, '', 0]);
  };
  const take = async (): Promise<string | undefined> => {
    const settings = ['net.ipv4.ip_forward', 'net.ipv4.conf.br0.rp_filter'];
    return (await takeFingerprints([{ namespace: NAME, settings }]))[0];
  };

  beforeAll(async () => {
    await run(['ip', 'netns', 'add', NAME]);
    await inside('sysctl -qw net.ipv6.conf.all.disable_ipv6=1');
    await inside('sysctl -qw net.ipv6.conf.default.disable_ipv6=1');
  });

  afterAll(async () => {
    await run(['ip', 'netns', 'delete', NAME]);
  });

  it('each change makes another one', async () => {
    const seen = [await take()];
    for (const change of CHANGES) {
      await inside(change);
      const print = await take();
      expect([change, print === seen[seen.length - 1], await take()]).toEqual([
        change,
        false,
        print,
      ]);
      seen.push(print);
    }
    expect(seen).not.toContain(undefined);
  }, 30_000);

  it('what changes by itself makes none', async () => {
    await inside('ip link add br9 type bridge');
    await inside('ip link add vx1 type vxlan id 4097 dstport 4789');
    await inside('ip addr add 10.0.0.1/24 dev br9');
    await inside('ip link set br9 up');
    await inside('ip link set lo up');
    await inside('ip link set vx1 up');
    const print = await take();
    for (const line of NO_CHANGES) {
      await inside(line);
      expect([line, await take()]).toEqual([line, print]);
    }
  }, 30_000);

  it('there is one for each namespace that is there, also our own', async () => {
    const requests = [NAME, `${NAME}-none`, undefined, NAME].map((namespace) => ({
      namespace,
      settings: [],
    }));
    const [own, none, machine, again] = await takeFingerprints(requests);
    expect([none, again, machine === own]).toEqual([undefined, own, false]);
    expect(machine).toBeDefined();
  });
});
