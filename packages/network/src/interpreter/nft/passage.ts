/**
 * Rules of nft at the hooks that a packet passes.
 */
import type { FilterTable } from '../../render/item.js';
import type { Verdict } from '../chain.js';
import { stateOf } from '../connection-table.js';
import type { Passage } from '../walk.js';
import type { WorldNamespace } from '../world.js';
import type { NftContext, NftDecision, NftFrame } from './context.js';
import type { NftHook } from './ruleset.js';
import { runStage, type NftListener } from './run.js';

/** Where chains of type filter and route stop being asked before translation. */
const BOUNDARIES: Readonly<Record<string, number>> = {
  prerouting: -100,
  input: 0,
  forward: 0,
  output: -100,
  postrouting: Infinity,
};

/** A hook, and the part of it: before translation, translation, after it. */
export interface NftPlace {
  readonly hook: string;
  readonly table: FilterTable;
}

/** Chains of this priority, and before, are asked before connections are tracked. */
const RAW = -300;

/** Chains that a packet passes that comes in, before it is known which connection it belongs to. */
export function runRaw(passage: Passage): void {
  const { nft } = passage.namespace.config;
  if (nft.isEmpty) return;
  const isWanted = ({ type, priority }: NftHook): boolean => type !== 'nat' && priority <= RAW;
  runStage(nft, { hook: 'prerouting', isWanted }, contextOf(passage), () => undefined);
}

/** What the chains of a hook's part decide, in the words of iptables. */
export function runNft(passage: Passage, place: NftPlace, listen: NftListener): Verdict {
  const { hook, table } = place;
  const boundary = BOUNDARIES[hook] ?? 0;
  const isWanted = ({ type, priority }: NftHook): boolean =>
    table === 'nat'
      ? type === 'nat'
      : type !== 'nat' && priority > RAW && priority < boundary === (table === 'mangle');
  const { packet, namespace } = passage;
  const { nft } = namespace.config;
  const context = contextOf(passage);
  const mark = packet.mark;
  const decision = runStage(nft, { hook, isWanted }, context, listen);
  const isRouteChain = (): boolean =>
    nft.chainsOf(hook).some(({ base }) => base.type === 'route' && isWanted(base));
  if (packet.mark !== mark && isRouteChain()) passage.isRerouted = true;
  if (decision.type === 'reject') passage.rejection = decision.answer;
  return verdictOf(decision);
}

function contextOf(passage: Passage): NftContext {
  const { namespace, packet, inInterface, outInterface, flow } = passage;
  const { config } = namespace;
  return {
    packet,
    inInterface,
    outInterface,
    flow,
    state: stateOf(flow).toLowerCase(),
    isLocal: (address) => config.isLocal(address),
    random: config.nft.random,
  };
}

function verdictOf(decision: NftDecision): Verdict {
  switch (decision.type) {
    case 'accept':
      return { type: 'ACCEPT' };
    case 'drop':
    case 'reject':
      return { type: 'DROP' };
    case 'masquerade':
      return { type: 'MASQUERADE' };
    case 'dnat':
    case 'snat': {
      const { address, port } = decision;
      const type = decision.type === 'dnat' ? 'DNAT' : 'SNAT';
      return { type, address, ...(port === undefined ? {} : { port }) };
    }
  }
}

/**
 * Whether the rules of bridges lift a frame into the IP layer: they make it one for the bridge
 * itself. `bridgeMac`: the bridge's own MAC address.
 */
export function isLifted(
  namespace: WorldNamespace,
  bridgeMac: string | undefined,
  packet: NftContext['packet'],
  listen: NftListener,
): boolean {
  const { config } = namespace;
  if (config.nft.isEmpty) return false;
  const frame: NftFrame = { destinationMac: undefined, packetType: 'otherhost' };
  const stage = { hook: 'prerouting', isWanted: () => true, isBridge: true };
  const context: NftContext = {
    packet,
    inInterface: '',
    outInterface: '',
    flow: undefined,
    state: 'untracked',
    isLocal: (address) => config.isLocal(address),
    random: config.nft.random,
    frame,
  };
  runStage(config.nft, stage, context, listen);
  return frame.packetType === 'host' && frame.destinationMac === bridgeMac;
}
