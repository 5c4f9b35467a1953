/**
 * What the kernel says that its rules are, as single entries that can be compared: whatever differs
 * between two equal sets of rules (handles, the order of a hash, counters) is left out.
 *
 * **Source:** nft(8) -j, libnftables-json(5), iptables-save(8), ipvsadm(8) -S.
 */
import { compareText } from '@skep/api';

/** Name of an entry, for people → its content. */
export type RuleListing = ReadonlyMap<string, string>;

/** The families of tools that keep rules. */
export type RuleTool = 'nft' | 'iptables' | 'ip6tables' | 'ipvs';

/** Programs that list all that a tool keeps in a namespace. */
export const LISTING_COMMANDS: Readonly<Record<RuleTool, readonly string[]>> = Object.freeze({
  nft: ['nft', '-j', 'list', 'ruleset'],
  iptables: ['iptables-save'],
  ip6tables: ['ip6tables-save'],
  ipvs: ['ipvsadm', '-Sn'],
});

/** Reads what a listing program printed. */
export function readListing(tool: RuleTool, printed: string): RuleListing {
  if (tool === 'nft') return readNft(printed);
  return tool === 'ipvs' ? readIpvs(printed) : readIptables(printed);
}

/** Tables of an nft listing, as `inet skep`. */
export function tablesIn(listing: RuleListing): ReadonlySet<string> {
  return new Set(
    [...listing.keys()].flatMap((name) => (name.startsWith('table ') ? [name.slice(6)] : [])),
  );
}

/**
 * How a listing differs from the wanted one, for people. Entries of nft tables that nobody wants
 * are passed over: they are not ours.
 */
export function listingDifference(
  tool: RuleTool,
  wanted: RuleListing,
  actual: RuleListing,
): readonly string[] {
  const tables = tool === 'nft' ? tablesIn(wanted) : undefined;
  const missingTables = [...(tables ?? [])].filter((table) => !actual.has(`table ${table}`));
  const isMeant = (name: string): boolean => {
    if (tables === undefined) return true;
    const table = tableOf(name);
    return tables.has(table) && !missingTables.includes(table);
  };
  const found: string[] = missingTables.map((table) => `table ${table} is missing`);
  for (const [name, content] of wanted) {
    if (!isMeant(name) || actual.get(name) === content) continue;
    found.push(actual.has(name) ? `${name} is another` : `${name} is missing`);
  }
  for (const name of actual.keys()) {
    if (isMeant(name) && !wanted.has(name)) found.push(`${name} should not be there`);
  }
  return found;
}

/** `chain inet skep draw` is in the table `inet skep`. */
function tableOf(name: string): string {
  return name.split(' ').slice(1, 3).join(' ');
}

type Entry = Readonly<Record<string, unknown>>;

/** Left out: they say nothing about what a rule does. */
const VOLATILE = new Set(['handle', 'packets', 'bytes', 'index']);

function readNft(printed: string): RuleListing {
  const objects = printed === '' ? [] : (JSON.parse(printed) as { nftables: Entry[] }).nftables;
  const listing = new Map<string, string>();
  const rules = new Map<string, string[]>();
  for (const object of objects) {
    const [kind = '', raw] = Object.entries(object)[0] ?? [];
    if (kind === 'metainfo' || kind === '') continue;
    const body = raw as Entry;
    const table = kind === 'table' ? `${body['name']}` : `${body['table']}`;
    const place = `${body['family']} ${table}`;
    if (kind === 'table') {
      listing.set(`table ${place}`, '');
    } else if (kind === 'rule') {
      const key = `rules ${place} ${body['chain']}`;
      rules.set(key, [...(rules.get(key) ?? []), stable(body['expr'])]);
    } else if (kind === 'set' || kind === 'map') {
      const { elem, ...head } = body;
      const name = `${kind} ${place} ${body['name']}`;
      listing.set(name, stable(head));
      for (const [key, value] of elementsOf(elem)) listing.set(`${name} element ${key}`, value);
    } else {
      listing.set(`${kind} ${place} ${body['name']}`, stable(body));
    }
  }
  for (const [key, lines] of rules) listing.set(key, lines.join('\n'));
  return listing;
}

