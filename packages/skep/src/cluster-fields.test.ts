/**
 * Field managers, custom kinds and selectors, seen from the façade.
 */
import { describe, expect, it } from '@jest/globals';
import { defineKind, isSkepError, Service, Task, withStatus } from '@skep/api';
import type { StandardSchema } from '@skep/api';
import { defineController, noChanges, update } from '@skep/controller';
import { planFields } from '@skep/orchestrator';
import { admitChanges } from './admission.js';
import type { Cluster } from './cluster.js';
import { createCluster } from './create-cluster.js';

const WEB = (image: string, deploy: string): string =>
  `services: { web: { image: "${image}", deploy: ${deploy} } }`;

async function refusal(body: Promise<unknown>): Promise<{ code: string; message: string }> {
  const thrown = await body.catch((error: unknown) => error);
  if (!isSkepError(thrown)) throw new Error('it was not refused');
  return { code: thrown.code, message: thrown.message };
}

const claimReplicas = (cluster: Cluster, count: number): Promise<unknown> =>
  admitChanges(cluster.store, (view) =>
    planFields(view, Service, {
      reference: 'shop_web',
      manager: 'autoscaler',
      spec: { mode: { replicas: count } },
      force: true,
    }),
  );

describe('a stack file and an autoscaler', () => {
  it('share a service: each keeps what it owns', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const stack = { stack: 'shop' };
    await cluster.apply(WEB('web:1', '{ replicas: 2 }'), stack);
    await claimReplicas(cluster, 4);
    const { code, message } = await refusal(cluster.apply(WEB('web:2', '{ replicas: 2 }'), stack));
    expect(code).toBe('conflict');
    expect(message).toMatch(/^stack\.yml:1:\d+: error: .*autoscaler has set it to 4/);
    // Without replicas the file leaves them to the autoscaler.
    await cluster.apply(WEB('web:2', '{}'), stack);
    const { spec, meta } = cluster.get(Service, 'shop_web')!;
    expect(spec.mode).toEqual({ type: 'replicated', replicas: 4 });
    expect(spec.task.container?.image).toContain('web:2');
    expect(meta.managers?.['autoscaler']).toEqual(['mode.replicas']);
    // By force they come back.
    await cluster.apply(WEB('web:2', '{ replicas: 1 }'), { ...stack, force: true });
    expect(cluster.get(Service, 'shop_web')?.spec.mode).toMatchObject({ replicas: 1 });
    await cluster.stop();
  });

  it('what people edit by hand is theirs', async () => {
    const cluster = await createCluster({ nodes: 1 });
    await cluster.apply(WEB('web:1', '{ replicas: 2 }'), { stack: 'shop' });
    await cluster.scale('shop_web', 3);
    const again = cluster.apply(WEB('web:1', '{ replicas: 2 }'), { stack: 'shop' });
    expect((await refusal(again)).message).toContain('user has set it to 3');
    await cluster.apply(WEB('web:1', '{ replicas: 3 }'), { stack: 'shop' });
    await cluster.stop();
  });

  it('of a file that is nobody’s stack, edits are the same manager’s', async () => {
    const cluster = await createCluster({ nodes: 1 });
    await cluster.apply(WEB('web:1', '{ replicas: 2 }'));
    await cluster.scale('web', 3);
    await cluster.apply(WEB('web:1', '{ replicas: 2 }'));
    expect(cluster.get(Service, 'web')?.spec.mode).toMatchObject({ replicas: 2 });
    await cluster.stop();
  });
});

it('an update is held until it is let go', async () => {
  const cluster = await createCluster({ nodes: 1 });
  await cluster.apply(WEB('web:1', '{ replicas: 2, update_config: { monitor: 1s } }'));
  await cluster.settle();
  await cluster.hold('web');
  await cluster.update('web', (spec) => ({
    ...spec,
    task: { ...spec.task, container: { ...spec.task.container, image: 'web:2' } },
  }));
  const images = (): readonly (string | undefined)[] =>
    cluster.tasks('web').map(({ spec }) => spec.template.container?.image);
  await cluster.settle();
  expect(images()).toEqual(['web:1', 'web:1']);
  expect(cluster.problems().map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'update-paused: update is held',
  ]);
  await cluster.resume('web');
  await cluster.settle();
  expect([images(), cluster.problems()]).toEqual([['web:2', 'web:2'], []]);
  await cluster.stop();
});

