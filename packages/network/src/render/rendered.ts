/**
 * Tables as text: what the kernel's own tools read.
 *
 * **Source:** ip-link(8), bridge(8), iptables-restore(8), ipvsadm(8), sysctl(8).
 */
import type { NetworkId, TaskId } from '@skep/api';

/**
 * Which tool reads a text: `ip -batch`, `bridge -batch`, `iptables-restore --noflush`,
 * `ip6tables-restore --noflush`, `ipvsadm --restore`, `sysctl -p`, `nft -f`; `ip -6 -batch` for
 * what says no address that shows its family. `conntrack` is run once for each line, which holds
 * its arguments; it has nothing to keep, so its whole text is empty.
 */
export type Tool =
  'ip' | 'ip6' | 'bridge' | 'iptables' | 'ip6tables' | 'ipvs' | 'sysctl' | 'nft' | 'conntrack';

/** Tools in the order in which their texts are applied to a new namespace. */
export const TOOLS: readonly Tool[] = Object.freeze([
  'ip',
  'ip6',
  'sysctl',
  'bridge',
  'iptables',
  'ip6tables',
  'ipvs',
  'nft',
  'conntrack',
] as const);

/** What a network namespace is for. */
export type NamespaceKind = 'host' | 'bridge' | 'sandbox' | 'task';

/** A network namespace of a node. */
export interface NamespaceReference {
  /** As in `ip netns`; `host` is the node's own. */
  readonly name: string;
  readonly kind: NamespaceKind;
  /** For `bridge` and `sandbox`. */
  readonly networkId?: NetworkId;
  /** For `task`. */
  readonly taskId?: TaskId;
}

/** The texts of a namespace, each whole: applied to an empty one they give all it has to hold. */
export type NamespaceTexts = Readonly<Record<Tool, string>>;

/** A namespace with its texts. */
export interface RenderedNamespace {
  readonly namespace: NamespaceReference;
  readonly texts: NamespaceTexts;
}

/**
 * Commands of one tool in one namespace, one a line; `lines` of iptables and ip6tables hold whole
 * tables, each ended by COMMIT and so applied at once.
 */
export interface RenderedStep {
  readonly namespace: NamespaceReference;
  readonly tool: Tool;
  readonly lines: readonly string[];
}

/** The text of a step. */
export function textOf(step: RenderedStep): string {
  return step.lines.length === 0 ? '' : `${step.lines.join('\n')}\n`;
}

/** The node's own namespace. */
export const HOST_NAMESPACE: NamespaceReference = Object.freeze({ name: 'host', kind: 'host' });

/** The namespace that holds a network's bridges and VXLAN ports. */
export function bridgeNamespace(prefix: string, networkId: NetworkId): NamespaceReference {
  return { name: `${prefix}1-${networkId}`, kind: 'bridge', networkId };
}

/** The namespace of a network's load balancer on a node. */
export function sandboxNamespace(
  prefix: string,
  network: { readonly id: NetworkId; readonly isIngress: boolean },
): NamespaceReference {
  const name = network.isIngress ? 'ingress_sbox' : `lb_${network.id}`;
  return { name: `${prefix}${name}`, kind: 'sandbox', networkId: network.id };
}

/** The namespace of a task. */
export function taskNamespace(prefix: string, taskId: TaskId): NamespaceReference {
  return { name: `${prefix}task_${taskId}`, kind: 'task', taskId };
}