/** Elements of a set are keys; those of a map are pairs. */
function elementsOf(elem: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(elem)) return [];
  return elem.map((one: unknown) => {
    if (Array.isArray(one)) return [stable(one[0]), stable(one[1])] as const;
    return [stable(one), ''] as const;
  });
}

/** JSON with sorted keys, without what is volatile; short for the usual kinds of keys. */
function stable(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(stable).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([key]) => !VOLATILE.has(key));
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'concat' && Array.isArray(only[1])) {
    return only[1].map(stable).join(' . ');
  }
  const parts = entries
    .sort(([a], [b]) => compareText(a, b))
    // Which members a set that stands in a rule has first does not matter.
    .map(([key, one]) => {
      const isSet = key === 'set' && Array.isArray(one);
      return `${key}: ${isSet ? `[${one.map(stable).sort(compareText).join(', ')}]` : stable(one)}`;
    });
  return `{${parts.join(', ')}}`;
}

/** Rules by chain, in their order; comments and counters left out, and tables without any rule. */
function readIptables(printed: string): RuleListing {
  const listing = new Map<string, string>();
  let table = '';
  for (const line of printed.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const rule = /^-A (\S+) (.*)$/.exec(line);
    const chain = /^:(\S+) (\S+)/.exec(line);
    if (rule !== null) {
      const key = `rules ${table} ${rule[1]}`;
      const present = listing.get(key);
      listing.set(key, present === undefined ? `${rule[2]}` : `${present}\n${rule[2]}`);
    } else if (chain !== null && chain[2] === '-') {
      listing.set(`chain ${table} ${chain[1]}`, '');
    } else if (chain !== null && chain[2] !== 'ACCEPT') {
      listing.set(`policy ${table} ${chain[1]}`, `${chain[2]}`);
    }
  }
  return listing;
}

/** Services `service -f 256` and their backends `backend -f 256 10.0.9.3:0`. */
function readIpvs(printed: string): RuleListing {
  const listing = new Map<string, string>();
  for (const line of printed.split('\n')) {
    const one = /^-([Aa]) (-[ftu] \S+(?: -6)?) (?:-r (\S+) )?(.*)$/.exec(line.trim());
    if (one === null) continue;
    const [, verb, front, backend, rest] = one;
    listing.set(verb === 'A' ? `service ${front}` : `backend ${front} ${backend}`, `${rest}`);
  }
  return listing;
}

/** The commands that make one set of services of IPVS the other; connections stay. */
export function ipvsRepair(wanted: RuleListing, actual: RuleListing): readonly string[] {
  const words = (name: string): { readonly isService: boolean; readonly front: string } => {
    const isService = name.startsWith('service ');
    const rest = name.slice(name.indexOf(' ') + 1);
    if (isService) return { isService, front: rest };
    const space = rest.lastIndexOf(' ');
    return { isService, front: `${rest.slice(0, space)} -r ${rest.slice(space + 1)}` };
  };
  const removed = [...actual.keys()].filter((name) => !wanted.has(name)).map(words);
  const goneServices = removed.filter(({ isService }) => isService).map(({ front }) => front);
  const kept = removed.filter(
    ({ isService, front }) =>
      isService || !goneServices.some((one) => front.startsWith(`${one} -r`)),
  );
  const set = [...wanted]
    .filter(([name, content]) => actual.get(name) !== content)
    .map(([name, content]) => ({ ...words(name), content, isThere: actual.has(name) }))
    .sort((a, b) => Number(b.isService) - Number(a.isService));
  return [
    ...kept.map(({ isService, front }) => `${isService ? '-D' : '-d'} ${front}`),
    ...set.map(({ isService, front, content, isThere }) => {
      const verb = isService ? (isThere ? '-E' : '-A') : isThere ? '-e' : '-a';
      return `${verb} ${front} ${content}`;
    }),
  ];
}
