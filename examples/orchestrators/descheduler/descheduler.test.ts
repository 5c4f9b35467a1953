import { describe, expect, it } from '@jest/globals';
import { Node } from '@skep/api';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers, type Cluster } from 'skep';
import { deschedulerController } from './controller.js';
import { Descheduler, type DeschedulerSpec } from './kind.js';

const MINUTE = 60_000;

const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(Descheduler);
  bind(identifiers.controllers).toConstantValue(deschedulerController());
});

/** Tasks on each node, by the node's name. */
function layout(cluster: Cluster, service: string): readonly number[] {
  const tasks = cluster.tasks(service);
  return [1, 2, 3].map((number) => {
    const id = cluster.get(Node, `node${number}`)?.meta.id;
    return tasks.filter(({ status }) => status.nodeId === id).length;
  });
}

/** Six tasks of each service that had to stay together while node3 was away. */
async function uneven(spec: DeschedulerSpec, constraint = ''): Promise<Cluster> {
  const cluster = await createCluster({ nodes: 3, plugins: [plugin] });
  const deploy = `{ replicas: 6, placement: { constraints: [${constraint}] } }`;
  await cluster.drain('node3');
  await cluster.apply(
    ['services:', 'web', 'api']
      .map((word, at) => (at === 0 ? word : `  ${word}: { image: "${word}:1", deploy: ${deploy} }`))
      .join('\n'),
  );
  await cluster.settle();
  await cluster.activate('node3');
  await cluster.settle();
  // It begins where an interval begins.
  await cluster.clock.advanceTo(Math.ceil(cluster.clock.now() / MINUTE) * MINUTE);
  await cluster.declare([{ kind: Descheduler, name: 'even', spec }]);
  return cluster;
}

describe('a descheduler', () => {
  it('moves no more than its budget in an interval, until all is even', async () => {
    const cluster = await uneven({ movesMax: 2 });
    const total = (): number => cluster.get(Descheduler, 'even')!.status.total;
    const seen: unknown[] = [];
    for (let minute = 0; minute < 6; minute += 1) {
      const before = total();
      await cluster.advance(minute === 0 ? MINUTE - 1 : MINUTE);
      expect(total() - before).toBeLessThanOrEqual(2);
      seen.push(layout(cluster, 'web'));
    }
    expect(seen.at(-1)).toEqual([2, 2, 2]);
    expect(layout(cluster, 'api')).toEqual([2, 2, 2]);
    expect(total()).toBe(4);
    expect(cluster.problems()).toEqual([]);
    await cluster.stop();
  });

  it('leaves alone what it is not told of', async () => {
    const cluster = await uneven({ services: ['api'] });
    await cluster.advance(10 * MINUTE);
    expect(layout(cluster, 'web')).toEqual([3, 3, 0]);
    expect(layout(cluster, 'api')).toEqual([2, 2, 2]);
    await cluster.stop();
  });

  it('counts only nodes that meet the constraints', async () => {
    const cluster = await uneven({}, '"node.hostname != node3"');
    await cluster.advance(10 * MINUTE);
    expect(cluster.get(Descheduler, 'even')?.status.total).toBe(0);
    await cluster.stop();
  });
});
