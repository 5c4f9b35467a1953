import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, type Node, type Task, type TaskTemplate } from '@skep/api';
import { node, placeAll, placesOf, running, task, tasks } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import type { GroupPlacement } from './place.js';
import { swarmPolicy } from './swarm-policy.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 40) };

interface Wish {
  readonly service: string;
  readonly count: number;
  readonly memory: number;
  readonly gpus: number;
  readonly port: boolean;
  readonly zone: string | undefined;
  readonly isSpread: boolean;
  readonly most: number;
}

const aNode = (at: number, zone: string, [memory, gpus]: readonly [number, number]): Node =>
  node({
    id: `id${(at * 7) % 11}-${at}`,
    name: `node${at % 4}`,
    labels: { zone },
    resources: {
      memoryBytes: memory,
      generic: [{ kind: 'gpu', ids: Array.from({ length: gpus }, (_, n) => `g${n}`) }],
    },
  });

const clusters = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), fc.tuple(fc.nat(6), fc.nat(3))), { maxLength: 6 })
  .map((inputs) => inputs.map(([zone, amounts], at) => aNode(at, zone, amounts)));

const wishes = fc.array(
  fc.record({
    service: fc.constantFrom('s1', 's2', 's3'),
    count: fc.integer({ min: 1, max: 5 }),
    memory: fc.nat(3),
    gpus: fc.nat(2),
    port: fc.boolean(),
    zone: fc.constantFrom(undefined, 'a', 'b'),
    isSpread: fc.boolean(),
    most: fc.nat(2),
  }),
  { maxLength: 5 },
);

function tasksOf(wish: Wish, version: number): readonly Task[] {
  const template: TaskTemplate = {
    placement: {
      ...(wish.zone === undefined ? {} : { constraints: [`node.labels.zone == ${wish.zone}`] }),
      ...(wish.isSpread ? { preferences: [{ spread: 'node.labels.zone' }] } : {}),
      maxReplicasPerNode: wish.most,
    },
  };
  return Array.from({ length: wish.count }, (_, at) =>
    task({
      id: `${wish.service}.${version}.${at}`,
      service: wish.service,
      specVersion: version,
      slot: at + 1,
      template,
      reservations: { memoryBytes: wish.memory, generic: [{ kind: 'gpu', count: wish.gpus }] },
      ports: wish.port ? [{ targetPort: 1, publishedPort: 8080, publishMode: 'host' }] : [],
    }),
  );
}

const allTasks = (list: readonly Wish[]): readonly Task[] =>
  list.flatMap((wish, version) => tasksOf(wish, version));

/** Everything that was decided, as text. */
function digest({ placements, unplaced }: GroupPlacement): string {
  const withoutTask = (decision: object): object => ({ ...decision, task: undefined });
  return canonicalJson([placements.map(withoutTask), unplaced.map(withoutTask)]);
}

