/**
 * What a dataplane needs of this machine, and whether it is there: found out by trying it in a
 * network namespace that is made for it and removed again.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SkepError } from '@skep/api';
import {
  runCommands,
  searchPath,
  type CommandRunner,
  type NamespaceCommand,
} from '../namespace/command-runner.js';
import { workingIptables } from './iptables-variant.js';
import { rendererOf, type RendererName } from './node-texts.js';
import { howToInstall } from './tool-text.js';

/** One thing that is needed. */
export interface DataplaneNeed {
  /** `nft`, `VXLAN tunnels`. */
  readonly name: string;
  readonly isThere: boolean;
  /** What was tried and what the kernel said; only when it is not there. */
  readonly reason?: string;
  /** One command or step that gets it; only when it is not there. */
  readonly advice?: string;
}

/** How {@link probeDataplane} goes about it. */
export interface ProbeOptions {
  /** Name of the namespace in which things are tried. Default: `skep-probe-PID`. */
  readonly namespace?: string;
  /** Default: the machine's own programs. */
  readonly run?: CommandRunner;
}

interface Trial {
  readonly name: string;
  readonly advice: string;
  readonly command: readonly string[];
  readonly input?: string;
}

const NFT_TEXT = `table inet probe {
\tmap slots4 {
\t\ttypeof ip daddr . numgen inc mod 2 : ip daddr
\t}
\tchain draw {
\t\ttype nat hook prerouting priority -100; policy accept;
\t\tdnat ip to ip daddr . numgen inc mod 2 map @slots4
\t}
\tchain way {
\t\ttype route hook output priority -150; policy accept;
\t\tct direction reply ct mark != 0 meta mark set ct mark
\t}
}
table bridge probe {
\tchain lift {
\t\ttype filter hook prerouting priority -300; policy accept;
\t\tether type ip meta pkttype set host
\t}
}
`;

const SEGMENTS: readonly Trial[] = [
  {
    name: 'bridges',
    advice: 'modprobe bridge',
    command: ['ip', 'link', 'add', 'br0', 'type', 'bridge'],
  },
  {
    name: 'pairs of virtual interfaces',
    advice: 'modprobe veth',
    command: ['ip', 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1'],
  },
  {
    name: 'VXLAN tunnels',
    advice: 'modprobe vxlan',
    command: 'ip link add vxlan0 type vxlan id 4096 dstport 4789 proxy l2miss l3miss'.split(' '),
  },
];

const TRIALS: Readonly<Record<RendererName, readonly Trial[]>> = Object.freeze({
  nftables: [
    ...SEGMENTS,
    {
      name: 'nftables with translation, maps and bridges',
      advice: 'modprobe nf_tables nft_nat nft_numgen nf_tables_bridge, with nft 1.0.6 or newer',
      command: ['nft', '-f', '-'],
      input: NFT_TEXT,
    },
  ],
  ipvs: [
    ...SEGMENTS,
    {
      name: 'IPVS',
      advice: 'modprobe ip_vs; a kernel without it can use the renderer nftables',
      command: ['ipvsadm', '-A', '-f', '256', '-s', 'rr'],
    },
    {
      name: 'iptables with marks and IPVS matches',
      advice: 'modprobe xt_ipvs xt_mark iptable_nat iptable_mangle',
      command: ['iptables-restore', '--noflush'],
      input:
        '*mangle\n-A INPUT -j MARK --set-xmark 0x100/0xffffffff\nCOMMIT\n' +
        '*nat\n-A POSTROUTING -m ipvs --ipvs -j SNAT --to-source 192.0.2.1\nCOMMIT\n',
    },
  ],
});

/**
 * Everything that a renderer needs: programs, rights, what the kernel has. Nothing is tried when
 * programs or rights are missing. Cost: some ten processes.
 */
export async function probeDataplane(
  renderer: RendererName,
  { namespace = `skep-probe-${process.pid}`, run = runCommands }: ProbeOptions = {},
): Promise<readonly DataplaneNeed[]> {
  const basics = [...programNeeds(rendererOf(renderer).programs), rightsNeed()];
  if (basics.some(({ isThere }) => !isThere)) return basics;
  const trials = TRIALS[renderer];
  const ip = (verb: string): NamespaceCommand => ({
    namespace: undefined,
    command: ['ip', 'netns', verb, namespace],
  });
  const [added] = await run([ip('add')]);
  const inside = renderer === 'ipvs' ? workingIptables(run, namespace) : run;
  const results = await inside([
    ...trials.map(({ command, input }) => ({
      namespace,
      command,
      ...(input === undefined ? {} : { input }),
    })),
    ip('delete'),
  ]);
  const made = needOf(added, {
    name: 'network namespaces',
    advice: 'a kernel with CONFIG_NET_NS, and the right to mount under /run/netns',
  });
  if (!made.isThere) return [...basics, made];
  return [...basics, made, ...trials.map((trial, at) => needOf(results[at], trial))];
}

/**
 * The renderer that this machine can use: nftables, or else ipvs.
 * @throws failed-precondition with all that is missing for either.
 */
export async function pickRenderer(options: ProbeOptions = {}): Promise<RendererName> {
  const complaints: string[] = [];
  for (const renderer of ['nftables', 'ipvs'] as const) {
    const missing = (await probeDataplane(renderer, options)).filter(({ isThere }) => !isThere);
    if (missing.length === 0) return renderer;
    const said = missing.map(({ name, advice }) => `${name} (${advice ?? ''})`);
    complaints.push(`for ${renderer}: ${said.join(', ')}`);
  }
  throw new SkepError(
    'failed-precondition',
    `no dataplane can be had on this machine; missing ${complaints.join('; ')}`,
  );
}

function programNeeds(programs: readonly string[]): readonly DataplaneNeed[] {
  const folders = searchPath().split(':');
  return programs.map((name) => {
    const isThere = folders.some((folder) => existsSync(join(folder, name)));
    if (isThere) return { name, isThere };
    return {
      name,
      isThere,
      reason: `it is in none of ${folders.join(' ')}`,
      advice: howToInstall(name),
    };
  });
}

function rightsNeed(): DataplaneNeed {
  const name = 'the rights of root';
  if (process.getuid?.() === 0) return { name, isThere: true };
  return {
    name,
    isThere: false,
    reason: 'interfaces, rules and namespaces can only be made with them',
    advice: 'start it with sudo',
  };
}

function needOf(
  result: { readonly status: number; readonly errors: string } | undefined,
  { name, advice }: Pick<Trial, 'name' | 'advice'>,
): DataplaneNeed {
  if (result?.status === 0) return { name, isThere: true };
  return { name, isThere: false, reason: result?.errors.trim() ?? 'it was not tried', advice };
}
