/**
 * Kernel settings that the tables rely on, each with the reason.
 *
 * **Source:** moby daemon/libnetwork (service_linux, osl/kernel); `ip_forward` and `rp_filter` said
 * outright, because new namespaces inherit what the machine's first one happens to have.
 */

import { isIpv6 } from './ip.js';
import type { GatewayBridge } from './node-tables.js';

/** A list of settings. */
type Sysctls = Readonly<Record<string, string>>;

/** Settings of a load-balancer sandbox. */
const SANDBOX_SYSCTLS: Sysctls = Object.freeze({
  // Replies are forwarded from backend to client; without it every connection times out.
  'net.ipv4.ip_forward': '1',
  // Replies may leave by another interface than the one their source is routed to.
  'net.ipv4.conf.all.rp_filter': '0',
  // A port that is used again would otherwise wait a second for its first packet.
  'net.ipv4.vs.conn_reuse_mode': '0',
  // Source translation after balancing needs connection tracking.
  'net.ipv4.vs.conntrack': '1',
  // Connections to removed backends end at once instead of hanging.
  'net.ipv4.vs.expire_nodest_conn': '1',
  // Affinity does not lead to a backend that drains.
  'net.ipv4.vs.expire_quiescent_template': '1',
});

/** Settings of the namespace that holds a network's bridge: it routes between its subnets. */
const BRIDGE_SYSCTLS: Sysctls = Object.freeze({
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.rp_filter': '0',
});

/** What a namespace needs in addition when it forwards IPv6. */
const FORWARDING6_SYSCTLS: Sysctls = Object.freeze({
  'net.ipv6.conf.all.disable_ipv6': '0',
  'net.ipv6.conf.all.forwarding': '1',
});

/** Settings of the load-balancer sandbox of a network with these ranges. */
export function sandboxSysctls(subnets: readonly string[]): Sysctls {
  return subnets.some(isIpv6) ? { ...SANDBOX_SYSCTLS, ...FORWARDING6_SYSCTLS } : SANDBOX_SYSCTLS;
}

/** Settings of the namespace that holds the bridges of a network with these ranges. */
export function bridgeSysctls(subnets: readonly string[]): Sysctls {
  return subnets.some(isIpv6) ? { ...BRIDGE_SYSCTLS, ...FORWARDING6_SYSCTLS } : BRIDGE_SYSCTLS;
}

/** Settings of a task's namespace. */
export const TASK_SYSCTLS: Sysctls = Object.freeze({
  // Answers to the mesh and to the outside leave by different interfaces.
  'net.ipv4.conf.all.rp_filter': '0',
});

/**
 * Settings of the node itself. `route_localnet` lets a published port be asked for on 127.0.0.1.
 */
export function hostSysctls({ name, address6 }: GatewayBridge): Sysctls {
  const forwarding = { 'net.bridge.bridge-nf-call-ip6tables': '1', ...FORWARDING6_SYSCTLS };
  return {
    ...(address6 === undefined ? {} : forwarding),
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.ipv4.ip_forward': '1',
    'net.ipv4.conf.all.rp_filter': '0',
    [`net.ipv4.conf.${name}.route_localnet`]: '1',
    // Large segments have more neighbours than the kernel's defaults keep.
    'net.ipv4.neigh.default.gc_thresh1': '8192',
    'net.ipv4.neigh.default.gc_thresh2': '49152',
    'net.ipv4.neigh.default.gc_thresh3': '65536',
  };
}
