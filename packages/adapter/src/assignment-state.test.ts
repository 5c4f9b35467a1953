import { describe, expect, it } from '@jest/globals';
import {
  isSkepError,
  type AssignedPeer,
  type Assignment,
  type AssignmentItem,
  type AssignmentKind,
  type AssignmentRemoval,
} from '@skep/api';
import fc from 'fast-check';
import { taskItem } from './__fixtures__/fakes.js';
import { AssignmentState, mergeNetworkChanges, networkChangeOf } from './assignment-state.js';

const complete = (revision: number, upserts: readonly AssignmentItem[] = []): Assignment => ({
  type: 'complete',
  revision,
  upserts,
  removals: [],
});

function peer(key: string, tunnelAddress: string): AssignmentItem {
  const [networkId = '', address = ''] = key.split('/');
  const value: AssignedPeer = { networkId, address, nodeId: 'n2', tunnelAddress };
  return { kind: 'peer', key, value };
}

function contentOf(state: AssignmentState): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state.items).map(([kind, items]) => [
      kind,
      Object.fromEntries([...items].sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  );
}

describe('AssignmentState', () => {
  it('holds what a complete assignment says and nothing else', () => {
    const state = new AssignmentState();
    state.apply(complete(5, [taskItem('t1'), peer('net1/10.0.0.5', '192.168.50.12')]));
    const touched = state.apply(complete(9, [taskItem('t2')]));
    expect(state.revision).toBe(9);
    expect([...state.items.task.keys()]).toEqual(['t2']);
    expect(state.items.peer.size).toBe(0);
    expect(touched.task).toEqual(['t1', 't2']);
    expect(touched.peer).toEqual(['net1/10.0.0.5']);
  });

  it('adds a difference that follows what it holds', () => {
    const state = new AssignmentState();
    state.apply(complete(5, [taskItem('t1'), taskItem('t2')]));
    const touched = state.apply({
      type: 'incremental',
      revision: 8,
      appliesTo: 5,
      upserts: [taskItem('t3')],
      removals: [
        { kind: 'task', key: 't1' },
        { kind: 'task', key: 'never-there' },
      ],
    });
    expect([...state.items.task.keys()]).toEqual(['t2', 't3']);
    expect(touched.task).toEqual(['t1', 't3']);
  });

  it.each<[string, number | undefined]>([
    ['an earlier revision', 4],
    ['a later revision', 6],
    ['nothing at all', undefined],
  ])('refuses a difference to %s and is as it was', (_what, appliesTo) => {
    const state = new AssignmentState();
    state.apply(complete(5, [taskItem('t1')]));
    const before = contentOf(state);
    const gap: Assignment = {
      type: 'incremental',
      revision: 7,
      ...(appliesTo === undefined ? {} : { appliesTo }),
      upserts: [taskItem('t9')],
      removals: [{ kind: 'task', key: 't1' }],
    };
    let thrown: unknown;
    try {
      state.apply(gap);
    } catch (error) {
      thrown = error;
    }
    expect(isSkepError(thrown, 'out-of-sequence')).toBe(true);
    expect([state.revision, contentOf(state)]).toEqual([5, before]);
  });

  it('knows the node only once it was told', () => {
    const state = new AssignmentState();
    expect(state.node).toBeUndefined();
    expect(state.networkState().node).toMatchObject({ id: '', dnsTtlMs: 5_000 });
    const value = {
      id: 'n1',
      name: 'node1',
      role: 'worker',
      availability: 'active',
      dnsTtlMs: 1_000,
      dataPathPort: 4_790,
    } as const;
    state.apply(complete(1, [{ kind: 'node', key: 'n1', value }]));
    expect(state.networkState()).toMatchObject({ revision: 1, node: value });
  });

  it('gives the networking part of what was touched', () => {
    const state = new AssignmentState();
    const touched = state.apply(complete(1, [taskItem('t1'), peer('net1/10.0.0.5', '1.1.1.1')]));
    expect(networkChangeOf(touched)).toEqual({
      networks: [],
      services: [],
      slices: [],
      peers: ['net1/10.0.0.5'],
      tasks: ['t1'],
    });
  });
});

/** One step of a random history: a change of some keys, and whether it is sent whole. */
interface Step {
  readonly isWhole: boolean;
  readonly puts: readonly { readonly key: string; readonly tunnel: number }[];
  readonly drops: readonly string[];
}

const KEYS = ['net1/10.0.0.5', 'net1/10.0.0.6', 'net2/10.0.1.5', 'net2/10.0.1.6'];
const aStep: fc.Arbitrary<Step> = fc.record({
  isWhole: fc.boolean(),
  puts: fc.array(fc.record({ key: fc.constantFrom(...KEYS), tunnel: fc.nat(3) }), { maxLength: 3 }),
  drops: fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 2 }),
});

describe('laws', () => {
  it('differences one after the other give what the whole gives', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 12 }), (steps) => {
        const state = new AssignmentState();
        const wanted = new Map<string, AssignmentItem>();
        let revision = 0;
        for (const step of [{ isWhole: true, puts: [], drops: [] }, ...steps]) {
          const upserts = new Map<string, AssignmentItem>();
          const removals: AssignmentRemoval[] = [];
          for (const key of step.drops) {
            if (wanted.delete(key)) removals.push({ kind: 'peer', key });
          }
          for (const { key, tunnel } of step.puts) {
            const item = peer(key, `192.168.50.${tunnel}`);
            wanted.set(key, item);
            upserts.set(key, item);
          }
          const appliesTo = revision;
          revision += 3;
          const touched = state.apply(
            step.isWhole
              ? complete(revision, [...wanted.values()])
              : {
                  type: 'incremental',
                  revision,
                  appliesTo,
                  upserts: [...upserts.values()],
                  removals,
                },
          );
          const whole = new AssignmentState();
          whole.apply(complete(revision, [...wanted.values()]));
          expect(contentOf(state)).toEqual(contentOf(whole));
          expect(state.revision).toBe(revision);
          for (const key of [...upserts.keys(), ...removals.map((removal) => removal.key)]) {
            expect(touched.peer).toContain(key);
          }
        }
      }),
    );
  });

  it('two changes as one name every key of both, once', () => {
    const kinds = ['networks', 'services', 'slices', 'peers', 'tasks'] as const;
    const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'));
    const change = fc.record({
      networks: keys,
      services: keys,
      slices: keys,
      peers: keys,
      tasks: keys,
    });
    fc.assert(
      fc.property(change, change, (a, b) => {
        const both = mergeNetworkChanges(a, b);
        for (const kind of kinds) {
          expect([...both[kind]].sort()).toEqual([...new Set([...a[kind], ...b[kind]])].sort());
        }
      }),
    );
  });

  it('has a map for every kind of item', () => {
    const kinds: readonly AssignmentKind[] = [
      'node',
      'network',
      'secret',
      'config',
      'peer',
      'service',
      'slice',
      'task',
    ];
    expect(Object.keys(new AssignmentState().items).sort()).toEqual([...kinds].sort());
  });
});
