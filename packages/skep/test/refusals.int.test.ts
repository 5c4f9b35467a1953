import { describe, expect, it } from '@jest/globals';
import { Node } from '@skep/api';
import { createCluster } from 'skep';

describe('what a cluster refuses', () => {
  it('leaves a manager its machine when its removal is refused', async () => {
    const cluster = await createCluster({ nodes: 2 });
    await cluster.apply('services: { web: { image: web, deploy: { replicas: 2 } } }');
    await cluster.settle();
    const revision = cluster.view().revision;
    await expect(cluster.removeNode('node1')).rejects.toMatchObject({
      code: 'failed-precondition',
    });
    expect(cluster.host('node1').isOn).toBe(true);
    await cluster.settle();
    expect(cluster.problems()).toEqual([]);
    expect(cluster.view().revision).toBe(revision);
    await cluster.stop();
  });

  it('does not change a node when another of its name is refused', async () => {
    const cluster = await createCluster({ nodes: 2 });
    const before = cluster.get(Node, 'node2');
    await expect(
      cluster.addNode({ name: 'node2', labels: { disk: 'ssd' }, availability: 'drain' }),
    ).rejects.toMatchObject({ code: 'already-exists' });
    expect(cluster.get(Node, 'node2')).toBe(before);
    await cluster.stop();
  });

  it('does not take prune without a stack for nothing to prune', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const file = 'services: { web: { image: web } }';
    await expect(cluster.apply(file, { prune: true })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await cluster.stop();
  });

  it.each([{ nodes: -1 }, { nodes: 1.5 }, { nodes: NaN }, { managers: -1 }, { managers: NaN }])(
    'does not round %j to something that was not asked for',
    async (options) => {
      await expect(createCluster(options)).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  it.each([NaN, Infinity])('does not run for ever when time is to move by %s', async (ms) => {
    const cluster = await createCluster({ nodes: 1 });
    await expect(cluster.advance(ms)).rejects.toMatchObject({ code: 'invalid-argument' });
    await cluster.stop();
  });

  it.each([NaN, -1])('does not settle within %s milliseconds', async (limitMs) => {
    const cluster = await createCluster({ nodes: 1 });
    await expect(cluster.settle({ limitMs })).rejects.toMatchObject({ code: 'invalid-argument' });
    await cluster.stop();
  });
});
