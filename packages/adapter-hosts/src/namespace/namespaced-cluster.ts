/**
 * Nodes on one machine: each is a network namespace with an address of its own on a bridge, the
 * underlay, that stands in a namespace of its own. There no rule of the machine sees its frames: a
 * running dockerd drops what is bridged between others.
 *
 * **Source:** ip-netns(8), veth(4).
 */
import { SkepError } from '@skep/api';
import { parsePrefix } from '@skep/network';
import {
  assertClusterId,
  nodeNamespace,
  nodeOfNamespace,
  nodePrefix,
  underlayNamespace,
} from './cluster-names.js';
import { runCommands, type CommandRunner, type NamespaceCommand } from './command-runner.js';
import { listNamespaces } from './netns-list.js';

/** A way from the machine into the underlay: a link between the two. */
export interface Uplink {
  /** In the machine's own namespace; at most 15 characters. */
  readonly interfaceName: string;
  /** The machine's address in the underlay, CIDR form. */
  readonly address: string;
}

/** What a cluster on this machine is called and how the machine reaches it. */
export interface NamespacedClusterOptions {
  /** Small letters, digits, dashes inside; at most 32 characters. */
  readonly clusterId: string;
  /** Default: none, and only the nodes reach each other. */
  readonly uplink?: Uplink;
  /** Default: the machine's own programs. */
  readonly run?: CommandRunner;
}

/** A node that exists. */
export interface NamespacedNode {
  readonly name: string;
  readonly namespace: string;
  /** In the underlay, CIDR form; undefined when it was left half made. */
  readonly address: string | undefined;
  /** Namespaces that stand for its networks and tasks. */
  readonly sandboxes: readonly string[];
}

/** Everything of a cluster that exists on this machine. */
export interface ClusterNamespaces {
  readonly hasUnderlay: boolean;
  readonly nodes: readonly NamespacedNode[];
}

const BRIDGE = 'underlay';
const NODE_INTERFACE = 'eth0';

interface LinkState {
  readonly ifname: string;
  readonly flags?: readonly string[];
  readonly master?: string;
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/**
 * Makes and removes the namespaces of one cluster. Every call may be made again, also after a crash
 * half-way: it brings what there is to what is wanted. Only names of the cluster are touched.
 */
export class NamespacedCluster {
  readonly #clusterId: string;
  readonly #uplink: Uplink | undefined;
  readonly #run: CommandRunner;

  /** @throws invalid-argument for an id or an uplink that cannot be. */
  constructor({ clusterId, uplink, run = runCommands }: NamespacedClusterOptions) {
    assertClusterId(clusterId);
    if (uplink !== undefined) {
      assertCidr(uplink.address);
      if (!/^[\w-]{1,15}$/.test(uplink.interfaceName)) {
        const text = `interface name ${JSON.stringify(uplink.interfaceName)}: 1 to 15 letters`;
        throw new SkepError('invalid-argument', text);
      }
    }
    this.#clusterId = clusterId;
    this.#uplink = uplink;
    this.#run = run;
  }

  /** What there is of the cluster, also what a crash left behind. */
  async list(): Promise<ClusterNamespaces> {
    const clusterId = this.#clusterId;
    const namespaces = await listNamespaces(`${clusterId}.`);
    const names = namespaces.map(({ name }) => name);
    const nodes = new Set(names.flatMap((name) => nodeOfNamespace(clusterId, name) ?? []));
    const found = [...nodes].sort().map(async (name): Promise<NamespacedNode> => {
      const namespace = nodeNamespace(clusterId, name);
      const isThere = namespaces.some((one) => one.name === namespace && one.isMounted);
      const links = isThere ? await this.#links(namespace) : [];
      return {
        name,
        namespace,
        address: addressOf(links.find(({ ifname }) => ifname === NODE_INTERFACE)),
        sandboxes: names.filter((one) => one.startsWith(nodePrefix(clusterId, name))),
      };
    });
    return {
      hasUnderlay: names.includes(underlayNamespace(clusterId)),
      nodes: await Promise.all(found),
    };
  }

  /** Makes the underlay, unless it is there. */
  async ensureUnderlay(): Promise<void> {
    const namespace = underlayNamespace(this.#clusterId);
    await this.#ensureNamespace(namespace);
    const links = await this.#links(namespace);
    const lines = links.some(({ ifname }) => ifname === BRIDGE)
      ? []
      : [`link add ${BRIDGE} type bridge`];
    await this.#ip(namespace, ['link set lo up', ...lines, `link set ${BRIDGE} up`]);
    const { interfaceName, address } = this.#uplink ?? {};
    if (interfaceName === undefined || address === undefined) return;
    const own = (await this.#links(undefined)).find(({ ifname }) => ifname === interfaceName);
    const port = links.some(({ ifname }) => ifname === 'machine');
    if (own !== undefined && !port) {
      const text = `interface ${interfaceName} of this machine is not the uplink of this cluster`;
      throw new SkepError('already-exists', text, { details: { interfaceName } });
    }
    if (own === undefined) {
      const peer = `peer name machine netns ${namespace}`;
      await this.#ip(undefined, [`link add ${interfaceName} type veth ${peer}`]);
    }
    await this.#ip(namespace, [`link set machine master ${BRIDGE} up`]);
    await this.#ip(undefined, [
      `addr replace ${address} dev ${interfaceName}`,
      `link set ${interfaceName} up`,
    ]);
  }

