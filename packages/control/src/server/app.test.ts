import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Event, Node, Secret, Service, Task } from '@skep/api';
import { codeOf, rig, running, type Rig } from '../__fixtures__/rig.js';

/** The status and body of an answer. */
async function ask(
  { app }: Rig,
  path: string,
  init: RequestInit = {},
): Promise<readonly [number, Record<string, unknown>]> {
  const response = await app.request(path, init);
  return [response.status, (await response.json()) as Record<string, unknown>];
}

const post = (body: unknown, method = 'POST'): RequestInit => {
  return { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
};

describe('looking', () => {
  let at: Rig;
  beforeAll(async () => {
    at = await running({ trace: true, text: () => 'skep_commits_total 7\n' });
  });
  afterAll(() => at.stop());

  it('says what it is', async () => {
    const info = await at.client.info();
    expect(info).toMatchObject({
      version: 'v1',
      revision: at.cluster.view().revision,
      nodes: { total: 2, ready: 2 },
      hasTrace: true,
      settings: { dataplane: 'ipvs', heartbeatPeriodMs: 5_000 },
    });
    expect(info.kinds).toContainEqual({
      name: 'Service',
      plural: 'services',
      hasUniqueName: true,
      isDeclarable: true,
    });
    const kept = info.kinds.filter(({ isDeclarable }) => !isDeclarable).map(({ name }) => name);
    expect(kept).toEqual(['Task', 'EndpointSlice', 'Lease', 'Event']);
  });

  it('lists objects of a kind, of several, of all, at one revision', async () => {
    const { client, cluster } = at;
    const nodes = await client.list(Node);
    expect(nodes.revision).toBe(cluster.view().revision);
    expect(nodes.objects).toEqual(cluster.list(Node));
    const some = await client.listAll([Service, 'Node']);
    expect(some.objects.map(({ kind, meta }) => `${kind} ${meta.name}`)).toEqual([
      'Service web',
      'Node node1',
      'Node node2',
    ]);
    const kinds = new Set((await client.listAll([])).objects.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['Cluster', 'Node', 'Service', 'Task']));
  });

  it('lists what selectors choose', async () => {
    const { client } = at;
    const on = await client.list(Task, { fields: 'status.nodeId=id-node1' });
    expect(on.objects).toHaveLength(1);
    const none = await client.list('Service', { labels: 'app=nothing' });
    expect(none.objects).toEqual([]);
    expect(await codeOf(() => client.list(Task, { labels: 'a in (' }))).toBe('invalid-argument');
  });

  it('lists more than fits into one piece', async () => {
    const declared = Array.from({ length: 450 }, (_, index) => {
      return { kind: 'Config', name: `c${index}`, spec: { data: 'AA==' } };
    });
    await at.client.declare(declared);
    const { objects } = await at.client.list('Config');
    expect(new Set(objects.map(({ meta }) => meta.name)).size).toBe(450);
  });

  it('gets one object, by name, id, and for tasks by slot', async () => {
    const { client, cluster } = at;
    const web = await client.get(Service, 'WEB');
    expect(web).toEqual(cluster.get(Service, 'web'));
    expect((await client.get('Service', web.meta.id)).meta.name).toBe('web');
    expect((await client.get(Task, 'web.2')).spec.slot).toBe(2);
    expect(await codeOf(() => client.get(Service, 'nothing'))).toBe('not-found');
    expect(await codeOf(() => client.get(Node, 'nothing'))).toBe('not-found');
    expect(await codeOf(() => client.get('Lamp', 'nothing'))).toBe('invalid-argument');
  });

  it('tells nobody what a secret is', async () => {
    await at.client.declare([{ kind: 'Secret', name: 'key', spec: { data: 'c2VjcmV0' } }]);
    expect(at.cluster.get(Secret, 'key')?.spec.data).toBe('c2VjcmV0');
    expect((await at.client.get(Secret, 'key')).spec).toEqual({});
    expect((await at.client.list(Secret)).objects[0]?.spec).toEqual({});
  });

  it('explains, and says why, and what is wrong', async () => {
    const { client, cluster } = at;
    expect(await client.explain('web.1')).toEqual(cluster.explain('web.1'));
    expect(await codeOf(() => client.explain('nothing'))).toBe('not-found');
    const steps = await client.why(Task, 'web.1', { change: 'created', stepsMax: 10 });
    expect(steps).toEqual(cluster.why(Task, 'web.1', { change: 'created', stepsMax: 10 }));
    expect(steps.length).toBeGreaterThan(0);
    expect(await client.why('Service', 'web', { field: 'spec', revision: 1 })).toEqual([]);
    expect(await client.problems()).toEqual(cluster.problems());
  });

  it('gives tables of a node, and metrics', async () => {
    const tables = await at.client.tables('node1');
    expect(tables).toMatchObject({ nodeId: 'id-node1', nodeName: 'node1' });
    expect(tables.assignment.upserts.some(({ kind }) => kind === 'task')).toBe(true);
    expect(await codeOf(() => at.client.tables('nothing'))).toBe('not-found');
    expect(await at.client.metrics()).toBe('skep_commits_total 7\n');
  });

  it.each([
    ['GET', '/', 404, 'not-found'],
    ['GET', '/v2/info', 404, 'not-found'],
    ['GET', '/v1/nothing', 404, 'not-found'],
    ['POST', '/v1/info', 404, 'not-found'],
    ['GET', '/v1/info?colour=red', 400, 'invalid-argument'],
    ['GET', '/v1/objects?kinds=Lamp', 400, 'invalid-argument'],
    ['GET', '/v1/objects?labels=a&labels=b', 400, 'invalid-argument'],
    ['GET', '/v1/objects/Service/%ff', 404, 'not-found'],
    ['GET', '/v1/why/Task/web.1?change=painted', 400, 'invalid-argument'],
    ['GET', '/v1/why/Task/web.1?stepsMax=-1', 400, 'invalid-argument'],
    ['GET', '/v1/watch?from=soon', 400, 'invalid-argument'],
    ['GET', '/v1/watch?kinds=Lamp', 400, 'invalid-argument'],
    ['GET', '/v1/watch?previous=perhaps', 400, 'invalid-argument'],
    ['GET', '/v1/watch?from=99999999', 410, 'resync-required'],
    ['GET', '/v1/logs', 400, 'invalid-argument'],
    ['GET', '/v1/logs?services=nothing', 404, 'not-found'],
    ['GET', '/v1/logs?services=web&streams=stdin', 400, 'invalid-argument'],
    ['GET', '/v1/logs?services=web&streams=', 400, 'invalid-argument'],
    ['GET', '/v1/logs?services=web&tail=few', 400, 'invalid-argument'],
  ])('%s %s: %i %s', async (method, path, status, code) => {
    const [got, body] = await ask(at, path, { method });
    expect([got, body['code']]).toEqual([status, code]);
    expect(body['message']).not.toBe('');
  });
});

