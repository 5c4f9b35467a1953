import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AssignedTask, TaskState } from '@skep/api';

import { changeBetween, nodeState, port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { VOTE_CLUSTER, voteNode } from '../__fixtures__/vote.js';
import type { NetworkChange, NodeNetworkState } from '../state.js';
import { createNodeLocal, hostPortsOf, type NodeLocal } from './node-local.js';
import { planNodeLocal } from './node-local-plan.js';

const FRESH = createNodeLocal({ underlayAddress: '192.168.50.11' });

function plan(clusters: readonly FixtureCluster[], start: NodeLocal = FRESH): NodeLocal[] {
  let state = nodeState({ ...VOTE_CLUSTER, networks: [], services: [], tasks: [] }, 'node1', 0);
  let local = start;
  return clusters.map((cluster, index) => {
    const next = nodeState(cluster, 'node1', index + 1);
    local = planNodeLocal(local, next, changeBetween(state, next));
    state = next;
    return local;
  });
}

const withoutTask = (id: string): FixtureCluster => ({
  ...VOTE_CLUSTER,
  tasks: VOTE_CLUSTER.tasks.filter((task) => task.id !== id),
});

describe('planNodeLocal', () => {
  it('hands out marks by creation, ingress first, as Swarm did', () => {
    for (const node of ['node1', 'node2'] as const) {
      expect(voteNode(node).local.marks.entries()).toEqual([
        ['client/overlay1', 256],
        ['vote/ingress', 257],
        ['vote/overlay1', 258],
      ]);
    }
  });

  it('gives the ingress sandbox the first address, tasks the next by creation', () => {
    const { local } = voteNode('node1');
    expect(local.ingressLeg).toBe('172.18.0.2');
    expect(local.legs.entries()).toEqual([
      ['client1', '172.18.0.3'],
      ['vote2', '172.18.0.4'],
    ]);
  });

  it('keeps a mark as long as the service lives, and never gives it again', () => {
    const gone = { ...VOTE_CLUSTER, services: VOTE_CLUSTER.services.slice(1) };
    const [, without, again] = plan([VOTE_CLUSTER, gone, VOTE_CLUSTER]);
    expect(without?.marks.keys()).toEqual(['vote/ingress', 'vote/overlay1']);
    expect(again?.marks.entries()).toEqual([
      ['client/overlay1', 259],
      ['vote/ingress', 257],
      ['vote/overlay1', 258],
    ]);
  });

  it('does not give an address or a bridge port again at once', () => {
    const [first, , again] = plan([VOTE_CLUSTER, withoutTask('client1'), VOTE_CLUSTER]);
    expect(first?.legs.get('client1')).toBe('172.18.0.3');
    expect(again?.legs.get('client1')).toBe('172.18.0.5');
    expect(first?.bridgePorts.get('overlay1/client1')).toBe(1);
    expect(again?.bridgePorts.get('overlay1/client1')).toBe(3);
  });

  it('comes round to free addresses, and gives none when all are taken', () => {
    const small = createNodeLocal({
      underlayAddress: '192.168.50.11',
      gatewayBridge: { name: 'gw', address: '172.18.0.1/29' },
    });
    const many = (ids: readonly string[]): FixtureCluster => ({
      ...VOTE_CLUSTER,
      tasks: ids.map((id) => ({
        id,
        service: 'client',
        node: 'node1',
        addresses: { overlay1: '10.0.9.8' },
      })),
    });
    const [full, round] = plan(
      [many(['a', 'b', 'c', 'd', 'e']), many(['b', 'c', 'd', 'f'])],
      small,
    );
    expect(full?.legs.values()).toEqual(['172.18.0.3', '172.18.0.4', '172.18.0.5', '172.18.0.6']);
    expect(round?.legs.get('f')).toBe('172.18.0.3');
    expect(full?.legs.has('e')).toBe(false);
  });

  it('releases everything when everything is gone', () => {
    const [, last] = plan([
      VOTE_CLUSTER,
      { ...VOTE_CLUSTER, networks: [], services: [], tasks: [] },
    ]);
    expect(last?.marks.size).toBe(0);
    expect(last?.legs.size).toBe(0);
    expect(last?.legOwners.size).toBe(0);
    expect(last?.bridgePorts.size).toBe(0);
    expect(last?.nextBridgePorts.size).toBe(0);
    expect(last?.ingressLeg).toBeUndefined();
  });

  it.each<[string, Partial<AssignedTask>, string, boolean]>([
    ['running', {}, 'overlay', true],
    ['ended', { knownState: 'complete' satisfies TaskState }, 'overlay', false],
    ['on the network of the host', {}, 'host', false],
    ['without a network', { networks: [] }, 'overlay', true],
    ['on the network none', {}, 'none', false],
  ])('a task that is %s: %#', (_, fields, driver, isExpected) => {
    const state = nodeState(VOTE_CLUSTER, 'node1');
    const task = state.tasks.get('client1');
    if (task === undefined) throw new Error('client1');
    const changed: NodeNetworkState = {
      ...state,
      networks: new Map([...state.networks].map(([id, one]) => [id, { ...one, driver }])),
      tasks: new Map([['client1', { ...task, ...fields }]]),
    };
    expect(planNodeLocal(FRESH, changed).legs.has('client1')).toBe(isExpected);
  });

  it('gives tasks on internal networks alone no way out', () => {
    const internal = {
      ...VOTE_CLUSTER,
      networks: VOTE_CLUSTER.networks.map((network) => ({ ...network, isInternal: true })),
    };
    const [local] = plan([internal]);
    expect(local?.legs.size).toBe(0);
  });

  it('chooses numbers for host ports that nobody named, each once, and takes them back', () => {
    const published = (ids: readonly string[]): FixtureCluster => ({
      ...VOTE_CLUSTER,
      services: [
        {
          id: 'web',
          order: 1,
          vips: { overlay1: '10.0.9.2' },
          ports: [
            port(0, 80, { publishMode: 'host' }),
            port(9000, 90, { publishMode: 'host' }),
            port(8080, 81),
          ],
        },
      ],
      tasks: ids.map((id, at) => ({
        id,
        service: 'web',
        node: 'node1',
        addresses: { overlay1: `10.0.9.${20 + at}` },
      })),
    });
    const [two, one] = plan([published(['a', 'b']), published(['b'])]);
    const numbers = (local: NodeLocal | undefined, id: string): number[] =>
      local === undefined ? [] : hostPortsOf(local, id).map(({ publishedPort }) => publishedPort);
    expect([numbers(two, 'a'), numbers(two, 'b')]).toEqual([
      [32768, 9000],
      [32769, 9000],
    ]);
    expect(one?.hostPortOwners.keys()).toEqual(['tcp/32769']);
    expect(numbers(one, 'a')).toEqual([]);
  });

  it('is the same with and without being told what changed', () => {
    fc.assert(
      fc.property(fc.array(randomCluster(), { minLength: 1, maxLength: 4 }), (clusters) => {
        let state = nodeState({ ...VOTE_CLUSTER, networks: [], services: [], tasks: [] }, 'node1');
        let [told, untold] = [FRESH, FRESH];
        for (const cluster of clusters) {
          const next = nodeState(cluster, 'node1');
          const change: NetworkChange = changeBetween(state, next);
          told = planNodeLocal(told, next, change);
          untold = planNodeLocal(untold, next);
          expect(told).toEqual(untold);
          state = next;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('gives nobody what somebody else has', () => {
    fc.assert(
      fc.property(fc.array(randomCluster(), { minLength: 1, maxLength: 4 }), (clusters) => {
        for (const local of plan(clusters)) {
          const legs = [...local.legs.values(), ...(local.ingressLeg ? [local.ingressLeg] : [])];
          expect(new Set(legs).size).toBe(legs.length);
          expect(local.legOwners.size).toBe(legs.length);
          expect(new Set(local.marks.values()).size).toBe(local.marks.size);
        }
      }),
      { numRuns: 50 },
    );
  });
});