describe('laws of placement', () => {
  it('never over capacity, no host port and no item twice, no more replicas than allowed', () => {
    fc.assert(
      fc.property(clusters, wishes, (cluster, list) => {
        const state = new ClusterState({ nodes: cluster });
        const { placements } = placeAll(state, allTasks(list));
        for (const info of state.nodes) {
          expect(info.availableMemoryBytes).toBeGreaterThanOrEqual(0);
          expect(info.generic.free('gpu')).toBeGreaterThanOrEqual(0);
          expect(info.hostPortUses('tcp/8080')).toBeLessThanOrEqual(1);
          const here = placements.filter(({ nodeId }) => nodeId === info.id);
          const ids = here.flatMap(({ genericResources = [] }) =>
            genericResources.flatMap((item) => ('ids' in item ? item.ids : [])),
          );
          expect(new Set(ids).size).toBe(ids.length);
          for (const { task: placed } of here) {
            const most = placed.spec.template.placement?.maxReplicasPerNode ?? 0;
            const own = here.filter((other) => other.task.spec === placed.spec);
            if (most > 0) expect(own.length).toBeLessThanOrEqual(most);
          }
        }
      }),
      RUNS,
    );
  });

  it('the order in which nodes and tasks became known does not matter', () => {
    fc.assert(
      fc.property(clusters, wishes, fc.infiniteStream(fc.nat()), (cluster, list, dice) => {
        const shuffled = <T>(items: readonly T[]): readonly T[] =>
          items
            .map((item) => ({ item, key: dice.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const one = placeAll(new ClusterState({ nodes: cluster }), allTasks(list));
        const other = placeAll(
          new ClusterState({ nodes: shuffled(cluster) }),
          shuffled(allTasks(list)),
        );
        expect(digest(other)).toBe(digest(one));
      }),
      RUNS,
    );
  });

  it('a state that followed every change decides as one built anew', () => {
    const steps = fc.array(
      fc.record({ wish: fc.nat(9), act: fc.constantFrom('run', 'stop', 'end', 'drain', 'gone') }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(clusters, wishes, steps, (cluster, list, changes) => {
        const known = new Map(cluster.map((one) => [one.meta.id, one]));
        const stored = new Map<string, Task>();
        const state = new ClusterState({ nodes: cluster });
        const members = allTasks(list);
        // Places and forgets, so that indexes exist before the changes come.
        placeAll(state, members);
        state.dropAssumed();
        for (const { wish, act } of changes) {
          const one = cluster[wish % Math.max(cluster.length, 1)];
          const nodeId = one?.meta.id ?? 'nowhere';
          if (act === 'drain' && one !== undefined) {
            const drained = { ...one, spec: { ...one.spec, availability: 'drain' as const } };
            known.set(nodeId, drained);
            state.upsertNode(drained);
          } else if (act === 'gone') {
            known.delete(nodeId);
            state.removeNode(nodeId);
          } else {
            const changed = task({
              id: `run.${wish % 4}`,
              service: `s${wish % 3}`,
              nodeId,
              reservations: { memoryBytes: 1 },
              ...(act === 'stop' ? { desiredState: 'shutdown' as const } : {}),
              ...(act === 'end' ? { state: 'failed' as const } : {}),
            });
            stored.set(changed.meta.id, changed);
            state.upsertTask(changed);
          }
          placeAll(state, members);
          state.dropAssumed();
        }
        const anew = new ClusterState({ nodes: known.values(), tasks: stored.values() });
        expect(digest(placeAll(state, members))).toBe(digest(placeAll(anew, members)));
      }),
      RUNS,
    );
  });

  it('one more node never leaves out a task of a group without spread', () => {
    fc.assert(
      fc.property(clusters, wishes, fc.tuple(fc.nat(6), fc.nat(3)), (cluster, list, amounts) => {
        const [wish] = list;
        if (wish === undefined) return;
        const members = tasksOf({ ...wish, isSpread: false }, 1);
        const before = placeAll(new ClusterState({ nodes: cluster }), members);
        const extra = aNode(cluster.length, 'a', amounts);
        const after = placeAll(new ClusterState({ nodes: [...cluster, extra] }), members);
        expect(after.unplaced.length).toBeLessThanOrEqual(before.unplaced.length);
      }),
      RUNS,
    );
  });

  it('explanations are true: a refused task fits no node, by the filters that are named', () => {
    fc.assert(
      fc.property(clusters, wishes, (cluster, list) => {
        const members = allTasks(list);
        const state = new ClusterState({ nodes: cluster });
        const { unplaced } = placeAll(state, members);
        for (const { explanation } of unplaced) {
          expect(explanation.nodes).toHaveLength(cluster.length);
          for (const { filters } of explanation.nodes ?? []) expect(filters).not.toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('one by one as a group of its own goes where a service with the same counts would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(5), (count, busy) => {
        const cluster = [0, 1, 2, 3].map((at) => aNode(at, 'a', [100, 0]));
        const tasksThere = running(busy, { nodeId: cluster[1]?.meta.id ?? '' });
        const build = () => new ClusterState({ nodes: cluster, tasks: tasksThere });
        const grouped = placeAll(build(), tasks(count));
        const single = placeAll(build(), tasks(count, { specVersion: null }));
        expect(placesOf(single)).toEqual(placesOf(grouped));
      }),
      RUNS,
    );
  });

  it('the policy is one value, so that what is cached for it is shared', () => {
    expect(swarmPolicy()).toBe(swarmPolicy());
  });
});
