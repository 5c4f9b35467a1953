import { describe, expect, it } from '@jest/globals';
import { Node, Service, Task } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore } from '@skep/store';
import { BUILT_IN_KINDS } from 'skep';
import { codeOf, Listener, rig, running, type Rig } from '../__fixtures__/rig.js';
import type { FollowMessage, WatchMessage, WatchOptions } from '../contract.js';

/** A watch that has begun. */
async function watching(at: Rig, options: WatchOptions = {}): Promise<Listener<WatchMessage>> {
  const listener = new Listener((signal) => at.client.watch({ ...options, signal }));
  await at.clock.advance(10);
  return listener;
}

/** `created Node node3` for each event heard. */
function told(messages: readonly (WatchMessage | FollowMessage)[]): readonly string[] {
  return messages.flatMap((message) =>
    message.type === 'commit'
      ? message.events.map(({ type, object }) => `${type} ${object.kind} ${object.meta.name}`)
      : [],
  );
}

const config = (name: string): { kind: string; name: string; spec: unknown } => {
  return { kind: 'Config', name, spec: { data: 'AA==' } };
};

describe('watch', () => {
  it('tells whole commits in order, from now on, until it is left', async () => {
    const at = await rig();
    const listener = await watching(at);
    const { revision } = at.cluster.view();
    expect(listener.heard).toEqual([{ type: 'started', revision }]);
    await at.client.declare([config('a'), config('b')]);
    await at.client.declare([config('c')]);
    await at.clock.advance(10);
    expect(told(listener.heard)).toEqual([
      'created Config a',
      'created Config b',
      'created Config c',
    ]);
    const commits = listener.heard.filter(({ type }) => type === 'commit');
    expect(commits).toMatchObject([{ actor: 'user', revision: revision + 1 }, { actor: 'user' }]);
    listener.leave();
    await listener.whenOver;
    expect(listener.end).toBe('over');
    await at.stop();
  });

  it('tells what came after a revision, of some kinds, of some objects', async () => {
    const at = await rig();
    const { revision } = at.cluster.view();
    await at.client.declare([config('a')]);
    await at.client.updateNode('node1', { labels: { disk: 'ssd' } });
    await at.client.updateNode('node2', { labels: { disk: 'tape' } });
    await at.clock.advance(10);
    const all = await watching(at, { from: revision });
    const nodes = await watching(at, { from: revision, kinds: [Node] });
    const ssd = await watching(at, { from: revision, labels: 'disk=ssd' });
    const one = await watching(at, { from: revision, kinds: ['Node'], fields: 'meta.name=node2' });
    expect(told(all.heard)).toEqual(
      expect.arrayContaining(['created Config a', 'updated Node node1', 'updated Node node2']),
    );
    expect(told(nodes.heard)).toEqual(['updated Node node1', 'updated Node node2']);
    expect(told(ssd.heard)).toEqual(['created Node node1']);
    expect(told(one.heard)).toEqual(['updated Node node2']);
    for (const listener of [all, nodes, ssd, one]) listener.leave();
    await at.stop();
  });

  it('tells how it was before only when asked, and never what a secret is', async () => {
    const at = await rig();
    const secret = { kind: 'Secret', name: 'key', spec: { data: 'c2VjcmV0' } };
    const plain = await watching(at);
    const full = await watching(at, { withPrevious: true });
    await at.client.declare([secret]);
    await at.client.patch('Secret', 'key', { labels: { a: 'b' } });
    await at.clock.advance(10);
    expect(JSON.stringify(plain.heard)).not.toContain('previous');
    expect(JSON.stringify(full.heard)).toContain('"previous":{"kind":"Secret"');
    expect(JSON.stringify([plain.heard, full.heard])).not.toContain('c2VjcmV0');
    plain.leave();
    full.leave();
    await at.stop();
  });

  it('says that what came before is forgotten', async () => {
    const at = await rig();
    await at.client.declare([config('a')]);
    await at.cluster.store.compact(at.cluster.view().revision);
    const listener = await watching(at, { from: 1 });
    expect(listener.end).toBe('compacted');
    await at.stop();
  });

  it('ends a watcher that falls behind, and follow begins again', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: BUILT_IN_KINDS, watcher: { bufferMax: 4 } });
    const at = await rig({ clock, store });
    const slow = at.client.watch({ kinds: ['Config'] })[Symbol.asyncIterator]();
    expect(await slow.next()).toMatchObject({ value: { type: 'started' } });
    const follower = at.client.follow({ kinds: ['Config'] })[Symbol.asyncIterator]();
    expect(await follower.next()).toMatchObject({ value: { type: 'snapshot', objects: [] } });
    // Each in a turn of its own; nobody reads meanwhile.
    const first = follower.next();
    for (let index = 0; index < 12; index += 1) {
      const spec = { data: 'A'.repeat(80_000) };
      await at.client.declare([{ kind: 'Config', name: `c${index}`, spec }]);
      await clock.advance(1);
    }
    const read = async (): Promise<void> => {
      while ((await slow.next()).done !== true);
    };
    expect(await codeOf(read)).toBe('resync-required');
    // What it missed is in the second snapshot.
    let message = await first;
    while (message.done !== true && message.value.type !== 'snapshot')
      message = await follower.next();
    expect(message.value).toMatchObject({ type: 'snapshot' });
    expect((message.value as { objects: unknown[] }).objects).toHaveLength(12);
    await follower.return?.();
    await at.stop();
  });

  it('ends with the server, and with the store', async () => {
    const at = await rig();
    const first = await watching(at);
    at.stopping.abort(new Error('the manager is stopping'));
    await first.whenOver;
    expect(first.end).toBe('internal');
    await at.stop();
    const other = await rig();
    const second = await watching(other);
    const { client, cluster, clock } = other;
    const stopped = cluster.stop();
    await clock.advance(1_000);
    await stopped;
    await second.whenOver;
    expect(second.end).toBe('unavailable');
    await client.close();
  });

  it('gives signs of life, and lets the client notice that there are none', async () => {
    const at = await rig({ keepAliveMs: 1_000 });
    const response = await at.app.request('/v1/watch?kinds=Config');
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const text = async (): Promise<string> =>
      decoder.decode((await reader.read()).value as Uint8Array);
    expect(await text()).toContain('event: started');
    await at.clock.advance(1_000);
    expect(await text()).toBe(': alive\n\n');
    await reader.cancel();
    await at.stop();
    const hung = await rig({ keepAliveMs: 1_000_000 });
    const listener = await watching(hung, { kinds: ['Config'] });
    await hung.clock.advance(61_000);
    expect(listener.end).toBe('unavailable');
    await hung.stop();
  });
});

