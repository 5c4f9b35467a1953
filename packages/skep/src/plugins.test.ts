/**
 * What a plugin may replace or add: every identifier that is meant for it.
 */
import { describe, expect, it } from '@jest/globals';
import {
  ACTORS,
  Config,
  defineKind,
  deriveId,
  isSkepError,
  newObject,
  Service,
  silentLogger,
  silentMetrics,
  type Clock,
  type IdSource,
  type Logger,
  type Metrics,
  type StandardSchema,
} from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { create, defineController, noChanges } from '@skep/controller';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import { memoryStore } from '@skep/store';
import { ContainerModule } from 'inversify';
import { createCluster } from './create-cluster.js';
import { identifiers } from './identifiers.js';
import { BUILT_IN_KINDS } from './modules/store-module.js';
import type { ClusterOptions } from './options.js';

const WEB = 'services: { web: { image: "web:1", deploy: { replicas: 3 } } }';

const withPlugin = (
  load: ConstructorParameters<typeof ContainerModule>[0],
  options: ClusterOptions = { nodes: 1 },
): ClusterOptions => ({ ...options, plugins: [new ContainerModule(load)] });

describe('a plugin replaces', () => {
  it('the scheduling policy', async () => {
    const policy: Policy = {
      name: 'last-name-first',
      filters: swarmPolicy().filters,
      rank: [
        {
          scope: 'node',
          name: 'name',
          label: 'the last name',
          value: ({ node }) => -Number(node.meta.name.slice(-1)),
        },
      ],
    };
    const cluster = await createCluster(
      withPlugin(({ rebindSync }) => void rebindSync(identifiers.policy).toConstantValue(policy), {
        nodes: 3,
      }),
    );
    await cluster.apply(WEB);
    await cluster.settle();
    const tasks = cluster.tasks('web');
    expect(tasks.map(({ status }) => cluster.host(status.nodeId ?? '').name)).toEqual([
      'node3',
      'node3',
      'node3',
    ]);
    expect(tasks[0]?.status.placement).toMatchObject({ term: 'name', nodes: 3 });
    expect(cluster.explain('web').nodes).toHaveLength(3);
    await cluster.stop();
  });

  it('the store, which is closed at the end', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: BUILT_IN_KINDS });
    const cluster = await createCluster(
      withPlugin(({ rebindSync }) => {
        rebindSync(identifiers.clock).toConstantValue(clock);
        rebindSync(identifiers.store).toConstantValue(store);
      }),
    );
    expect([cluster.store, cluster.clock]).toEqual([store, clock]);
    await cluster.apply(WEB);
    expect(store.view().count(Service)).toBe(1);
    await cluster.stop();
    const closed = await store.commit({ actor: 'user', changes: [] }).catch((e: unknown) => e);
    expect(isSkepError(closed, 'unavailable')).toBe(true);
  });

  it('the clock by another virtual one only, and it is told so', async () => {
    const start = Date.UTC(2030, 0, 1);
    const cluster = await createCluster(
      withPlugin(
        ({ rebindSync }) =>
          void rebindSync(identifiers.clock).toConstantValue(new VirtualClock({ start })),
      ),
    );
    expect(cluster.clock.now()).toBeGreaterThan(start);
    await cluster.stop();

    const real: Clock = {
      now: () => 0,
      schedule: () => ({ cancel: () => undefined }),
      defer: () => undefined,
    };
    const refused = await createCluster(
      withPlugin(({ rebindSync }) => void rebindSync(identifiers.clock).toConstantValue(real)),
    ).catch((thrown: unknown) => thrown);
    expect(isSkepError(refused, 'invalid-argument')).toBe(true);
    expect(String(refused)).toContain('a simulated cluster needs a VirtualClock');
  });

  it('randomness, and the ids that people get', async () => {
    let count = 0;
    const ids: IdSource = { next: () => `id${(count += 1)}` };
    const cluster = await createCluster(
      withPlugin(({ rebindSync }) => {
        rebindSync(identifiers.random).toConstantValue(seededRandom('mine'));
        rebindSync(identifiers.ids).toConstantValue(ids);
      }),
    );
    const {
      results: [result],
    } = await cluster.apply(WEB);
    expect(result?.id).toMatch(/^id\d+$/);
    await cluster.stop();
  });

  it('logger and metrics, which hear of everything', async () => {
    const lines: string[] = [];
    const counted = new Set<string>();
    const logger: Logger = { ...silentLogger, info: (message) => lines.push(message) };
    const metrics: Metrics = {
      ...silentMetrics,
      counter: (definition) => {
        counted.add(definition.name);
        return silentMetrics.counter(definition);
      },
    };
    const cluster = await createCluster(
      withPlugin(({ rebindSync }) => {
        rebindSync(identifiers.logger).toConstantValue(logger);
        rebindSync(identifiers.metrics).toConstantValue(metrics);
      }),
    );
    expect(lines).toContain('node state');
    expect(counted.size).toBeGreaterThan(0);
    await cluster.stop();
  });

  it('what containers do', async () => {
    const cluster = await createCluster(
      withPlugin(({ rebindSync }) => {
        rebindSync(identifiers.behaviour).toConstantValue((task) => ({
          respond: () => ({ status: 201, body: task.name.split('.')[0] ?? '' }),
        }));
      }),
    );
    await cluster.apply('services: { web: { image: web, ports: ["8080:80"] } }');
    await cluster.settle();
    expect(cluster.request('node1:8080')).toMatchObject({ status: 201, body: 'web' });
    await cluster.stop();
  });

  it('a built-in controller, by its name', async () => {
    let passes = 0;
    const idle = defineController({
      name: 'scheduler',
      for: Service,
      plan: () => {
        passes += 1;
        return noChanges;
      },
    });
    const cluster = await createCluster(
      withPlugin(({ bind }) => void bind(identifiers.controllers).toConstantValue(idle)),
    );
    await cluster.apply(WEB);
    await cluster.settle();
    expect(passes).toBeGreaterThan(0);
    const { names } = cluster.manager.controllers;
    expect(names.filter((name) => name === 'scheduler')).toHaveLength(1);
    expect(cluster.tasks('web').every(({ status }) => status.nodeId === undefined)).toBe(true);
    await cluster.stop();
  });
});

