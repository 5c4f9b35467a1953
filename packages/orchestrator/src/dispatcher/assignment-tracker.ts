/**
 * Keeps every connected node's assignment up to date: whole once, then as differences.
 *
 * **Source:** SwarmKit manager/dispatcher (Assignments) for complete and incremental messages; the
 * fixed bound on their delay, and the law that they add up, are ours.
 */
import {
  Node,
  compareText,
  type Assignment,
  type Clock,
  type NetworkId,
  type NodeId,
  type Revision,
  type Timer,
} from '@skep/api';
import type { CommitEvent, View } from '@skep/store';
import { tableNetworks } from './assigned-network.js';
import type { PeerSource } from './assigned-peer.js';
import { markEvent, type MarkSink } from './assignment-marks.js';
import { noDifference, sortDifference, type ItemDifference } from './item-difference.js';
import { NetworkFeed } from './network-feed.js';
import { OwnItems } from './own-items.js';

/**
 * Longest time from a change to the message about it. Longer: fewer, larger messages; shorter:
 * faster drains and starts. Swarm waits for this long a *silence*, so for up to 10 s.
 */
export const ASSIGNMENT_DELAY_MS = 100;

/** Takes the messages for one node. */
export type AssignmentReceiver = (assignment: Assignment) => void;

interface NodeSync {
  readonly nodeId: NodeId;
  readonly own: OwnItems;
  readonly feeds: Map<NetworkId, NetworkFeed>;
  readonly send: AssignmentReceiver;
  /** Revision of the last message; undefined before the complete one. */
  sentRevision: Revision | undefined;
  /** An empty difference is sent too, so that the node acknowledges its revision. */
  owesWatermark: boolean;
}

/** Seams of {@link AssignmentTracker}. */
export interface AssignmentTrackerParts {
  readonly clock: Clock;
  readonly view: () => View;
}

/**
 * Tracks assignments. Feed it every commit, in order; it calls the receivers.
 *
 * A message is computed when it is sent, from what the node was sent before; so there is no queue,
 * however slow a node is. All nodes with changes are served together, at most 100 ms after the
 * first change. The revision of a message is exactly that of the view it was computed from.
 */
export class AssignmentTracker implements MarkSink {
  readonly #clock: Clock;
  readonly #view: () => View;
  readonly #syncs = new Map<NodeId, NodeSync>();
  readonly #feeds = new Map<NetworkId, NetworkFeed>();
  readonly #touchedSyncs = new Set<NodeSync>();
  readonly #touchedFeeds = new Set<NetworkFeed>();
  /** Revision up to which commits were observed. */
  #observed: Revision;
  #timer: Timer | undefined;
  /** A flush that found itself ahead of the observed commits, and runs when they have arrived. */
  #isFlushOverdue = false;

  constructor(parts: AssignmentTrackerParts) {
    this.#clock = parts.clock;
    this.#view = parts.view;
    this.#observed = parts.view().revision;
  }

