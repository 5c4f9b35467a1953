/**
 * The part of an assignment that all nodes of a network share: its services, slices and peers.
 *
 * Each item is computed once per change, not once per node. What changed is kept as a log, and a
 * node is a position in it; so the memory is that of the network, not of network × nodes.
 */
import {
  EndpointSlice,
  Service,
  isEqual,
  type AssignmentItem,
  type AssignmentKind,
  type NetworkId,
  type NodeId,
} from '@skep/api';
import type { View } from '@skep/store';
import {
  assignedPeer,
  compareSources,
  peerAddresses,
  peerKey,
  peerSources,
  plainAddress,
  type PeerSource,
} from './assigned-peer.js';
import { assignedService, assignedSlice, frontKey } from './assigned-service.js';
import { compareItems, isOwnPeer, networkItems } from './assignment.js';
import type { ItemDifference } from './item-difference.js';

type FeedKind = Extract<AssignmentKind, 'service' | 'slice' | 'peer'>;

interface Entry {
  readonly kind: FeedKind;
  readonly key: string;
  /** Absent: the item is gone, and some node may still have to be told. */
  item: AssignmentItem | undefined;
  /** When the entry was made; it was never sent to nodes whose position is before. */
  readonly madeAt: number;
  changedAt: number;
  /** Of a peer: its node, kept when the item is gone, and when that was another one last. */
  nodeId: NodeId | undefined;
  movedAt: number;
}

interface LogRecord {
  readonly at: number;
  readonly entry: Entry;
}

/** Old records that the log may hold beyond one for each entry, before it is compacted. */
const LOG_SLACK = 64;

/** The shared items of one network, and how far each subscribed node has got. */
export class NetworkFeed {
  readonly networkId: NetworkId;
  readonly #entries = new Map<string, Entry>();
  readonly #positions = new Map<NodeId, number>();
  /** For each address, what may use it; the view decides. */
  readonly #claims = new Map<string, Map<string, PeerSource>>();
  readonly #touched = new Map<string, { readonly kind: FeedKind; readonly key: string }>();
  #log: LogRecord[] = [];
  #now = 0;
  #sorted: readonly AssignmentItem[] | undefined;

  constructor(view: View, networkId: NetworkId) {
    this.networkId = networkId;
    this.#sorted = undefined;
    this.rebuild(view);
  }

  /** Nodes that are subscribed. */
  get subscribers(): Iterable<NodeId> {
    return this.#positions.keys();
  }

  get isUnused(): boolean {
    return this.#positions.size === 0;
  }

  /** Looks at everything again at the next refresh. Cost: O(items). */
  rebuild(view: View): void {
    for (const { kind, key } of this.#entries.values()) this.#touch(kind, key);
    for (const { kind, key } of networkItems(view, this.networkId)) {
      if (kind === 'service' || kind === 'slice' || kind === 'peer') this.#touch(kind, key);
    }
    for (const source of peerSources(view, this.networkId)) {
      for (const address of peerAddresses(view, this.networkId, source)) {
        this.touchPeer(address, source);
      }
    }
  }

  touchService(serviceId: string): void {
    this.#touch('service', frontKey(serviceId, this.networkId));
  }

  touchSlice(sliceId: string): void {
    this.#touch('slice', sliceId);
  }

  /** An address (with or without a prefix length) that the source uses, or has used. */
  touchPeer(address: string, source: PeerSource): void {
    const key = peerKey(this.networkId, address);
    let claims = this.#claims.get(key);
    if (claims === undefined) this.#claims.set(key, (claims = new Map()));
    claims.set(`${source.type}/${source.id}`, source);
    this.#touch('peer', key);
  }

  /** Brings the items up to the view; says whether any of them changed. Cost: O(touched). */
  refresh(view: View): boolean {
    const before = this.#now;
    for (const { kind, key } of this.#touched.values()) this.#update(kind, key, view);
    this.#touched.clear();
    this.#compact();
    return this.#now > before;
  }

  /**
   * Adds what changed since the node pulled last, everything at first, and subscribes it.
   * Peers on the node itself are left out. Cost: O(changes).
   */
  pull(nodeId: NodeId, into: ItemDifference): void {
    const position = this.#positions.get(nodeId);
    this.#positions.set(nodeId, this.#now);
    if (position === undefined) {
      for (const item of this.#sortedItems()) {
        if (!isOwnPeer(item, nodeId)) into.upserts.push(item);
      }
      return;
    }
    for (let i = this.#firstAfter(position); i < this.#log.length; i += 1) {
      const { at, entry } = this.#log[i] as LogRecord;
      if (at === entry.changedAt) addChange(entry, { nodeId, position }, into);
    }
  }

  /** Unsubscribes the node; with `into`, adds the removal of everything that it was sent. */
  drop(nodeId: NodeId, into?: ItemDifference): void {
    const position = this.#positions.get(nodeId);
    this.#positions.delete(nodeId);
    if (position === undefined || into === undefined) return;
    for (const entry of this.#entries.values()) {
      const isGone = entry.item === undefined && entry.changedAt <= position;
      if (!isGone && mayHave(entry, { nodeId, position })) into.removals.push(nameOf(entry));
    }
  }

  #touch(kind: FeedKind, key: string): void {
    this.#touched.set(`${kind}/${key}`, { kind, key });
  }

  #update(kind: FeedKind, key: string, view: View): void {
    const id = `${kind}/${key}`;
    const item = this.#itemOf(kind, key, view);
    let entry = this.#entries.get(id);
    if (isEqual(entry?.item?.value, item?.value)) return;
    this.#now += 1;
    this.#sorted = undefined;
    if (entry === undefined) {
      const madeAt = this.#now;
      entry = { kind, key, item, madeAt, changedAt: 0, nodeId: undefined, movedAt: 0 };
      this.#entries.set(id, entry);
    }
    entry.item = item;
    entry.changedAt = this.#now;
    if (item?.kind === 'peer' && entry.nodeId !== item.value.nodeId) {
      if (entry.nodeId !== undefined) entry.movedAt = this.#now;
      entry.nodeId = item.value.nodeId;
    }
    this.#log.push({ at: this.#now, entry });
  }

