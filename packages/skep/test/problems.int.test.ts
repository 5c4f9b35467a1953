import { describe, expect, it } from '@jest/globals';
import { createCluster, type Cluster } from 'skep';

const BEHAVIOUR = {
  crashes: { exit: { afterMs: 1_000, exitCode: 1 } },
  finishes: { exit: { afterMs: 1_000, exitCode: 0 } },
};

async function settled(deploy: string, image: keyof typeof BEHAVIOUR): Promise<Cluster> {
  const cluster = await createCluster({ nodes: 2, behaviour: BEHAVIOUR });
  await cluster.apply(`services: { web: { image: "${image}:1", deploy: { ${deploy} } } }`);
  await cluster.settle();
  return cluster;
}

async function codesOf(cluster: Cluster): Promise<readonly string[]> {
  const codes = cluster.problems().map(({ kind, code }) => `${kind} ${code}`);
  await cluster.stop();
  return codes;
}

const retried = 'restart_policy: { condition: on-failure, delay: 1s, max_attempts: 1 }';

describe('problemsOf', () => {
  it.each([
    [
      `replicas: 2, ${retried}`,
      'crashes',
      ['Service replicas-missing', 'Service restarts-exhausted'],
    ],
    [`replicas: 2, ${retried}`, 'finishes', []],
    [`mode: global, ${retried}`, 'crashes', ['Service restarts-exhausted', 'Service tasks-failed']],
    [`mode: global, ${retried}`, 'finishes', []],
    [`mode: replicated-job, ${retried}`, 'crashes', ['Service job-failed']],
    [`mode: replicated-job, ${retried}`, 'finishes', []],
    [
      'restart_policy: { max_attempts: 1 }',
      'finishes',
      ['Service replicas-missing', 'Service restarts-exhausted'],
    ],
  ] as const)('of { %s } that %s: %j', async (deploy, image, codes) => {
    expect(await codesOf(await settled(deploy, image))).toEqual(codes);
  });

  it('does not hold an earlier failure against a job that was tried again', async () => {
    let tries = 0;
    const behaviour = () => ({ exit: { afterMs: 1_000, exitCode: (tries += 1) === 1 ? 1 : 0 } });
    const cluster = await createCluster({ nodes: 1, behaviour });
    await cluster.apply(
      `services: { web: { image: web, deploy: { mode: replicated-job, ${retried} } } }`,
    );
    await cluster.settle();
    expect(tries).toBe(2);
    expect(await codesOf(cluster)).toEqual([]);
  });

  it('does not expect a global service on a node that drains', async () => {
    const cluster = await settled(`mode: global, ${retried}`, 'crashes');
    for (const node of ['node1', 'node2']) await cluster.drain(node);
    await cluster.settle();
    expect(await codesOf(cluster)).toEqual([]);
  });

  it('names a node that is down', async () => {
    const cluster = await createCluster({ nodes: 2 });
    cluster.lose('node2');
    await cluster.settle();
    expect(await codesOf(cluster)).toEqual(['Node node-down']);
  });
});