describe('follow', () => {
  it('tells everything as it is, then every change', async () => {
    const at = await running();
    const listener = new Listener((signal) => at.client.follow({ kinds: [Service, Task], signal }));
    await at.clock.advance(10);
    const [snapshot] = listener.heard;
    if (snapshot?.type !== 'snapshot') throw new Error('it does not begin with a snapshot');
    expect(snapshot.objects.map(({ kind }) => kind)).toEqual(['Service', 'Task', 'Task']);
    await at.client.scale('web', 3);
    await at.clock.advance(3_000);
    expect(told(listener.heard)).toContain('updated Service web');
    expect(told(listener.heard).filter((event) => event.startsWith('created Task'))).toHaveLength(
      1,
    );
    listener.leave();
    await listener.whenOver;
    expect(listener.end).toBe('over');
    await at.stop();
  });

  it('begins again when the cluster was made anew', async () => {
    const at = await rig();
    const other = await rig();
    // The second cluster is younger than the revision that is known of the first.
    for (let index = 0; index < 5; index += 1) await at.client.declare([config(`c${index}`)]);
    const { revision } = await at.client.list('Config');
    expect(revision).toBeGreaterThan(other.cluster.view().revision);
    const watch = other.client.watch({ from: revision })[Symbol.asyncIterator]();
    expect(await codeOf(() => watch.next())).toBe('resync-required');
    await at.stop();
    await other.stop();
  });
});
