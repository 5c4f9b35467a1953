/**
 * What is wrong with the segments of a node, and the lines that put it right: pure, from the facts
 * that are wanted and what each namespace holds.
 */
import type { NamespaceReference, RenderedNamespace, RenderedStep, Tool } from '@skep/network';
import { factsOf, type Fact, type WantedRoute } from './fact.js';
import { extrasOf } from './extras.js';
import type { RouteState, Snapshot } from './snapshot.js';

/** What is wrong, for people, and what puts it right, in order. */
export interface Drift {
  readonly findings: readonly string[];
  readonly steps: readonly RenderedStep[];
}

/** One command of a repair. */
export interface RepairLine {
  readonly namespace: NamespaceReference;
  readonly tool: Tool;
  readonly line: string;
}

/** What each namespace holds, by name; those that do not exist are missing. */
export type Snapshots = ReadonlyMap<string, Snapshot>;

/**
 * Compares. Snapshots have to hold every wanted namespace that exists, or of those in `only`; then
 * other facts are passed over, and nothing is looked for that is too much.
 * Cost: O(facts + what there is).
 */
export function segmentDrift(
  rendered: readonly RenderedNamespace[],
  snapshots: Snapshots,
  only?: ReadonlySet<string>,
): Drift {
  const facts = factsOf(rendered).filter((fact) =>
    placesOf(fact).every((place) => only?.has(place) !== false),
  );
  const wrong = facts.flatMap((fact) => {
    const problem = problemOf(fact, snapshots);
    return problem === undefined ? [] : [{ fact, problem }];
  });
  const gone = new Set(wrong.flatMap(({ fact }) => goneWith(fact)));
  const findings = wrong.flatMap(({ fact, problem }) =>
    isConsequence(fact, gone) ? [] : [`${fact.namespace}: ${problem}`],
  );
  const extras = extrasOf(rendered, {
    facts,
    snapshots,
    broken: wrong.map(({ fact }) => fact),
    isPartial: only !== undefined,
  });
  const lines: RepairLine[] = [
    ...extras.lines,
    ...wrong.map(({ fact }) => ({ namespace: fact.runIn, tool: fact.tool, line: fact.line })),
  ];
  return { findings: [...findings, ...extras.findings], steps: stepsOf(lines) };
}

/** Commands as steps, neighbours of one namespace and tool together. */
export function stepsOf(lines: readonly RepairLine[]): readonly RenderedStep[] {
  const steps: { namespace: NamespaceReference; tool: Tool; lines: string[] }[] = [];
  for (const { namespace, tool, line } of lines) {
    const last = steps[steps.length - 1];
    if (last?.namespace.name === namespace.name && last.tool === tool) last.lines.push(line);
    else steps.push({ namespace, tool, lines: [line] });
  }
  return steps;
}

/** Namespaces that a fact is about. */
function placesOf({ namespace, runIn, content }: Fact): readonly string[] {
  if (content.type === 'namespace') return [runIn.name, content.name];
  const isPair = content.type === 'link' && content.link.kind === 'veth';
  return [namespace, runIn.name, ...(isPair ? [content.link.peer.namespace] : [])];
}

/** Names of what is missing with a fact that does not hold. */
function goneWith({ namespace, content }: Fact): readonly string[] {
  if (content.type === 'namespace') return [content.name];
  if (content.type !== 'link') return [];
  const own = `${namespace} ${content.device}`;
  if (content.link.kind !== 'veth') return [own];
  return [own, `${content.link.peer.namespace} ${content.link.peer.device}`];
}

/** Whether it is clear that a fact cannot hold, because what it is about is missing. */
function isConsequence({ namespace, content }: Fact, gone: ReadonlySet<string>): boolean {
  if (content.type === 'namespace') return false;
  if (gone.has(namespace)) return true;
  if (content.type === 'link') {
    return content.link.kind === 'veth' && gone.has(content.link.peer.namespace);
  }
  return content.type !== 'rule' && gone.has(`${namespace} ${content.device}`);
}

/** What is wrong with a fact; undefined when it holds. */
function problemOf({ namespace, content }: Fact, snapshots: Snapshots): string | undefined {
  if (content.type === 'namespace') {
    return snapshots.has(content.name) ? undefined : `namespace ${content.name} is missing`;
  }
  const snapshot = snapshots.get(namespace);
  if (snapshot === undefined) return 'the namespace is missing';
  if (content.type === 'rule') {
    const { rule } = content;
    const isThere = snapshot.rules.some(
      (one) =>
        one.isIpv6 === rule.isIpv6 &&
        one.preference === rule.preference &&
        one.mark === rule.mark &&
        one.table === rule.table,
    );
    return isThere ? undefined : `the rule for mark ${rule.mark} to table ${rule.table} is missing`;
  }
  const { device } = content;
  const link = snapshot.links.get(device);
  if (link === undefined) return `interface ${device} is missing`;
  switch (content.type) {
    case 'link':
      return linkProblem(device, content.link, snapshot, snapshots);
    case 'up':
      if (!link.isUp) return `interface ${device} is down`;
      return content.master === undefined || link.master === content.master
        ? undefined
        : `interface ${device} is not a port of ${content.master}`;
    case 'mac':
      return link.mac === content.mac ? undefined : `interface ${device} has MAC ${link.mac}`;
    case 'address':
      return link.addresses.includes(withLength(content.address))
        ? undefined
        : `address ${content.address} of ${device} is missing`;
    case 'route':
      return snapshot.routes.some((route) => isRoute(route, device, content.route))
        ? undefined
        : `the route to ${content.route.destination} by ${device} is missing`;
    case 'neighbour': {
      const mac = snapshot.neighbours.get(`${device} ${content.address}`);
      return mac === content.mac ? undefined : `the neighbour ${content.address} is missing`;
    }
    case 'forwarding': {
      const ends = snapshot.forwarding.get(`${device} ${content.mac}`) ?? [];
      if (ends.length === 1 && ends[0] === content.to) return undefined;
      return `the forwarding entry of ${content.mac} to ${content.to} is missing`;
    }
  }
}

function linkProblem(
  device: string,
  wanted: Extract<Fact['content'], { type: 'link' }>['link'],
  snapshot: Snapshot,
  snapshots: Snapshots,
): string | undefined {
  const link = snapshot.links.get(device);
  if (link?.kind !== wanted.kind) return `interface ${device} is no ${wanted.kind}`;
  if (wanted.kind === 'vxlan') {
    const isSame = link.vxlanId === wanted.vxlanId && link.vxlanPort === wanted.port;
    return isSame ? undefined : `interface ${device} is the tunnel ${link.vxlanId}`;
  }
  if (wanted.kind === 'bridge') return undefined;
  const { peer, mtu } = wanted;
  const other = snapshots.get(peer.namespace)?.links.get(peer.device);
  if (other === undefined) return `the other end of ${device} is not in ${peer.namespace}`;
  if (peer.mac !== undefined && other.mac !== peer.mac) {
    return `the other end of ${device} has MAC ${other.mac}`;
  }
  return mtu === undefined || link.mtu === mtu
    ? undefined
    : `interface ${device} has MTU ${link.mtu}`;
}

/** An address without prefix length is one of its own. */
function withLength(address: string): string {
  if (address.includes('/')) return address;
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Whether a route is the wanted one. */
export function isRoute(route: RouteState, device: string, wanted: WantedRoute): boolean {
  return (
    route.isLocal === wanted.isLocal &&
    route.destination === wanted.destination &&
    route.gateway === wanted.gateway &&
    route.device === device &&
    route.table === wanted.table
  );
}