describe('what a manager does not have', () => {
  it('is said: a trace, metrics', async () => {
    const at = await rig({ nodes: 1 });
    expect(await codeOf(() => at.client.why(Node, 'node1'))).toBe('failed-precondition');
    expect(await codeOf(() => at.client.metrics())).toBe('unimplemented');
    await at.stop();
  });

  it('is said: a node that is away, or says nothing', async () => {
    const at = await rig({ nodes: 1 });
    at.node('node1').answer = async function* (_, signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      yield* [];
    };
    const silent = codeOf(() => at.client.tables('node1'));
    await at.clock.advance(11_000);
    expect(await silent).toBe('deadline-exceeded');
    await at.node('node1').leave();
    await at.clock.advance(1_000);
    expect(await codeOf(() => at.client.tables('node1'))).toBe('unavailable');
    await at.stop();
  });
});

describe('changing', () => {
  let at: Rig;
  beforeAll(async () => {
    at = await running();
  });
  afterAll(() => at.stop());
  const web = (): Service => at.cluster.get(Service, 'web')!;

  it('declares, all or nothing, and says what became of it', async () => {
    const spec = { task: { container: { image: 'db:1' } } };
    const db = { kind: 'Service', name: 'db', labels: { tier: 'data' }, spec };
    const { revision, results } = await at.client.declare([db]);
    expect(revision).toBe(at.cluster.view().revision);
    expect(results).toMatchObject([{ action: 'create', kind: 'Service', name: 'db' }]);
    expect((await at.client.declare([db])).results).toMatchObject([{ action: 'unchanged' }]);
    const bad = [
      { ...db, name: 'other' },
      { ...db, spec: { task: { container: { image: 7 } } } },
    ];
    const refused = await at.client.declare(bad).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'invalid-argument' });
    expect((refused as { details: { complaints: unknown } }).details.complaints).toMatchObject([
      { kind: 'Service', name: 'db', field: 'spec.task.container.image' },
    ]);
    expect(at.cluster.get(Service, 'other')).toBeUndefined();
  });

  it('keeps fields with whom declared them, unless forced', async () => {
    const spec = (image: string): unknown => ({ task: { container: { image } } });
    const of = (image: string): { kind: string; name: string; spec: unknown } => {
      return { kind: 'Service', name: 'owned', spec: spec(image) };
    };
    await at.client.declare([of('a:1')], { manager: 'stack one' });
    const two = { manager: 'stack two' };
    expect(await codeOf(() => at.client.declare([of('b:1')], two))).toBe('conflict');
    await at.client.declare([of('b:1')], { ...two, force: true });
    expect(at.cluster.get(Service, 'owned')?.spec.task.container?.image).toBe('b:1');
  });

  it('puts its complaints to places in files', async () => {
    const files = [
      { path: 'a.yml', text: 'services:\n  x:\n    image: "x"\n    ports: ["80:80"]\n' },
      { path: 'b.yml', text: 'services:\n  y:\n    image: "y"\n    ports: ["80:80"]\n' },
    ];
    const loaded = at.cluster.load(files).objects;
    const local = await at.cluster.declareLoaded(loaded).catch((thrown: unknown) => thrown);
    const remote = await at.client.declareLoaded(loaded).catch((thrown: unknown) => thrown);
    expect(remote).toMatchObject({ code: (local as { code: string }).code });
    expect(String(remote)).toBe(String(local));
    expect(String(remote)).toContain('b.yml:');
    const [fine] = loaded.filter(({ name }) => name === 'x');
    expect((await at.client.declareLoaded([fine!])).results).toHaveLength(1);
  });

  it('scales, updates, holds, resumes, forces and rolls back', async () => {
    const { client } = at;
    const scaled = await client.scale('web', 3);
    expect(scaled.results).toMatchObject([{ action: 'update', kind: 'Service', name: 'web' }]);
    expect((await client.scale('web', 3)).results[0]?.action).toBe('unchanged');
    await client.update('web', {
      spec: { task: { container: { image: 'web:2' } }, update: { parallelism: 1 } },
      labels: { tier: 'front' },
    });
    expect(web().spec.task.container?.image).toBe('web:2');
    expect(web().spec.mode).toEqual({ type: 'replicated', replicas: 3 });
    expect(web().meta.labels).toMatchObject({ tier: 'front' });
    await client.update('web', { spec: { update: null }, labels: { tier: null } });
    expect([web().spec.update, web().meta.labels['tier']]).toEqual([undefined, undefined]);
    await client.hold('web');
    expect(web().spec.update?.isHeld).toBe(true);
    await client.resume('web');
    expect(web().spec.update).toBeUndefined();
    await client.forceUpdate('web');
    expect(web().spec.task.forceUpdate).toBe(1);
    const generation = web().meta.generation;
    await client.rollback('web');
    expect(web().spec.task.forceUpdate ?? 0).toBe(0);
    await client.rollback('web', { toSpecVersion: generation });
    expect(web().spec.task.forceUpdate).toBe(1);
    await at.clock.advance(30_000);
  });

  it('changes objects of other kinds, and nodes', async () => {
    const { client, cluster } = at;
    await client.declare([{ kind: 'Config', name: 'conf', spec: { data: 'AA==' } }]);
    await client.patch('Config', 'conf', { labels: { app: 'web' } });
    expect((await client.get('Config', 'conf')).meta.labels).toEqual({ app: 'web' });
    await client.patch('Cluster', 'default', { spec: { taskHistoryLimit: 2 } });
    expect((await client.info()).settings.taskHistoryLimit).toBe(2);
    await client.updateNode('node1', { availability: 'pause', labels: { disk: 'ssd' } });
    const node = cluster.get(Node, 'node1')!;
    expect([node.spec.availability, node.meta.labels]).toEqual(['pause', { disk: 'ssd' }]);
    await client.updateNode('node1', { availability: 'active', labels: { disk: null } });
    expect(cluster.get(Node, 'node1')?.meta.labels).toEqual({});
  });

  it('removes objects, stacks, nodes', async () => {
    const { client, cluster } = at;
    const labels = { 'com.docker.stack.namespace': 'shop' };
    const spec = { task: { container: { image: 'a:1' } } };
    await client.declare([{ kind: 'Service', name: 'shop_a', labels, spec }]);
    await client.remove([{ stack: 'shop' }, { kind: 'Config', reference: 'conf' }]);
    await at.clock.advance(10_000);
    expect(cluster.get(Service, 'shop_a')).toBeUndefined();
    expect(await codeOf(() => client.remove([{ stack: 'shop' }]))).toBe('not-found');
    expect(await codeOf(() => client.removeNode('node2'))).toBe('failed-precondition');
    const { results } = await client.removeNode('node2', { force: true });
    expect(results).toMatchObject([{ action: 'delete', kind: 'Node', name: 'node2' }]);
    expect(await codeOf(() => client.removeNode('node2'))).toBe('not-found');
  });

  it.each<[string, string, RequestInit, number, string]>([
    ['no JSON', '/v1/declare', post('{'), 400, 'invalid-argument'],
    ['a list', '/v1/declare', post([]), 400, 'invalid-argument'],
    ['nothing', '/v1/declare', post(''), 400, 'invalid-argument'],
    ['another field', '/v1/declare', post({ objects: [], colour: 1 }), 400, 'invalid-argument'],
    ['no object', '/v1/declare', post({ objects: [7] }), 400, 'invalid-argument'],
    ['no name', '/v1/declare', post({ objects: [{ kind: 'Node' }] }), 400, 'invalid-argument'],
    [
      'a kind of the cluster itself',
      '/v1/declare',
      post({ objects: [{ kind: 'Task', name: 't', spec: {} }] }),
      400,
      'invalid-argument',
    ],
    [
      'labels that are no texts',
      '/v1/declare',
      post({ objects: [{ kind: 'Node', name: 'n', labels: { a: 1 }, spec: {} }] }),
      400,
      'invalid-argument',
    ],
    ['force as text', '/v1/declare', post({ objects: [], force: 'yes' }), 400, 'invalid-argument'],
    ['half', '/v1/services/web/scale', post({ replicas: 1.5 }), 400, 'invalid-argument'],
    ['none', '/v1/services/web/scale', post({}), 400, 'invalid-argument'],
    ['a query', '/v1/services/web/scale?now', post({ replicas: 1 }), 400, 'invalid-argument'],
    ['nobody', '/v1/services/nobody/scale', post({ replicas: 1 }), 404, 'not-found'],
    ['nobody', '/v1/services/nobody/hold', post({}), 404, 'not-found'],
    ['another verb', '/v1/services/web/paint', post({}), 404, 'not-found'],
    [
      'unknown',
      '/v1/services/web/rollback',
      post({ toSpecVersion: 99 }),
      412,
      'failed-precondition',
    ],
    ['no change', '/v1/objects/Service/web', post({}, 'PATCH'), 400, 'invalid-argument'],
    [
      'no task',
      '/v1/objects/Service/web',
      post({ spec: { task: null } }, 'PATCH'),
      400,
      'invalid-argument',
    ],
    [
      'a strange field',
      '/v1/objects/Service/web',
      post({ spec: { colour: 1 } }, 'PATCH'),
      400,
      'invalid-argument',
    ],
    ['a task', '/v1/objects/Task/web.1', post({ labels: {} }, 'PATCH'), 400, 'invalid-argument'],
    [
      'a number',
      '/v1/objects/Service/web',
      post({ labels: { a: 1 } }, 'PATCH'),
      400,
      'invalid-argument',
    ],
    ['a word', '/v1/nodes/node1', post({ availability: 'gone' }, 'PATCH'), 400, 'invalid-argument'],
    ['no change', '/v1/nodes/node1', post({}, 'PATCH'), 400, 'invalid-argument'],
    ['nobody', '/v1/nodes/nobody', post({ availability: 'drain' }, 'PATCH'), 404, 'not-found'],
    ['perhaps', '/v1/nodes/node1?force=perhaps', { method: 'DELETE' }, 400, 'invalid-argument'],
    ['nothing', '/v1/remove', post({ targets: [] }), 400, 'invalid-argument'],
    [
      'both',
      '/v1/remove',
      post({ targets: [{ stack: 'a', kind: 'Node' }] }),
      400,
      'invalid-argument',
    ],
    [
      'a node',
      '/v1/remove',
      post({ targets: [{ kind: 'Node', reference: 'node1' }] }),
      400,
      'invalid-argument',
    ],
    [
      'unknown',
      '/v1/remove',
      post({ targets: [{ kind: 'Config', reference: 'x' }] }),
      404,
      'not-found',
    ],
  ])('refuses %s: %s', async (_, path, init, status, code) => {
    const { revision } = at.cluster.view();
    const [got, body] = await ask(at, path, init);
    expect([got, body['code']]).toEqual([status, code]);
    expect(at.cluster.view().revision).toBe(revision);
  });

  it('refuses a body that is too large', async () => {
    const small = await rig({ nodes: 1, bodyBytesMax: 100 });
    const body = { objects: [{ kind: 'Config', name: 'x'.repeat(200), spec: {} }] };
    expect(await ask(small, '/v1/declare', post(body))).toMatchObject([
      429,
      { code: 'resource-exhausted', details: { bodyBytesMax: 100 } },
    ]);
    expect((await small.client.info()).bodyBytesMax).toBe(100);
    await small.stop();
  });

  it('tells the log of changes, and of what breaks', async () => {
    const lines: string[] = [];
    const log =
      (level: string) =>
      (message: string, fields = {}): void => {
        lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
      };
    const logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    };
    const told = await rig({ nodes: 1, logger, text: () => JSON.parse('{') as string });
    await told.client.updateNode('node1', { availability: 'drain' });
    expect(lines.join('\n')).toMatch(/info control change .*PATCH.*\/v1\/nodes\/node1.*200/);
    expect(await codeOf(() => told.client.metrics())).toBe('internal');
    expect(lines.join('\n')).toContain('error control request failed');
    expect((await told.client.list(Event)).objects).toBeDefined();
    await told.stop();
    expect(await codeOf(() => told.client.info())).toBe('aborted');
  });
});