interface GatewaySpec {
  readonly port: number;
  readonly host?: string;
}

const schema: StandardSchema<GatewaySpec> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { port } = value as Partial<GatewaySpec>;
      return typeof port === 'number' && port > 0
        ? { value: value as GatewaySpec }
        : { issues: [{ message: 'port must be above 0', path: ['port'] }] };
    },
  },
};

const Gateway = defineKind<GatewaySpec, object>({
  name: 'Gateway',
  initialStatus: {},
  indexes: { port: ({ spec }) => String(spec.port) },
  defaults: (spec) => ({ host: 'localhost', ...spec }),
  schema,
});

const gateway = (spec: string): string => `
apiVersion: skep/v1
kind: Gateway
metadata: { name: front, labels: { tier: edge } }
spec: ${spec}
`;

const gatewayModule = ({ bind }: Parameters<ConstructorParameters<typeof ContainerModule>[0]>[0]) =>
  void bind(identifiers.kinds).toConstantValue(Gateway);

describe('a plugin adds', () => {
  it('a kind, which files may then declare, change and remove', async () => {
    const cluster = await createCluster(withPlugin(gatewayModule));
    const {
      results: [created],
    } = await cluster.apply(gateway('{ port: 80 }'));
    expect(created).toMatchObject({ action: 'create', kind: 'Gateway', name: 'front' });
    const front = cluster.get(Gateway, 'front');
    expect(front?.spec).toEqual({ host: 'localhost', port: 80 });
    expect(front?.meta.labels).toEqual({ tier: 'edge' });
    const { results: again } = await cluster.apply(gateway('{ port: 80 }'));
    expect(again[0]?.action).toBe('unchanged');
    await cluster.apply(gateway('{ port: 81 }'));
    expect(cluster.get(Gateway, 'front')?.meta.generation).toBe(2);
    const found = cluster.view().list(Gateway, { index: 'port', key: '81', of: Gateway });
    expect(found).toHaveLength(1);
    await cluster.removeObject({ kind: Gateway, reference: 'front' });
    expect(cluster.view().count(Gateway)).toBe(0);
    await cluster.stop();
  });

  it('the rules of its kind: what they refuse changes nothing', async () => {
    const cluster = await createCluster(withPlugin(gatewayModule));
    const files = [
      { path: 'web.yml', text: WEB },
      { path: 'gateway.yml', text: gateway('{ port: 0 }') },
    ];
    const refused = await cluster.apply(files).catch((thrown: unknown) => thrown);
    expect(isSkepError(refused, 'invalid-argument')).toBe(true);
    expect(String(refused)).toContain('gateway.yml');
    expect(String(refused)).toContain('port must be above 0');
    expect(cluster.view().count(Service)).toBe(0);
    await cluster.stop();
  });

  it('no kind to clusters that do not have the plugin', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const refused = await cluster.apply(gateway('{ port: 80 }')).catch((e: unknown) => e);
    expect(String(refused)).toContain('the kind Gateway is not known');
    await cluster.stop();
  });

  it('a controller, which acts with the others', async () => {
    const card = defineController({
      name: 'visiting-card',
      actor: ACTORS.user,
      for: Service,
      plan: (view, key) => {
        const service = view.get(Service, key);
        const id = deriveId(key, 'card');
        if (service === undefined || view.get(Config, id) !== undefined) return noChanges;
        const data = Buffer.from(service.meta.name).toString('base64');
        const name = `card-of-${service.meta.name}`;
        return { changes: [create(newObject(Config, { id, name, spec: { data } }))] };
      },
    });
    const cluster = await createCluster(
      withPlugin(({ bind }) => void bind(identifiers.controllers).toConstantValue(card)),
    );
    await cluster.apply(WEB);
    await cluster.settle();
    expect(cluster.get(Config, 'card-of-web')).toBeDefined();
    expect(cluster.problems()).toEqual([]);
    await cluster.stop();
  });

  it('something in the order in which plugins are given: the last one counts', async () => {
    const naming = (name: string): ContainerModule =>
      new ContainerModule(({ rebindSync }) => {
        const policy: Policy = { ...swarmPolicy(), name };
        rebindSync(identifiers.policy).toConstantValue(policy);
      });
    const names: string[] = [];
    const asking = new ContainerModule(({ onActivation }) => {
      onActivation(identifiers.policy, (_context, policy) => {
        names.push(policy.name);
        return policy;
      });
    });
    const cluster = await createCluster({
      nodes: 1,
      plugins: [naming('first'), naming('second'), asking],
    });
    expect(names).toEqual(['second']);
    await cluster.stop();
  });
});