  /** Starts to serve a node; the complete assignment is sent as soon as what runs now is over. */
  open(nodeId: NodeId, send: AssignmentReceiver): void {
    this.close(nodeId);
    const sync: NodeSync = {
      nodeId,
      own: new OwnItems(this.#view(), nodeId),
      feeds: new Map(),
      send,
      sentRevision: undefined,
      owesWatermark: false,
    };
    this.#syncs.set(nodeId, sync);
    this.#clock.defer(() => {
      if (this.#syncs.get(nodeId) === sync && sync.sentRevision === undefined) {
        this.#touchedSyncs.add(sync);
        this.flush();
      }
    });
  }

  /** Stops serving a node. */
  close(nodeId: NodeId): void {
    const sync = this.#syncs.get(nodeId);
    if (sync === undefined) return;
    this.#syncs.delete(nodeId);
    this.#touchedSyncs.delete(sync);
    for (const feed of sync.feeds.values()) {
      feed.drop(nodeId);
      this.#forgetUnused(feed);
    }
  }

  /** Stops everything. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const nodeId of [...this.#syncs.keys()]) this.close(nodeId);
  }

  /** Takes notice of a commit. Cost: O(changes × what depends on them). */
  observe(commit: CommitEvent): void {
    const view = this.#view();
    for (const event of commit.events) markEvent(event, view, this);
    this.#observed = commit.revision;
    if (this.#isFlushOverdue && view.revision === commit.revision) this.flush();
  }

  /**
   * Sends what is due to all nodes, in the order of their ids. While the store is ahead of the
   * commits that were observed, it waits for them: marks would be missing.
   */
  flush(): void {
    const view = this.#view();
    this.#isFlushOverdue = view.revision !== this.#observed;
    if (this.#isFlushOverdue) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const feed of this.#touchedFeeds) {
      if (feed.refresh(view)) this.#touchSubscribers(feed);
    }
    this.#touchedFeeds.clear();
    const due = [...this.#touchedSyncs].sort((a, b) => compareText(a.nodeId, b.nodeId));
    this.#touchedSyncs.clear();
    // A receiver may close sessions; those are passed over.
    for (const sync of due) if (this.#syncs.get(sync.nodeId) === sync) this.#serve(sync, view);
  }

  node(nodeId: NodeId): void {
    const sync = this.#syncs.get(nodeId);
    if (sync === undefined) return;
    sync.own.touchNode();
    for (const networkId of sync.feeds.keys()) sync.own.touchNetwork(networkId);
    for (const networkId of this.#networksOf(nodeId)) sync.own.touchNetwork(networkId);
    this.#touch(sync);
  }

  allNodes(): void {
    for (const sync of this.#syncs.values()) {
      sync.own.touchNode();
      this.#touch(sync);
    }
  }

  task(nodeId: NodeId, taskId: string): void {
    const sync = this.#syncs.get(nodeId);
    if (sync === undefined) return;
    sync.own.touchTask(taskId);
    this.#touch(sync);
  }

  network(networkId: NetworkId): void {
    for (const sync of this.#syncs.values()) {
      if (!sync.own.usesNetwork(networkId) && !sync.feeds.has(networkId)) continue;
      sync.own.touchNetwork(networkId);
      this.#touch(sync);
    }
  }

  files(kind: 'secret' | 'config'): void {
    for (const sync of this.#syncs.values()) {
      if (sync.own.touchFiles(kind)) this.#touch(sync);
    }
  }

  service(networkId: NetworkId, serviceId: string): void {
    this.#touchFeed(networkId, (feed) => feed.touchService(serviceId));
  }

  slice(networkId: NetworkId, sliceId: string): void {
    this.#touchFeed(networkId, (feed) => feed.touchSlice(sliceId));
  }

  peer(networkId: NetworkId, address: string, source: PeerSource): void {
    this.#touchFeed(networkId, (feed) => feed.touchPeer(address, source));
  }

  wholeNetwork(networkId: NetworkId): void {
    this.#touchFeed(networkId, (feed) => feed.rebuild(this.#view()));
  }

  watermark(networkId: NetworkId): void {
    for (const nodeId of this.#feeds.get(networkId)?.subscribers ?? []) {
      const sync = this.#syncs.get(nodeId);
      if (sync === undefined) continue;
      sync.owesWatermark = true;
      this.#touch(sync);
    }
  }

  #serve(sync: NodeSync, view: View): void {
    const isComplete = sync.sentRevision === undefined;
    const difference = noDifference();
    sync.own.pull(view, difference);
    this.#pullFeeds(sync, view, difference);
    const { upserts, removals } = sortDifference(difference);
    const isEmpty = upserts.length === 0 && removals.length === 0;
    if (!isComplete && isEmpty && !sync.owesWatermark) return;
    const appliesTo = sync.sentRevision;
    sync.sentRevision = view.revision;
    sync.owesWatermark = false;
    sync.send({
      type: isComplete ? 'complete' : 'incremental',
      revision: view.revision,
      ...(appliesTo === undefined ? {} : { appliesTo }),
      upserts,
      removals,
    });
  }

  #pullFeeds(sync: NodeSync, view: View, into: ItemDifference): void {
    const wanted = this.#networksOf(sync.nodeId, view);
    for (const [networkId, feed] of sync.feeds) {
      if (wanted.has(networkId)) continue;
      feed.drop(sync.nodeId, into);
      sync.feeds.delete(networkId);
      this.#forgetUnused(feed);
    }
    for (const networkId of wanted) {
      let feed = sync.feeds.get(networkId);
      if (feed === undefined) {
        feed = this.#feedOf(networkId, view);
        sync.feeds.set(networkId, feed);
      }
      feed.pull(sync.nodeId, into);
    }
  }

  #feedOf(networkId: NetworkId, view: View): NetworkFeed {
    let feed = this.#feeds.get(networkId);
    if (feed !== undefined) return feed;
    feed = new NetworkFeed(view, networkId);
    feed.refresh(view);
    this.#feeds.set(networkId, feed);
    return feed;
  }

  #networksOf(nodeId: NodeId, view = this.#view()): ReadonlySet<NetworkId> {
    return new Set(tableNetworks(view.get(Node, nodeId)));
  }

  #forgetUnused(feed: NetworkFeed): void {
    if (!feed.isUnused) return;
    this.#feeds.delete(feed.networkId);
    this.#touchedFeeds.delete(feed);
  }

  #touch(sync: NodeSync): void {
    this.#touchedSyncs.add(sync);
    this.#schedule();
  }

  #touchFeed(networkId: NetworkId, touch: (feed: NetworkFeed) => void): void {
    const feed = this.#feeds.get(networkId);
    if (feed === undefined) return;
    touch(feed);
    this.#touchedFeeds.add(feed);
    this.#schedule();
  }

  #touchSubscribers(feed: NetworkFeed): void {
    for (const nodeId of feed.subscribers) {
      const sync = this.#syncs.get(nodeId);
      if (sync !== undefined) this.#touchedSyncs.add(sync);
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const at = this.#clock.now() + ASSIGNMENT_DELAY_MS;
    this.#timer = this.#clock.schedule(at, () => this.flush(), { label: 'assignments' });
  }
}