  #itemOf(kind: FeedKind, key: string, view: View): AssignmentItem | undefined {
    if (kind === 'peer') return this.#peerOf(key, view);
    if (kind === 'slice') {
      const slice = view.get(EndpointSlice, key);
      if (slice === undefined || slice.spec.networkId !== this.networkId) return undefined;
      return { kind, key, value: assignedSlice(slice) };
    }
    const serviceId = key.slice(0, key.length - this.networkId.length - 1);
    const service = view.get(Service, serviceId);
    if (service === undefined) return undefined;
    const value = assignedService(view, service, this.networkId);
    return value && { kind, key, value };
  }

  /** The first source that uses the address; sources that do not use it any more are forgotten. */
  #peerOf(key: string, view: View): AssignmentItem | undefined {
    const claims = this.#claims.get(key);
    if (claims === undefined) return undefined;
    const address = plainAddress(key.slice(this.networkId.length + 1));
    for (const [id, source] of claims) {
      if (!peerAddresses(view, this.networkId, source).includes(address)) claims.delete(id);
    }
    if (claims.size === 0) this.#claims.delete(key);
    for (const source of [...claims.values()].sort(compareSources)) {
      const value = assignedPeer(view, this.networkId, address, source);
      if (value !== undefined) return { kind: 'peer', key, value };
    }
    return undefined;
  }

  /** All items in the order of the wire; sorted once for all nodes that come at a time. */
  #sortedItems(): readonly AssignmentItem[] {
    if (this.#sorted === undefined) {
      const items = [...this.#entries.values()].flatMap(({ item }) => item ?? []);
      this.#sorted = items.sort(compareItems);
    }
    return this.#sorted;
  }

  #firstAfter(position: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle] as LogRecord).at <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets overtaken records, and items that are gone once every node was told. */
  #compact(): void {
    if (this.#log.length <= 2 * this.#entries.size + LOG_SLACK) return;
    const reached = Math.min(...this.#positions.values());
    for (const [id, entry] of this.#entries) {
      if (entry.item === undefined && entry.changedAt <= reached) this.#entries.delete(id);
    }
    this.#log = this.#log.filter(({ at, entry }) => at === entry.changedAt && at > reached);
  }
}

interface Reader {
  readonly nodeId: NodeId;
  /** What the reader has seen: changes up to this one. */
  readonly position: number;
}

function nameOf({ kind, key }: Entry): { readonly kind: FeedKind; readonly key: string } {
  return { kind, key };
}

function addChange(entry: Entry, reader: Reader, into: ItemDifference): void {
  const { item } = entry;
  if (item !== undefined && entry.nodeId !== reader.nodeId) into.upserts.push(item);
  else if (mayHave(entry, reader)) into.removals.push(nameOf(entry));
}

/** Whether the reader may have been sent the entry: it was there, and not on the reader itself. */
function mayHave(entry: Entry, { nodeId, position }: Reader): boolean {
  if (entry.madeAt > position) return false;
  return entry.nodeId !== nodeId || entry.movedAt > position;
}
