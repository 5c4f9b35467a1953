import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { Container, ContainerModule } from 'inversify';
import { createCluster, createContainer } from './create-cluster.js';
import { identifiers } from './identifiers.js';
import { coreModule } from './modules/core-module.js';
import { orchestratorModule } from './modules/orchestrator-module.js';
import { simulatorModule } from './modules/simulator-module.js';
import { BUILT_IN_KINDS, storeModule } from './modules/store-module.js';
import type { ClusterOptions } from './options.js';

type Name = keyof typeof identifiers;

/** Identifiers that may be bound any number of times. */
const LISTS: readonly Name[] = ['kinds', 'controllers'];

/** The module sets, each on top of the one before, and what each adds. */
const SETS: readonly (readonly [
  name: string,
  module: (options: ClusterOptions) => ContainerModule,
  adds: readonly Name[],
])[] = [
  ['core', coreModule, ['options', 'clock', 'random', 'ids', 'logger', 'metrics']],
  ['store', storeModule, ['kinds', 'store']],
  ['orchestrator', orchestratorModule, ['policy', 'manager']],
  ['simulator', simulatorModule, ['behaviour', 'simulator']],
];

function containerOf(count: number): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.loadSync(...SETS.slice(0, count).map(([, module]) => module({})));
  return container;
}

function resolveAll(container: Container, names: readonly Name[]): void {
  for (const name of names) {
    const identifier = identifiers[name] as symbol;
    if (LISTS.includes(name)) container.getAll(identifier, { optional: true });
    else expect(container.get(identifier)).toBeDefined();
  }
}

const refusalOf = (body: () => unknown): string => {
  try {
    body();
    return 'nothing was refused';
  } catch (thrown) {
    return String(thrown);
  }
};

describe('composition', () => {
  it.each(SETS.map(([name], index) => [name, index + 1] as const))(
    'the modules up to %s resolve all that they bind',
    (_name, count) => {
      const bound = SETS.slice(0, count).flatMap(([, , adds]) => adds);
      resolveAll(containerOf(count), bound);
    },
  );

  it('binds every identifier, but for the list that only plugins fill', () => {
    const bound = SETS.flatMap(([, , adds]) => adds);
    const all = Object.keys(identifiers).filter((name) => name !== 'controllers');
    expect([...bound].sort()).toEqual(all.sort());
    resolveAll(createContainer(), Object.keys(identifiers) as Name[]);
    expect(createContainer().getAll(identifiers.kinds)).toEqual(BUILT_IN_KINDS);
  });

  it('makes one of each, and another container another', () => {
    const [one, other] = [createContainer(), createContainer()];
    const names = Object.keys(identifiers).filter((name) => !LISTS.includes(name as Name));
    for (const name of names as Name[]) {
      const identifier = identifiers[name] as symbol;
      expect(one.get(identifier)).toBe(one.get(identifier));
    }
    for (const name of ['clock', 'random', 'store', 'manager', 'simulator'] as const) {
      expect(one.get(identifiers[name])).not.toBe(other.get(identifiers[name]));
    }
  });

  it('names its identifiers so that both module formats mean the same', () => {
    for (const [name, identifier] of Object.entries(identifiers)) {
      const description = (identifier as symbol).description ?? '';
      expect([name, description]).toEqual([name, expect.stringMatching(/^@skep\/[A-Z]\w+$/)]);
      expect(Symbol.for(description)).toBe(identifier);
    }
    expect(new Set(Object.values(identifiers)).size).toBe(Object.keys(identifiers).length);
  });

  it('shows what is missing, by name', () => {
    const container = new Container({ defaultScope: 'Singleton' });
    container.loadSync(coreModule({}), orchestratorModule());
    expect(refusalOf(() => container.get(identifiers.manager))).toContain('@skep/Store');
  });

  it('shows what is bound twice, by name', () => {
    const plugin = new ContainerModule(({ bind }) => {
      bind(identifiers.clock).toConstantValue(new VirtualClock());
    });
    const container = createContainer({ plugins: [plugin] });
    const refusal = refusalOf(() => container.get(identifiers.store));
    expect(refusal).toContain('@skep/Clock');
    expect(refusal.toLowerCase()).toContain('ambiguous');
  });

  it('shows a circle, by name', () => {
    const plugin = new ContainerModule(({ rebindSync }) => {
      rebindSync(identifiers.policy).toResolvedValue(
        (manager) => {
          throw new Error(`never called with ${String(manager)}`);
        },
        [identifiers.manager],
      );
    });
    const container = createContainer({ plugins: [plugin] });
    const refusal = refusalOf(() => container.get(identifiers.manager));
    expect(refusal.toLowerCase()).toContain('circular');
    expect(refusal).toContain('@skep/Policy');
  });
});

describe('createCluster', () => {
  const codeOf = (options: ClusterOptions): Promise<string> =>
    createCluster(options).then(
      () => 'it was made',
      (thrown: unknown) => (isSkepError(thrown) ? `${thrown.code}: ${thrown.message}` : 'other'),
    );

  it('makes a cluster whose nodes are ready', async () => {
    const cluster = await createCluster();
    expect(cluster.simulator.hosts.map(({ name }) => name)).toEqual(['node1', 'node2']);
    expect(cluster.problems()).toEqual([]);
    await cluster.stop();
    expect(cluster.clock.pending()).toEqual([]);
  });

  it('takes two nodes of one name for a mistake', async () => {
    const nodes = [{ name: 'a' }, { name: 'b' }, { name: 'a' }];
    expect(await codeOf({ nodes })).toBe("invalid-argument: there are two nodes with the name 'a'");
    expect(await codeOf({ nodes: [{}, { name: 'node1' }] })).toContain('node1');
  });

  it('judges the settings of the cluster as the front door does', async () => {
    expect(await codeOf({ cluster: { dataPathPort: 80 } })).toContain('dataPathPort');
  });

  it('stops what it had started when it cannot go on', async () => {
    const stopped: string[] = [];
    const plugin = new ContainerModule(({ onActivation }) => {
      onActivation(identifiers.store, (_context, store) => {
        const close = store.close.bind(store);
        store.close = () => {
          stopped.push('store');
          return close();
        };
        return store;
      });
      onActivation(identifiers.simulator, (_context, simulator) => {
        simulator.start = () => Promise.reject(new Error('no hypervisor'));
        return simulator;
      });
    });
    await expect(createCluster({ plugins: [plugin] })).rejects.toThrow('no hypervisor');
    expect(stopped).toEqual(['store']);
  });
});
