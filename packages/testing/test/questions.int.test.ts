/**
 * What a manager asks its nodes, and what they tell it unasked: through dispatcher, link and agent.
 */
import { describe, expect, it } from '@jest/globals';
import { Event, Node, Service, type NodeAnswer, type NodeQuestion } from '@skep/api';
import { startTestCluster, type TestCluster } from '../src/cluster.js';

/** Two nodes with four tasks that say hello. */
async function clusterOfFour(): Promise<TestCluster> {
  const cluster = await startTestCluster({
    behaviour: () => ({
      prints: [
        { afterMs: 10, text: 'hello' },
        { afterMs: 20, text: 'trouble', stream: 'stderr' },
      ],
    }),
  });
  await cluster.apply({
    kind: Service,
    name: 'web',
    spec: {
      mode: { type: 'replicated', replicas: 4 },
      task: { container: { image: 'web:1' } },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    },
  });
  await cluster.settle();
  return cluster;
}

function placeOf(cluster: TestCluster): { readonly nodeId: string; readonly taskIds: string[] } {
  const nodeId = cluster.tasks('web')[0]?.status.nodeId ?? '';
  const own = cluster.tasks('web').filter(({ status }) => status.nodeId === nodeId);
  return { nodeId, taskIds: own.map(({ meta }) => meta.id) };
}

/** Reads in the background, so that the test can let time pass; `texts` grows. */
function reading(
  cluster: TestCluster,
  question: NodeQuestion,
  signal?: AbortSignal,
): { readonly answers: NodeAnswer[]; readonly texts: string[]; readonly end: Promise<string> } {
  const { nodeId } = placeOf(cluster);
  const answers: NodeAnswer[] = [];
  const texts: string[] = [];
  const read = async (): Promise<string> => {
    for await (const one of cluster.manager.ask(nodeId, question, signal)) {
      answers.push(one);
      if (one.type === 'line') texts.push(`${one.stream} ${one.text}`);
    }
    return 'all said';
  };
  return { answers, texts, end: read().catch((thrown: { code: string }) => thrown.code) };
}

describe('questions', () => {
  it('bring what tasks printed, and what they print while they are followed', async () => {
    const cluster = await clusterOfFour();
    const { nodeId, taskIds } = placeOf(cluster);
    const first = taskIds[0] ?? '';
    const now = reading(cluster, { type: 'logs', taskIds, streams: ['stderr'] });
    const follow = { type: 'logs', taskIds: [first, 'nobody'], tail: 1, follow: true } as const;
    const later = reading(cluster, follow);
    await cluster.advance(1_000);
    expect([now.texts, await now.end]).toEqual([taskIds.map(() => 'stderr trouble'), 'all said']);
    cluster.simulator.host(nodeId).runtime.container(first)?.print('one\ntwo');
    await cluster.advance(1_000);
    expect(later.texts).toEqual(['stderr trouble', 'stdout one', 'stdout two']);
    expect(later.answers).toContainEqual(
      expect.objectContaining({ type: 'fault', taskId: 'nobody', code: 'not-found' }),
    );
    cluster.crash(first);
    await cluster.advance(1_000);
    expect(await later.end).toBe('all said');
    await cluster.stop();
  });

  it('bring what the tables of a node are computed from', async () => {
    const cluster = await clusterOfFour();
    const { taskIds } = placeOf(cluster);
    const asked = reading(cluster, { type: 'tables' });
    await cluster.advance(100);
    expect(await asked.end).toBe('all said');
    const [answer] = asked.answers;
    if (answer?.type !== 'tables') throw new Error('no tables');
    expect(answer.appliedRevision).toBe(answer.assignment.revision);
    const kinds = answer.assignment.upserts.map(({ kind }) => kind);
    expect([...new Set(kinds)]).toEqual(['node', 'network', 'peer', 'service', 'slice', 'task']);
    const slices = answer.assignment.upserts.flatMap((item) =>
      item.kind === 'slice' ? item.value.backends : [],
    );
    expect(slices).toHaveLength(4);
    expect(kinds.filter((kind) => kind === 'task')).toHaveLength(taskIds.length);
    await cluster.stop();
  });

  it('end when the asker gives up, or the node is cut off', async () => {
    const cluster = await clusterOfFour();
    const { nodeId, taskIds } = placeOf(cluster);
    const abort = new AbortController();
    const follow = { type: 'logs', taskIds, follow: true } as const;
    const given = reading(cluster, follow, abort.signal);
    const cut = reading(cluster, follow);
    await cluster.advance(1_000);
    abort.abort();
    expect(await given.end).toBe('aborted');
    cluster.simulator.host(nodeId).disconnect();
    await cluster.advance(30_000);
    expect(await cut.end).toBe('unavailable');
    const gone = reading(cluster, { type: 'tables' });
    expect(await gone.end).toBe('unavailable');
    cluster.simulator.host(nodeId).reconnect();
    await cluster.settle();
    const back = reading(cluster, { type: 'tables' });
    await cluster.advance(1_000);
    expect(await back.end).toBe('all said');
    await cluster.stop();
  });

  it('are not answered by a manager that is gone', async () => {
    const cluster = await clusterOfFour();
    const { taskIds } = placeOf(cluster);
    const follow = reading(cluster, { type: 'logs', taskIds, follow: true });
    await cluster.advance(1_000);
    cluster.crashManager();
    expect(await follow.end).toBe('unavailable');
    await cluster.startManager();
    await cluster.settle();
    const back = reading(cluster, { type: 'tables' });
    await cluster.advance(1_000);
    expect(await back.end).toBe('all said');
    await cluster.stop();
  });
});

describe('notices', () => {
  const eventsOf = (cluster: TestCluster): readonly string[] =>
    cluster
      .view()
      .list(Event)
      .filter(({ spec }) => spec.regarding.kind === Node.name)
      .map(({ spec }) => `${spec.regarding.name} ${spec.reason}: ${spec.message} (${spec.count})`);

  it('become events of the node: drift that was repaired, and a new agent', async () => {
    const cluster = await clusterOfFour();
    expect(eventsOf(cluster)).toEqual([]);
    const host = cluster.simulator.host('node1');
    let repairs = 0;
    host.dataplane.repair = async () => ((repairs += 1) <= 2 ? ['vxlan0 is down'] : []);
    await cluster.advance(120_000);
    expect(eventsOf(cluster)).toEqual([
      'node1 TablesRepaired: 1 difference put right: vxlan0 is down (2)',
    ]);
    const stopping = host.stopAgent();
    await cluster.advance(3_000);
    await stopping;
    await host.start();
    await cluster.advance(10_000);
    expect(eventsOf(cluster)).toHaveLength(2);
    expect(eventsOf(cluster).at(-1)).toMatch(
      /^node1 TasksAdopted: the agent started and goes on with 2 tasks: web\.\d/,
    );
    await cluster.stop();
  });
});
