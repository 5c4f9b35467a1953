/**
 * Facts: what each line of a rendered text for `ip` and `bridge` says that a namespace holds. A
 * line is run again exactly when its fact does not hold, so whole texts can be applied to a kernel
 * that has part of them.
 *
 * **Source:** ip-link(8), ip-address(8), ip-route(8), ip-rule(8), ip-neighbour(8), bridge(8).
 */
import { SkepError } from '@skep/api';
import type { NamespaceReference, RenderedNamespace, Tool } from '@skep/network';

/** What a line says. Devices are interfaces of the fact's namespace. */
export type FactContent =
  | { readonly type: 'namespace'; readonly name: string }
  | { readonly type: 'link'; readonly device: string; readonly link: WantedLink }
  | { readonly type: 'up'; readonly device: string; readonly master?: string }
  | { readonly type: 'mac'; readonly device: string; readonly mac: string }
  | { readonly type: 'address'; readonly device: string; readonly address: string }
  | { readonly type: 'route'; readonly device: string; readonly route: WantedRoute }
  | { readonly type: 'rule'; readonly rule: WantedRule }
  | { readonly type: 'neighbour'; readonly device: string; readonly address: string; mac: string }
  | { readonly type: 'forwarding'; readonly device: string; readonly mac: string; to: string };

/** An interface that the kernel makes. */
export type WantedLink =
  | { readonly kind: 'bridge' }
  | { readonly kind: 'vxlan'; readonly vxlanId: number; readonly port: number }
  | {
      readonly kind: 'veth';
      readonly mtu?: number;
      readonly peer: { readonly namespace: string; readonly device: string; mac?: string };
    };

/** A route. */
export interface WantedRoute {
  readonly isLocal: boolean;
  /** `default`, an address, or a range. */
  readonly destination: string;
  readonly gateway?: string;
  /** `main`, `local`, or a number. */
  readonly table: string;
}

/** A rule of policy routing. */
export interface WantedRule {
  readonly isIpv6: boolean;
  readonly preference: number;
  readonly mark: number;
  readonly table: string;
}

/** A line, and what it says. */
export interface Fact {
  /** Where it holds. */
  readonly namespace: string;
  readonly content: FactContent;
  /** Where the line is run, and by what. */
  readonly runIn: NamespaceReference;
  readonly tool: Tool;
  readonly line: string;
}

/** The facts of rendered texts, in the order in which their lines are run. Cost: O(lines). */
export function factsOf(rendered: readonly RenderedNamespace[]): readonly Fact[] {
  const facts: Fact[] = [];
  for (const { namespace, texts } of rendered) {
    for (const tool of ['ip', 'ip6', 'bridge'] as const) {
      for (const line of texts[tool].split('\n')) {
        if (line === '') continue;
        const { content, holdsIn = namespace.name } = read(line, tool);
        facts.push({ namespace: holdsIn, content, runIn: namespace, tool, line });
      }
    }
  }
  return facts;
}

interface Reading {
  readonly content: FactContent;
  /** When it is not where the line is run. */
  readonly holdsIn?: string;
}

/** @throws internal for a line of a form that no renderer makes. */
function read(line: string, tool: Tool): Reading {
  const words = line.split(' ');
  const [object, verb, third = ''] = words;
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word);
    return at < 0 ? undefined : words[at + 1];
  };
  const device = after('dev') ?? '';
  switch (`${object} ${verb}`) {
    case 'netns add':
      return { content: { type: 'namespace', name: third } };
    case 'link add':
      return readLink(third, words, after);
    case 'link set':
      return { content: readLinkSetting(third, words, after) };
    case 'addr add':
      return { content: { type: 'address', device, address: third } };
    case 'route replace':
      return { content: { type: 'route', device, route: readRoute(words, after) } };
    case 'rule add':
      return {
        content: {
          type: 'rule',
          rule: {
            isIpv6: tool === 'ip6',
            preference: Number(after('pref')),
            mark: Number(after('fwmark')),
            table: after('lookup') ?? '',
          },
        },
      };
    case 'neigh replace':
      return { content: { type: 'neighbour', device, address: third, mac: after('lladdr') ?? '' } };
    case 'fdb replace':
      return { content: { type: 'forwarding', device, mac: third, to: after('dst') ?? '' } };
    default:
      throw new SkepError('internal', `no fact is known for the line ${JSON.stringify(line)}`);
  }
}

type After = (word: string) => string | undefined;

function readLink(device: string, words: readonly string[], after: After): Reading {
  const kind = after('type');
  if (kind === 'bridge') return { content: { type: 'link', device, link: { kind } } };
  if (kind === 'vxlan') {
    const holdsIn = after('netns');
    const link = { kind, vxlanId: Number(after('id')), port: Number(after('dstport')) } as const;
    return {
      content: { type: 'link', device, link },
      ...(holdsIn === undefined ? {} : { holdsIn }),
    };
  }
  if (kind !== 'veth') {
    throw new SkepError('internal', `no fact is known for links of type ${kind ?? ''}`);
  }
  const behindPeer = words.slice(words.indexOf('peer'));
  const peerWord = (word: string): string | undefined => {
    const at = behindPeer.indexOf(word);
    return at < 0 ? undefined : behindPeer[at + 1];
  };
  const mac = peerWord('address');
  const mtu = after('mtu');
  const peer = {
    namespace: peerWord('netns') ?? '',
    device: peerWord('name') ?? '',
    ...(mac === undefined ? {} : { mac }),
  };
  const link = { kind, peer, ...(mtu === undefined ? {} : { mtu: Number(mtu) }) } as const;
  return { content: { type: 'link', device, link } };
}

function readLinkSetting(device: string, words: readonly string[], after: After): FactContent {
  const mac = after('address');
  if (mac !== undefined) return { type: 'mac', device, mac };
  const master = after('master');
  if (!words.includes('up')) {
    throw new SkepError('internal', `no fact is known for the line ${words.join(' ')}`);
  }
  return { type: 'up', device, ...(master === undefined ? {} : { master }) };
}

function readRoute(words: readonly string[], after: After): WantedRoute {
  const isLocal = words[2] === 'local';
  const gateway = after('via');
  return {
    isLocal,
    destination: (isLocal ? words[3] : words[2]) ?? '',
    ...(gateway === undefined ? {} : { gateway }),
    table: after('table') ?? (isLocal ? 'local' : 'main'),
  };
}
