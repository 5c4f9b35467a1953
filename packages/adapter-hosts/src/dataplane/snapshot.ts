/**
 * What a namespace holds, as the kernel's tools print it.
 *
 * **Source:** ip(8) and bridge(8) with -json.
 */
import { compareText } from '@skep/api';
import type { CommandResult, NamespaceCommand } from '../namespace/command-runner.js';

/** An interface as it is. */
export interface LinkState {
  readonly name: string;
  readonly isUp: boolean;
  readonly master: string | undefined;
  readonly mac: string;
  readonly mtu: number;
  /** `bridge`, `veth`, `vxlan`; undefined for lo and hardware. */
  readonly kind: string | undefined;
  readonly vxlanId: number | undefined;
  readonly vxlanPort: number | undefined;
  /** CIDR form; no link-local ones. */
  readonly addresses: readonly string[];
}

/** A route as it is. */
export interface RouteState {
  readonly isLocal: boolean;
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly device: string | undefined;
  readonly table: string;
  /** `boot` for those that somebody set. */
  readonly origin: string;
}

/** A rule of policy routing as it is. */
export interface RuleState {
  readonly isIpv6: boolean;
  readonly preference: number;
  readonly mark: number | undefined;
  readonly table: string;
}

/** What there is in a namespace. */
export interface Snapshot {
  readonly links: ReadonlyMap<string, LinkState>;
  readonly routes: readonly RouteState[];
  readonly rules: readonly RuleState[];
  /** Permanent ones: `DEVICE ADDRESS` → MAC address. */
  readonly neighbours: ReadonlyMap<string, string>;
  /** Permanent ones through a tunnel: `DEVICE MAC` → addresses of the other ends. */
  readonly forwarding: ReadonlyMap<string, readonly string[]>;
  /** Key → value, of those asked for. */
  readonly settings: ReadonlyMap<string, string>;
}

/** What to look at besides links, addresses, routes. */
export interface SnapshotRequest {
  readonly namespace: string | undefined;
  readonly hasForwarding: boolean;
  readonly hasRules6: boolean;
  readonly settings: readonly string[];
}

const SHOW = 'addr show\nneigh show nud permanent\nroute show table all\nrule show\n';

/** The commands that look at a namespace; {@link readSnapshot} reads what they print. */
export function snapshotCommands(request: SnapshotRequest): readonly NamespaceCommand[] {
  const { namespace } = request;
  const command = (words: readonly string[], input?: string): NamespaceCommand => ({
    namespace,
    command: words,
    ...(input === undefined ? {} : { input }),
  });
  return [
    command(['ip', '-j', '-d', '-batch', '-'], SHOW),
    ...(request.hasForwarding ? [command(['bridge', '-j', 'fdb', 'show'])] : []),
    ...(request.hasRules6 ? [command(['ip', '-6', '-j', 'rule', 'show'])] : []),
    ...(request.settings.length > 0 ? [command(['sysctl', '-e', ...request.settings])] : []),
  ];
}

/** Reads what the commands of a request printed. */
export function readSnapshot(
  request: SnapshotRequest,
  results: readonly CommandResult[],
): Snapshot {
  const rest = [...results];
  const shown = entriesOf(rest.shift());
  const forwarding = request.hasForwarding ? entriesOf(rest.shift()) : [];
  const rules6 = request.hasRules6 ? entriesOf(rest.shift()) : [];
  const settings = request.settings.length > 0 ? (rest.shift()?.output ?? '') : '';
  const links = shown.flatMap((entry) => ('link_type' in entry ? [linkOf(entry)] : []));
  return {
    links: new Map(links.map((link) => [link.name, link])),
    routes: shown.flatMap((entry) =>
      'dst' in entry && !('lladdr' in entry) ? routeOf(entry) : [],
    ),
    rules: [
      ...shown.flatMap((entry) => ruleOf(entry, false)),
      ...rules6.flatMap((entry) => ruleOf(entry, true)),
    ],
    neighbours: new Map(
      shown.flatMap((entry): [string, string][] =>
        'lladdr' in entry
          ? [[`${text(entry['dev'])} ${text(entry['dst'])}`, text(entry['lladdr'])]]
          : [],
      ),
    ),
    forwarding: forwardingOf(forwarding),
    settings: settingsOf(settings),
  };
}

type Entry = Readonly<Record<string, unknown>>;

/** Everything that was printed, a list for each question: entries tell what they are. */
function entriesOf(result: CommandResult | undefined): readonly Entry[] {
  return (result?.output ?? '').split('\n').flatMap((line): readonly Entry[] => {
    if (!line.startsWith('[')) return [];
    const parsed = JSON.parse(line) as readonly Entry[];
    return parsed.filter((entry) => typeof entry === 'object');
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function linkOf(entry: Entry): LinkState {
  const info = entry['linkinfo'] as Entry | undefined;
  const data = info?.['info_data'] as Entry | undefined;
  const kind = info?.['info_kind'];
  const addresses = (entry['addr_info'] ?? []) as readonly Entry[];
  return {
    name: text(entry['ifname']),
    isUp: ((entry['flags'] ?? []) as readonly string[]).includes('UP'),
    master: entry['master'] === undefined ? undefined : text(entry['master']),
    mac: text(entry['address']),
    mtu: Number(entry['mtu']),
    kind: kind === undefined ? undefined : text(kind),
    vxlanId: kind === 'vxlan' ? Number(data?.['id']) : undefined,
    vxlanPort: kind === 'vxlan' ? Number(data?.['port']) : undefined,
    addresses: addresses
      .filter((address) => address['scope'] !== 'link')
      .map((address) => `${text(address['local'])}/${text(address['prefixlen'])}`),
  };
}

function routeOf(entry: Entry): readonly RouteState[] {
  const isLocal = entry['type'] === 'local';
  const optional = (key: string): string | undefined =>
    entry[key] === undefined ? undefined : text(entry[key]);
  return [
    {
      isLocal,
      destination: text(entry['dst']),
      gateway: optional('gateway'),
      device: optional('dev'),
      table: optional('table') ?? 'main',
      origin: text(entry['protocol']),
    },
  ];
}

function ruleOf(entry: Entry, isIpv6: boolean): readonly RuleState[] {
  if (!('priority' in entry) || !('src' in entry)) return [];
  const mark = entry['fwmark'];
  return [
    {
      isIpv6,
      preference: Number(entry['priority']),
      mark: mark === undefined ? undefined : Number(mark),
      table: text(entry['table']),
    },
  ];
}

function forwardingOf(entries: readonly Entry[]): ReadonlyMap<string, readonly string[]> {
  const ends = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry['dst'] === undefined || entry['state'] !== 'permanent') continue;
    const key = `${text(entry['ifname'])} ${text(entry['mac'])}`;
    ends.set(key, [...(ends.get(key) ?? []), text(entry['dst'])].sort(compareText));
  }
  return ends;
}

function settingsOf(printed: string): ReadonlyMap<string, string> {
  return new Map(
    printed.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf(' = ');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 3).trim()]];
    }),
  );
}
