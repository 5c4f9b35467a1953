/**
 * Histories that once broke a law of the cluster, each as short as it could be made.
 */
import { describe, expect, it } from '@jest/globals';
import type { NetworkSpec, ServiceSpec } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import { commitLog, runScript, strayPackets, type RunOptions, type Step } from '../src/cluster.js';
import type { ClusterScript, TestCluster, TestNode } from '../src/cluster.js';
import { differences, judge } from './judgement.js';

const MACHINES: readonly TestNode[] = [
  { name: 'node1', role: 'manager', labels: { zone: 'a' } },
  { name: 'node2', labels: { zone: 'b' } },
  { name: 'node3', labels: { zone: 'a' } },
  { name: 'node4', labels: { zone: 'b' } },
];
const NETWORKS: Readonly<Record<string, NetworkSpec>> = { back: {} };

function script(nodes: number, steps: readonly Step[]): ClusterScript {
  return { nodes, machines: MACHINES, networks: NETWORKS, steps };
}

function spec(replicas: number, port?: number, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    mode: { type: 'replicated', replicas },
    task: { container: { image: 'app:1' } },
    ...(port === undefined
      ? {}
      : { endpoint: { ports: [{ targetPort: 80, publishedPort: port }] } }),
    ...change,
  };
}

/** What differs from the cluster that the last manifests alone make. */
function remains(
  nodes: number,
  steps: readonly Step[],
  options: RunOptions = {},
): Promise<readonly string[]> {
  return judge(script(nodes, steps), options, differences);
}

describe('histories that broke a law', () => {
  it('a port that one service gives up and another takes is never owned by both', async () => {
    const steps: readonly Step[] = [
      { type: 'apply', service: 'web', spec: { ...spec(0, 8081), mode: { type: 'global' } } },
      { type: 'wait', ms: 1 },
      { type: 'apply', service: 'web', spec: { ...spec(0), mode: { type: 'global' } } },
      { type: 'apply', service: 'api', spec: spec(0, 8081) },
    ];
    expect(await remains(2, steps)).toEqual([]);
  });

  it('a port goes to another service only when no table routes it to the old one', async () => {
    const steps: readonly Step[] = [
      { type: 'apply', service: 'web', spec: spec(1, 8080) },
      { type: 'wait', ms: 930 },
      { type: 'apply', service: 'web', spec: spec(1, 9000) },
      { type: 'apply', service: 'api', spec: spec(1, 8080) },
      { type: 'wait', ms: 2 },
      { type: 'wait', ms: 500 },
    ];
    const strays: string[] = [];
    const look = (cluster: TestCluster): void => void strays.push(...strayPackets(cluster));
    expect(await remains(2, steps, { look })).toEqual([]);
    expect(strays).toEqual([]);
  });

  it('a port that was fixed and is dynamic now leaves its number to who was promised it', async () => {
    const dynamic = { endpoint: { ports: [{ targetPort: 80 }] } };
    const steps: readonly Step[] = [
      { type: 'apply', service: 'cache', spec: spec(1, 8081) },
      { type: 'wait', ms: 0 },
      { type: 'apply', service: 'cache', spec: spec(1) },
      { type: 'apply', service: 'web', spec: spec(1, 8081) },
      { type: 'apply', service: 'cache', spec: spec(1, undefined, dynamic) },
    ];
    expect(await remains(2, steps)).toEqual([]);
  });

  it('a task that is out of all tables long after its end gives its addresses back', async () => {
    const steps: readonly Step[] = [
      { type: 'apply', service: 'cache', spec: spec(1, 8080) },
      { type: 'wait', ms: 625 },
      // Not in contact, and not known to be: the tables wait for it.
      { type: 'lose', node: 'node3' },
      { type: 'crash', service: 'cache', index: 0, exitCode: 0 },
      { type: 'wait', ms: 7_400 },
    ];
    expect(await remains(4, steps, { seed: 896_854 })).toEqual([]);
  });

  it('an old task that has no node does not wait for ever beside its replacement', async () => {
    const steps: readonly Step[] = [
      { type: 'availability', node: 'node1', availability: 'drain' },
      { type: 'availability', node: 'node2', availability: 'drain' },
      { type: 'apply', service: 'vote', spec: spec(1, 8080) },
      { type: 'wait', ms: 0 },
      {
        type: 'apply',
        service: 'vote',
        spec: spec(1, 8080, {
          task: { container: { image: 'app:2' } },
          update: { order: 'start-first' },
        }),
      },
    ];
    expect(await remains(2, steps)).toEqual([]);
  });

  it('a node whose way to the manager is open again is waited for', async () => {
    const steps: readonly Step[] = [
      { type: 'disconnect', node: 'node1' },
      { type: 'apply', service: 'api', spec: spec(1, 8080) },
      { type: 'wait', ms: 15_131 },
    ];
    expect(await remains(2, steps)).toEqual([]);
  });

  it('a report that hangs on an old connection does not hold up the next one', async () => {
    const steps: readonly Step[] = [
      { type: 'apply', service: 'api', spec: spec(1) },
      { type: 'wait', ms: 102 },
      { type: 'disconnect', node: 'node1' },
      { type: 'wait', ms: 6 },
      { type: 'apply', service: 'api', spec: spec(0, 8080) },
    ];
    expect(await remains(2, steps)).toEqual([]);
  });

  it('services that wait for one node are woken in an order that no list decides', async () => {
    const networks = [{ target: 'back' }];
    const steps: readonly Step[] = [
      {
        type: 'apply',
        service: 'api',
        spec: spec(2, undefined, { task: { container: { image: 'app:1' }, networks } }),
      },
      {
        type: 'apply',
        service: 'cache',
        spec: spec(1, 8080, {
          task: {
            container: { image: 'app:1' },
            placement: { constraints: ['node.role == worker'] },
          },
        }),
      },
      { type: 'wait', ms: 745 },
      { type: 'lose', node: 'node2' },
      { type: 'wait', ms: 16_000 },
    ];
    const log = async (options: RunOptions): Promise<readonly string[]> => {
      const { cluster } = await runScript(script(2, steps), { seed: 875_613, ...options });
      const lines = await commitLog(cluster);
      await cluster.stop();
      return lines;
    };
    const natural = await log({});
    for (const seed of [1, 2, 3, 4, 5]) {
      expect(await log({ listOrder: seededRandom(seed) })).toEqual(natural);
    }
  });
});
