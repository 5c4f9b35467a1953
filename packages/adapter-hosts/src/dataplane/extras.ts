/**
 * What a node's namespaces hold that no table asks for: what an earlier agent left behind, or what
 * somebody put there. Looked for only where everything is ours: in task namespaces programs with
 * the rights for it may have interfaces and addresses of their own.
 */
import type { NamespaceReference, RenderedNamespace, Tool } from '@skep/network';
import type { RepairLine, Snapshots } from './drift.js';
import type { Fact } from './fact.js';
import type { LinkState, Snapshot } from './snapshot.js';

/** What is too much, for people, and the lines that take it away. */
export interface Extras {
  readonly findings: readonly string[];
  readonly lines: readonly RepairLine[];
}

/** What extras are told from. */
export interface ExtrasInput {
  readonly facts: readonly Fact[];
  readonly snapshots: Snapshots;
  /** Facts that do not hold. */
  readonly broken: readonly Fact[];
  /** Not all facts are told: nothing can be said to be too much, only to be in the way. */
  readonly isPartial: boolean;
}

/** Ports of a network's bridge namespace, by name. */
const SEGMENT_LINK = /^(?:br|vxlan|veth)\d+$/;
/** Legs on the gateway bridge. */
const LEG = /^gw[0-9a-f]{8}$/;
/** Policy rules of ours stand here. */
const PREFERENCE = 100;

/** See the module comment. Cost: O(facts + what there is). */
export function extrasOf(rendered: readonly RenderedNamespace[], input: ExtrasInput): Extras {
  const { facts, snapshots } = input;
  const wanted = groupFacts(facts);
  const findings: string[] = [];
  const lines: RepairLine[] = [...obstacles(rendered, input)];
  if (input.isPartial) return { findings, lines };
  const remove: Remove = (namespace, what, line, tool = 'ip') => {
    findings.push(`${namespace.name}: ${what} should not be there`);
    lines.push({ namespace, tool, line });
  };
  for (const { namespace } of rendered) {
    const snapshot = snapshots.get(namespace.name);
    if (snapshot === undefined) continue;
    const own = wanted.get(namespace.name) ?? [];
    extraLinks(namespace, snapshot, own).forEach(({ name }) =>
      remove(namespace, `interface ${name}`, `link delete ${name}`),
    );
    if (namespace.kind === 'bridge' || namespace.kind === 'sandbox') {
      extraAddresses(snapshot, own).forEach(({ device, address }) =>
        remove(namespace, `address ${address}`, `addr del ${address} dev ${device}`),
      );
    }
    if (namespace.kind === 'bridge') extraEntries(namespace, snapshot, own, remove);
    if (namespace.kind === 'task') extraRules(namespace, snapshot, own, remove);
  }
  return { findings, lines };
}

type Remove = (namespace: NamespaceReference, what: string, line: string, tool?: Tool) => void;

function groupFacts(facts: readonly Fact[]): ReadonlyMap<string, readonly Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const fact of facts) {
    const group = groups.get(fact.namespace);
    if (group === undefined) groups.set(fact.namespace, [fact]);
    else group.push(fact);
  }
  return groups;
}

/**
 * Interfaces of a wanted name that are not what is wanted: they stand in the way of the right ones.
 * Of a pair one end is named, for the other goes with it.
 */
function obstacles(
  rendered: readonly RenderedNamespace[],
  { snapshots, broken }: ExtrasInput,
): readonly RepairLine[] {
  const references = new Map(rendered.map(({ namespace }) => [namespace.name, namespace]));
  return broken.flatMap(({ namespace, content }): readonly RepairLine[] => {
    if (content.type !== 'link') return [];
    const places = [{ namespace, device: content.device }];
    if (content.link.kind === 'veth') places.push(content.link.peer);
    for (const place of places) {
      const reference = references.get(place.namespace);
      const isThere = snapshots.get(place.namespace)?.links.has(place.device) === true;
      if (reference === undefined || !isThere) continue;
      return [{ namespace: reference, tool: 'ip', line: `link delete ${place.device}` }];
    }
    return [];
  });
}

function extraLinks(
  namespace: NamespaceReference,
  snapshot: Snapshot,
  own: readonly Fact[],
): readonly LinkState[] {
  const pattern =
    namespace.kind === 'bridge' ? SEGMENT_LINK : namespace.kind === 'host' ? LEG : undefined;
  if (pattern === undefined) return [];
  const names = new Set(
    own.flatMap(({ content }) => (content.type === 'link' ? [content.device] : [])),
  );
  return [...snapshot.links.values()].filter(({ name }) => pattern.test(name) && !names.has(name));
}

function extraAddresses(
  snapshot: Snapshot,
  own: readonly Fact[],
): readonly { readonly device: string; readonly address: string }[] {
  const wanted = new Set(
    own.flatMap(({ content }) =>
      content.type === 'address' ? [`${content.device} ${content.address}`] : [],
    ),
  );
  return [...snapshot.links.values()].flatMap(({ name, addresses }) =>
    name === 'lo'
      ? []
      : addresses
          .filter((address) => !wanted.has(`${name} ${address}`))
          .map((address) => ({ device: name, address })),
  );
}

/** Neighbours, forwarding entries and virtual addresses of a network. */
function extraEntries(
  namespace: NamespaceReference,
  snapshot: Snapshot,
  own: readonly Fact[],
  remove: Remove,
): void {
  const wanted = new Set(
    own.flatMap(({ content }) => {
      if (content.type === 'neighbour') return [`neigh ${content.device} ${content.address}`];
      if (content.type === 'forwarding')
        return [`fdb ${content.device} ${content.mac} ${content.to}`];
      if (content.type === 'route') return [`route ${content.device} ${content.route.destination}`];
      return [];
    }),
  );
  for (const key of snapshot.neighbours.keys()) {
    const [device = '', address = ''] = key.split(' ');
    if (!SEGMENT_LINK.test(device) || wanted.has(`neigh ${key}`)) continue;
    remove(namespace, `neighbour ${address}`, `neigh delete ${address} dev ${device}`);
  }
  for (const [key, ends] of snapshot.forwarding) {
    const [device = '', mac = ''] = key.split(' ');
    for (const end of ends) {
      if (!SEGMENT_LINK.test(device) || wanted.has(`fdb ${key} ${end}`)) continue;
      const what = `the forwarding entry of ${mac} to ${end}`;
      remove(namespace, what, `fdb delete ${mac} dev ${device} dst ${end} self`, 'bridge');
    }
  }
  for (const { isLocal, destination, device = '', origin } of snapshot.routes) {
    if (!isLocal || origin !== 'boot' || wanted.has(`route ${device} ${destination}`)) continue;
    const line = `route delete local ${destination} dev ${device}`;
    remove(namespace, `virtual address ${destination}`, line);
  }
}

/** Ways back to ingress sandboxes that are no more. */
function extraRules(
  namespace: NamespaceReference,
  snapshot: Snapshot,
  own: readonly Fact[],
  remove: Remove,
): void {
  const wanted = new Set(
    own.flatMap(({ content }) =>
      content.type === 'rule' ? [`${content.rule.isIpv6} ${content.rule.mark}`] : [],
    ),
  );
  for (const { isIpv6, preference, mark, table } of snapshot.rules) {
    if (preference !== PREFERENCE || mark === undefined || wanted.has(`${isIpv6} ${mark}`))
      continue;
    const hex = `0x${mark.toString(16)}`;
    const line = `rule delete pref ${preference} fwmark ${hex} lookup ${table}`;
    remove(namespace, `the rule for mark ${hex}`, line, isIpv6 ? 'ip6' : 'ip');
  }
}
