/** The autoscaler owns the number of replicas, a stack file the rest: the steps of the guide. */
import { expect, it } from '@jest/globals';
import { Service } from '@skep/api';
import { createCluster, type Cluster } from 'skep';
import { autoscalerController, computedMetric } from './controller.js';
import { Autoscaler } from './kind.js';

const MINUTE = 60_000;
const stack = { stack: 'shop' };
const file = (image: string, deploy = ''): string =>
  `services:\n  web:\n    image: ${image}\n${deploy === '' ? '' : `    deploy: ${deploy}\n`}`;

it('the file hands the number over, changes the rest, and takes the number back', async () => {
  let load = 100;
  const clusters: Cluster[] = [];
  const view = () => clusters[0]!.view();
  const source = computedMetric(view, (_, tasks) => load / tasks);
  const cluster = await createCluster({
    kinds: [Autoscaler],
    controllers: [autoscalerController(source)],
  });
  clusters.push(cluster);
  const managers = () => cluster.get(Service, 'shop_web')?.meta.managers ?? {};
  const replicas = () => cluster.tasks('shop_web').length;

  await cluster.apply(file('web:1', '{ replicas: 2 }'), stack);
  await cluster.declare([
    {
      kind: Autoscaler,
      name: 'web',
      spec: { service: 'shop_web', min: 1, max: 9, metric: 'load', target: 50 },
    },
  ]);
  await cluster.advance(MINUTE);
  // Both want two: nobody is in the way of the other yet.
  expect([replicas(), managers()['Autoscaler web']]).toEqual([2, ['mode.replicas']]);
  await cluster.apply(file('web:1'), stack);
  expect(managers()['stack shop']).not.toContain('mode.replicas');

  load = 300;
  await cluster.advance(MINUTE);
  expect(replicas()).toBe(6);
  await cluster.apply(file('web:2'), stack);
  await cluster.settle({ limitMs: 5 * MINUTE });
  expect(cluster.tasks('shop_web').map(({ spec }) => spec.template.container?.image)).toEqual(
    Array.from({ length: 6 }, () => expect.stringContaining('web:2')),
  );

  await expect(cluster.apply(file('web:2', '{ replicas: 4 }'), stack)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^stack\.yml:4:\d+: error: .*Autoscaler web has set it to 6/),
  });
  await cluster.removeObject({ kind: Autoscaler, reference: 'web' });
  await cluster.advance(MINUTE);
  expect(managers()['Autoscaler web']).toBeUndefined();
  await cluster.apply(file('web:2', '{ replicas: 4 }'), stack);
  await cluster.settle();
  expect([replicas(), managers()['stack shop']]).toEqual([
    4,
    expect.arrayContaining(['mode.replicas']),
  ]);
  await cluster.stop();
});