interface CounterSpec {
  readonly size: number;
}

const schema: StandardSchema<CounterSpec> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as CounterSpec).size === 'number'
        ? { value: value as CounterSpec }
        : { issues: [{ message: 'expected a number', path: ['size'] }] },
  },
};

const Counter = defineKind<CounterSpec, { readonly count: number }>({
  name: 'Counter',
  schema,
  initialStatus: { count: 0 },
});

describe('kinds and controllers given as options', () => {
  const counting = defineController({
    name: 'counting',
    for: Counter,
    plan: (view, key) => {
      const counter = view.get(Counter, key);
      if (counter === undefined || counter.status.count >= counter.spec.size) return noChanges;
      const count = counter.status.count + 1;
      return { changes: [update(withStatus(counter, { count }))] };
    },
  });
  const options = { nodes: 1, kinds: [Counter], controllers: [counting] };

  it('are there in files, for programs and at work', async () => {
    const cluster = await createCluster(options);
    await cluster.apply(`
apiVersion: skep/v1
kind: Counter
metadata: { name: a, labels: { tier: x } }
spec: { size: 3 }
`);
    await cluster.declare([{ kind: Counter, name: 'b', spec: { size: 2 } }]);
    await cluster.settle();
    expect(cluster.list(Counter).map(({ meta, status }) => [meta.name, status.count])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    await cluster.stop();
  });

  it('a program is judged by the schema, too', async () => {
    const cluster = await createCluster(options);
    const declared = cluster.declare([{ kind: Counter, name: 'a', spec: { size: 'big' } }]);
    expect(await refusal(declared)).toEqual({
      code: 'invalid-argument',
      message:
        'Counter a: spec.size: expected a number (write what the schema of the kind Counter takes)',
    });
    await cluster.stop();
  });

  it('who may write what of them is checked', async () => {
    const cluster = await createCluster({ ...options, ownership: { Counter: { count: ['x'] } } });
    await cluster.declare([{ kind: Counter, name: 'a', spec: { size: 1 } }]);
    await cluster.settle({ limitMs: 1 });
    expect(cluster.list(Counter)[0]?.status.count).toBe(0);
    expect(cluster.manager.controllers.pending()[0]?.lastError).toContain('belongs to x');
    await cluster.stop();
  });

  it('no two kinds have one name', async () => {
    const twice = createCluster({ kinds: [Counter, Counter] });
    expect((await refusal(twice)).message).toBe("there are two kinds with the name 'Counter'");
  });
});

describe('Cluster.list', () => {
  it('chooses by labels and fields', async () => {
    const cluster = await createCluster({ nodes: 2 });
    await cluster.apply(
      'services: { web: { image: a, deploy: { replicas: 2, labels: { tier: front } } }, db: { image: b } }',
    );
    await cluster.settle();
    const names = (labels: string, fields = ''): readonly string[] =>
      cluster.list(Service, { labels, fields }).map(({ meta }) => meta.name);
    expect(names('')).toEqual(['db', 'web']);
    expect(names('tier=front')).toEqual(['web']);
    expect(names('tier!=front')).toEqual(['db']);
    expect(names('!tier', 'metadata.name=db')).toEqual(['db']);
    const [task] = cluster.tasks('db');
    const nodeId = task?.status.nodeId ?? '';
    const there = cluster.list(Task, { fields: `status.nodeId=${nodeId},status.state=running` });
    expect(there.map(({ meta }) => meta.id)).toContain(task?.meta.id);
    const wrong = Promise.resolve().then(() => cluster.list(Service, { labels: 'a b' }));
    expect((await refusal(wrong)).message).toContain("there is 'b', where an operator");
    await cluster.stop();
  });
});

describe('what never comes to rest', () => {
  const busy = (
    plan: (now: number) => { readonly requeueAt: number } | 'write',
  ): ReturnType<typeof defineController> =>
    defineController({
      name: 'busy',
      for: Counter,
      plan: (view, key, now) => {
        const counter = view.get(Counter, key);
        if (counter === undefined) return noChanges;
        const next = plan(now);
        if (next !== 'write') return { changes: [], ...next };
        return { changes: [update(withStatus(counter, { count: counter.status.count + 1 }))] };
      },
    });

  it.each<[string, Parameters<typeof busy>[0], string]>([
    [
      'asks to be woken for ever',
      (now) => ({ requeueAt: now + 1_000 }),
      'requeue of busy (K had 11 passes) in 1.0 s',
    ],
    [
      'asks to be woken at once',
      (now) => ({ requeueAt: now }),
      'requeue of busy (K had 10001 passes) in 0.0 s',
    ],
    [
      'wakes itself with its own writes',
      () => 'write',
      'livelock: busy K had 5001 passes and no time passed',
    ],
  ])(
    'a controller that %s ends settle at its limit, named with its key',
    async (_, plan, line) => {
      const cluster = await createCluster({
        nodes: 1,
        kinds: [Counter],
        controllers: [busy(plan)],
      });
      const [result] = await cluster.declare([{ kind: Counter, name: 'a', spec: { size: 1 } }]);
      const { isSettled, waitingFor } = await cluster.settle({ limitMs: 10_000 });
      expect(isSettled).toBe(false);
      expect(waitingFor[0]?.replace(result?.id ?? '', 'K')).toBe(line);
      await cluster.stop();
    },
    20_000,
  );
});

it('two that settle at the same time wait for each other', async () => {
  const cluster = await createCluster({ nodes: 1 });
  await cluster.apply(WEB('web:1', '{ replicas: 2 }'));
  const [first, second] = await Promise.all([
    cluster.settle(),
    cluster.settle(),
    cluster.advance(5),
  ]);
  expect([first.isSettled, second]).toEqual([
    true,
    { isSettled: true, elapsedMs: 0, waitingFor: [] },
  ]);
  await cluster.stop();
});

it('apply gives back what the files warn of', async () => {
  const cluster = await createCluster({ nodes: 1 });
  const text = 'services: { web: { image: "web:1", depends_on: { db: {} } }, db: { image: b } }';
  const { results, warnings } = await cluster.apply(text);
  expect(results).toHaveLength(3);
  expect(warnings.map(({ severity, code }) => `${severity} ${code}`)).toContain(
    'warning ignored-option',
  );
  await cluster.stop();
});

describe('problems', () => {
  it('tell of restarts that are used up', async () => {
    const cluster = await createCluster({
      nodes: 1,
      behaviour: { web: { exit: { afterMs: 10, exitCode: 3 } } },
    });
    await cluster.apply(
      WEB('web:1', '{ restart_policy: { condition: on-failure, max_attempts: 2, delay: 1s } }'),
    );
    await cluster.settle();
    expect(cluster.problems().map(({ code, message }) => `${code}: ${message}`)).toContainEqual(
      'restarts-exhausted: 1 slot is given up: 2 restarts were allowed',
    );
    await cluster.stop();
  });

  it('tell of a service that waits for a node that is down to be removed', async () => {
    const cluster = await createCluster({ nodes: 2 });
    await cluster.apply(WEB('web:1', '{ replicas: 2 }'));
    await cluster.settle();
    cluster.lose('node2');
    await cluster.settle();
    await cluster.remove('web');
    await cluster.settle({ limitMs: 60_000 });
    expect(
      cluster.problems().map(({ name, code, message }) => `${name} ${code}: ${message}`),
    ).toEqual([
      'node2 node-down: node is down: heartbeat failure',
      'web removal-blocked: it cannot be removed: 1 task on node node2, which is down; remove the node, or wait',
    ]);
    await cluster.removeNode('node2');
    await cluster.settle();
    expect(cluster.problems()).toEqual([]);
    await cluster.stop();
  });
});
