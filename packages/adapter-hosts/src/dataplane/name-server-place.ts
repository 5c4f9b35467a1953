/**
 * Where the server is that a task's names are asked of, and how what it sends to 127.0.0.11 gets
 * there: by its leg on the gateway bridge to the node; in a task without one, whose networks are
 * all internal, by a network to the bridge namespace of that network. So a server needs a socket in
 * each of these, and tells clients by their addresses.
 *
 * **Source:** moby daemon/libnetwork resolver (127.0.0.11, translated in the task's namespace; the
 * task's own ports stay free).
 */
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  type NamespaceReference,
  type NamespaceTexts,
  type TableContent,
  type TaskSandbox,
} from '@skep/network';

/** What every task has as its name server. */
export const NAME_SERVER_ADDRESS = '127.0.0.11';

/** See the module comment. */
export interface NameServerPlace {
  readonly namespace: NamespaceReference;
  /** What the server listens on there. */
  readonly address: string;
  /** The address that the task has for it. */
  readonly clientAddress: string;
  /** By which the task gets there. */
  readonly interfaceName: string;
  /** The internal network that the task is confined to. */
  readonly networkId?: string;
}

/** Undefined for a task that has no IPv4 address anywhere. */
export function nameServerPlace(
  { host, networks }: TableContent,
  task: TaskSandbox,
): NameServerPlace | undefined {
  const plain = (address: string): string => address.split('/')[0] ?? address;
  if (task.gateway !== undefined) {
    return {
      namespace: HOST_NAMESPACE,
      address: plain(host.gatewayBridge.address),
      clientAddress: plain(task.gateway.address),
      interfaceName: task.gateway.interfaceName,
    };
  }
  for (const { networkId, address, interfaceName, subnetIndex, isIngress } of task.endpoints) {
    const gateway = networks
      .get(networkId)
      ?.subnets.find(({ segment, gateway: own }) => segment === subnetIndex && !own.includes(':'));
    if (isIngress || gateway === undefined || address.includes(':')) continue;
    return {
      namespace: bridgeNamespace(host.namespacePrefix, networkId),
      address: plain(gateway.gateway),
      clientAddress: plain(address),
      interfaceName,
      networkId,
    };
  }
  return undefined;
}

/** What the task's namespace needs in addition, for the tools of a renderer. */
export function redirectTexts(
  place: NameServerPlace,
  tool: 'nft' | 'iptables',
): Partial<NamespaceTexts> {
  const { address, interfaceName } = place;
  // What the task sends comes from 127.0.0.1, until its source is translated.
  const sysctl = `net.ipv4.conf.${interfaceName}.route_localnet = 1\n`;
  return tool === 'nft'
    ? { sysctl, nft: nftText(address, interfaceName) }
    : { sysctl, iptables: iptablesText(address, interfaceName) };
}

const TABLE = 'table ip skep_names';

function nftText(address: string, interfaceName: string): string {
  return `${TABLE}
delete ${TABLE}
${TABLE} {
\tchain output {
\t\ttype nat hook output priority -100; policy accept;
\t\tip daddr ${NAME_SERVER_ADDRESS} meta l4proto { tcp, udp } th dport 53 dnat to ${address}:53
\t}
\tchain postrouting {
\t\ttype nat hook postrouting priority 100; policy accept;
\t\tip saddr 127.0.0.0/8 oifname "${interfaceName}" masquerade
\t}
\tchain guard {
\t\ttype filter hook prerouting priority -300; policy accept;
\t\tiifname != "lo" ip daddr 127.0.0.0/8 drop
\t}
}
`;
}

function iptablesText(address: string, interfaceName: string): string {
  const output = ['udp', 'tcp'].map(
    (protocol) =>
      `-A OUTPUT -d ${NAME_SERVER_ADDRESS}/32 -p ${protocol} -m ${protocol} --dport 53 ` +
      `-j DNAT --to-destination ${address}:53`,
  );
  return [
    '*mangle',
    '-A PREROUTING -d 127.0.0.0/8 ! -i lo -j DROP',
    'COMMIT',
    '*nat',
    ...output,
    `-A POSTROUTING -s 127.0.0.0/8 -o ${interfaceName} -j MASQUERADE`,
    'COMMIT',
    '',
  ].join('\n');
}
