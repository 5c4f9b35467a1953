/**
 * What happens to the nftables text of each namespace: from nothing to a table, or from one table
 * to the next.
 */
import { addressOf } from '../table/ipv4.js';
import { hasSandboxAddress } from '../table/network-table.js';
import { isIpv6 } from '../table/ip.js';
import type { NetworkDiff, TableDiff } from '../table/diff.js';
import {
  portKey,
  type NetworkTable,
  type TableContent,
  type TaskSandbox,
} from '../table/node-tables.js';
import { compareText } from '@skep/api';
import { touchedTasks } from '../ipvs/render.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
} from '../render/rendered.js';
import {
  balancerMark,
  balancerZone,
  ingressBalancers,
  markText,
  type IngressBalancer,
} from './items.js';
import {
  INGRESS_SETS,
  OVERLAY_SETS,
  portServices,
  takesTurns,
  vipService,
  type NftService,
} from './service.js';
import { hostStructure, ingressStructure, overlayStructure, taskStructure } from './structure.js';
import type { ElementChange, NamespaceChange, ServiceChange } from './transaction.js';

type Elements = ReadonlyMap<string, string>;

/** The ingress network of a node; undefined when it has none. */
export function ingressOf(tables: TableContent): NetworkTable | undefined {
  return tables.networks.values().find(({ isIngress }) => isIngress);
}

/** Everything that a node holds, as changes from nothing. Cost: O(tables). */
export function wholeChanges(tables: TableContent): readonly NamespaceChange[] {
  const { host } = tables;
  const ingress = ingressOf(tables);
  const tasks = tables.tasks.values();
  const hairpins = hairpinElements(tasks);
  return [
    {
      namespace: HOST_NAMESPACE,
      after: hostStructure(host, ingress),
      services: [],
      elements: elementChanges(
        new Map(),
        new Map([...publishedElements(host.ingressPorts.keys()), ...boundElements(tasks)]),
      ),
    },
    ...tables.networks.values().map((network): NamespaceChange => {
      if (network.isIngress) {
        const isInTurn = takesTurns(host.ingressPorts.size);
        return {
          ...placeOf(tables, network),
          ...structurePart(tables, network, 'after'),
          services: host.ingressPorts
            .values()
            .flatMap((port) => portServices(tables, port, isInTurn))
            .map((after) => ({ after })),
          elements: [],
        };
      }
      const isInTurn = takesTurns(network.vips.size);
      return {
        ...placeOf(tables, network),
        ...structurePart(tables, network, 'after'),
        services: network.vips.values().map((vip) => ({ after: vipService(vip, isInTurn) })),
        elements: elementChanges(new Map(), hairpins.get(network.id) ?? new Map()),
      };
    }),
    ...tasks.map((task) => taskChange(tables, tables, task.taskId, { isWhole: true })),
  ];
}

/** What a difference changes. Cost: O(changes · log n). */
export function changesOf(diff: TableDiff): readonly NamespaceChange[] {
  const { before, after } = diff;
  const touched = { before: touchedTasks(diff, 'before'), after: touchedTasks(diff, 'after') };
  const ids = new Set([...touched.before, ...touched.after].map(({ taskId }) => taskId));
  const isRerouted = isBalancerChanged(diff);
  if (isRerouted) for (const id of [...before.tasks.keys(), ...after.tasks.keys()]) ids.add(id);
  const hairpins = {
    before: hairpinElements(touched.before),
    after: hairpinElements(touched.after),
  };
  const networks = new Set([
    ...diff.networks.map(({ id }) => id),
    ...hairpins.before.keys(),
    ...hairpins.after.keys(),
    ...(diff.ingressPorts.length > 0 ? [ingressOf(before)?.id, ingressOf(after)?.id] : []),
  ]);
  const byId = new Map(diff.networks.map((change) => [change.id, change]));
  return [
    hostChange(diff, touched),
    ...[...networks].sort().flatMap((id): readonly NamespaceChange[] => {
      if (id === undefined) return [];
      const change = networkChange(diff, id, byId.get(id));
      return change === undefined
        ? []
        : [
            change.namespace.kind === 'sandbox'
              ? change
              : withHairpins(change, hairpins, id, after),
          ];
    }),
    ...[...ids].sort(compareText).map((id) => taskChange(before, after, id)),
  ].filter(
    (change) =>
      change.before !== change.after || change.services.length + change.elements.length > 0,
  );
}

/** Whether another node's ingress sandbox came, went or moved, or this node's own. */
export function isBalancerChanged({ networks }: TableDiff): boolean {
  return networks.some((change) => {
    const { before, after } = change;
    return (
      (after ?? before)?.isIngress === true &&
      (change.isHeaderChanged ||
        change.peers.some(
          ({ before: was, after: is }) => was?.isBalancer === true || is?.isBalancer === true,
        ))
    );
  });
}

