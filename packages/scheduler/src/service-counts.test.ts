import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api/virtual';
import { node, task } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';

const KEYS = ['zone', 'rack', 'node.hostname', 'node.role', 'row'];

const aNode = (at: number, zone: number) =>
  node({
    id: `n${at}`,
    labels: { zone: `z${zone}`, ...(at % 3 === 0 ? {} : { rack: `r${at % 4}` }) },
  });

/** Counts of a service by place, as they are kept, and as they are counted from the nodes. */
function countsOf(state: ClusterState, key: string) {
  const domains = state.columns.domains(key);
  const active = state.activeTasksOf('web');
  const kept = active.places(domains);
  const counted = domains.values.map(() => 0);
  for (const info of state.nodes) {
    const place = domains.of[info.ordinal] ?? -1;
    if (place !== -1) counted[place] = (counted[place] ?? 0) + active.on(info);
  }
  return { kept: { counts: [...kept.counts], total: kept.total }, counted };
}

describe('counts of a service by place', () => {
  it('stay true while tasks and nodes come, move and go', () => {
    const random = seededRandom(3);
    const state = new ClusterState({
      nodes: Array.from({ length: 12 }, (_, n) => aNode(n, n % 3)),
    });
    for (let step = 0; step < 600; step += 1) {
      const at = random.int(12);
      const turn = random.int(20);
      if (turn === 0) state.upsertNode(aNode(at, random.int(4)));
      else if (turn === 1) state.removeNode(`n${at}`);
      else if (turn < 8) state.removeTask(`t${random.int(step + 1)}`);
      else if (state.node(`n${at}`) !== undefined) {
        const service = random.int(4) === 0 ? 'db' : 'web';
        state.place(task({ id: `t${step}`, service }), `n${at}`);
      }
      // More keys than counts are kept for, some of them asked for rarely.
      for (const key of KEYS.slice(0, step % 7 === 0 ? KEYS.length : 2)) {
        const { kept, counted } = countsOf(state, key);
        expect(kept).toEqual({ counts: counted, total: counted.reduce((a, b) => a + b, 0) });
      }
    }
  });

  it('are undone with a trial', () => {
    const state = new ClusterState({ nodes: [aNode(0, 0), aNode(1, 1)] });
    state.place(task({ id: 'a' }), 'n0');
    expect(countsOf(state, 'zone').kept).toEqual({ counts: [1, 0], total: 1 });
    state.attempt(() => {
      state.place(task({ id: 'b' }), 'n1');
      state.release('a');
      expect(countsOf(state, 'zone').kept).toEqual({ counts: [0, 1], total: 1 });
    });
    expect(countsOf(state, 'zone').kept).toEqual({ counts: [1, 0], total: 1 });
  });
});
