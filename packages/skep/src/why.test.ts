import { describe, expect, it } from '@jest/globals';
import { Node, Service, Task } from '@skep/api';
import { renderWhy, type WhyStep } from '@skep/controller';
import { createCluster } from './create-cluster.js';

const WEB = 'services: { web: { image: "web:1", deploy: { replicas: 2 } } }';

function outline(steps: readonly WhyStep[]): readonly string[] {
  return steps.map(({ actor, change, object }) => `${actor} ${change} ${object.kind}`);
}

describe('cluster.why', () => {
  it('leads from a task to the one who scaled its service', async () => {
    const cluster = await createCluster({ trace: true });
    await cluster.apply(WEB);
    await cluster.settle();
    await cluster.scale('web', 3);
    await cluster.settle();
    expect(outline(cluster.why(Task, 'web.3', { change: 'created' }))).toEqual([
      'user updated Service',
      'orchestrator created Task',
    ]);
    const text = renderWhy(cluster.why(Task, 'web.3'));
    expect(text).toContain('spec.mode.replicas 2 → 3');
    expect(text).toContain('scale-up: created Task web.3.');
    expect(text).toContain('place: updated Task web.3.');
    expect(outline(cluster.why(Service, 'web', { field: 'spec' }))).toEqual([
      'user updated Service',
    ]);
    expect(cluster.why(Node, 'node1').at(-1)?.object.name).toBe('node1');
    await cluster.stop();
  });

  it('knows what is deleted by its id, and says what it does not know', async () => {
    const cluster = await createCluster({ trace: { commitsMax: 1000 } });
    await cluster.apply(WEB);
    await cluster.settle();
    const id = cluster.tasks('web')[0]?.meta.id ?? '';
    await cluster.remove('web');
    await cluster.settle();
    expect(outline(cluster.why(Task, id)).at(-1)).toBe('reaper deleted Task');
    expect(() => cluster.why(Task, 'nobody')).toThrow(/nobody/);
    expect(cluster.why(Node, 'nobody')).toEqual([]);
    await cluster.stop();
  });

  it('refuses when nothing remembers', async () => {
    const cluster = await createCluster();
    expect(() => cluster.why(Node, 'node1')).toThrow(/option trace/);
    await cluster.stop();
  });
});
