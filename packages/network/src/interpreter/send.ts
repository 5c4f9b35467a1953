/**
 * Sending packets and making connections in a world.
 */
import { familyOf, ipText } from '../table/ip.js';
import { WORLD_FABRIC } from './fabric.js';
import type { Packet, PacketProtocol } from './packet.js';
import type { Delivery, Hop, PacketResult, Traces } from './result.js';
import { Walk, type Outcome } from './walk.js';
import { UNDERLAY_INTERFACE, type World, type WorldNamespace } from './world.js';

/** Who sends: a program in a namespace, or somebody outside of all nodes. */
export type PacketOrigin =
  { readonly node: string; readonly namespace: string } | { readonly outside: string };

/** A packet to send. */
export interface PacketInput {
  readonly from: PacketOrigin;
  readonly destination: string;
  /** Default: 0, as for icmp. */
  readonly destinationPort?: number;
  /** Default: tcp. */
  readonly protocol?: PacketProtocol;
  /** Default: the address that the route gives. */
  readonly source?: string;
  /** Default: the next of the sender's ephemeral ports. */
  readonly sourcePort?: number;
}

/**
 * Sends one packet and follows it hop by hop to where it is delivered or dropped. What it leaves
 * behind (connections, positions of schedulers) stays in the world.
 * @throws not-found for a node or namespace that is not there.
 */
export function sendPacket(world: World, input: PacketInput): PacketResult {
  return send(world, packetOf(world, input), input.from, newTraces());
}

/** A connection to try: a request, and if somebody takes it, an answer. */
export interface ConnectInput extends PacketInput {
  /** Whether somebody listens there. Default: tasks do, on every port; others do not. */
  readonly listens?: (delivery: Delivery) => boolean;
  /** Leaves the connection open, so that more packets can be sent over it. Default: false. */
  readonly staysOpen?: boolean;
}

/** What became of a connection. */
export interface ConnectResult {
  /**
   * `answered`: the answer came back from the address that was asked. `refused`: it arrived where
   * nobody listens, or a rule rejected it. `dropped`: the request or the answer was lost.
   */
  readonly outcome: 'answered' | 'refused' | 'dropped';
  readonly delivered?: Delivery;
  /** Why, when it was not answered. */
  readonly reason?: string;
  readonly hops: readonly Hop[];
  readonly replyHops: readonly Hop[];
  readonly sourcePort: number;
}

/**
 * Makes a connection: sends the first packet, lets the receiver answer, and checks that the answer
 * reaches the sender from the address and port it asked. Then closes it everywhere.
 * @throws as {@link sendPacket}
 */
export function connect(world: World, input: ConnectInput): ConnectResult {
  const traces = newTraces();
  const packet = packetOf(world, input);
  const asked = { ...packet };
  const request = send(world, packet, input.from, traces);
  const result = answer(world, { input, asked, request, traces });
  if (input.staysOpen !== true) close(traces, world.now);
  return { ...result, hops: request.hops, sourcePort: asked.sourcePort };
}

interface Asked {
  readonly input: ConnectInput;
  readonly asked: Packet;
  readonly request: PacketResult;
  readonly traces: Traces;
}

function answer(
  world: World,
  { input, asked, request, traces }: Asked,
): Omit<ConnectResult, 'hops' | 'sourcePort'> {
  const { delivered, dropped } = request;
  if (delivered === undefined) {
    const outcome = request.isRejected === true ? 'refused' : 'dropped';
    return { outcome, reason: dropped ?? 'lost', replyHops: [] };
  }
  const listens = input.listens ?? ((at: Delivery) => at.taskId !== undefined || at.node === '');
  if (!listens(delivered)) {
    const reason = `nobody listens on ${delivered.address}:${delivered.port}`;
    return { outcome: 'refused', reason, delivered, replyHops: [] };
  }
  const reply: Packet = {
    protocol: delivered.protocol,
    source: delivered.address,
    sourcePort: delivered.port,
    destination: delivered.seenSource.address,
    destinationPort: delivered.seenSource.port,
    mark: 0,
  };
  const from: PacketOrigin =
    delivered.node === ''
      ? { outside: delivered.address }
      : { node: delivered.node, namespace: delivered.namespace };
  const back = send(world, reply, from, traces);
  const fault = replyFault(input.from, asked, back);
  return fault === undefined
    ? { outcome: 'answered', delivered, replyHops: back.hops }
    : { outcome: 'dropped', reason: fault, delivered, replyHops: back.hops };
}

/** Why the answer is none for the sender; undefined when it is. */
function replyFault(from: PacketOrigin, asked: Packet, back: PacketResult): string | undefined {
  const { delivered, dropped } = back;
  if (delivered === undefined) return `the answer was lost: ${dropped ?? ''}`;
  const isThere =
    'outside' in from
      ? delivered.node === '' && delivered.address === from.outside
      : delivered.node === from.node && delivered.namespace === from.namespace;
  if (!isThere || delivered.port !== asked.sourcePort) {
    return `the answer went to ${delivered.address}:${delivered.port}`;
  }
  const { address, port } = delivered.seenSource;
  return address === asked.destination && port === asked.destinationPort
    ? undefined
    : `the answer came from ${address}:${port} and not from the address asked`;
}

function newTraces(): Traces {
  return { tracked: new Map(), balanced: new Map() };
}

function close({ tracked, balanced }: Traces, now: number): void {
  for (const [connection, table] of tracked) table.close(connection);
  for (const [connection, balancer] of balanced) balancer.close(connection, now);
}

function packetOf(world: World, input: PacketInput): Packet {
  const { from } = input;
  const destination = ipText(input.destination);
  const protocol = input.protocol ?? 'tcp';
  const sender = senderOf(world, from, destination);
  return {
    protocol,
    source: input.source ?? sender.address,
    sourcePort: input.sourcePort ?? sender.port,
    destination,
    destinationPort: input.destinationPort ?? 0,
    mark: 0,
  };
}

function senderOf(
  world: World,
  from: PacketOrigin,
  destination: string,
): { readonly address: string; readonly port: number } {
  if ('outside' in from) return { address: from.outside, port: world.ephemeralPort() };
  const namespace = world.namespace(from.node, from.namespace);
  return {
    address: sourceFor(namespace, destination),
    port: world.ephemeralPort(namespace),
  };
}

/** The address that a program gets when it names none; 0.0.0.0 or :: when there is no way. */
function sourceFor({ config }: WorldNamespace, destination: string): string {
  if (config.isLocal(destination)) return destination;
  const route = config.routeTo(destination);
  const family = familyOf(destination);
  return (
    route?.source ??
    config.addressOfInterface(route?.device ?? '', family) ??
    (family === 4 ? '0.0.0.0' : '::')
  );
}

function send(world: World, packet: Packet, from: PacketOrigin, traces: Traces): PacketResult {
  const walk = new Walk(world, WORLD_FABRIC, traces);
  const outcome =
    'outside' in from
      ? enter(world, walk, packet)
      : walk.emit(world.namespace(from.node, from.namespace), packet);
  return { ...outcome, hops: walk.hops };
}

/** From outside to the node that has the address. */
function enter(world: World, walk: Walk, packet: Packet): Outcome {
  const node = world.nodeAt(packet.destination);
  const host = node?.namespaces.get('host');
  if (node === undefined || host === undefined || !node.isUp) {
    return { dropped: `${packet.destination} does not answer` };
  }
  return walk.receive(host, UNDERLAY_INTERFACE, packet);
}
