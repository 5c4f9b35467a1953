/**
 * What lies between namespaces: veth links, bridges, VXLAN tunnels, the underlay.
 */
import { familyOf, macOf } from '../table/ip.js';
import { isLifted } from './nft/passage.js';
import { packetText, type Packet } from './packet.js';
import { sysctl } from './sysctl.js';
import type { Fabric, Outcome, Passage, Walk } from './walk.js';
import { UNDERLAY_INTERFACE, type WorldNamespace } from './world.js';

interface Frame {
  readonly packet: Packet;
  /** Address that the frame is for: asked for by name of the next hop. */
  readonly nextHop: string;
  /** Port it came in by; undefined when the bridge's own namespace sends. */
  readonly fromPort: string | undefined;
}

/** The fabric of a world. */
export const WORLD_FABRIC: Fabric = Object.freeze({
  transmit: (walk: Walk, passage: Passage, nextHop: string): Outcome => {
    const { namespace, packet, outInterface } = passage;
    // Marks end at the edge of a namespace.
    packet.mark = 0;
    packet.zone = undefined;
    packet.sourceMac = macAddressOf(namespace, outInterface);
    const { node, config, reference } = namespace;
    if (config.interfaces.get(outInterface)?.isBridge === true) {
      return bridge(walk, namespace, outInterface, { packet, nextHop, fromPort: undefined });
    }
    const plug = node.plugs.get(`${reference.name}/${outInterface}`);
    if (plug?.link.type === 'veth') {
      const other = node.namespaces.get(plug.namespace);
      const name = other?.config.interfaces.get(plug.link.name)?.master;
      if (other === undefined || name === undefined) {
        return walk.drop(passage, `${outInterface} leads to no bridge`);
      }
      return bridge(walk, other, name, { packet, nextHop, fromPort: plug.link.name });
    }
    if (reference.kind === 'host' && outInterface === UNDERLAY_INTERFACE) {
      return underlay(walk, namespace, packet, nextHop);
    }
    return walk.drop(passage, `${outInterface} is not plugged in`);
  },
});

/** A frame on a bridge: to the namespace itself, to a port, or through the tunnel. */
function bridge(walk: Walk, namespace: WorldNamespace, name: string, frame: Frame): Outcome {
  const { packet, nextHop, fromPort } = frame;
  const { interfaces, localRoutes } = namespace.config;
  const isOwn =
    interfaces.get(name)?.addresses.has(nextHop) === true || localRoutes.get(nextHop) === name;
  if (fromPort !== undefined && (isOwn || isTaken(walk, namespace, name, packet))) {
    return walk.receive(namespace, name, packet);
  }
  const port = portOf(namespace, name, fromPort, (other, interfaceName) =>
    other.config.interfaces.get(interfaceName)?.addresses.has(nextHop),
  );
  if (port !== undefined) return cross(walk, namespace, name, { ...frame, ...port });
  const neighbour = namespace.config.neighbours.get(nextHop);
  const device = neighbour?.device;
  const isPort = namespace.config.interfaces.get(device ?? '')?.master === name;
  if (neighbour !== undefined && device !== undefined && isPort) {
    return tunnel(walk, namespace, device, { packet, macAddress: neighbour.macAddress });
  }
  return walk.drop({ namespace }, `nobody on ${name} has the address ${nextHop}`);
}

/** Whether rules of the bridge take a frame from a port for the namespace itself. */
function isTaken(walk: Walk, namespace: WorldNamespace, name: string, packet: Packet): boolean {
  const own = namespace.config.interfaces.get(name)?.macAddress;
  return isLifted(namespace, own, packet, (action, text) => {
    walk.note({ namespace }, 'bridge', action, text);
  });
}

/** MAC address of an interface, as frames that it sends carry it. */
function macAddressOf({ node, config, reference }: WorldNamespace, name: string): string {
  const { link } = node.plugs.get(`${reference.name}/${name}`) ?? {};
  const given = config.interfaces.get(name)?.macAddress ?? link?.peerMacAddress;
  const address = config.addressOfInterface(name) ?? config.addressOfInterface(name, 6);
  return given ?? (address === undefined ? '' : macOf(address));
}

interface Port {
  readonly to: WorldNamespace;
  readonly toInterface: string;
}

/** The port of a bridge whose far end is wanted. */
function portOf(
  namespace: WorldNamespace,
  bridgeName: string,
  fromPort: string | undefined,
  isWanted: (to: WorldNamespace, interfaceName: string, mac?: string) => boolean | undefined,
): Port | undefined {
  const { node, config } = namespace;
  for (const link of config.links.values()) {
    if (link.type !== 'veth' || link.name === fromPort) continue;
    if (config.interfaces.get(link.name)?.master !== bridgeName) continue;
    const to = node.namespaces.get(link.peerNamespace);
    if (to !== undefined && isWanted(to, link.peerName, link.peerMacAddress) === true) {
      return { to, toInterface: link.peerName };
    }
  }
  return undefined;
}

