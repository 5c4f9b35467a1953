/**
 * What a cluster says about itself and about its input: explanations, shortfalls, places in files.
 */
import { describe, expect, it } from '@jest/globals';
import { defineKind, SkepError, Task } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { BUILT_IN_KINDS, createCluster, declarableKinds, placedError } from 'skep';
import { passTimeUntil } from '../src/pass-time.js';

const PICKY = 'placement: { constraints: [node.labels.disk == ssd] }';

describe('Cluster.explain', () => {
  it.each([['db'], ['db.1'], ['NAME'], ['ID']])('takes %s for a task that waits', async (word) => {
    const cluster = await createCluster({ nodes: 2 });
    await cluster.apply(`services: { db: { image: x, deploy: { ${PICKY} } } }`);
    await cluster.settle();
    const [task] = cluster.view().list(Task);
    const id = task?.meta.id ?? '';
    const explanation = cluster.explain({ NAME: `db.1.${id}`, ID: id }[word] ?? word);
    expect(explanation).toMatchObject({
      taskId: id,
      pending: { code: 'no-suitable-node' },
      nodes: [{ nodeName: 'node1', isCandidate: false }, { nodeName: 'node2' }],
    });
    await cluster.stop();
  });

  it('prefers a task that waits to one that runs, and refuses what is none', async () => {
    const cluster = await createCluster({ nodes: 2 });
    await cluster.apply(
      'services:\n  db:\n    image: x\n' +
        '    deploy: { replicas: 3, placement: { max_replicas_per_node: 1 } }\n',
    );
    await cluster.settle();
    expect(cluster.explain('db').pending).toBeDefined();
    expect(() => cluster.explain('nobody')).toThrow("no task is meant by 'nobody'");
    await cluster.stop();
  });
});

describe('Cluster.problems', () => {
  it('says what every node lacks, the same lacks together', async () => {
    const cluster = await createCluster({
      nodes: [{ labels: { disk: 'ssd' } }, {}, {}],
    });
    const reservations = 'resources: { reservations: { cpus: "8" } }';
    await cluster.apply(`services: { db: { image: x, deploy: { ${PICKY}, ${reservations} } } }`);
    await cluster.settle();
    const cpu = 'cpu needs 8 cores, has 4 cores';
    const label = "constraint needs node.labels.disk == ssd, has ''";
    expect(cluster.problems().find(({ kind }) => kind === 'Task')?.shortfalls).toEqual([
      { nodes: ['node1'], lacks: [cpu] },
      { nodes: ['node2', 'node3'], lacks: [cpu, label] },
    ]);
    await cluster.stop();
  });
});

describe('Cluster.apply', () => {
  it('names the place in the file of what the front door refuses', async () => {
    const cluster = await createCluster({ nodes: 1 });
    await cluster.apply('services: { a: { image: x, ports: ["80:80"] } }');
    const text = 'services:\n  b:\n    image: x\n    ports: ["81:81", "80:80"]\n';
    const refusal = cluster.apply([{ path: 'b.yml', text }]);
    await expect(refusal).rejects.toMatchObject({
      code: 'already-exists',
      message:
        'b.yml:4:22: error: services.b.ports[1]: Service b: port 80/tcp belongs to the service ' +
        "'a' (publish another port, or 0 to have one chosen) [already-exists]",
      details: { complaints: [{ kind: 'Service', place: { path: 'b.yml', line: 4 } }] },
    });
    await cluster.stop();
  });

  it('complains in the order of the files, whatever the order of the names', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const service = (name: string, network: string): string =>
      `apiVersion: skep/v1\nkind: Service\nmetadata: { name: ${name} }\n` +
      `spec: { task: { container: { image: a }, networks: [{ target: ${network} }] } }\n`;
    const refusal = cluster.apply([
      { path: 'z.yml', text: `${service('web', 'one')}---\n${service('db', 'two')}` },
      { path: 'a.yml', text: service('api', 'three') },
    ]);
    const error = await refusal.then(
      () => undefined,
      (thrown: unknown) => thrown as SkepError,
    );
    expect(error?.message.split('\n').map((line) => line.slice(0, line.indexOf(' ')))).toEqual([
      'a.yml:4:63:',
      'z.yml:4:63:',
      'z.yml:9:63:',
    ]);
    await cluster.stop();
  });

  it('checks the form of manifests, and takes only what people may write', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const manifest = (kind: string, spec: string): string =>
      `apiVersion: skep/v1\nkind: ${kind}\nmetadata: { name: a }\nspec: ${spec}\n`;
    await expect(cluster.apply(manifest('Service', '{ mode: { type: 5 } }'))).rejects.toThrow(
      /^stack\.yml:4:\d+: error: spec\.mode\.type: /,
    );
    await expect(cluster.apply(manifest('Task', '{}'))).rejects.toThrow(/the kind Task is not/);
    await cluster.stop();
  });
});

describe('placedError', () => {
  it('leaves errors alone that are no refusals', () => {
    const error = new SkepError('unavailable', 'no answer', { details: { complaints: [1] } });
    expect(placedError(error, [])).toBe(error);
  });
});

describe('declarableKinds', () => {
  it('is the kinds that people write, custom ones among them', () => {
    const own = defineKind({ name: 'CronJob', initialStatus: {} });
    const names = declarableKinds([...BUILT_IN_KINDS, own]).map(({ name }) => name);
    expect(names.sort()).toEqual([
      'Cluster',
      'Config',
      'CronJob',
      'Network',
      'Node',
      'Secret',
      'Service',
      'Volume',
    ]);
  });
});

describe('createCluster', () => {
  it.each([
    [{ nodes: [{ name: 'a' }, { name: 'a' }] }, "two nodes with the name 'a'"],
    [{ cluster: { addressPools: ['10.0.0.0/30'] } }, 'spec.addressPools[0]'],
    [{ cluster: { heartbeatPeriodMs: 0 } }, 'spec.heartbeatPeriodMs'],
  ])('refuses %j', async (options, message) => {
    await expect(createCluster(options)).rejects.toThrow(message);
  });
});

describe('passTimeUntil', () => {
  it('moves the clock as far as the promise needs', async () => {
    const clock = new VirtualClock({ start: 0 });
    const done = new Promise<void>((resolve) => {
      clock.schedule(250, () => clock.schedule(900, resolve));
    });
    await passTimeUntil(clock, done);
    expect(clock.now()).toBe(900);
  });

  it('leaves the clock to who moves it already', async () => {
    const clock = new VirtualClock({ start: 0 });
    const done = new Promise<void>((resolve) => clock.schedule(100, resolve));
    await Promise.all([clock.advance(200), passTimeUntil(clock, done)]);
    expect(clock.now()).toBe(200);
  });

  it('gives up after a minute', async () => {
    const clock = new VirtualClock({ start: 0 });
    const tick = (): void => void clock.schedule(clock.now() + 1_000, tick, { isPeriodic: true });
    tick();
    await expect(passTimeUntil(clock, new Promise(() => undefined))).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('throws what the promise is rejected with', async () => {
    const clock = new VirtualClock({ start: 0 });
    await expect(passTimeUntil(clock, Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
  });
});