  /**
   * Makes a node, unless it is there, and gives it the address.
   * @throws invalid-argument for an address without prefix length; already-exists when another
   * node of the cluster has the address.
   */
  async ensureNode(name: string, address: string): Promise<NamespacedNode> {
    assertCidr(address);
    const namespace = nodeNamespace(this.#clusterId, name);
    const { nodes } = await this.list();
    const other = nodes.find(
      (node) => node.name !== name && plain(node.address ?? '') === plain(address),
    );
    if (other !== undefined) {
      const text = `address ${address} of node ${name}: node ${other.name} has it`;
      throw new SkepError('already-exists', text, { details: { address, node: other.name } });
    }
    await this.ensureUnderlay();
    await this.#ensureNamespace(namespace);
    await this.#plug(namespace, address);
    const sandboxes = nodes.find((node) => node.name === name)?.sandboxes ?? [];
    return { name, namespace, address, sandboxes };
  }

  /** Removes a node and all namespaces that it made. Processes in them are not ended. */
  async removeNode(name: string): Promise<void> {
    const { nodes, hasUnderlay } = await this.list();
    const node = nodes.find((one) => one.name === name);
    if (node === undefined) return;
    if (hasUnderlay && node.address !== undefined) {
      const port = portOf(node.address);
      const links = await this.#links(underlayNamespace(this.#clusterId));
      if (links.some(({ ifname }) => ifname === port)) {
        await this.#ip(underlayNamespace(this.#clusterId), [`link delete ${port}`]);
      }
    }
    const names = (await listNamespaces(`${this.#clusterId}.`)).map((one) => one.name);
    await this.#deleteNamespaces(
      names.filter((one) => nodeOfNamespace(this.#clusterId, one) === name).reverse(),
    );
  }

  /** Removes all nodes and the underlay. */
  async remove(): Promise<void> {
    for (const { name } of (await this.list()).nodes) await this.removeNode(name);
    const { interfaceName } = this.#uplink ?? {};
    const rest = (await listNamespaces(`${this.#clusterId}.`)).map((one) => one.name);
    const hasUnderlay = rest.includes(underlayNamespace(this.#clusterId));
    if (interfaceName !== undefined && hasUnderlay) {
      const own = (await this.#links(undefined)).some(({ ifname }) => ifname === interfaceName);
      if (own) await this.#ip(undefined, [`link delete ${interfaceName}`]);
    }
    await this.#deleteNamespaces(rest);
  }

  /** The link between a node and the underlay, with the address. */
  async #plug(namespace: string, address: string): Promise<void> {
    const underlay = underlayNamespace(this.#clusterId);
    const port = portOf(address);
    const link = (await this.#links(namespace)).find(({ ifname }) => ifname === NODE_INTERFACE);
    const present = addressOf(link);
    const stale = present === address ? undefined : present && portOf(present);
    const ports = (await this.#links(underlay)).map(({ ifname }) => ifname);
    if (link === undefined || stale !== undefined || !ports.includes(port)) {
      const old = [port, stale].filter((one) => one !== undefined && ports.includes(one));
      await this.#ip(underlay, [
        ...[...new Set(old)].map((one) => `link delete ${one}`),
        `link add ${port} type veth peer name ${NODE_INTERFACE} netns ${namespace}`,
      ]);
    }
    await this.#ip(underlay, [`link set ${port} master ${BRIDGE} up`]);
    const { address: gateway } = this.#uplink ?? {};
    const way = gateway === undefined ? '' : ` via ${plain(gateway)}`;
    await this.#ip(namespace, [
      'link set lo up',
      `addr replace ${address} dev ${NODE_INTERFACE}`,
      `link set ${NODE_INTERFACE} up`,
      `route replace default${way} dev ${NODE_INTERFACE}`,
    ]);
  }

  async #ensureNamespace(namespace: string): Promise<void> {
    const [present] = (await listNamespaces(namespace)).filter(({ name }) => name === namespace);
    if (present?.isMounted === true) return;
    const lines = present === undefined ? [] : [`netns delete ${namespace}`];
    await this.#ip(undefined, [...lines, `netns add ${namespace}`]);
  }

  async #deleteNamespaces(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#ip(
      undefined,
      names.map((name) => `netns delete ${name}`),
    );
  }

  async #links(namespace: string | undefined): Promise<readonly LinkState[]> {
    const command = ['ip', '-j', 'addr', 'show'];
    const { output } = await this.#one({ namespace, command });
    return JSON.parse(output === '' ? '[]' : output) as readonly LinkState[];
  }

  async #ip(namespace: string | undefined, lines: readonly string[]): Promise<void> {
    const input = `${lines.join('\n')}\n`;
    await this.#one({ namespace, command: ['ip', '-batch', '-'], input });
  }

  async #one(command: NamespaceCommand): Promise<{ readonly output: string }> {
    const [result] = await this.#run([command]);
    if (result?.status === 0) return result;
    const said = (result?.errors ?? '').trim();
    const place = command.namespace ?? 'this machine';
    throw new SkepError(
      'unavailable',
      `${command.command.join(' ')} in ${place} failed: ${said}\n${command.input ?? ''}`.trim(),
      { details: { status: result?.status, namespace: command.namespace } },
    );
  }
}

/** Port of the underlay's bridge for an address: names have at most 15 characters. */
function portOf(address: string): string {
  const bytes = plain(address)
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return `up${bytes.join('')}`;
}

function plain(address: string): string {
  return address.split('/')[0] ?? address;
}

function addressOf(link: LinkState | undefined): string | undefined {
  const info = link?.addr_info?.find(({ local }) => local?.includes('.') === true);
  return info === undefined ? undefined : `${info.local}/${info.prefixlen}`;
}

function assertCidr(address: string): void {
  const parsed = address.includes('/') ? parsePrefix(address) : undefined;
  if (parsed !== undefined && address.includes('.')) return;
  throw new SkepError(
    'invalid-argument',
    `underlay address ${JSON.stringify(address)}: an IPv4 address with prefix length is needed, ` +
      'as 10.90.0.11/24',
    { details: { address } },
  );
}
