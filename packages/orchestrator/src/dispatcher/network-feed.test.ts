import { describe, expect, it } from '@jest/globals';
import type { AssignmentItem } from '@skep/api';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { noDifference } from './item-difference.js';
import { NetworkFeed } from './network-feed.js';

async function feedOf(peers: number): Promise<{ cluster: TestCluster; feed: NetworkFeed }> {
  const cluster = new TestCluster();
  await cluster.network('net', {}, '10.0.0.0/16');
  await cluster.node('1', { net: '10.0.255.1/16' });
  await cluster.node('2', { net: '10.0.255.2/16' });
  for (let at = 0; at < peers; at += 1) {
    await cluster.task(`t${at}`, { nodeId: '2' }, { net: `10.0.1.${at + 1}/16` });
  }
  const feed = new NetworkFeed(cluster.view, 'net');
  feed.refresh(cluster.view);
  return { cluster, feed };
}

/** What a node holds: it pulls, and applies. */
class Reader {
  readonly held = new Map<string, AssignmentItem>();
  readonly #feed: NetworkFeed;
  readonly #nodeId: string;

  constructor(feed: NetworkFeed, nodeId: string) {
    this.#feed = feed;
    this.#nodeId = nodeId;
  }

  /** Number of upserts and removals. */
  pull(): readonly [number, number] {
    const { upserts, removals } = this.#collect((into) => this.#feed.pull(this.#nodeId, into));
    return [upserts.length, removals.length];
  }

  drop(): void {
    this.#collect((into) => this.#feed.drop(this.#nodeId, into));
  }

  #collect(act: (into: ReturnType<typeof noDifference>) => void) {
    const into = noDifference();
    act(into);
    for (const item of into.upserts) this.held.set(item.key, item);
    for (const { key } of into.removals) this.held.delete(key);
    return into;
  }
}

const source = (id: string) => ({ type: 'task', id }) as const;

describe('NetworkFeed', () => {
  it('gives everything first, then what changed, to each node at its own pace', async () => {
    const { cluster, feed } = await feedOf(3);
    const one = new Reader(feed, '1');
    const two = new Reader(feed, '2');
    expect(one.pull()).toEqual([4, 0]);
    // Peers on the node itself are left out.
    expect(two.pull()).toEqual([1, 0]);
    await cluster.setTask('t0', { state: 'failed' });
    feed.touchPeer('10.0.1.1/16', source('t0'));
    expect(feed.refresh(cluster.view)).toBe(true);
    expect(one.pull()).toEqual([0, 1]);
    expect(one.pull()).toEqual([0, 0]);
    expect(two.pull()).toEqual([0, 0]);
  });

  it('says nothing for what was touched and is the same', async () => {
    const { cluster, feed } = await feedOf(3);
    feed.rebuild(cluster.view);
    expect(feed.refresh(cluster.view)).toBe(false);
  });

  it('forgets what is over however often things change, and no node misses any of it', async () => {
    const { cluster, feed } = await feedOf(1);
    const fast = new Reader(feed, '1');
    const slow = new Reader(feed, '1b');
    fast.pull();
    slow.pull();
    for (let round = 0; round < 200; round += 1) {
      const id = `u${round}`;
      const net = `10.0.2.${round + 1}/16`;
      await cluster.task(id, { nodeId: '2' }, { net });
      feed.touchPeer(net, source(id));
      feed.refresh(cluster.view);
      fast.pull();
      await cluster.setTask(id, { state: 'failed' });
      feed.touchPeer(net, source(id));
      feed.refresh(cluster.view);
      fast.pull();
      if (round % 90 === 0) slow.pull();
      expect(fast.held.size).toBe(2);
    }
    slow.pull();
    expect([...fast.held.keys()].sort()).toEqual(['net/10.0.1.1', 'net/10.0.255.2']);
    const all = ['net/10.0.1.1', 'net/10.0.255.1', 'net/10.0.255.2'];
    expect([...slow.held.keys()].sort()).toEqual(all);
    fast.drop();
    expect(fast.held.size).toBe(0);
    expect([...feed.subscribers]).toEqual(['1b']);
    slow.drop();
    expect(feed.isUnused).toBe(true);
  });
});