/** Stands for a fixed part that is the same on both sides, and so need not be made. */
const UNCHANGED = Object.freeze({ before: 'unchanged', after: 'unchanged' });

function placeOf(
  { host }: TableContent,
  network: NetworkTable,
): Required<Pick<NamespaceChange, 'namespace' | 'sets'>> {
  return network.isIngress
    ? { namespace: sandboxNamespace(host.namespacePrefix, network), sets: INGRESS_SETS }
    : { namespace: bridgeNamespace(host.namespacePrefix, network.id), sets: OVERLAY_SETS };
}

function structurePart(
  { host }: TableContent,
  network: NetworkTable,
  side: 'before' | 'after',
): Pick<NamespaceChange, 'before' | 'after'> {
  const structure = network.isIngress ? ingressStructure(host, network) : overlayStructure(network);
  return structure === undefined ? {} : { [side]: structure };
}

function unchangedStructure(network: NetworkTable): Pick<NamespaceChange, 'before' | 'after'> {
  const isThere =
    hasSandboxAddress(network) && (!network.isIngress || network.gatewayLeg !== undefined);
  return isThere ? UNCHANGED : {};
}

function hostChange(
  diff: TableDiff,
  touched: Readonly<Record<'before' | 'after', readonly TaskSandbox[]>>,
): NamespaceChange {
  const { before, after, ingressPorts } = diff;
  const isSame =
    !diff.isHostChanged &&
    !diff.networks.some(
      (change) => change.isHeaderChanged && (change.before ?? change.after)?.isIngress === true,
    );
  const structures = isSame
    ? UNCHANGED
    : {
        before: hostStructure(before.host, ingressOf(before)),
        after: hostStructure(after.host, ingressOf(after)),
      };
  const base = { namespace: HOST_NAMESPACE, ...structures, services: [] };
  if (structures.before !== structures.after) {
    const whole = [
      ...publishedElements(after.host.ingressPorts.keys()),
      ...boundElements(after.tasks.values()),
    ];
    return { ...base, elements: elementChanges(new Map(), new Map(whole)) };
  }
  const side = (name: 'before' | 'after'): Elements =>
    new Map([
      ...publishedElements(
        ingressPorts.filter((port) => port[name] !== undefined).map(({ key }) => key),
      ),
      ...boundElements(touched[name]),
    ]);
  return { ...base, elements: elementChanges(side('before'), side('after')) };
}

function networkChange(
  diff: TableDiff,
  id: string,
  change: NetworkDiff | undefined,
): NamespaceChange | undefined {
  const [old, network] = [diff.before.networks.get(id), diff.after.networks.get(id)];
  // Without its network the namespace goes, and all in it.
  if (network === undefined) return undefined;
  if (network.isIngress && !hasSandboxAddress(network)) return undefined;
  const { namespace, sets } = placeOf(diff.after, network);
  const parts = {
    namespace,
    sets,
    ...(old !== undefined && change?.isHeaderChanged !== true
      ? unchangedStructure(network)
      : {
          ...(old === undefined ? {} : structurePart(diff.before, old, 'before')),
          ...structurePart(diff.after, network, 'after'),
        }),
  };
  const isFresh = parts.before !== parts.after;
  const services = network.isIngress
    ? portChanges(diff, change, isFresh)
    : vipChanges({ old, network, change, isFresh });
  return { ...parts, services, elements: [] };
}

/** Virtual addresses that changed; all of them when they are drawn in another way now. */
function vipChanges(input: {
  readonly old: NetworkTable | undefined;
  readonly network: NetworkTable;
  readonly change: NetworkDiff | undefined;
  readonly isFresh: boolean;
}): readonly ServiceChange[] {
  const { old, network, change, isFresh } = input;
  const isInTurn = takesTurns(network.vips.size);
  const wasInTurn = takesTurns(old?.vips.size ?? 0);
  const keys =
    isFresh || isInTurn !== wasInTurn
      ? new Set([...(old?.vips.keys() ?? []), ...network.vips.keys()])
      : new Set((change?.vips ?? []).map(({ key }) => key));
  return [...keys].sort().map((key) => {
    const [was, is] = [old?.vips.get(key), network.vips.get(key)];
    return serviceChange(
      was === undefined ? undefined : vipService(was, wasInTurn),
      is === undefined ? undefined : vipService(is, isInTurn),
    );
  });
}

