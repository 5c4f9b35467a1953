/**
 * "Why did this object change?", asked in a whole cluster.
 */
import { describe, expect, it } from '@jest/globals';
import { Network, Node, Service, Task } from '@skep/api';
import { ReconcileTrace, renderWhy, type WhyStep } from '@skep/controller';
import { startTestCluster, type TestCluster } from '../src/cluster.js';

async function withWeb(trace: ReconcileTrace): Promise<TestCluster> {
  const cluster = await startTestCluster({ watching: { trace } });
  await cluster.apply(
    { kind: Network, name: 'back', spec: { driver: { name: 'overlay' } } },
    {
      kind: Service,
      name: 'web',
      spec: {
        mode: { type: 'replicated', replicas: 2 },
        networks: [{ target: 'back' }],
        task: { container: { image: 'app:1' } },
      },
    },
  );
  await cluster.settle();
  return cluster;
}

/** `actor rule change Kind`, the cause first. */
function outline(steps: readonly WhyStep[]): readonly string[] {
  return steps.map(({ actor, rule, change, object }) =>
    [actor, rule, change, object.kind].filter((word) => word !== undefined).join(' '),
  );
}

function taskRef(task: Task | undefined): { kind: string; id: string } {
  if (task === undefined) throw new Error('no such task');
  return { kind: Task.name, id: task.meta.id };
}

describe('why', () => {
  it('leads from a running task back to the user who scaled its service', async () => {
    const trace = new ReconcileTrace();
    const cluster = await withWeb(trace);
    await cluster.scale('web', 3);
    await cluster.settle();
    const task = cluster.tasks('web').find(({ spec }) => spec.slot === 3);
    const steps = trace.why(taskRef(task));
    expect(outline(steps)).toEqual([
      'user updated Service',
      'orchestrator scale-up created Task',
      'allocator allocate updated Task',
      'scheduler place updated Task',
      'dispatcher updated Task',
      'dispatcher updated Task',
    ]);
    expect(steps[0]).toMatchObject({
      end: 'origin',
      object: { name: 'web' },
      fields: [{ path: 'spec.mode.replicas', from: 2, to: 3 }],
    });
    const revisions = steps.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    const [, created, allocated, placed] = steps;
    expect(created?.wokenBy).toMatchObject([
      { type: 'updated', revision: steps[0]?.revision, object: { kind: 'Service', name: 'web' } },
    ]);
    expect(created?.viewRevision).toBeGreaterThanOrEqual(steps[0]?.revision ?? Infinity);
    expect(allocated?.wokenBy.at(-1)?.revision).toBe(created?.revision);
    expect(placed?.wokenBy.at(-1)?.revision).toBe(allocated?.revision);
    expect(placed?.fields.map(({ path }) => path)).toContain('status.nodeId');
    const text = renderWhy(steps);
    expect(text).toMatch(/^r\d+ +user +updated Service web\n +spec\.mode\.replicas 2 → 3\n/);
    expect(text).toMatch(/r\d+ +orchestrator +scale-up: created Task web\.3\.\w+\n/);
    expect(text).toMatch(
      /decided on view r\d+ for Service web; woken by Service web updated \(r\d+\)/,
    );
    expect(JSON.parse(JSON.stringify(steps))).toEqual(steps);
    await cluster.stop();
  });

  it('tells a restart from what failed, and a move from the node that was drained', async () => {
    const trace = new ReconcileTrace();
    const cluster = await withWeb(trace);
    const [first] = cluster.tasks('web');
    cluster.crash(first?.meta.id ?? '');
    await cluster.settle();
    const next = cluster.tasks('web').find(({ spec }) => spec.replaces === first?.meta.id);
    const steps = trace.why(taskRef(next));
    const restart = steps.findIndex(({ rule }) => rule === 'restart');
    expect(steps[restart]).toMatchObject({ change: 'created', object: { id: next?.meta.id } });
    expect(steps[restart - 1]).toMatchObject({
      actor: 'dispatcher',
      object: { id: first?.meta.id },
      fields: expect.arrayContaining([{ path: 'status.state', from: 'running', to: 'failed' }]),
    });
    // Before the failure the story is that of the task that failed, back to the user.
    expect(outline(steps)[0]).toBe('user created Service');

    const node = cluster.view().get(Node, next?.status.nodeId ?? '');
    await cluster.setAvailability(node?.meta.name ?? '', 'drain');
    await cluster.settle();
    const moved = cluster.tasks('web').find(({ spec }) => spec.replaces === next?.meta.id);
    expect(outline(trace.why(taskRef(moved)).slice(0, 2))).toEqual([
      'user updated Node',
      'orchestrator follow-nodes created Task',
    ]);
    await cluster.stop();
  });

  it('tells why a task is to end: fewer replicas, another image, no service any more', async () => {
    const trace = new ReconcileTrace();
    const cluster = await withWeb(trace);
    const [one, two] = cluster.tasks('web');
    const ending = (task: Task | undefined): readonly string[] =>
      outline(trace.why(taskRef(task), { field: 'spec.desiredState' }));
    await cluster.scale('web', 1);
    await cluster.settle();
    const gone = cluster.tasks('web')[0]?.meta.id === one?.meta.id ? two : one;
    const kept = gone === one ? two : one;
    expect(ending(gone)).toEqual(['user updated Service', 'orchestrator scale-down updated Task']);
    await cluster.forceUpdate('web');
    await cluster.settle();
    expect(ending(kept)).toEqual(['user updated Service', 'orchestrator update updated Task']);
    const last = cluster.tasks('web')[0];
    await cluster.remove(Service, 'web');
    await cluster.settle();
    expect(ending(last)).toEqual([
      'user updated Service',
      'orchestrator remove-service updated Task',
    ]);
    expect(outline(trace.why(taskRef(last))).at(-1)).toBe('reaper reap deleted Task');
    await cluster.stop();
  });

  it('goes on over a manager that takes over', async () => {
    const trace = new ReconcileTrace();
    const cluster = await withWeb(trace);
    cluster.crashManager();
    await cluster.startManager();
    await cluster.scale('web', 3);
    await cluster.settle();
    const task = cluster.tasks('web').find(({ spec }) => spec.slot === 3);
    expect(outline(trace.why(taskRef(task), { change: 'created' }))).toEqual([
      'user updated Service',
      'orchestrator scale-up created Task',
    ]);
    await cluster.stop();
  });
});
