/**
 * A network on a node, without its VIPs and peers.
 */
import type { AssignedNetwork, AssignedPeer } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { isIpv4, macOf, prefixOf } from './ipv4.js';
import type { NodeLocal } from './node-local.js';
import type { NetworkHeader, TablePeer } from './node-tables.js';
import { SANDBOX_SYSCTLS } from './sysctls.js';

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
  const { id, name, isIngress, isInternal, isEncrypted, loadBalancerAddress } = network;
  const leg = isIngress ? local.ingressLeg : undefined;
  return {
    id,
    name,
    isIngress,
    isInternal,
    isEncrypted,
    mtu: network.mtu ?? tunnelMtu(isEncrypted),
    dataPathPort: state.node.dataPathPort,
    subnets: network.subnets.map(({ subnet, gateway, vxlanId }) => ({ subnet, gateway, vxlanId })),
    ...(loadBalancerAddress === undefined || !isIpv4(loadBalancerAddress)
      ? {}
      : { loadBalancerAddress }),
    ...(leg === undefined ? {} : { gatewayLeg: `${leg}/${prefixOf(local.gatewayBridge.address)}` }),
    sysctls: SANDBOX_SYSCTLS,
  };
}

/** **Source:** moby daemon/libnetwork drivers/overlay (maxMTU). */
function tunnelMtu(isEncrypted: boolean): number {
  if (!isEncrypted) return UNDERLAY_MTU - TUNNEL_OVERHEAD;
  const mtu = UNDERLAY_MTU - TUNNEL_OVERHEAD - ENCRYPTION_OVERHEAD;
  return mtu - (mtu % 4);
}

/** The entry of an endpoint on another node; undefined for what this node does not tunnel to. */
export function buildPeer(peer: AssignedPeer): TablePeer | undefined {
  if (!isIpv4(peer.address)) return undefined;
  const { address, nodeId, tunnelAddress } = peer;
  return { address, macAddress: macOf(address), nodeId, tunnelAddress };
}
