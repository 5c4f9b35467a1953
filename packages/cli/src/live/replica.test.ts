import { describe, expect, it } from '@jest/globals';
import { Node, Service, withMeta } from '@skep/api';
import type { ControlClient, FollowMessage } from '@skep/control';
import { nodeOf, serviceOf } from '../__fixtures__/objects.js';
import { followed } from './replica.js';

function clientOf(...messages: readonly FollowMessage[]): ControlClient {
  const follow = async function* () {
    for (const message of messages) yield await Promise.resolve(message);
  };
  return { follow } as unknown as ControlClient;
}

describe('followed', () => {
  it('gives a view after each commit, over gaps, and begins anew with a new snapshot', async () => {
    const [web, node] = [serviceOf('web'), nodeOf('node1')];
    const changed = withMeta(web, { version: 14, labels: { a: 'b' } });
    const client = clientOf(
      { type: 'snapshot', revision: 9, objects: [web, node] },
      {
        type: 'commit',
        revision: 14,
        actor: 'user',
        events: [
          { type: 'updated', object: changed },
          { type: 'created', object: serviceOf('db') },
        ],
      },
      {
        type: 'commit',
        revision: 15,
        actor: 'user',
        events: [{ type: 'deleted', object: changed }],
      },
      { type: 'snapshot', revision: 40, objects: [node] },
    );
    const seen: unknown[] = [];
    const signal = new AbortController().signal;
    for await (const message of followed(client, [Service, Node], signal)) {
      const { view } = message;
      const names = view.list(Service).map(({ meta }) => meta.name);
      seen.push([message.type, view.revision, names.sort(), view.count(Node)]);
    }
    expect(seen).toEqual([
      ['snapshot', 9, ['web'], 1],
      ['commit', 14, ['db', 'web'], 1],
      ['commit', 15, ['db'], 1],
      ['snapshot', 40, [], 1],
    ]);
  });
});
