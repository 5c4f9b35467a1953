/**
 * Kernel settings that the tables rely on, each with the reason.
 *
 * **Source:** moby daemon/libnetwork (service_linux, osl/kernel); `ip_forward` and `rp_filter` said
 * outright, because new namespaces inherit what the machine's first one happens to have.
 */

/** Settings of a load-balancer sandbox. */
export const SANDBOX_SYSCTLS: Readonly<Record<string, string>> = Object.freeze({
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
export const BRIDGE_SYSCTLS: Readonly<Record<string, string>> = Object.freeze({
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.rp_filter': '0',
});

/** Settings of a task's namespace. */
export const TASK_SYSCTLS: Readonly<Record<string, string>> = Object.freeze({
  // Answers to the mesh and to the outside leave by different interfaces.
  'net.ipv4.conf.all.rp_filter': '0',
});

/**
 * Settings of the node itself. `route_localnet` lets a published port be asked for on 127.0.0.1.
 */
export function hostSysctls(gatewayBridge: string): Readonly<Record<string, string>> {
  return {
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.ipv4.ip_forward': '1',
    'net.ipv4.conf.all.rp_filter': '0',
    [`net.ipv4.conf.${gatewayBridge}.route_localnet`]: '1',
    // Large segments have more neighbours than the kernel's defaults keep.
    'net.ipv4.neigh.default.gc_thresh1': '8192',
    'net.ipv4.neigh.default.gc_thresh2': '49152',
    'net.ipv4.neigh.default.gc_thresh3': '65536',
  };
}