/** Published ports that changed, or whose backends did. */
function portChanges(
  diff: TableDiff,
  change: NetworkDiff | undefined,
  isFresh: boolean,
): readonly ServiceChange[] {
  const { before, after } = diff;
  const [old, ports] = [before.host.ingressPorts, after.host.ingressPorts];
  const isInTurn = takesTurns(ports.size);
  const wasInTurn = takesTurns(old.size);
  const keys = new Set(diff.ingressPorts.map(({ key }) => key));
  if (isFresh || isInTurn !== wasInTurn) {
    for (const key of [...old.keys(), ...ports.keys()]) keys.add(key);
  }
  for (const { before: was, after: is } of change?.vips ?? []) {
    for (const vip of [was, is]) {
      if (vip === undefined || vip.ports === 'all') continue;
      for (const port of vip.ports) keys.add(portKey(port));
    }
  }
  return [...keys].sort().flatMap((key) => {
    const was = portServices(before, old.get(key), wasInTurn);
    const is = portServices(after, ports.get(key), isInTurn);
    return ([4, 6] as const).flatMap((family) => {
      const of = (list: readonly NftService[]): NftService | undefined =>
        list.find((service) => service.family === family);
      const one = serviceChange(of(was), of(is));
      return one.before === undefined && one.after === undefined ? [] : [one];
    });
  });
}

function serviceChange(
  before: NftService | undefined,
  after: NftService | undefined,
): ServiceChange {
  return {
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

function withHairpins(
  change: NamespaceChange,
  hairpins: Readonly<Record<'before' | 'after', ReadonlyMap<string, Elements>>>,
  id: string,
  after: TableContent,
): NamespaceChange {
  if (change.before === change.after) {
    const [old, now] = [hairpins.before.get(id), hairpins.after.get(id)];
    return { ...change, elements: elementChanges(old ?? new Map(), now ?? new Map()) };
  }
  const all = hairpinElements(after.tasks.values()).get(id);
  return { ...change, elements: elementChanges(new Map(), all ?? new Map()) };
}

function taskChange(
  before: TableContent,
  after: TableContent,
  id: string,
  { isWhole = false } = {},
): NamespaceChange {
  const is = taskPart(after, id);
  // A namespace that goes takes its rules along.
  const was = isWhole || !after.tasks.has(id) ? NO_RULES : taskPart(before, id);
  const isFresh = was.structure !== is.structure;
  return {
    namespace: taskNamespace(after.host.namespacePrefix, id),
    ...(was.structure === undefined ? {} : { before: was.structure }),
    ...(is.structure === undefined ? {} : { after: is.structure }),
    services: [],
    elements: elementChanges(isFresh ? new Map() : was.balancers, is.balancers),
  };
}

interface TaskPart {
  readonly structure?: string;
  readonly balancers: Elements;
}

const NO_RULES: TaskPart = Object.freeze({ balancers: new Map<string, string>() });

function taskPart(tables: TableContent, id: string): TaskPart {
  const task = tables.tasks.get(id);
  const ingress = ingressOf(tables);
  const structure = task === undefined ? undefined : taskStructure(task, ingress);
  if (structure === undefined) return NO_RULES;
  return { structure, balancers: balancerElements(ingressBalancers(ingress)) };
}

/** Elements that differ. A key here is the name of a set, a tab, and the element's own key. */
function elementChanges(before: Elements, after: Elements): readonly ElementChange[] {
  const changes: ElementChange[] = [];
  for (const place of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(place), after.get(place)];
    if (was === is) continue;
    const [set = '', key = ''] = place.split('\t');
    changes.push({
      set,
      key,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    });
  }
  return changes;
}

function publishedElements(keys: readonly string[]): readonly (readonly [string, string])[] {
  return keys.map((key) => [`published\t${key.replace('/', ' . ')}`, '']);
}

function boundElements(tasks: readonly TaskSandbox[]): readonly (readonly [string, string])[] {
  return tasks.flatMap(({ gateway, hostPorts }) =>
    gateway === undefined
      ? []
      : hostPorts.map(({ protocol, publishedPort, targetPort }): readonly [string, string] => [
          `bound4\t${protocol} . ${publishedPort}`,
          `${addressOf(gateway.address)} . ${targetPort}`,
        ]),
  );
}

function balancerElements(balancers: readonly IngressBalancer[]): Elements {
  return new Map(
    balancers.flatMap((balancer) => [
      [`balancers\t${balancer.macAddress}`, markText(balancerMark(balancer))] as const,
      [`zones\t${balancer.macAddress}`, String(balancerZone(balancer))] as const,
    ]),
  );
}

/** Addresses of this node's tasks by network: a task may be given to itself. */
function hairpinElements(tasks: readonly TaskSandbox[]): ReadonlyMap<string, Elements> {
  const networks = new Map<string, Map<string, string>>();
  for (const { endpoints } of tasks) {
    for (const { networkId, address, address6, isIngress } of endpoints) {
      if (isIngress) continue;
      const elements = networks.get(networkId) ?? new Map<string, string>();
      networks.set(networkId, elements);
      for (const own of [address, address6]) {
        if (own === undefined) continue;
        const plain = addressOf(own);
        elements.set(`hairpin${isIpv6(plain) ? 6 : 4}\t${plain} . ${plain}`, '');
      }
    }
  }
  return networks;
}