/** A frame from one port to another; rules see it when `bridge-nf-call-iptables` is on. */
function cross(walk: Walk, namespace: WorldNamespace, name: string, frame: Frame & Port): Outcome {
  const { packet, to, toInterface, fromPort } = frame;
  const family = familyOf(packet.destination);
  const key = `net.bridge.bridge-nf-call-${family === 4 ? 'iptables' : 'ip6tables'}`;
  const isFiltered =
    fromPort !== undefined &&
    namespace.config.hasRules(family) &&
    sysctl(walk.world, namespace, key) === '1';
  if (isFiltered) {
    const passage: Passage = {
      namespace,
      packet,
      inInterface: name,
      outInterface: name,
      flow: namespace.connections.track(packet),
      isBalanced: false,
    };
    const before = packet.destination;
    if (walk.prerouting(passage)) {
      return walk.drop(passage, 'dropped by a rule of PREROUTING');
    }
    if (packet.destination !== before) {
      packet.mark = 0;
      return walk.decide({ ...passage, outInterface: '' });
    }
    if (walk.filter(passage, 'forward', 'mangle') || walk.filter(passage, 'forward', 'filter')) {
      return walk.drop(passage, 'dropped by a rule of FORWARD');
    }
    if (walk.postrouting(passage)) {
      return walk.drop(passage, 'dropped by a rule of POSTROUTING');
    }
    packet.mark = 0;
  }
  walk.note({ namespace }, 'bridge', name, `${packetText(packet)} to ${to.reference.name}`);
  return walk.receive(to, toInterface, packet);
}

/** Through VXLAN to the node that the forwarding entry names, and there to the MAC address. */
function tunnel(
  walk: Walk,
  namespace: WorldNamespace,
  device: string,
  frame: { readonly packet: Packet; readonly macAddress: string },
): Outcome {
  const { node, config, reference } = namespace;
  const { packet, macAddress } = frame;
  const vxlanId = node.plugs.get(`${reference.name}/${device}`)?.link.vxlanId;
  const entry = config.forwarding.get(macAddress);
  if (vxlanId === undefined || entry === undefined) {
    return walk.drop({ namespace }, `no forwarding entry for ${macAddress}`);
  }
  const { tunnelAddress } = entry;
  const target = walk.world.nodeAt(tunnelAddress);
  if (target === undefined || !walk.world.isReachable(node, target)) {
    return walk.drop({ namespace }, `the tunnel end point ${tunnelAddress} does not answer`);
  }
  const text = `VXLAN ${vxlanId} to ${tunnelAddress} (${target.name})`;
  walk.note({ namespace }, 'tunnel', device, text);
  for (const [place, { link }] of target.plugs) {
    if (link.type !== 'vxlan' || link.vxlanId !== vxlanId) continue;
    const far = target.namespaces.get(link.peerNamespace);
    const master = far?.config.interfaces.get(link.peerName)?.master;
    if (far === undefined || master === undefined) continue;
    const isOwn = far.config.interfaces.get(master)?.macAddress === macAddress;
    if (isOwn || isTaken(walk, far, master, packet)) return walk.receive(far, master, packet);
    const port = portOf(far, master, undefined, (to, name, mac) => {
      const address = to.config.addressOfInterface(name) ?? to.config.addressOfInterface(name, 6);
      return (mac ?? (address === undefined ? '' : macOf(address))) === macAddress;
    });
    if (port === undefined) {
      return walk.drop({ namespace: far }, `nobody at ${place} has the MAC address ${macAddress}`);
    }
    return cross(walk, far, master, {
      packet,
      nextHop: packet.destination,
      fromPort: link.peerName,
      ...port,
    });
  }
  return walk.drop({ namespace }, `${target.name} has no VXLAN ${vxlanId}`);
}

/** Between hosts; addresses that no node has lie outside. */
function underlay(walk: Walk, namespace: WorldNamespace, packet: Packet, nextHop: string): Outcome {
  const { node } = namespace;
  const target = walk.world.nodeAt(nextHop);
  if (!node.isUp) return walk.drop({ namespace }, `${node.name} is down`);
  if (target === undefined) {
    walk.note({ namespace }, 'underlay', 'outside', packetText(packet));
    return {
      delivered: {
        node: '',
        namespace: '',
        protocol: packet.protocol,
        address: packet.destination,
        port: packet.destinationPort,
        seenSource: { address: packet.source, port: packet.sourcePort },
      },
    };
  }
  const host = target.namespaces.get('host');
  if (host === undefined || !walk.world.isReachable(node, target)) {
    return walk.drop({ namespace }, `${nextHop} does not answer`);
  }
  walk.note({ namespace }, 'underlay', target.name, packetText(packet));
  return walk.receive(host, UNDERLAY_INTERFACE, packet);
}
