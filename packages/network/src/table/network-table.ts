/**
 * A network on a node, without its VIPs and peers.
 */
import type { AssignedNetwork, AssignedPeer } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { familyOf, isIpv6, macOf } from './ip.js';
import { prefixOf } from './ipv4.js';
import { leg6Of, type NodeLocal } from './node-local.js';
import type { NetworkHeader, TablePeer, TableSubnet } from './node-tables.js';
import { sandboxSysctls } from './sysctls.js';

/** Bytes of a packet in the underlay. */
const UNDERLAY_MTU = 1500;
/** Bytes that VXLAN over IPv4 adds. */
const TUNNEL_OVERHEAD = 50;
/** Bytes that ESP adds at most to an encrypted network's packets. */
const ENCRYPTION_OVERHEAD = 26;

/** Whether nodes build a segment for the network. */
export function isOverlay(network: AssignedNetwork | undefined): network is AssignedNetwork {
  return network?.driver === 'overlay';
}

/** The header of an overlay network. */
export function buildNetworkHeader(
  state: NodeNetworkState,
  local: NodeLocal,
  network: AssignedNetwork,
): NetworkHeader {
  const { id, name, isIngress, isInternal, isEncrypted } = network;
  const leg = isIngress ? local.ingressLeg : undefined;
  const leg6 = leg === undefined ? undefined : leg6Of(local, leg);
  const own = [network.loadBalancerAddress, network.loadBalancerAddress6];
  const own4 = own.find((address) => address !== undefined && !isIpv6(address));
  const own6 = own.find((address) => address !== undefined && isIpv6(address));
  const subnets = segmentsOf(network.subnets);
  return {
    id,
    name,
    isIngress,
    isInternal,
    isEncrypted,
    mtu: network.mtu ?? tunnelMtu(isEncrypted),
    dataPathPort: state.node.dataPathPort,
    subnets,
    ...(own4 === undefined ? {} : { loadBalancerAddress: own4 }),
    ...(own6 === undefined ? {} : { loadBalancerAddress6: own6 }),
    ...(leg === undefined ? {} : { gatewayLeg: `${leg}/${prefixOf(local.gatewayBridge.address)}` }),
    ...(leg6 === undefined ? {} : { gatewayLeg6: leg6 }),
    sysctls: sandboxSysctls(subnets.map(({ subnet }) => subnet)),
  };
}

/** Whether the node has a load-balancer sandbox in the network. */
export function hasSandboxAddress(
  network: Pick<NetworkHeader, 'loadBalancerAddress' | 'loadBalancerAddress6'>,
): boolean {
  return (network.loadBalancerAddress ?? network.loadBalancerAddress6) !== undefined;
}

/** The node's load-balancer address of a family, CIDR form. */
export function balancerAddress(network: NetworkHeader, family: 4 | 6): string | undefined {
  return family === 4 ? network.loadBalancerAddress : network.loadBalancerAddress6;
}

function segmentsOf(subnets: AssignedNetwork['subnets']): readonly TableSubnet[] {
  const seen = { 4: 0, 6: 0 };
  return subnets.map(({ subnet, gateway, vxlanId }) => {
    const family = familyOf(subnet);
    const segment = seen[family];
    seen[family] += 1;
    return { subnet, gateway, vxlanId, segment };
  });
}

/** **Source:** moby daemon/libnetwork drivers/overlay (maxMTU). */
function tunnelMtu(isEncrypted: boolean): number {
  if (!isEncrypted) return UNDERLAY_MTU - TUNNEL_OVERHEAD;
  const mtu = UNDERLAY_MTU - TUNNEL_OVERHEAD - ENCRYPTION_OVERHEAD;
  return mtu - (mtu % 4);
}

/** The entry of an endpoint on another node. */
export function buildPeer(peer: AssignedPeer): TablePeer {
  const { address, nodeId, tunnelAddress, isBalancer } = peer;
  const macAddress = peer.macAddress ?? macOf(address);
  return isBalancer === undefined
    ? { address, macAddress, nodeId, tunnelAddress }
    : { address, macAddress, nodeId, tunnelAddress, isBalancer };
}
