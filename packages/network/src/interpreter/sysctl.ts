/**
 * Kernel settings of namespaces.
 */
import type { World, WorldNamespace } from './world.js';

/** Kernel settings of a namespace that nothing was written to. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '0',
  'net.ipv4.vs.conntrack': '0',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv6.conf.all.forwarding': '0',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
};

/**
 * A kernel setting as it is in force in a namespace. `ip_forward` is inherited from the host, as
 * namespaces take it from the machine's first one.
 */
export function sysctl(world: World, namespace: WorldNamespace, key: string): string {
  const own = namespace.config.sysctls.get(key);
  if (own !== undefined) return own;
  const host = world.node(namespace.node.name).namespaces.get('host');
  if (key === 'net.ipv4.ip_forward' && host !== undefined && host !== namespace) {
    return host.config.sysctls.get(key) ?? '0';
  }
  return DEFAULTS[key] ?? '0';
}
