import { describe, expect, it } from '@jest/globals';
import { AssignmentState, networkChangeOf } from '@skep/adapter';
import { seededRandom } from '@skep/api/virtual';
import fc from 'fast-check';
import {
  anyCluster,
  assignmentBetween,
  completeAssignment,
  virtualAddressOf,
  type SmallCluster,
} from './__fixtures__/small-cluster.js';
import { SimulatedResolver, type LookupResult } from './simulated-resolver.js';

const WEB: SmallCluster = {
  services: [
    {
      number: 1,
      tasks: [
        { id: 't1', node: 'node1' },
        { id: 't2', node: 'node2' },
      ],
    },
    {
      number: 2,
      isDnsrr: true,
      tasks: [
        { id: 't3', node: 'node1' },
        { id: 't4', node: 'node1' },
      ],
    },
  ],
};

async function resolverOf(cluster: SmallCluster, seed = 1): Promise<SimulatedResolver> {
  const resolver = new SimulatedResolver(seededRandom(seed));
  const assignments = new AssignmentState();
  assignments.apply(completeAssignment(cluster, 'node1', 1));
  await resolver.apply(assignments.networkState(), undefined);
  return resolver;
}

describe('SimulatedResolver', () => {
  it.each<[string, string, readonly string[]]>([
    ['the VIP of a service', 'web1', ['10.0.1.21']],
    ['its tasks, wherever they run', 'tasks.web1', ['10.0.1.101', '10.0.1.102']],
    ['the tasks of a service without VIP', 'web2', ['10.0.1.103', '10.0.1.104']],
    ['an alias', 'alias1', ['10.0.1.21']],
  ])('answers %s', async (_what, name, addresses) => {
    const resolver = await resolverOf(WEB);
    const { outcome, addresses: answered, ttlSeconds } = resolver.lookup('t1', name);
    expect(outcome).toBe('NOERROR');
    expect([...answered].sort()).toEqual(addresses);
    expect(ttlSeconds).toBe(5);
  });

  it('knows only what was assigned, and forwards the rest to nobody', async () => {
    const resolver = await resolverOf(WEB);
    const nothing = { addresses: [], names: [] };
    expect(resolver.lookup('t1', 'example.org')).toMatchObject({
      outcome: 'forwarded',
      ...nothing,
    });
    expect(new SimulatedResolver(seededRandom(1)).lookup('t1', 'web1')).toMatchObject({
      outcome: 'forwarded',
      ...nothing,
    });
  });

  it('answers pointers with names', async () => {
    const resolver = await resolverOf(WEB);
    const { names } = resolver.lookup('t1', '102.1.0.10.in-addr.arpa', 'PTR');
    expect(names.join(' ')).toContain('web1.2.t2');
  });

  it('varies the order of several addresses, by its seed alone', async () => {
    const ask = async (seed: number): Promise<readonly string[]> => {
      const resolver = await resolverOf(WEB, seed);
      return Array.from({ length: 16 }, () => resolver.lookup('t1', 'web2').addresses.join(' '));
    };
    expect(new Set(await ask(1)).size).toBe(2);
    expect(await ask(1)).toEqual(await ask(1));
  });

  it('takes an address for itself, and the first address of a name', async () => {
    const resolver = await resolverOf(WEB);
    expect(resolver.addressFor('t1', '10.9.8.7')).toBe('10.9.8.7');
    expect(resolver.addressFor('t1', 'web1')).toBe('10.0.1.21');
    expect(resolver.addressFor('t1', '10.9.8')).toBeUndefined();
    expect(resolver.addressFor('t1', '999.1.1.1')).toBeUndefined();
    expect(resolver.addressFor('t1', 'nobody')).toBeUndefined();
  });
});

const NAMES = ['web1', 'web2', 'web3', 'alias0', 'alias1', 'tasks.web1', 'tasks.web2', 't1', 't2'];
const POINTERS = [1, 2, 3].map((number) => {
  const address = virtualAddressOf('net1', { number, tasks: [] });
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
});

/** Every answer that matters, the order of addresses aside. */
function answersOf(resolver: SimulatedResolver): readonly unknown[] {
  const plain = ({ outcome, addresses, names }: LookupResult): unknown => [
    outcome,
    [...addresses].sort(),
    [...names].sort(),
  ];
  return ['t1', 't2', 't3', 't4', 't5', 't6'].flatMap((taskId) => [
    ...NAMES.map((name) => [taskId, name, plain(resolver.lookup(taskId, name))]),
    ...POINTERS.map((name) => [taskId, name, plain(resolver.lookup(taskId, name, 'PTR'))]),
  ]);
}

describe('laws', () => {
  it('after any sequence of differences, names mean what the newest state says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCluster, { minLength: 1, maxLength: 5 }), async (clusters) => {
        const resolver = new SimulatedResolver(seededRandom(1));
        const assignments = new AssignmentState();
        assignments.apply(completeAssignment(WEB, 'node1', 1));
        await resolver.apply(assignments.networkState(), undefined);
        let before = { cluster: WEB, revision: 1 };
        for (const cluster of clusters) {
          const after = { cluster, revision: before.revision + 1 };
          const touched = assignments.apply(assignmentBetween('node1', before, after));
          await resolver.apply(assignments.networkState(), networkChangeOf(touched));
          expect(answersOf(resolver)).toEqual(answersOf(await resolverOf(cluster)));
          before = after;
        }
      }),
      { numRuns: 10 },
    );
  });

  it('nor does it matter that what is assigned is ahead of what is being applied', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCluster, { minLength: 2, maxLength: 6 }), async (clusters) => {
        const resolver = new SimulatedResolver(seededRandom(1));
        const assignments = new AssignmentState();
        assignments.apply(completeAssignment(WEB, 'node1', 1));
        await resolver.apply(assignments.networkState(), undefined);
        let before = { cluster: WEB, revision: 1 };
        const changes = clusters.map((cluster) => {
          const after = { cluster, revision: before.revision + 1 };
          const touched = assignments.apply(assignmentBetween('node1', before, after));
          before = after;
          return networkChangeOf(touched);
        });
        // The state was read after all of them, each time.
        for (const change of changes) await resolver.apply(assignments.networkState(), change);
        expect(answersOf(resolver)).toEqual(answersOf(await resolverOf(before.cluster)));
      }),
      { numRuns: 10 },
    );
  });
});
