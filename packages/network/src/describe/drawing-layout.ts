/**
 * Where everything stands in the drawing of a cluster's network: purely numbers.
 */
import { compareBy, compareText } from '@skep/api';
import type { Hop } from '../interpreter/result.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
} from '../render/rendered.js';
import { hasSandboxAddress } from '../table/network-table.js';
import type { NetworkTable, TableContent } from '../table/node-tables.js';
import { plainAddresses } from './addresses.js';
import { orderedNetworks, shortTaskName } from './node-map.js';

/** A network as the drawing shows it. */
export interface DrawnNetwork {
  readonly id: string;
  readonly name: string;
  /** Ranges and VXLAN ids, for the legend. */
  readonly text: string;
}

/** One line of a sandbox: an address, and the network it is in (undefined: none of those drawn). */
export interface DrawnAddress {
  readonly network: string | undefined;
  readonly text: string;
}

/** A sandbox, the host of a node, or whoever is outside. */
export interface DrawnBox {
  /** `NODE/NAMESPACE`; `/` is outside. */
  readonly key: string;
  readonly kind: 'outside' | 'host' | 'balancer' | 'task';
  readonly title: string;
  readonly lines: readonly DrawnAddress[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A node with its sandboxes. */
export interface DrawnNode {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly DrawnBox[];
}

/** A virtual address: a row of the table below the nodes. */
export interface DrawnVip {
  readonly network: string;
  readonly services: string;
  readonly address: string;
  readonly ports: string;
  readonly backends: number;
}

/** The whole drawing. */
export interface DrawingLayout {
  readonly width: number;
  readonly height: number;
  readonly networks: readonly DrawnNetwork[];
  readonly nodes: readonly DrawnNode[];
  readonly outside: DrawnBox | undefined;
  readonly vips: readonly DrawnVip[];
  /** Boxes that a request goes through, in order, no two equal ones in a row. */
  readonly path: readonly DrawnBox[];
  readonly steps: readonly string[];
  /** Where the parts below the nodes begin. */
  readonly vipsY: number;
  readonly stepsY: number;
}

/** Sizes in units of the drawing, which are pixels unless it is scaled. */
export const SIZES = Object.freeze({
  margin: 24,
  nodeWidth: 280,
  nodeGap: 56,
  nodePadding: 12,
  title: 24,
  line: 16,
  boxGap: 22,
  header: 76,
  row: 18,
  /** Width of a character of a step, about. */
  character: 6.7,
});

/** What is drawn. */
export interface DrawingInput {
  /** Tables of the nodes, in the order in which they are to stand. */
  readonly nodes: readonly TableContent[];
  /** The way of one request. */
  readonly request?: {
    readonly title: string;
    readonly hops: readonly Hop[];
    /** It was sent by somebody who is not on a node. */
    readonly isFromOutside?: boolean;
    /** Whose namespace it was sent from, on which node; the way begins there. */
    readonly origin?: Pick<Hop, 'node' | 'namespace'>;
  };
}

const OUTSIDE_KEY = '/';

/** Lays the drawing out. Cost: O(sandboxes + addresses + virtual addresses · log). */
export function layoutDrawing({ nodes, request }: DrawingInput): DrawingLayout {
  const networks = networksOf(nodes);
  const isFromOutside = request?.isFromOutside === true;
  const hasOutside = isFromOutside || request?.hops.some(({ node }) => node === '') === true;
  const top = SIZES.margin + SIZES.header + SIZES.row * Math.max(networks.length - 1, 0);
  const outside = hasOutside ? outsideBox(top) : undefined;
  const nodesY = outside === undefined ? top : outside.y + outside.height + SIZES.nodeGap;
  const drawn = nodes.map((tables, at) => nodeOf(tables, at, nodesY));
  const bottom = Math.max(nodesY, ...drawn.map(({ y, height }) => y + height));
  const vips = vipsOf(nodes);
  const steps = request === undefined ? [] : stepsOf(request.hops);
  const vipsY = bottom + SIZES.nodeGap;
  const stepsY = vipsY + (vips.length === 0 ? 0 : (vips.length + 3) * SIZES.row);
  const columns = Math.max(nodes.length, 2);
  return {
    width: Math.max(
      2 * SIZES.margin + columns * SIZES.nodeWidth + (columns - 1) * SIZES.nodeGap,
      ...steps.map((step) => Math.ceil(3 * SIZES.margin + step.length * SIZES.character)),
    ),
    height: stepsY + (steps.length === 0 ? 0 : (steps.length + 2) * SIZES.row) + SIZES.margin,
    networks,
    nodes: drawn,
    outside,
    vips,
    path: pathOf(
      [...originsOf(request), ...(request?.hops ?? [])],
      [...drawn.flatMap(({ boxes }) => boxes), ...(outside ? [outside] : [])],
      balancersByBridge(nodes),
    ),
    steps,
    vipsY,
    stepsY,
  };
}

/** Where the way of a request begins, before its first step. */
function originsOf(
  request: DrawingInput['request'],
): readonly Pick<Hop, 'node' | 'namespace' | 'action'>[] {
  if (request?.isFromOutside === true) return [{ node: '', namespace: '', action: '' }];
  return request?.origin === undefined ? [] : [{ ...request.origin, action: '' }];
}

/** Networks of all nodes, each once: ingress first, then by name. */
function networksOf(nodes: readonly TableContent[]): readonly DrawnNetwork[] {
  const byId = new Map<string, NetworkTable>();
  for (const tables of nodes) {
    for (const network of orderedNetworks(tables)) byId.set(network.id, network);
  }
  return [...byId.values()]
    .sort(
      compareBy(
        (a, b) => Number(b.isIngress) - Number(a.isIngress),
        (a, b) => compareText(a.name, b.name),
        (a, b) => compareText(a.id, b.id),
      ),
    )
    .map(({ id, name, subnets }) => ({
      id,
      name,
      text: subnets.map(({ subnet, vxlanId }) => `${subnet}, VXLAN ${vxlanId}`).join('; '),
    }));
}

function outsideBox(y: number): DrawnBox {
  const lines = [{ network: undefined, text: 'not on a node of the cluster' }];
  return {
    key: OUTSIDE_KEY,
    kind: 'outside',
    title: 'client outside',
    lines,
    x: SIZES.margin + SIZES.nodePadding,
    y,
    width: SIZES.nodeWidth - 2 * SIZES.nodePadding,
    height: heightOf(lines),
  };
}

function nodeOf(tables: TableContent, at: number, y: number): DrawnNode {
  const x = SIZES.margin + at * (SIZES.nodeWidth + SIZES.nodeGap);
  let next = y + SIZES.title + SIZES.nodePadding;
  const boxes = contentsOf(tables).map((content): DrawnBox => {
    const box = {
      ...content,
      x: x + SIZES.nodePadding,
      y: next,
      width: SIZES.nodeWidth - 2 * SIZES.nodePadding,
      height: heightOf(content.lines),
    };
    next += box.height + SIZES.boxGap;
    return box;
  });
  return {
    name: tables.nodeName,
    x,
    y,
    width: SIZES.nodeWidth,
    height: next - y - SIZES.boxGap + SIZES.nodePadding,
    boxes,
  };
}

function heightOf(lines: readonly DrawnAddress[]): number {
  return SIZES.title + lines.length * SIZES.line + 6;
}

type Content = Pick<DrawnBox, 'key' | 'kind' | 'title' | 'lines'>;

function contentsOf(tables: TableContent): readonly Content[] {
  const { nodeName, host } = tables;
  const { namespacePrefix, gatewayBridge, underlayAddress } = host;
  const keyOf = (namespace: { readonly name: string }): string => `${nodeName}/${namespace.name}`;
  const gateway = (...addresses: readonly (string | undefined)[]): readonly DrawnAddress[] =>
    plainAddresses(...addresses).map((address) => ({
      network: undefined,
      text: `${address} on ${gatewayBridge.name}`,
    }));
  const inNetwork = (
    network: string,
    ...addresses: readonly (string | undefined)[]
  ): readonly DrawnAddress[] => plainAddresses(...addresses).map((text) => ({ network, text }));
  const balancers = orderedNetworks(tables).flatMap((network): Content[] => {
    const { id, name, isIngress } = network;
    if (!hasSandboxAddress(network)) return [];
    return [
      {
        key: keyOf(sandboxNamespace(namespacePrefix, network)),
        kind: 'balancer',
        title: isIngress ? 'ingress sandbox' : `balancer of ${name}`,
        lines: [
          ...inNetwork(id, network.loadBalancerAddress, network.loadBalancerAddress6),
          ...gateway(network.gatewayLeg, network.gatewayLeg6),
        ],
      },
    ];
  });
  const tasks = [...tables.tasks.values()]
    .sort(compareBy((a, b) => compareText(a.taskName, b.taskName)))
    .map((task): Content => ({
      key: keyOf(taskNamespace(namespacePrefix, task.taskId)),
      kind: 'task',
      title: shortTaskName(task.taskName),
      lines: [
        ...task.endpoints.flatMap(({ networkId, address, address6 }) =>
          inNetwork(networkId, address, address6),
        ),
        ...gateway(task.gateway?.address, task.gateway?.address6),
      ],
    }));
  const ports = host.ingressPorts
    .values()
    .map(({ publishedPort, protocol }) => `${publishedPort}/${protocol}`);
  const own: Content = {
    key: keyOf(HOST_NAMESPACE),
    kind: 'host',
    title: 'host',
    lines: [
      { network: undefined, text: underlayAddress },
      ...gateway(gatewayBridge.address, gatewayBridge.address6),
      ...(ports.length === 0 ? [] : [{ network: undefined, text: `ports ${ports.join(' ')}` }]),
    ],
  };
  return [own, ...balancers, ...tasks];
}

function vipsOf(nodes: readonly TableContent[]): readonly DrawnVip[] {
  const rows = new Map<string, DrawnVip>();
  for (const tables of nodes) {
    for (const { id, vips } of tables.networks.values()) {
      for (const { address, services, ports, backends } of vips.values()) {
        rows.set(`${id} ${address}`, {
          network: id,
          services: services.map(({ serviceName }) => serviceName).join(' '),
          address,
          ports:
            ports === 'all'
              ? 'every port'
              : ports
                  .map((port) => `${port.publishedPort}→${port.targetPort}/${port.protocol}`)
                  .join(' '),
          backends: backends.length,
        });
      }
    }
  }
  return [...rows.values()].sort(
    compareBy(
      (a, b) => compareText(a.services, b.services),
      (a, b) => compareText(a.address, b.address),
    ),
  );
}

/**
 * Box of each network's balancer by the namespace of its bridge: under the dataplane nftables
 * virtual addresses are balanced there.
 */
function balancersByBridge(nodes: readonly TableContent[]): ReadonlyMap<string, string> {
  const keys = nodes.flatMap(({ nodeName, host: { namespacePrefix }, networks }) =>
    networks.values().map((network): readonly [string, string] => {
      const bridge = bridgeNamespace(namespacePrefix, network.id);
      const sandbox = sandboxNamespace(namespacePrefix, network);
      return [`${nodeName}/${bridge.name}`, `${nodeName}/${sandbox.name}`];
    }),
  );
  return new Map(keys);
}

function pathOf(
  hops: readonly Pick<Hop, 'node' | 'namespace' | 'action'>[],
  boxes: readonly DrawnBox[],
  balancers: ReadonlyMap<string, string>,
): readonly DrawnBox[] {
  const byKey = new Map(boxes.map((box) => [box.key, box]));
  const path: DrawnBox[] = [];
  for (const { node, namespace, action } of hops) {
    const place = `${node}/${namespace}`;
    const balancer = action.startsWith('dnat ') ? balancers.get(place) : undefined;
    const box = byKey.get(node === '' ? OUTSIDE_KEY : (balancer ?? place));
    // Bridges and tunnels are the lines between the boxes.
    if (box !== undefined && box !== path[path.length - 1]) path.push(box);
  }
  return path;
}

function stepsOf(hops: readonly Hop[]): readonly string[] {
  return hops.map(({ node, namespace, hook, action, text }) => {
    const place = node === '' ? 'outside' : `${node} ${namespace}`;
    return [place, hook, action, text].filter((part) => part !== '').join('  ');
  });
}
